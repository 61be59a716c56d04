"""What an exported face model takes on a chip: instructions counted in an emulator, as `measure` does for a
voice, and bytes."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from tabulate import tabulate

from speech_emotion import native
from speech_emotion.errors import CheckFailed, UserError
from speech_emotion.face import export
from speech_emotion.measure import firmware, toolchain
from speech_emotion.measure.chips import CHIPS, Range

_MAIN = Path(__file__).resolve().parent / "chip" / "main.c"
_ROOTS = ("ser_face_predict",)
PICTURES = 6
"""Made-up ones; how long one takes hardly depends on what it shows."""


@dataclass(frozen=True)
class Figures:
    """Of one picture on one chip: time in ms, and the upper one if it waits for the flash, None where it
    does not (see measure/chips.py); instructions; flash and the deepest stack, bytes."""

    chip: str
    milliseconds: Range
    waiting: float | None
    instructions: int
    flash: int
    stack: int


def measure(name: str, folder: Path) -> Figures:
    """An export's figures on a chip of measure's. MissingTool: it cannot be built or run here; CheckFailed:
    it gives other bits than this computer; UserError: the folder holds no export."""
    target, chip = toolchain.TARGETS[name], CHIPS[name]
    target.check()
    sources = sorted(folder.glob("*.c"))
    if not (folder / "ser_face_model.c").is_file():
        raise UserError(f"{folder}: no exported face model; make one with python -m face export")
    with tempfile.TemporaryDirectory() as scratch:
        here, there = Path(scratch) / "here", Path(scratch) / "there"
        for place in (here, there):
            place.mkdir()
            (place / "pictures").write_bytes(export.trials(PICTURES).tobytes())
        expected = _run_here(sources, folder, here)
        flags = (f"-I{folder}", f"-I{toolchain.C}", *native.WARNINGS)
        objects = target.compile(sources, there, *flags)
        main = target.compile([_MAIN, *target.platform()], there, *flags)
        program = target.link([*main, *objects], there / "program.elf")
        printed, instructions, misses = firmware.mean_region(target, program, chip.cache)
        *found, stack = printed.split()
        code, tables, _ = firmware.reached(target, objects, there, _ROOTS)
        frames = firmware.deepest(target.frames(there), _ROOTS[0])
    if found != expected:
        raise CheckFailed(f"{name}: probabilities of a picture differ from this computer's")
    return Figures(
        chip.name, chip.seconds(instructions, 0).times(1e3),
        1e3 * chip.seconds(instructions, 0, misses).upper if chip.cache else None,
        round(instructions), code + tables,
        max(int(stack, 16), frames),
    )  # fmt: skip


def _run_here(sources, folder, scratch):
    host = toolchain.HOST
    flags = (f"-I{folder}", f"-I{toolchain.C}")
    objects = host.compile([*sources, _MAIN, *host.platform()], scratch, *flags)
    return host.emulate(host.link(objects, scratch / "program")).split()[:-1]


def table(found: list[Figures]) -> str:
    """The figures as Markdown."""
    head = (
        "chip",
        "a face, ms (lower / nominal / upper)",
        "if it waits for the flash",
        "instructions",
        "flash, KB",
        "stack, KB",
    )
    rows = [
        [
            each.chip,
            " / ".join(
                f"{t:.1f}" for t in (
                    each.milliseconds.lower, each.milliseconds.nominal, each.milliseconds.upper
                )
            ),
            "–" if each.waiting is None else f"{each.waiting:.1f}", f"{each.instructions:,}",
            f"{each.flash / 1024:.1f}", f"{each.stack / 1024:.1f}",
        ]
        for each in found
    ]  # fmt: skip
    return tabulate(rows, head, "pipe", disable_numparse=True)
