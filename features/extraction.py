"""One clip's way from file to journal line: what each worker process does."""

import hashlib
from pathlib import Path

from threadpoolctl import threadpool_limits

from common.errors import UserError
from features import audio, augment, engines, functionals
from features.journal import Result
from features.schema import SAMPLE_RATE


def key(path: Path, name: str, augmentation: augment.Augmentation | None) -> str:
    """Names a result: the clip, its augmentation, and the state of its file."""
    try:
        state = path.stat()
    except OSError:
        return f"{name}|{augmentation or ''}|gone|"
    return f"{name}|{augmentation or ''}|{state.st_size}|{state.st_mtime_ns}"


def code(engine: str) -> str:
    """Changes with the source of whatever decides a row: 16 hex digits. UserError: no such engine here."""
    files = [Path(__file__), Path(audio.__file__), Path(augment.__file__)]
    if engine == "device":
        from features import device

        files.append(device.build())
    else:
        files += [Path(functionals.__file__), Path(functionals.__file__).with_name("reference.py")]
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def extract_clip(
    path: Path, name: str, augmentation: augment.Augmentation | None, *, engine: str, seed: int
) -> Result:
    """Features of one file. What is wrong with the file goes into `left_out`, never into a row.

    One thread per clip, from the first clip on for the rest of the process: a library that splits sums
    over threads rounds differently with their number, and the tables would depend on --jobs.
    """
    this = key(path, name, augmentation)
    extract = engines.get(engine)
    # not as a context: its end would free the threads of another clip in this process (a Dask worker's)
    threadpool_limits(1)
    try:
        samples = _usable(audio.read(path), path)
        if augmentation is not None:
            samples = _usable(augment.apply(samples, augmentation, seed=seed, name=name), path)
    except UserError as error:
        return Result(this, left_out=str(error).removeprefix(f"{path}: "))
    vector = extract(samples)
    digest = hashlib.sha256(samples.tobytes()).hexdigest()[:24]
    return Result.of(this, len(samples) / SAMPLE_RATE, digest, vector)


def _usable(samples, path):
    samples = audio.cut(samples, name=str(path))
    if audio.is_silent(samples):
        raise UserError(f"{path}: digital silence")
    return samples
