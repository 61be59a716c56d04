"""What each choice of groups costs: state (RAM) and flash, as Markdown.

`python -m embedded.sizes` compiles embedded/src for a RISC-V chip with an FPU (rv32imafc, the ESP32-P4's
kind) with -Os and links only what the extractor's three calls reach. The C library's few functions
(memcpy, memmove, memset, and sqrtf where there is no instruction) are not counted.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

from common import cli
from common.errors import UserError
from embedded.generate import SOURCE
from features import schema

COMPILER = "riscv64-unknown-elf-gcc"
TARGET = ("-march=rv32imafc", "-mabi=ilp32f", "--specs=picolibc.specs")
OPTIONS = (
    "-std=c99", "-Os", "-ffp-contract=off", "-fno-math-errno", "-ffunction-sections",
    "-fdata-sections",
)  # fmt: skip
CALLS = ("ser_extractor_init", "ser_extractor_push", "ser_extractor_finish")
VOICE = ("pitch", "voice", "hnr")


def state_and_flash(without=()) -> tuple[int, int]:
    """Bytes of sizeof(ser_extractor), and of code and constants, with some groups left out."""
    switches = [f"-DSER_WITH_{group.upper()}=0" for group in without]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        probe = folder / "probe.c"
        probe.write_text('#include "ser_extractor.h"\nchar state[sizeof(ser_extractor)];\n')
        compile_it = [COMPILER, *TARGET, *OPTIONS, *switches, f"-I{SOURCE}"]
        _run([*compile_it, "-c", str(probe), "-o", str(folder / "probe.o")])
        listing = _run(["riscv64-unknown-elf-nm", "-S", str(folder / "probe.o")])
        sources = [str(path) for path in sorted(SOURCE.glob("ser_*.c"))]
        _run([*compile_it, "-c", *sources], folder)
        objects = [str(folder / Path(source).with_suffix(".o").name) for source in sources]
        roots = [argument for call in CALLS for argument in ("-u", call)]
        linker = [
            "riscv64-unknown-elf-ld",
            "-m",
            "elf32lriscv",
            "-r",
            "--gc-sections",
            "-e",
            CALLS[0],
        ]
        _run([*linker, *roots, *objects, "-o", str(folder / "all.o")])
        sections = _run(["riscv64-unknown-elf-size", "-A", str(folder / "all.o")])
    flash = sum(
        int(line.split()[1])
        for line in sections.splitlines()
        if line.startswith((".text", ".rodata", ".srodata", ".data", ".sdata"))
    )
    return int(listing.split()[1], 16), flash


def _run(command, folder=None):
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    if done.returncode:
        raise UserError(f"{command[0]}: {done.stderr.splitlines()[-1]}")
    return done.stdout


def main():
    if shutil.which(COMPILER) is None:
        raise UserError(
            f"{COMPILER}: not found; apt-get install gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf"
        )
    rows = [("all groups", ()), ("without pitch, voice, hnr", VOICE)]
    rows += [(f"without {group}", (group,)) for group in schema.GROUPS]
    print("| groups | state, bytes | flash, bytes |\n|---|--:|--:|")
    for name, without in rows:
        state, flash = state_and_flash(without)
        print(f"| {name} | {state:,} | {flash:,} |")


if __name__ == "__main__":
    cli.run(main)
