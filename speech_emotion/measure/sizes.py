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

from matplotlib.figure import Figure

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
    written = source.write(wanted, name="model")
    files = library.contents(wanted, written, name="model", sizes="", facts={})
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        library.write({k: v for k, v in files.items() if k.startswith("src/")}, folder)
        return measure(folder)


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


# --- the front: score against bytes ----------------------------------------------------------


@dataclass(frozen=True)
class Point:
    """A model on the plane of size and score. score: e.g. macro F1, higher is better."""

    name: str
    sizes: Sizes
    score: float


def front(points: list[Point]) -> list[Point]:
    """The models that no other beats in both flash and score, smallest first (Pareto)."""
    best, result = float("-inf"), []
    for point in sorted(points, key=lambda p: (p.sizes.flash, -p.score)):
        if point.score > best:
            result.append(point)
            best = point.score
    return result


def table(points: list[Point], *, flash_kb: float = 256, ram_kb: float = 256) -> str:
    """All models, smallest first, as lines of text: `*` marks the front, `over` what exceeds the budget."""
    on_front = {point.name for point in front(points)}
    lines = [f"{'':2}{'model':18}{'flash KB':>10}{'model KB':>10}{'RAM KB':>8}{'F1':>8}"]
    for p in sorted(points, key=lambda p: p.sizes.flash):
        over = "" if p.sizes.fits(flash_kb, ram_kb) else "  over budget"
        lines.append(
            f"{'*' if p.name in on_front else '':2}{p.name:18}{p.sizes.flash / 1024:>10.1f}"
            f"{p.sizes.model / 1024:>10.1f}{p.sizes.ram / 1024:>8.1f}{p.score:>8.3f}{over}"
        )
    return "\n".join(lines)


def draw(points: list[Point], *, flash_kb: float = 256, score: str = "macro F1") -> Figure:
    """Score against flash, the front joined by a line, the budget dashed."""
    figure = Figure(figsize=(6.5, 4.2), layout="constrained")
    ax = figure.subplots()
    for p in points:
        ax.plot(p.sizes.flash / 1024, p.score, "o", color="#4477aa")
        ax.annotate(
            p.name, (p.sizes.flash / 1024, p.score), xytext=(4, 4), textcoords="offset points"
        )
    best = front(points)
    ax.plot(
        [p.sizes.flash / 1024 for p in best], [p.score for p in best], color="#ccbb44", zorder=0
    )
    ax.axvline(flash_kb, color="#bbbbbb", linestyle="--", linewidth=1)
    measured = points[0].sizes.measured_with if points else ""
    ax.set(xscale="log", xlabel=f"flash: code, tables, model (KB)\n{measured}", ylabel=score)
    ax.set_title("Score against size")
    ax.spines[["top", "right"]].set_visible(False)
    return figure
