"""The feature vectors of single sounds, for those who have no table to fill: predictor.py, extractor.py."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import joblib
import numpy as np
from threadpoolctl import threadpool_limits

from speech_emotion.errors import UserError
from speech_emotion.features import audio, engines
from speech_emotion.features.schema import SAMPLE_RATE


class Measured(NamedTuple):
    """vector: float32 (columns,) in schema order. seconds: of the clip it was measured on."""

    vector: np.ndarray
    seconds: float


def measure(
    sound: str | Path | np.ndarray, *, engine: str = "reference", rate: int = SAMPLE_RATE
) -> Measured:
    """The features of one sound.

    sound: a file, or samples at `rate` Hz, (n,) or (n, channels), int16 or float in [-1, 1]; a file and its
    samples give the same vector. engine: one of engines.NAMES. Raises UserError for what cannot be
    measured: no sound, too short, NaN, digital silence.
    """
    if isinstance(sound, str | Path):
        name, samples = str(sound), audio.load(sound)
    else:
        name, samples = "samples", audio.cut(audio.from_samples(sound, rate))
    if audio.is_silent(samples):
        raise UserError(f"{name}: digital silence: nothing to recognise")
    extract = engines.get(engine)
    # one thread, as in the tables: sums split over threads would round differently
    with threadpool_limits(1):
        return Measured(extract(samples), len(samples) / SAMPLE_RATE)


def measure_all(
    paths: Sequence[str | Path], *, engine: str = "reference", jobs: int = 1
) -> Iterator[Measured | UserError]:
    """`measure` of every file, in order, on `jobs` processes (-1: one per core).

    What is wrong with a file is given in its place instead of raised: the others still count.
    """
    if jobs == 0:
        raise UserError("--jobs 0: give a number of processes, or -1 for all cores")
    engines.get(engine)  # what is wrong with the engine is wrong for all
    tasks = (joblib.delayed(_measure_or_error)(path, engine) for path in paths)
    return joblib.Parallel(n_jobs=min(jobs, len(paths)), return_as="generator")(tasks)


def _measure_or_error(path, engine):
    try:
        return measure(path, engine=engine)
    except UserError as error:
        return error
