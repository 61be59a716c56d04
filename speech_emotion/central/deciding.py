"""From the messages of a place to one decision: pairs by overlap, probabilities combined."""

import math
from dataclasses import dataclass, field
from typing import Any

from speech_emotion.message.definition import WHOLE

FLOOR = 0.5 / WHOLE
"""What a probability that was cut to nothing is taken for."""


@dataclass(frozen=True)
class Heard:
    """One message, checked and placed in time. probabilities: label -> 0 to 1; none where there was nothing
    to judge. begin, end, arrival: ms of the service. handle: what its acknowledgement needs."""

    device: str
    channel: str
    boot: int
    seq: int
    begin: int
    end: int
    arrival: int
    probabilities: dict[str, float]
    threshold: float
    handle: Any = None

    @property
    def key(self) -> str:
        return f"{self.device}:{self.boot:08x}:{self.seq}:{self.channel}"


@dataclass
class Decision:
    """What was decided for a place, from which messages. rev: how often a late message has changed it."""

    key: str
    place: str
    begin: int
    end: int
    rev: int
    emotion: str
    confidence: float
    uncertain: bool
    probabilities: dict[str, float]
    sources: list[str]

    def public(self) -> dict[str, Any]:
        """As it is published and shown."""
        return {
            "v": 1, "key": self.key, "rev": self.rev, "place": self.place, "emotion": self.emotion,
            "confidence": round(self.confidence, 4), "uncertain": self.uncertain,
            "p": {label: round(p, 4) for label, p in self.probabilities.items()},
            "begin": self.begin, "end": self.end, "from": self.sources,
        }  # fmt: skip


@dataclass
class Group:
    """Messages that are about the same moment of the same place."""

    place: str
    members: list[Heard]
    deadline: int
    decided: bool = False
    rev: int = 0
    waiting: list[Any] = field(default_factory=list)

    def fits(self, heard: Heard) -> bool:
        """Whether a message belongs to it: another channel, overlapping by half the shorter or more."""
        return all(
            (m.device, m.channel) != (heard.device, heard.channel) and overlap(m, heard) >= 0.5
            for m in self.members
        )

    def decision(self) -> Decision | None:
        """None where none of the messages judged anything."""
        rows = [m.probabilities for m in self.members if m.probabilities]
        if not rows:
            return None
        probabilities = combined(rows)
        emotion = max(probabilities, key=probabilities.__getitem__)
        first = self.members[0]
        confidence = probabilities[emotion]
        return Decision(
            first.key, self.place, min(m.begin for m in self.members), max(m.end for m in self.members),
            self.rev, emotion, confidence, confidence < first.threshold, probabilities,
            [m.key for m in self.members],
        )  # fmt: skip


def overlap(a: Heard, b: Heard) -> float:
    """What two intervals share, of the shorter: 0 to 1."""
    shared = min(a.end, b.end) - max(a.begin, b.begin)
    shorter = max(1, min(a.end - a.begin, b.end - b.begin))
    return max(0, shared) / shorter


def combined(rows: list[dict[str, float]]) -> dict[str, float]:
    """Log-linear, each channel alike: the geometric mean over the labels that all know, made to sum to 1.
    Rows that share no two labels cannot be combined; the first then stands alone."""
    labels = [label for label in rows[0] if all(label in row for row in rows)]
    if len(rows) == 1 or len(labels) < 2:
        return dict(rows[0])
    logs = {
        label: sum(math.log(max(row[label], FLOOR)) for row in rows) / len(rows) for label in labels
    }
    top = max(logs.values())
    weights = {label: math.exp(value - top) for label, value in logs.items()}
    total = sum(weights.values())
    return {label: weight / total for label, weight in weights.items()}
