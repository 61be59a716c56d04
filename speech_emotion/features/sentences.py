"""The sentences of a long recording, and the name of each: `meeting.m4a@12.34-15.98`, in seconds.

They are cut by the chip's own gate (embedded/src/ser_listen.c), compiled for this computer, so that a table
holds what the board will be given. A sentence is heard like a file of its own.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from speech_emotion.errors import UserError
from speech_emotion.features import audio, length
from speech_emotion.features.schema import HOP, SAMPLE_RATE

LONG = 15.0
"""Seconds beyond which a file is hardly one sentence: the clips of the corpora are up to 9 s long, and the
board's gate ends a sentence after 5."""
_NAME = re.compile(r"(.+)@(\d+\.\d\d)-(\d+\.\d\d)", re.DOTALL)
_SECOND = SAMPLE_RATE // HOP  # hops


class Sentence(NamedTuple):
    """The first hop of a sentence in its recording, and the one after its last."""

    begin: int
    end: int

    @property
    def seconds(self) -> tuple[float, float]:
        return self.begin / _SECOND, self.end / _SECOND

    def of(self, name: str) -> str:
        """The name of this sentence of a file."""
        begin, end = self.seconds
        return f"{name}@{begin:.2f}-{end:.2f}"


class Cut(NamedTuple):
    """What the gate made of a recording. too_short: sounds of less than a word. early: whether somebody
    seems to speak in its first half second, when the gate learns the room."""

    sentences: tuple[Sentence, ...]
    too_short: int = 0
    early: bool = False


def parse(name: str) -> tuple[str, Sentence | None]:
    """A name as (file, sentence); the sentence None where the name is a file's own."""
    found = _NAME.fullmatch(name)
    if not found:
        return name, None
    begin, end = (round(float(each) * _SECOND) for each in found.group(2, 3))
    return found[1], Sentence(begin, end)


def cut(samples: np.ndarray) -> Cut:
    """The sentences in a recording. samples: int16 (n,) at SAMPLE_RATE. UserError: no C compiler."""
    from speech_emotion.features import device, speech

    bounds, too_short = device.sentences(samples)
    powers = np.sort(speech.hop_powers(samples)[0])
    first = speech.hop_powers(samples[: SAMPLE_RATE // 2])[0]
    room = powers[len(powers) // 10] if len(powers) else 0.0
    # ten times the room's level, as the gate opens; of some hops, not of a click
    loud = first > max(10 * room, speech.MINIMUM * HOP**2)
    sentences = tuple(Sentence(int(begin), int(end)) for begin, end in bounds)
    return Cut(sentences, too_short, int(loud.sum()) >= speech.SHORTEST)


def expand(paths: Sequence[str | Path]) -> tuple[list[str], list[str]]:
    """The names of what is to be heard in some files: a file's own, or those of its sentences where it is
    longer than LONG; and a sentence for the user on each such one.

    A file that cannot be heard keeps its name, so that whoever hears it says why; so does one in which the
    gate hears no sentence, and every one where there is no C compiler to hear with.
    """
    found, said = list[str](), list[str]()
    for path in map(str, paths):
        if parse(path)[1] is not None:
            found.append(path)
            continue
        try:
            samples = audio.hear(path).samples
            seconds = len(samples) / SAMPLE_RATE
            sentences = cut(samples).sentences if seconds > LONG else ()
        except UserError:
            sentences = ()
        if sentences:
            said.append(
                f"{path}: {length.text(seconds)} long, {len(sentences)} sentences by the board's gate"
            )
        found += [each.of(path) for each in sentences] or [path]
    return found, said


def hear(path: str | Path) -> audio.Sound:
    """A file, or the sentence of one that the name says, as `audio.hear` hears it. UserError, besides what
    that raises: the file ends before the sentence does."""
    file, sentence = parse(str(path))
    if sentence is None:
        return audio.hear(path)
    whole = _whole(file, Path(file).stat().st_mtime_ns if Path(file).exists() else 0)
    samples = whole.samples[sentence.begin * HOP : sentence.end * HOP]
    if len(samples) < (sentence.end - sentence.begin) * HOP or sentence.end <= sentence.begin:
        raise UserError(
            f"{path}: {file} has no such sentence, it is {len(whole.samples) / SAMPLE_RATE:.2f} s long"
        )
    return audio.Sound(samples.copy(), 0, whole.remarks)


def load(path: str | Path) -> np.ndarray:
    """`audio.load` of a file or of a sentence: what both engines are given. int16 (n,)."""
    return audio.cut(hear(path).samples, name=str(path))


@lru_cache(maxsize=2)  # the sentences of one recording come one after another
def _whole(file: str, _changed: int) -> audio.Sound:
    return audio.hear(file)
