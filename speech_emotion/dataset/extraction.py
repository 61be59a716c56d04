"""One clip's way from file to journal line: what each worker process does."""

import hashlib
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path

from threadpoolctl import threadpool_limits

from speech_emotion import parallel
from speech_emotion.dataset import augment, copies
from speech_emotion.dataset.journal import Result
from speech_emotion.errors import UserError
from speech_emotion.features import (
    audio,
    containers,
    decoding,
    engines,
    functionals,
    length,
    sentences,
    speech,
)
from speech_emotion.features.schema import SAMPLE_RATE


@dataclass(frozen=True)
class Task:
    """One row to be: a clip or a copy of it."""

    root: Path  # the corpora folder
    name: str  # the clip's file below it; of a sentence, with its place (`sentences.Sentence.of`)
    augmentation: copies.Augmentation | None = None
    others: tuple[str, ...] = ()  # names of the clips that are heard in the copy

    @property
    def row_name(self) -> str:
        """The row's `path` in the tables."""
        return f"{self.name}#{self.augmentation}" if self.augmentation else self.name

    def key(self) -> str:
        """Names the result: the clip, its augmentation, and the state of its file and of the others'."""
        state = _state_of(self.root, self.name)
        if self.others:
            states = "".join(f"{name}|{_state_of(self.root, name)}\n" for name in self.others)
            state += "+" + hashlib.sha256(states.encode()).hexdigest()[:16]
        return f"{self.name}|{self.augmentation or ''}|{state}"


def _state_of(root, name):
    return _state(root / sentences.parse(name)[0])


def _state(path):
    try:
        state = path.stat()
    except OSError:
        return "gone|"
    return f"{state.st_size}|{state.st_mtime_ns}"


def code(engine: str) -> str:
    """Changes with the source of whatever decides a row: 16 hex digits. UserError: no such engine here."""
    modules = (audio, decoding, containers, length, sentences, speech, augment, copies)
    files = [Path(__file__), *(Path(str(module.__file__)) for module in modules)]
    if engine == "device":
        from speech_emotion.features import device

        files.append(device.build())
    else:
        here = Path(functionals.__file__).parent
        files += [
            here / name for name in ("functionals.py", "grid.py", "reference.py", "schema.py")
        ]
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def extract_clip(task: Task, *, engine: str, seed: int) -> Result:
    """Features of one row. What is wrong with a file goes into `left_out`, never into a row.

    One thread per clip, from the first clip on for the rest of the process: a library that splits sums
    over threads rounds differently with their number, and the tables would depend on --jobs.
    """
    this = task.key()
    extract = engines.get(engine)
    _one_thread()
    try:
        sound, *others = (_read(task.root, name) for name in (task.name, *task.others))
        samples, silence = sound.samples, ""
        if task.augmentation is None:
            silence = _silence(samples, task.name)
        else:
            heard = [other.samples for other in others]
            samples = _usable(
                augment.apply(samples, task.augmentation, seed=seed, name=task.name, others=heard),
                task.name,
            )
        length.check(len(samples) / SAMPLE_RATE, engine, name=task.name)
    except UserError as error:
        return Result(this, left_out=str(error).removeprefix(f"{task.name}: "))
    vector = extract(samples)
    digest = hashlib.sha256(samples.tobytes()).hexdigest()[:24]
    result = Result.of(this, len(samples) / SAMPLE_RATE, digest, vector)
    if task.augmentation is not None:
        return result
    return replace(
        result,
        limited=sound.limited,
        remarks="; ".join(sound.remarks),
        silence=silence,
        level=round(speech.level(samples), 1),
        clipped=speech.clipped(samples),
    )


def lost(call: parallel.Call, end: str) -> Result:
    """What is said of a clip that ended the process that read it, and of no other."""
    task = call[1][0]
    return Result(
        task.key(),
        left_out=f"it ended the process that read it ({end}); it is left out until the file changes",
        fatal=True,
    )


def short_of(engine: str, some: list[Task]) -> str:
    """What this computer is short of to measure such clips, in words, or nothing."""
    try:
        engines.get(engine)
    except UserError as error:
        return str(error)
    for task in some:
        path = task.root / sentences.parse(task.name)[0]
        if not path.exists():
            return f"does not see {path}; all need the clips under the same path"
    return ""


def _silence(samples, name):
    """Why nobody speaks in a recording, in words; UserError where it holds nothing at all."""
    silence = speech.absent(samples)
    if silence and speech.loudest(samples) < speech.NOTHING:
        raise UserError(f"{name}: no speech: {silence}")
    return silence


@cache
def _one_thread():
    """For the rest of the process. Not as a context: its end would free the threads of another clip in this
    process (a Dask worker's). Once, as it searches every library that is loaded."""
    threadpool_limits(1)


def _read(root, name):
    return _decoded(root, name, _state_of(root, name))


@lru_cache(maxsize=16)  # a clip's copies come one after another, and are heard behind few others
def _decoded(root, name, _state_of_file):
    path = root / name
    try:
        sound = sentences.hear(path)
        return sound._replace(samples=_usable(sound.samples, name))
    except UserError as error:  # as the tables name it, without this machine's folders
        raise UserError(str(error).replace(str(path), name)) from None


def _usable(samples, name):
    samples = audio.cut(samples, name=name)
    if audio.is_silent(samples):
        raise UserError(f"{name}: digital silence")
    return samples
