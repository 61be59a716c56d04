"""What a model costs on the chip: flash and static RAM, from compiled code.

Extractor and model are compiled and joined with a program that listens and answers, and what that reaches is
counted; the C library's few functions, most of which the chips have in ROM, are not. With Debian's
riscv64-unknown-elf-gcc the target is measure's ESP32-P4, in density near the ESP32; without it, this
computer.
"""

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from speech_emotion import native
from speech_emotion.codegen import library, source
from speech_emotion.codegen.pipeline import Plan, plan
from speech_emotion.errors import UserError
from speech_emotion.measure import firmware, toolchain
from speech_emotion.model import compiled

CHIP = toolchain.ESP32P4
_MAIN = """#include "ser.h"
static ser_recognizer recognizer;
static ser_result result;
int ser_size_main(const int16_t *samples);
int ser_size_main(const int16_t *samples)
{
    ser_init(&recognizer);
    ser_push(&recognizer, samples, SER_HOP);
    ser_finish(&recognizer, &result);
    return result.label;
}
"""


@dataclass(frozen=True)
class Sizes:
    """Bytes. flash: code, tables and model; model: of these, the model's; ram: static, the recogniser's
    state; no stack, no system. `measured_with` says by which compiler, for which chip."""

    flash: int
    model: int
    ram: int
    measured_with: str

    def fits(self, flash_kb: float, ram_kb: float) -> bool:
        return self.flash <= flash_kb * 1024 and self.ram <= ram_kb * 1024

    def text(self) -> str:
        return (
            f"flash {self.flash / 1024:.1f} KB, of which the model {self.model / 1024:.1f} KB; "
            f"static RAM {self.ram / 1024:.1f} KB ({self.measured_with})"
        )


def sizes(pipeline, info: dict) -> Sizes:
    """What a fitted pipeline takes. info: its `labels` and `columns`. UserError: cannot be exported."""
    return sizes_of(plan(pipeline, info))


def sizes_of(wanted: Plan) -> Sizes:
    """What the library of a plan takes."""
    with tempfile.TemporaryDirectory() as folder:
        _write(wanted, Path(folder))
        return measure(Path(folder))


def write_sources(pipeline, info: dict, folder: Path) -> None:
    """The C sources alone of a fitted pipeline's library, below folder/src. info: as of `sizes`."""
    _write(plan(pipeline, info), folder)


def _write(wanted, folder):
    written = source.write(wanted, name="model")
    files = library.contents(wanted, written, name="model", sizes="", facts={})
    library.write({k: v for k, v in files.items() if k.startswith("src/")}, folder)


def measure(folder: Path) -> Sizes:
    """What a generated library takes."""
    with tempfile.TemporaryDirectory() as build:
        build = Path(build)
        main = build / "main.c"
        main.write_text(_MAIN)
        if shutil.which(CHIP.programs[0]):
            return _on_chip(folder, main, build)
        return _here(folder, main, build)


def _on_chip(folder, main, build):
    files = [main, *compiled.sources(folder)]
    objects = CHIP.compile(files, build, f"-I{folder / 'src'}")
    code, tables, model, ram = firmware.sizes(CHIP, objects, build, ("ser_size_main",))
    compiler = CHIP.programs[0]
    about = f"{compiler} {native.version(compiler)}, {CHIP.march}, {toolchain.FLAGS[0]}"
    return Sizes(code + tables + model, model, ram, about)


def _here(folder, main, build):
    if not shutil.which("size"):
        raise UserError("size: no such program; install binutils to measure what a model takes")
    command = [*native.compiler(), "-fPIC", *toolchain.FLAGS]
    program, model = build / "all", build / "model.o"
    link = ["-shared", "-Wl,--gc-sections", "-Wl,-e,ser_size_main", "-lm", "-o", str(program)]
    compiled.compile_c(command, folder, [main, *compiled.sources(folder)], link)
    model_c = [folder / "src" / "ser_model.c"]
    compiled.compile_c([*command, "-c"], folder, model_c, ["-o", str(model)])
    text, data, bss = _berkeley(program)
    about = f"for this computer, no chip: {CHIP.programs[0]} is not installed, {toolchain.FLAGS[0]}"
    return Sizes(text + data, sum(_berkeley(model)[:2]), data + bss, about)


def _berkeley(path):
    """text, data, bss; text includes constants."""
    run = subprocess.run(["size", str(path)], capture_output=True, text=True)
    if run.returncode:
        raise UserError(f"size: {run.stderr.strip()}")
    return [int(field) for field in run.stdout.splitlines()[1].split()[:3]]
