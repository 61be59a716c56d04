"""The feature vectors of single sounds, for those who have no table to fill: predictor.py, extractor.py."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import joblib
import numpy as np
from threadpoolctl import threadpool_limits

from speech_emotion import parallel
from speech_emotion.errors import UserError
from speech_emotion.features import audio, engines, length, sentences, speech
from speech_emotion.features.schema import SAMPLE_RATE


class Measured(NamedTuple):
    """vector: float32 (columns,) in schema order. seconds: of the clip it was measured on. remarks: what was
    found out about its file. silence: why nobody speaks in it, empty where somebody does."""

    vector: np.ndarray | None
    seconds: float
    remarks: tuple[str, ...] = ()
    silence: str = ""


def measure(
    sound: str | Path | np.ndarray,
    *,
    engine: str = "reference",
    rate: int = SAMPLE_RATE,
    only_speech: bool = False,
) -> Measured:
    """The features of one sound.

    sound: a file, a sentence in one (`sentences.Sentence.of`), or samples at `rate` Hz, (n,) or
    (n, channels), int16 or float in [-1, 1]; a file and its samples give the same vector. engine: one of
    engines.NAMES. only_speech: where nobody speaks nothing is
    measured, and the vector is None. Raises UserError for what cannot be measured: no sound, too short, too
    long for the engine, NaN; digital silence unless only_speech.
    """
    if isinstance(sound, str | Path):
        name, heard = str(sound), sentences.hear(sound)
    else:
        name, heard = "samples", audio.Sound(audio.from_samples(sound, rate))
    samples = audio.cut(heard.samples, name=name)
    seconds = len(samples) / SAMPLE_RATE
    length.check(seconds, engine, name=name)
    silence = speech.absent(samples)
    if silence and only_speech:
        return Measured(None, seconds, heard.remarks, silence)
    if audio.is_silent(samples):
        raise UserError(f"{name}: digital silence: nothing to recognise")
    extract = engines.get(engine)
    # one thread, as in the tables: sums split over threads would round differently
    with threadpool_limits(1):
        return Measured(extract(samples), seconds, heard.remarks, silence)


def measure_all(
    paths: Sequence[str | Path],
    *,
    engine: str = "reference",
    jobs: int = 1,
    only_speech: bool = False,
) -> Iterator[Measured | UserError]:
    """`measure` of every file, in order, on `jobs` processes (-1: one per core).

    What is wrong with a file is given in its place instead of raised: the others still count.
    """
    if jobs == 0:
        raise UserError("--jobs 0: give a number of processes, or -1 for all cores")
    engines.get(engine)  # what is wrong with the engine is wrong for all
    calls = (joblib.delayed(_measure_or_error)(path, engine, only_speech) for path in paths)
    # alone in this process there is nobody left to tell of its end
    on_death = None if jobs == 1 else _lost
    return parallel.spread(calls, jobs=min(jobs, len(paths)), on_death=on_death)


def _lost(call, end):
    return UserError(f"{call[1][0]}: ended the process that read it ({end})")


def _measure_or_error(path, engine, only_speech):
    try:
        return measure(path, engine=engine, only_speech=only_speech)
    except UserError as error:
        return error
