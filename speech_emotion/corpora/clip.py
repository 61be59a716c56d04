"""What a reader says about one recording, and what discovery says about a folder of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from speech_emotion.features.sentences import Sentence

#: The spelling every corpus is mapped to; a `folder` corpus may add labels of its own.
EMOTIONS = ("angry", "calm", "disgust", "fear", "happy", "neutral", "sad", "surprise")


@dataclass(frozen=True)
class Clip:
    """One recording and everything its name says about it."""

    path: Path  # file on disk
    corpus: str  # NAME of the corpus module: "ravdess", "cremad", ..., "folder", "synthetic"
    speaker: str  # unique inside its corpus: "01", "1001", "DC", "OAF", "03"; never empty
    sex: str  # "f", "m", or "" when unknown
    emotion: str  # one of EMOTIONS ("boredom" if asked for; `folder`: any label)
    sentence: str = ""  # sentence or word code as in the name, "" when unknown
    intensity: str = ""  # ravdess: "normal", "strong"; cremad: "low", "medium", "high", ""; else ""
    recording: str = (
        ""  # what it is a sentence of, by its path below the corpora folder; "" for itself
    )
    place: Sentence | None = None  # in the file, where that holds several sentences


@dataclass(frozen=True)
class Discovery:
    """The clips found under a folder; every audio file left out, with the reason; and what was inferred,
    merged or may be meant otherwise, in sentences for the user."""

    clips: list[Clip]
    ignored: list[tuple[Path, str]]
    notes: tuple[str, ...] = ()


class Licence(NamedTuple):
    """Terms of use of a corpus: a short name or sentence, and where they are written."""

    text: str
    url: str


class Unused(Exception):
    """Raised by a reader: the file is this corpus's own, but is no clip to use. Says why."""
