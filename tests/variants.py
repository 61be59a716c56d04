"""Copies of the code with something changed, and both engines run from them: the schema's tests stand on
these.

A variant is a folder with the package and embedded/ in it. `run` regenerates the C of each, compiles it as
a test build (slots poisoned, embedded/host/ser_poison.c) and measures sounds with both engines, every
variant in a process of its own.

    python variants.py JOBS      JOBS: a JSON file of {"folder", "sounds", "out"} each
"""

import ast
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np

REPOSITORY = Path(__file__).resolve().parent.parent
SCHEMA = "speech_emotion/features/schema.py"
_FLAGS = (
    "-std=c99",
    "-O0",  # compiled far oftener than run
    "-fPIC",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-DSER_TEST_POISON",
    "-Werror=implicit",
)
_NOT_NEEDED = (
    "checks",
    "codegen",
    "commands",
    "corpora",
    "dataset",
    "fuzz",
    "measure",
    "model",
    "training",
)


class Variant:
    """A copy of embedded/ and of the package, in a new folder; of the package what both engines and the
    generator need, or the whole. defines: of its C build, SER_WITH_MEL=0 and such."""

    def __init__(self, folder: Path, *defines: str, whole: bool = False):
        self.folder, self.defines = folder, defines
        for name in ("speech_emotion", "embedded"):
            ignored = shutil.ignore_patterns("__pycache__", *(() if whole else _NOT_NEEDED))
            shutil.copytree(REPOSITORY / name, folder / name, ignore=ignored)

    def edit(self, path: str, old: str, new: str) -> "Variant":
        """Replaces what stands once in a file."""
        file = self.folder / path
        text = file.read_text("utf-8")
        assert text.count(old) == 1, f"{path}: {text.count(old)} times {old!r}"
        file.write_text(text.replace(old, new), "utf-8")
        return self

    def set(self, name: str, value: float) -> "Variant":
        """Gives a constant of the schema another value; MODULATION_BANDS[1][0] is a name, too."""
        file = self.folder / SCHEMA
        text = file.read_text("utf-8")
        name, *places = re.findall(r"\w+", name)
        (node,) = (
            each.value
            for each in ast.parse(text).body
            if isinstance(each, ast.Assign) and [ast.unparse(t) for t in each.targets] == [name]
        )
        for place in places:
            node = node.elts[int(place)]
        lines = text.splitlines(keepends=True)
        offset = [sum(map(len, lines[:i])) for i in range(len(lines) + 1)]
        start = offset[node.lineno - 1] + node.col_offset
        end = offset[node.end_lineno - 1] + node.end_col_offset
        file.write_text(text[:start] + repr(value) + text[end:], "utf-8")
        return self


def run(
    variants: dict[str, Variant],
    sounds: dict[str, np.ndarray],
    folder: Path,
    *,
    device_only: bool = False,
    jobs: int = 2,
) -> dict[str, SimpleNamespace]:
    """What becomes of each variant: .refused (why the generator would not, or ""), .failed (what broke, or
    ""), or else .columns, and .reference and .device, (sounds, columns) each. device_only: sounds as they
    are, cut to no clip, and no .reference."""
    folder = Path(tempfile.mkdtemp(dir=folder))
    np.savez(folder / "sounds.npz", **sounds)
    tasks = [
        {
            "folder": str(variant.folder), "defines": variant.defines, "device_only": device_only,
            "sounds": str(folder / "sounds.npz"), "out": str(folder / f"{i}.npz"),
        }
        for i, variant in enumerate(variants.values())
    ]  # fmt: skip
    (folder / "jobs.json").write_text(json.dumps(tasks))
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "SER_CACHE": str(folder.parent / "objects"),
    }
    command = [sys.executable, __file__, str(folder / "jobs.json"), str(jobs)]
    subprocess.run(command, check=True, cwd=REPOSITORY, env=environment)
    return {name: _read(task["out"]) for name, task in zip(variants, tasks, strict=True)}


def _read(path):
    with np.load(path) as file:
        found = {name: file[name] for name in file.files}
    found = {name: value.item() if value.ndim == 0 else value for name, value in found.items()}
    return SimpleNamespace(**{"refused": "", "failed": "", **found})


# --- the other process -------------------------------------------------------------------------


def _measure(task):
    """One variant, in a process that has loaded the libraries but not yet the variant."""
    import numba

    numba.config.DISABLE_JIT = True  # a second of compilation for milliseconds of work
    for name in [name for name in sys.modules if name.split(".")[0] == "speech_emotion"]:
        del sys.modules[name]
    folder = Path(task["folder"])
    sys.path[0] = str(folder)
    from speech_emotion import generate
    from speech_emotion.errors import UserError

    try:
        for path, text in generate.outputs().items():
            assert path.is_relative_to(folder)
            path.write_text(text, "utf-8")
    except UserError as error:
        return {"refused": str(error)}
    from speech_emotion.features import audio, device, reference, schema

    device.build = lambda: _compile(folder, [f"-D{name}" for name in task["defines"]])
    with np.load(task["sounds"]) as sounds:
        sounds = [sounds[name] for name in sounds.files]
    if task["device_only"]:
        return {"columns": schema.COLUMNS, "device": [*map(device.extract, sounds)]}
    clips = [audio.cut(sound) for sound in sounds]
    both = [[*map(engine.extract, clips)] for engine in (reference, device)]
    shortest = [_shortest(audio.cut, sounds[0]), _shortest(device.extract, sounds[0])]
    columns = [*schema.COLUMNS, "shortest_clip"]
    values = [[[*row, least] for row in rows] for rows, least in zip(both, shortest, strict=True)]
    return {"columns": columns, "reference": values[0], "device": values[1]}


def _shortest(take, sound):
    """Samples of the shortest clip that is one: `take` leaves no shorter one than it must."""
    from speech_emotion.errors import UserError
    from speech_emotion.features import schema

    low, high = 0, len(sound)
    while high - low > 1:
        middle = (low + high) // 2
        try:
            taken = take(sound[:middle])
            is_clip = (np.asarray(taken) != schema.UNDEFINED).any()
        except UserError:
            is_clip = False
        low, high = (low, middle) if is_clip else (middle, high)
    return high - (high - schema.CLIP_REMAINDER) % schema.HOP


def _compile(folder, defines):
    """The test build. Objects are kept by what the preprocessor makes of a file, so that a changed constant
    costs those that use it."""
    from speech_emotion import native

    command, cache = [*native.compiler(), *_FLAGS, *defines], native.cache_folder()
    cache.mkdir(exist_ok=True)
    embedded, objects = folder / "embedded", []
    for source in (
        *sorted((embedded / "src").glob("*.c")),
        *sorted((embedded / "host").glob("*.c")),
    ):
        if source.name == "ser.c":  # needs a model
            continue
        include = f"-I{embedded / 'src'}"
        text = native.run([*command, include, "-E", "-P", source])
        target = cache / f"{hashlib.sha256(text.encode()).hexdigest()}.o"
        if not target.exists():
            draft = target.with_suffix(f".{os.getpid()}")
            native.run([*command, include, "-c", source, "-o", draft])
            draft.replace(target)
        objects.append(target)
    library = folder / f"variant{native.SHARED}"
    native.run([*command, "-shared", *objects, "-o", library, "-lm"])
    return library


def _one(task):
    """In a process of its own: poison ends it, and a library once loaded stays. What it says goes into the
    answer."""
    words = Path(f"{task['out']}.txt")
    child = os.fork()
    if child == 0:
        with words.open("w") as file:
            os.dup2(file.fileno(), 2)
        try:
            np.savez(task["out"], **_measure(task))
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}".encode())
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if status:
        np.savez(task["out"], failed=words.read_text(errors="replace") or f"ended with {status}")


def main():
    tasks, jobs = json.loads(Path(sys.argv[1]).read_text()), int(sys.argv[2])
    sys.path.insert(0, str(REPOSITORY))
    from concurrent.futures import ThreadPoolExecutor

    from speech_emotion.features import reference
    from speech_emotion.generate import tables, voice_tables  # noqa: F401

    with np.load(tasks[0]["sounds"]) as sounds:
        reference.extract(
            sounds[sounds.files[0]][:16080]
        )  # what is compiled and loaded on first use
    sys.path.pop(0)
    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(_one, tasks))


if __name__ == "__main__":
    main()
