"""From the messages of a place to one decision: pairs by overlap, probabilities combined."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from speech_emotion.fusion import CHANNELS, DEFAULT, Weights, disagreement, fused_terms, pairing


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
        return heard_key(self.device, self.boot, self.seq, self.channel)


def heard_key(device: str, boot: int, seq: int, channel: str) -> str:
    """A message's name, of which there is one."""
    return f"{device}:{boot:08x}:{seq}:{channel}"


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
    channels: dict[str, dict[str, float]] = field(default_factory=dict)
    """By channel what it says alone, where both voice and face took part."""

    def public(self) -> dict[str, Any]:
        """As it is published and shown. Of two channels also what each says, and how far `apart` they are, 0
        to 1."""
        shown = {
            "v": 1, "key": self.key, "rev": self.rev, "place": self.place, "emotion": self.emotion,
            "confidence": round(self.confidence, 4), "uncertain": self.uncertain,
            "p": {label: round(p, 4) for label, p in self.probabilities.items()},
            "begin": self.begin, "end": self.end, "from": self.sources,
        }  # fmt: skip
        if self.channels:
            shown["channels"] = {
                channel: {
                    "emotion": (best := max(row, key=row.__getitem__)),
                    "confidence": round(row[best], 4),
                }
                for channel, row in self.channels.items()
            }
            voice, face = (np.array(list(self.channels[channel].values())) for channel in CHANNELS)
            shown["apart"] = round(float(disagreement(voice, face)), 4)
        return shown


@dataclass
class Group:
    """Messages that are about the same moment of the same place."""

    place: str
    members: list[Heard]
    deadline: int
    decided: bool = False
    rev: int = 0
    waiting: list[Any] = field(default_factory=list)
    weights: Weights = DEFAULT

    def fits(self, heard: Heard) -> bool:
        """Whether a message belongs to it: another channel, overlapping by half the shorter or more."""
        return all(
            (m.device, m.channel) != (heard.device, heard.channel)
            and overlap(m, heard) >= pairing.LEAST_OVERLAP
            for m in self.members
        )

    def decision(self) -> Decision | None:
        """None where none of the messages judged anything."""
        judged = [m for m in self.members if m.probabilities]
        if not judged:
            return None
        probabilities = combined(judged, self.weights)
        emotion = max(probabilities, key=probabilities.__getitem__)
        first = self.members[0]
        confidence = probabilities[emotion]
        return Decision(
            first.key, self.place, min(m.begin for m in self.members), max(m.end for m in self.members),
            self.rev, emotion, confidence, confidence < first.threshold, probabilities,
            [m.key for m in self.members], _by_channel(judged, list(probabilities)),
        )  # fmt: skip


def overlap(a: Heard, b: Heard) -> float:
    """What two intervals share, of the shorter: 0 to 1. One without length is of a millisecond."""
    return pairing.overlap((a.begin, max(a.end, a.begin + 1)), (b.begin, max(b.end, b.begin + 1)))


def combined(members: list[Heard], weights: Weights = DEFAULT) -> dict[str, float]:
    """Log-linear over the labels that all know: devices of one channel alike, by their geometric mean; voice
    and face by their weights (fusion/loglinear.py). One message by itself is its own answer. Messages that
    share no two labels cannot be combined; the first then stands alone."""
    first = members[0].probabilities
    labels = [label for label in first if all(label in m.probabilities for m in members)]
    if len(members) == 1 or len(labels) < 2:
        return dict(first)
    channels = Counter(m.channel for m in members)
    of = {name: getattr(weights, name) if len(channels) > 1 else 1.0 for name in channels}
    shares = fused_terms(
        [np.array([m.probabilities[label] for label in labels]) for m in members],
        [of[m.channel] / channels[m.channel] for m in members],
    )
    return dict(zip(labels, shares.tolist(), strict=True))


def _by_channel(members, labels):
    """What each channel says of these labels by itself; nothing where there is one channel, or where they
    were not put together."""
    parts = {c: [m for m in members if m.channel == c] for c in CHANNELS}
    if not all(parts.values()) or any(set(labels) - set(m.probabilities) for m in members):
        return {}
    found = {}
    for channel, mine in parts.items():
        row = combined(mine)
        total = sum(row[label] for label in labels) or 1.0
        found[channel] = {label: row[label] / total for label in labels}
    return found
