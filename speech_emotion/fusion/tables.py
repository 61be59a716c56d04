"""Tables of what a channel answered, as CSV: one row per sentence or sight, one column per label.

place,begin,end,person,emotion,angry,happy,neutral     begin, end: seconds on one clock
kitchen,12.1,14.6,anna,happy,0.1,0.7,0.2               person, emotion, clip: where known
"""

import csv
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from speech_emotion.errors import UserError, shown
from speech_emotion.files import replacing
from speech_emotion.fusion import loglinear, pairing
from speech_emotion.fusion.loglinear import Weights

WHERE = ("place", "begin", "end")
KNOWN = ("clip", "person", "emotion")
_MOST_ROWS = 1_000_000
_SUM = 0.02
"""By how much a row's probabilities may miss 1: they may have been rounded."""


@dataclass(frozen=True)
class Answers:
    """places: (n,); times: (n, 2) seconds; labels; probabilities: (n, labels) float32; facts: (n,) str each,
    "" where a table does not say."""

    path: Path
    places: np.ndarray
    times: np.ndarray
    labels: tuple[str, ...]
    probabilities: np.ndarray
    facts: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.places)


def read(path: Path) -> Answers:
    """A channel's table. UserError where it is none; it names line and value."""
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            head = next(reader, [])
            labels = _labels(path, head)
            rows: list[tuple] = []
            for row in reader:
                if not row:
                    continue
                if len(rows) >= _MOST_ROWS:
                    raise UserError(f"{path}: more than {_MOST_ROWS} rows; split it by place")
                rows.append(_row(path, reader.line_num, head, row, labels))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; see python -m fusion --help") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(
            f"{path}: cannot be read as CSV in UTF-8 ({error}); save it as such"
        ) from None
    if not rows:
        raise UserError(f"{path}: holds no rows")
    places, times, probabilities, facts = zip(*rows, strict=True)
    return Answers(
        path, np.array(places), np.array(times, float), labels, np.array(probabilities, np.float32),
        {name: np.array([each.get(name, "") for each in facts]) for name in KNOWN},
    )  # fmt: skip


def _labels(path, head):
    missing = [name for name in WHERE if name not in head]
    if missing:
        raise UserError(f"{path}: has no column {missing[0]!r}; {', '.join(WHERE)} are needed")
    if len(set(head)) < len(head):
        raise UserError(f"{path}: a column stands there twice; name each once")
    labels = tuple(name for name in head if name not in WHERE + KNOWN)
    if len(labels) < 2:
        raise UserError(f"{path}: {len(labels)} columns of labels; two or more are needed")
    return labels


def _row(path, line, head, row, labels):
    if len(row) != len(head):
        raise UserError(f"{path}:{line}: {len(row)} cells under {len(head)} columns; mend the row")
    cells = dict(zip(head, row, strict=True))
    begin, end = (_number(path, line, cells, name) for name in WHERE[1:])
    if end <= begin:
        raise UserError(
            f"{path}:{line}: ends at {end:g}, begins at {begin:g}; give end after begin"
        )
    shares = [_number(path, line, cells, label) for label in labels]
    if min(shares) < 0 or abs(sum(shares) - 1) > _SUM:
        raise UserError(
            f"{path}:{line}: probabilities that add up to {sum(shares):g}; give shares of 1"
        )
    facts = {name: cells[name] for name in KNOWN if name in cells}
    return cells["place"], (begin, end), shares, facts


def _number(path, line, cells, name):
    try:
        value = float(cells[name])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UserError(f"{path}:{line}: {name} is {shown(cells[name])}; give a number")
    return value


@dataclass(frozen=True)
class Pairs:
    """Two tables put together. labels: those that both know; voice, face: (n, labels), as `aligned` gives
    them; face_rows: (n,) which row of the face's table, or NOBODY; lonely: rows of the face that belong to
    no sentence."""

    labels: tuple[str, ...]
    voice: np.ndarray
    face: np.ndarray
    face_rows: np.ndarray
    lonely: np.ndarray

    @property
    def paired(self) -> np.ndarray:
        return self.face_rows != pairing.NOBODY

    def fused(self, weights: Weights) -> np.ndarray:
        """(n, labels): of both where there is a face, else the voice's own."""
        result = self.voice.copy()
        both = self.paired
        if both.any():
            result[both] = loglinear.fuse(
                self.voice[both], self.face[self.face_rows[both]], weights
            )
        return result


def paired(voice: Answers, face: Answers) -> Pairs:
    """UserError where the tables share no two labels."""
    labels = shared_labels(voice.labels, face.labels)
    if len(labels) < 2:
        raise UserError(
            f"{face.path}: shares {len(labels)} labels with {voice.path}; two models with the same labels "
            "are needed"
        )
    rows = pairing.pairs((voice.places, face.places), voice.times, face.times)
    lonely = np.setdiff1d(np.arange(len(face)), rows)
    return Pairs(
        labels, aligned(voice.probabilities, voice.labels, labels),
        aligned(face.probabilities, face.labels, labels), rows, lonely,
    )  # fmt: skip


def shared_labels(voice: tuple[str, ...], face: tuple[str, ...]) -> tuple[str, ...]:
    """Labels of an answer of both, in the voice's order; calm counts as neutral where one channel does not
    know it."""
    return tuple(label for label in voice if label in face)


def goal(label: str, labels: tuple[str, ...]) -> str:
    """What a channel's label counts as among `labels`: calm as neutral where it is none of them."""
    return "neutral" if label == "calm" and "calm" not in labels else label


def aligned(
    probabilities: np.ndarray, mine: tuple[str, ...], labels: tuple[str, ...]
) -> np.ndarray:
    """(n, labels) float32 in the order of `labels`: calm added to neutral where it is none of them, and what
    else is none of them left out, the rest made to add up to 1 again. Untouched where nothing is left out."""
    if mine == labels:
        return probabilities
    shares = np.zeros((len(probabilities), len(labels)))
    for place, label in enumerate(mine):
        if (counted := goal(label, labels)) in labels:
            shares[:, labels.index(counted)] += probabilities[:, place]
    total = shares.sum(axis=1, keepdims=True)
    even = np.full_like(shares, 1 / len(labels))
    return np.where(total > 0, shares / np.where(total > 0, total, 1), even).astype(np.float32)


def write(path: Path, voice: Answers, pairs: Pairs, fused: np.ndarray) -> None:
    """The fused table: it can be read again as a channel's, and says where each answer came from."""
    with replacing(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        facts = [name for name in KNOWN if voice.facts[name].any()]
        writer.writerow([*WHERE, *facts, *pairs.labels])
        for row in range(len(voice)):
            writer.writerow(
                [voice.places[row], *map(repr, voice.times[row].tolist()),
                 *(voice.facts[name][row] for name in facts),
                 *(f"{share:.6f}" for share in fused[row].tolist())]
            )  # fmt: skip
