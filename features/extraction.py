"""One clip's way from file to journal line: what each worker process does."""

import hashlib
from pathlib import Path

from threadpoolctl import threadpool_limits

from common.errors import UserError
from features import audio, engines
from features.augment import Augmentation, apply
from features.journal import Result
from features.schema import SAMPLE_RATE


def key(path: Path, name: str, augmentation: Augmentation | None) -> str:
    """Names a result: the clip, its augmentation, and the state of its file."""
    try:
        state = path.stat()
    except OSError:
        return f"{name}|{augmentation or ''}|gone"
    return f"{name}|{augmentation or ''}|{state.st_size}|{state.st_mtime_ns}"


def extract_clip(
    path: Path, name: str, augmentation: Augmentation | None, *, engine: str, seed: int
) -> Result:
    """Features of one file. What is wrong with the file goes into `left_out`, never into a row.

    One thread per clip: a library that splits sums over threads would round differently with their
    number, and the tables would depend on --jobs.
    """
    this = key(path, name, augmentation)
    try:
        samples = audio.read(path)
        if augmentation is not None:
            samples = apply(samples, augmentation, seed=seed, name=name)
        samples = audio.cut(samples, name=str(path))
        if audio.is_silent(samples):
            raise UserError(f"{path}: digital silence")
        with threadpool_limits(1):
            vector = engines.get(engine)(samples)
    except UserError as error:
        return Result(this, left_out=str(error).removeprefix(f"{path}: "))
    digest = hashlib.sha256(samples.tobytes()).hexdigest()[:24]
    return Result.of(this, len(samples) / SAMPLE_RATE, digest, vector)
