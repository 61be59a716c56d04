"""Which sentences of a device arrived: by their numbers, each once, and how many never did."""

from bisect import bisect_left
from dataclasses import dataclass, field

GAPS_MOST = 256
"""Gaps remembered for each start of a device; the oldest beyond that are losses for good."""


@dataclass
class Sequence:
    """The numbers that one start of a device has used. gaps: [first, last] of what is missing, ascending."""

    first: int
    highest: int
    gaps: list[list[int]] = field(default_factory=list)
    forgotten: int = 0

    @classmethod
    def starting(cls, seq: int, *, known: bool) -> "Sequence":
        """The first message of a start. Of a device that is known, its numbers count from 1; of one never
        heard before, from this: what it said to others is no loss."""
        first = 1 if known else seq
        return cls(first, seq, [[first, seq - 1]] if first < seq else [])

    @property
    def lost(self) -> int:
        """How many are missing, so far."""
        return self.forgotten + sum(last - first + 1 for first, last in self.gaps)

    def seen(self, seq: int) -> bool:
        """Whether a message of this number was here before, or is too old to tell."""
        if seq > self.highest or seq < self.first:
            return False
        place = bisect_left(self.gaps, seq, key=lambda gap: gap[1])
        return place == len(self.gaps) or seq < self.gaps[place][0]

    def take(self, seq: int) -> bool:
        """Note a message. False: it was here before."""
        if self.seen(seq):
            return False
        if seq > self.highest:
            if seq > self.highest + 1:
                self.gaps.append([self.highest + 1, seq - 1])
            self.highest = seq
        elif seq < self.first:
            if seq + 1 < self.first:
                self.gaps.insert(0, [seq + 1, self.first - 1])
            self.first = seq
        else:
            place = bisect_left(self.gaps, seq, key=lambda gap: gap[1])
            first, last = self.gaps[place]
            self.gaps[place : place + 1] = [
                gap for gap in ([first, seq - 1], [seq + 1, last]) if gap[0] <= gap[1]
            ]
        while len(self.gaps) > GAPS_MOST:
            first, last = self.gaps.pop(0)
            self.forgotten += last - first + 1
        return True
