"""What the extractor costs on an emulated RISC-V chip, by groups of features: state, flash, stack, work.

`python -m embedded.cost` prints it as Markdown, for a chip with an FPU (rv32imafc, the ESP32-P4's kind).
Flash is code and constants that the extractor's three calls reach, without the C library's few functions
(memcpy, memmove, memset); instructions are those QEMU executes, on a voiced sound.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from common import cli
from common.errors import UserError
from embedded.generate import SOURCE
from features import schema

COMPILER = "riscv64-unknown-elf-gcc"
EMULATOR = "qemu-system-riscv32"
FIXED = ("-ffp-contract=off", "-fno-math-errno")
CALLS = ("ser_extractor_init", "ser_extractor_push", "ser_extractor_finish")
VOICE = ("pitch", "voice", "hnr")
_MEMORY = (
    "--defsym=__flash=0x80000000,--defsym=__flash_size=4M,--defsym=__ram=0x80400000,"
    "--defsym=__ram_size=512K,--defsym=__stack_size=16K"
)


class Target(NamedTuple):
    """An instruction set, its calling convention, and how to optimise for it."""

    march: str
    mabi: str
    level: str


P4_LIKE = Target("rv32imafc", "ilp32f", "-O2")  # single precision in hardware
C3_LIKE = Target("rv32imc", "ilp32", "-Os")  # none


class Run(NamedTuple):
    """What the emulated chip printed: instructions per hop and of finish, deepest stack in bytes, and the
    features' bits as uint32 (columns,)."""

    mean: int
    worst: int
    finish: int
    stack: int
    bits: np.ndarray


def sources() -> list[str]:
    """The extractor's C files."""
    return [str(path) for path in sorted(SOURCE.glob("ser_*.c"))]


def switches(without) -> list[str]:
    """Compiler flags that leave groups out."""
    return [f"-DSER_WITH_{group.upper()}=0" for group in without]


def state_and_flash(target: Target = P4_LIKE, without=()) -> tuple[int, int]:
    """Bytes of sizeof(ser_extractor), and of code and constants at -Os, with some groups left out."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "probe.c").write_text(
            '#include "ser_extractor.h"\nchar state[sizeof(ser_extractor)];\n'
        )
        _run(
            [COMPILER, "--specs=picolibc.specs", f"-march={target.march}", f"-mabi={target.mabi}", "-std=c99",
             "-Os", *FIXED, "-ffunction-sections", "-fdata-sections", *switches(without), f"-I{SOURCE}",
             "-c", "probe.c", *sources()], folder,
        )  # fmt: skip
        state = int(_run(["riscv64-unknown-elf-nm", "-S", "probe.o"], folder).split()[1], 16)
        (folder / "probe.o").unlink()
        objects = [path.name for path in folder.glob("*.o")]
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
        _run([*linker, *roots, *objects, "-o", "all.o"], folder)
        sections = _run(["riscv64-unknown-elf-size", "-A", "all.o"], folder)
    kept = (".text", ".rodata", ".srodata", ".data", ".sdata")
    flash = sum(int(line.split()[1]) for line in sections.splitlines() if line.startswith(kept))
    return state, flash


def run(samples: np.ndarray, target: Target = P4_LIKE, without=()) -> Run:
    """The extractor on the emulated chip. samples: int16, at most four seconds."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        samples.astype(np.int16).tofile(folder / "sound.raw")
        _run(
            [COMPILER, "--specs=picolibc.specs", "--oslib=semihost", "--crt0=semihost",
             f"-march={target.march}", f"-mabi={target.mabi}", "-mcmodel=medany", target.level, "-std=gnu99",
             *FIXED, *switches(without), "-DPICOLIBC_INTEGER_PRINTF_SCANF", "-ffunction-sections",
             "-fdata-sections", f"-Wl,--gc-sections,{_MEMORY}", f"-I{SOURCE}",
             str(SOURCE.parent / "host" / "rv32_main.c"), *sources(), "-lm", "-o", "program.elf"], folder,
        )  # fmt: skip
        printed = _run(
            [EMULATOR, "-M", "virt", "-bios", "none", "-cpu", "rv32", "-display", "none", "-monitor", "none",
             "-serial", "none", "-chardev", "stdio,id=c0", "-semihosting-config",
             "enable=on,target=native,chardev=c0", "-icount", "shift=0", "-kernel", "program.elf"], folder,
        ).splitlines()  # fmt: skip
    numbers = dict(line.split() for line in printed[:4])
    return Run(
        *(int(numbers[name]) for name in ("mean", "worst", "finish", "stack")),
        np.array([int(line, 16) for line in printed[4:]], np.uint32),
    )


def missing_tool() -> str | None:
    """The first program needed that is not installed."""
    return next((tool for tool in (COMPILER, EMULATOR) if shutil.which(tool) is None), None)


def _run(command, folder):
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error" in line] or ["no message"]
        raise UserError(f"{command[0]}: {lines[0]}")
    return done.stdout


def voiced_sound() -> np.ndarray:
    """Three seconds of a buzz around 130 Hz that comes and goes: int16."""
    time = np.arange(48080) / schema.SAMPLE_RATE
    phase = 2 * np.pi * np.cumsum(130 + 15 * np.sin(2 * np.pi * 1.5 * time)) / schema.SAMPLE_RATE
    wave = sum(np.sin(k * phase) / k for k in range(1, 25))
    return np.rint(4000 * wave * (np.sin(2 * np.pi * 0.8 * time) > -0.5)).astype(np.int16)


def main():
    tool = missing_tool()
    if tool:
        raise UserError(
            f"{tool}: not found; apt-get install gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf "
            "qemu-system-misc"
        )
    rows = [("all groups", ()), ("without pitch, voice, hnr", VOICE)]
    rows += [(f"without {group}", (group,)) for group in schema.GROUPS]
    print(
        "| groups | state, B | flash, B | stack, B | instructions per hop, mean | worst | finish |\n"
        "|---|--:|--:|--:|--:|--:|--:|"
    )
    sound = voiced_sound()
    for name, without in rows:
        state, flash = state_and_flash(without=without)
        cost = run(sound, without=without)
        print(
            f"| {name} | {state:,} | {flash:,} | {cost.stack:,} | {cost.mean:,} | {cost.worst:,} "
            f"| {cost.finish:,} |"
        )


if __name__ == "__main__":
    cli.run(main)
