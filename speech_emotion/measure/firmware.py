"""A generated library as firmware: built for a target, run on clips, its instructions counted."""

import shutil
import tempfile
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from speech_emotion import native
from speech_emotion.errors import UserError
from speech_emotion.features import schema
from speech_emotion.measure import toolchain
from speech_emotion.measure.chips import Cache
from speech_emotion.measure.toolchain import C, Target
from speech_emotion.model import compiled
from speech_emotion.resources import EMBEDDED

CALLS = ("ser_init", "ser_push", "ser_finish")
KINDS = ("nothing", "init", "push", "finish")  # the regions that main.c marks
_MARKS = {"end_region", "main", "main.c:recognise", *(f"begin_{kind}" for kind in KINDS)}
_NO_MODEL = {
    "ser_model.h": """#ifndef SER_MODEL_H
#define SER_MODEL_H
#define SER_MODEL_NAME "none"
#define SER_MODEL_SCHEMA_HASH SER_SCHEMA_HASH
#define SER_MODEL_THRESHOLD 0.0f
#define SER_LABELS 1
#endif
""",
    "ser_model.c": """#include "ser.h"

const char *const ser_label_names[SER_LABELS] = {"none"};

void ser_model_predict(const float *features, float *probabilities)
{
    (void)features;
    probabilities[0] = 1.0f;
}
""",
}


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
class Region:
    """A call: which, what it executed, how much of that is slow (Target.slow) and computes floats
    (Target.floats), and how often it would have waited for the flash (0 without a cache to count)."""

    kind: str
    instructions: int
    slow: int
    floats: int = 0
    misses: int = 0


@dataclass(frozen=True)
class Run:
    """A run over clips. state: bytes of the recogniser and its result; stack: the deepest found painted over;
    regions: per clip, in order, without what the marks cost; functions: instructions by kind of region and
    function, over all clips; longest: the same within the longest region of each kind."""

    state: int
    answers: list[Answer]
    stack: int
    regions: list[list[Region]] = field(default_factory=list)
    functions: dict[str, Counter] = field(default_factory=dict)
    longest: dict[str, Counter] = field(default_factory=dict)


@dataclass(frozen=True)
class Built:
    """Firmware for a target. code, tables, model, ram: bytes of what the library's calls reach, without the C
    library's few functions, most of which the chips have in ROM; ram: variables besides the recogniser's
    state, and copied of it: code and tables that the chip's start-up copies there (ser_in_ram.h); frames:
    the deepest chain of stack frames."""

    target: Target
    program: Path
    code: int = 0
    tables: int = 0
    model: int = 0
    ram: int = 0
    frames: int = 0
    copied: int = 0


def extractor_alone(folder: Path, without: Iterable[str] = ()) -> Path:
    """The extractor as a library with no model: everything but `without`, groups of features."""
    source = folder / "src"
    shutil.copytree(EMBEDDED / "src", source)
    off = "".join(f"#define SER_WITH_{group.upper()} 0\n" for group in without)
    text = f"#ifndef SER_CONFIG_H\n#define SER_CONFIG_H\n{off}#endif\n"
    (source / "ser_config.h").write_text(text)
    for name, text in _NO_MODEL.items():
        (source / name).write_text(text)
    return folder


def build(target: Target, library: Path, folder: Path) -> Built:
    """Compile without a warning, and link. folder: where everything made goes."""
    folder.mkdir(parents=True, exist_ok=True)
    flags = (f"-I{library / 'src'}", f"-I{C}")
    if target is not toolchain.HOST:
        flags += native.WARNINGS
    objects = target.compile(compiled.sources(library), folder, *flags)
    main = target.compile([C / "main.c", *target.platform()], folder, *flags)
    program = target.link([*main, *objects], folder / "program.elf")
    if target is toolchain.HOST:
        return Built(target, program)
    frames = target.frames(folder)
    stack = max(deepest(frames, call) for call in CALLS)
    copied = _bytes(target.sections(objects, folder, CALLS), _IN_RAM)
    return Built(target, program, *sizes(target, objects, folder, CALLS), stack, copied)


def sizes(
    target: Target, objects: list[Path], folder: Path, roots: Iterable[str]
) -> tuple[int, int, int, int]:
    """Bytes of code, tables, model and variables that the roots reach, of a library's objects."""
    (model_object,) = (path for path in objects if path.name == "ser_model.o")
    code, tables, variables = reached(target, objects, folder, roots)
    names = ("ser_model_predict", "ser_label_names")
    model_code, model_tables, _ = reached(target, [model_object], folder, names)
    return code - model_code, tables - model_tables, model_code + model_tables, variables


def reached(
    target: Target, objects: list[Path], folder: Path, roots: Iterable[str]
) -> tuple[int, int, int]:
    """Bytes of code, constants and variables that the roots reach in these objects."""
    found = target.sections(objects, folder, roots)
    return _bytes(found, _CODE), _bytes(found, _CONSTANT), _bytes(found, _VARIABLE)


_CODE_IN_RAM = (".time_critical.ser", ".iram1")
_TABLES_IN_RAM = (".time_critical.rodata", ".dram1", ".data")
_IN_RAM = (*_CODE_IN_RAM, *_TABLES_IN_RAM)
_CODE = (".text", ".literal", *_CODE_IN_RAM)
_CONSTANT = (".rodata", *_TABLES_IN_RAM)
_VARIABLE = (".bss", *_IN_RAM)


def _bytes(sections, kinds):
    """LLVM's literals of constants are in `.rodata.<name>.literal`, and count as constants."""
    return sum(size for name, size in sections.items() if name.startswith(kinds))


def deepest(frames: dict[str, tuple[int, set[str]]], function: str, above: tuple = ()) -> int:
    """Bytes of the deepest chain of frames that begins with a function; C library's frames count nothing."""
    if function not in frames or function in above:
        return 0
    size, callees = frames[function]
    return size + max((deepest(frames, name, (*above, function)) for name in callees), default=0)


def plugin(folder: Path) -> Path:
    """The counting plug-in, compiled for this computer."""
    made = folder / "counts.so"
    flags = ("-O2", "-fPIC", "-shared", "-fvisibility=hidden")
    native.run([*native.compiler(), *flags, C / "counts.c", "-o", made])
    return made


def gate_per_second(target: Target, library: Path, folder: Path) -> int:
    """Instructions per second of sound while nobody speaks: capture and gate. folder: as in `build`."""
    folder.mkdir(parents=True, exist_ok=True)
    flags = (f"-I{library / 'src'}", f"-I{C}", *native.WARNINGS)
    sources = [C / "gate.c", *target.platform()]
    sources += [library / "src" / f"{stage}.c" for stage in ("ser_capture", "ser_listen")]
    program = target.link(target.compile(sources, folder, *flags), folder / "gate.elf")
    _, counts, _ = counted(target, program, ["begin_nothing", "begin_listen"])
    regions = [line.split() for line in counts.splitlines() if line.startswith("region")]
    marks, *blocks = [int(region[2]) for region in regions]
    per_block = sum(blocks) / len(blocks) - marks
    return round(per_block * schema.SAMPLE_RATE / schema.HOP)


def execute(
    built: Built, clips: Iterable[np.ndarray], *, count: bool = True, cache: Cache | None = None
) -> Run:
    """Run the firmware on clips: int16 (n,) each. Without `count` there are only answers. cache: whose misses
    are counted, too."""
    folder, target = built.program.parent, built.target
    clips = list(clips)
    with open(folder / "clips", "wb") as file:
        for clip in clips:
            file.write(np.uint32(len(clip)).tobytes() + clip.astype("<i2").tobytes())
    if not count:
        return Run(*_answers(target.emulate(built.program), len(clips)))
    begins = [f"begin_{kind}" for kind in KINDS]
    printed, counts, symbols = counted(target, built.program, begins, cache)
    return Run(*_answers(printed, len(clips)), *_counts(counts, symbols))


def counted(
    target: Target, program: Path, begins: list[str], cache: Cache | None = None
) -> tuple[str, str, dict[str, int]]:
    """Run a program with the counting plug-in. begins: the marks where regions start; they end at the mark
    `end_region`; cache: one whose misses are counted. Returns what it printed, what the plug-in wrote (see
    c/counts.c), and the symbols."""
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        out, symbols = scratch / "out", target.symbols(program)
        lists = ""
        for name, found in (
            ("slow", target.slow(program)),
            ("floats", target.floats(program)),
            ("free", target.free(program)),
        ):
            (scratch / name).write_text("\n".join(f"{at:x}" for at in found))
            lists += f",{name}={scratch / name}"
        starts = ":".join(f"{symbols[begin]:x}" for begin in begins)
        options = f"begin={starts},end={symbols['end_region']:x}{lists},out={out}"
        if cache is not None:
            numbers = (
                *target.program_memory(symbols),
                cache.size,
                cache.ways,
                cache.line,
                cache.data,
            )
            options += f",cache={':'.join(f'{number:x}' for number in numbers)}"
        printed = target.emulate(program, "-plugin", f"{plugin(scratch)},{options}")
        return printed, out.read_text(), symbols


def mean_region(
    target: Target, program: Path, cache: Cache | None = None
) -> tuple[str, float, float]:
    """What a program printed, and the instructions and the cache's misses of its mean region between
    `begin_iteration` and `end_region`; the instructions without what the marks cost, which it shows between
    `begin_nothing` and `end_region` first."""
    printed, counts, _ = counted(target, program, ["begin_nothing", "begin_iteration"], cache)
    marks, *regions = (
        [int(field) for field in line.split()[2:]]
        for line in counts.splitlines()
        if line.startswith("region")
    )
    instructions, _, _, misses = (sum(each) / len(regions) for each in zip(*regions, strict=True))
    return printed, instructions - marks[0], misses


def _answers(printed, clips):
    """State, answers and stack, from what main.c prints."""
    numbers = [int(line, 16) for line in printed.split()]
    labels, columns = numbers[1:3] if len(numbers) > 3 else (0, 0)
    each = 4 + labels + columns
    if columns != len(schema.COLUMNS) or len(numbers) != 4 + each * clips:
        raise UserError(f"the firmware broke off: {len(numbers)} numbers for {clips} clips")
    answers = []
    for start in range(3, 3 + each * clips, each):
        row = numbers[start : start + each]
        status, label, speech, seconds, *rest = row
        probabilities, features = tuple(rest[:labels]), tuple(rest[labels:])
        answers.append(Answer(status, label, speech, seconds, probabilities, features))
    return numbers[0], answers, numbers[-1]


def _counts(text, symbols):
    """Regions by clip, functions, and functions of the longest regions, from what the plug-in wrote."""
    starts = sorted(
        (at, name) for name, at in symbols.items() if name[0] not in ".$_" or name[:2] == "__"
    )
    addresses = [at for at, _ in starts]
    regions: list[list[Region]] = []
    functions: dict[str, Counter[str]] = {}
    longest: dict[str, Counter[str]] = {}
    marks = 0
    for line in text.splitlines():
        what, *fields = line.split()
        if what == "region":
            kind, (instructions, *rest) = KINDS[int(fields[0])], map(int, fields[1:])
            if kind == "nothing":
                marks = instructions
                continue
            if kind == "init":
                regions.append([])
            regions[-1].append(Region(kind, instructions - marks, *rest))
        else:
            name = starts[max(0, bisect_right(addresses, int(fields[0], 16)) - 1)][1]
            if name not in _MARKS:
                kind = KINDS[int(fields[1])]
                functions.setdefault(kind, Counter())[name] += int(fields[2])
                longest.setdefault(kind, Counter())[name] += int(fields[3])
    return regions, functions, longest
