"""A generated library as firmware: built for a target, run on clips, its instructions counted."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from codegen import compiled
from common.errors import UserError
from features import device, schema
from measure import toolchain
from measure.toolchain import C, Target

CALLS = ("ser_init", "ser_push", "ser_finish")
KINDS = ("nothing", "init", "push", "finish")  # the regions that main.c marks
_PLUGIN = C / "counts.c"
_NO_MODEL = """#ifndef SER_MODEL_H
#define SER_MODEL_H
#define SER_MODEL_NAME "none"
#define SER_MODEL_SCHEMA_HASH SER_SCHEMA_HASH
#define SER_MODEL_THRESHOLD 0.0f
#define SER_LABELS 1
#endif
""", """#include "ser.h"

const char *const ser_label_names[SER_LABELS] = {"none"};

void ser_model_predict(const float *features, float *probabilities)
{
    (void)features;
    probabilities[0] = 1.0f;
}
"""  # fmt: skip


@dataclass(frozen=True)
class Region:
    """A part of a run: what it executed, and how much of it is slow (see Target.slow)."""

    kind: str
    instructions: int
    slow: int


@dataclass(frozen=True)
class Answer:
    """What the firmware said of a clip: numbers of 32 bits, floats as their bits."""

    status: int
    label: int
    speech: int
    seconds: int
    probabilities: tuple[int, ...]
    features: tuple[int, ...]


@dataclass(frozen=True)
class Run:
    """A run over clips. regions: per clip, in order, without what the marks cost; functions: per kind of region
    and function, instructions executed over all clips; stack: the deepest, in bytes."""

    state: int
    answers: list[Answer]
    stack: int
    regions: list[list[Region]]
    functions: dict[str, Counter]


@dataclass(frozen=True)
class Built:
    """Firmware for a target. Bytes of flash without the C library's few functions, which the chips have in
    ROM; ram: what the library keeps besides the recogniser's state."""

    target: Target
    program: Path
    flash_code: int
    flash_model: int
    ram: int


def extractor_alone(folder: Path, without: Iterable[str] = ()) -> Path:
    """The extractor as a library with no model: everything but `without`, groups of features."""
    source = folder / "src"
    shutil.copytree(device.EMBEDDED / "src", source)
    off = "".join(f"#define SER_WITH_{group.upper()} 0\n" for group in without)
    guard = "#ifndef SER_CONFIG_H\n#define SER_CONFIG_H\n{}#endif\n"
    (source / "ser_config.h").write_text(guard.format(off))
    for name, text in zip(("ser_model.h", "ser_model.c"), _NO_MODEL, strict=True):
        (source / name).write_text(text)
    return folder


def build(target: Target, library: Path, folder: Path) -> Built:
    """Compile without a warning, and link. folder: where everything made goes."""
    folder.mkdir(parents=True, exist_ok=True)
    include = f"-I{library / 'src'}"
    objects = target.compile(
        compiled.sources(library), folder, include, f"-I{C}", *toolchain.WARNINGS
    )
    main = target.compile(
        [C / "main.c", *target.platform()], folder, include, f"-I{C}", *toolchain.WARNINGS
    )
    program = target.link([*main, *objects], folder / "program.elf")
    code = model = ram = 0
    if target.prefix:
        model_object = folder / "ser_model.o"
        whole = target.sections(objects, folder, CALLS)
        part = target.sections([model_object], folder, ("ser_model_predict", "ser_label_names"))
        code, model = _flash(whole), _flash(part)
        ram = sum(
            size
            for name, size in whole.items()
            if name.startswith((".data", ".sdata", ".bss", ".sbss"))
        )
    return Built(target, program, code - model, model, ram)


_FLASH = (".text", ".literal", ".rodata", ".srodata", ".data", ".sdata")


def _flash(sections):
    return sum(
        size for name, size in sections.items() if name.startswith(_FLASH) or ".literal" in name
    )


def plugin(folder: Path) -> Path:
    """The counting plug-in, compiled for this computer."""
    made = folder / "counts.so"
    flags = ("-O2", "-fPIC", "-shared", "-fvisibility=hidden")
    toolchain.run([*device.compiler(), *flags, _PLUGIN, "-o", made])
    return made


def execute(built: Built, clips: Iterable[np.ndarray], *, count: bool = True) -> Run:
    """Run the firmware on clips: int16 (n,) each."""
    folder, target = built.program.parent, built.target
    clips = list(clips)
    with open(folder / "clips", "wb") as file:
        for clip in clips:
            file.write(np.uint32(len(clip)).tobytes() + clip.astype("<i2").tobytes())
    if not count:
        return _parse(target.emulate(built.program), clips)
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        symbols = target.symbols(built.program)
        begins = ":".join(f"{symbols[f'begin_{kind}'][0]:x}" for kind in KINDS)
        (scratch / "slow").write_text("\n".join(f"{at:x}" for at in target.slow(built.program)))
        options = f"begin={begins},end={symbols['end_region'][0]:x},slow={scratch / 'slow'},out={scratch / 'out'}"
        printed = target.emulate(built.program, "-plugin", f"{plugin(scratch)},{options}")
        return _parse(printed, clips, (scratch / "out").read_text(), symbols)


def _parse(printed, clips, counted="", symbols=None):
    numbers = [int(line, 16) for line in printed.split()]
    state, labels, columns = numbers[:3]
    each = 4 + labels + columns
    if len(numbers) != 4 + each * len(clips) or columns != len(schema.COLUMNS):
        raise UserError(
            f"the firmware ended early: {len(numbers)} numbers of {4 + each * len(clips)}"
        )
    answers = []
    for start in range(3, 3 + each * len(clips), each):
        row = numbers[start : start + each]
        answers.append(Answer(*row[:4], tuple(row[4 : 4 + labels]), tuple(row[4 + labels :])))
    regions, executed, cost = [], [], 0
    for line in counted.splitlines():
        what, *fields = line.split()
        if what == "at":
            executed.append((int(fields[0], 16), KINDS[int(fields[1])], int(fields[2])))
            continue
        kind = KINDS[int(fields[0])]
        if kind == "nothing":
            cost = int(fields[1])
            continue
        if kind == "init":
            regions.append([])
        regions[-1].append(Region(kind, int(fields[1]) - cost, int(fields[2])))
    return Run(state, answers, numbers[-1], regions, _by_function(executed, symbols or {}))


def _by_function(executed, symbols):
    """Sum over the addresses of each function, the marks' own left out."""
    starts = sorted((at, name) for name, (at, letter) in symbols.items()
                    if letter in "tTwW" and not name.startswith((".L", "$")))  # fmt: skip
    addresses = np.array([at for at, _ in starts])
    result = {}
    for address, kind, count in executed:
        name = starts[max(0, int(np.searchsorted(addresses, address, "right")) - 1)][1]
        if name not in ("main", "recognise", "end_region") and not name.startswith("begin_"):
            result.setdefault(kind, Counter())[name] += count
    return result
