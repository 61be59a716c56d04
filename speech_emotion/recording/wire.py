"""What the sketch Recorder sends, read back: checked and numbered blocks of sound, whatever is between them.

A block is taken only if its check sum is right; its number says where it belongs. So every loss, on the
board, on the wire or by damage, is counted and has a place. The format stands in examples/Recorder/wire.h.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from speech_emotion.features.schema import HOP, SAMPLE_RATE

MAGIC = b"SER1"
_HEAD = struct.Struct("<4sIIH")
SIZE = _HEAD.size + 2 * HOP + 4
"""Bytes of a block."""
MOST_MISSING = 60 * SAMPLE_RATE // HOP
"""Blocks: of more than a minute nothing is filled in; what comes then is another recording."""


class Block(NamedTuple):
    """run: of the board, which draws it when it starts. number: of the block in it. samples: int16 (HOP,)."""

    run: int
    number: int
    clipped: int
    samples: np.ndarray


class Gap(NamedTuple):
    """Samples that were lost: the first one's place in the recording, and how many. They are 0 there."""

    start: int
    length: int

    def text(self) -> str:
        return f"{self.start / SAMPLE_RATE:.2f} s, {1000 * self.length / SAMPLE_RATE:.0f} ms"


def encode(run: int, number: int, samples: np.ndarray, clipped: int = 0) -> bytes:
    """A block as the sketch sends it. samples: int16 (HOP,)."""
    body = _HEAD.pack(MAGIC, run, number, clipped) + samples.astype("<i2").tobytes()
    return body + struct.pack("<I", zlib.crc32(body))


class Decoder:
    """Bytes in, as they come; blocks out. damaged: blocks whose check sum was wrong; foreign: bytes of no
    block (boot messages, noise, what is left of damaged ones)."""

    def __init__(self) -> None:
        self.damaged = self.foreign = 0
        self._bytes = bytearray()

    def feed(self, data: bytes) -> Iterator[Block]:
        """The blocks that are complete now."""
        held = self._bytes
        held += data
        at = 0
        while True:
            found = held.find(MAGIC, at)
            if found < 0:  # the beginning of one may stand at the end
                keep = max(at, len(held) - len(MAGIC) + 1)
                self.foreign += keep - at
                at = keep
                break
            self.foreign += found - at
            at = found
            if len(held) - at < SIZE:
                break
            body, check = held[at : at + SIZE - 4], held[at + SIZE - 4 : at + SIZE]
            if zlib.crc32(body) != int.from_bytes(check, "little"):
                # a damaged block, or sound that looks like the beginning of one: the next may stand within
                self.damaged += 1
                self.foreign += 1
                at += 1
                continue
            _, run, number, clipped = _HEAD.unpack_from(body)
            samples = np.frombuffer(body, "<i2", HOP, _HEAD.size).astype(np.int16)
            yield Block(run, number, clipped, samples)
            at += SIZE
        del held[:at]


@dataclass
class Joined:
    """Blocks put where their numbers say: the sound so far, without a sample moved. restarts: how often the
    board began anew, or was away for longer than MOST_MISSING; repeated: blocks that came twice or late."""

    clipped: int = 0
    restarts: int = 0
    repeated: int = 0

    def __post_init__(self) -> None:
        self.gaps: list[Gap] = []
        self.hops = 0
        self._run = self._next = -1

    def put(self, block: Block) -> Iterator[tuple[np.ndarray, bool]]:
        """The next hops of the recording, int16 (HOP,) each, and whether it was heard; those that are missing
        before this one are zeros, and not."""
        if block.run != self._run or block.number - self._next > MOST_MISSING:
            self.restarts += self._run >= 0
            self._run, self._next = block.run, block.number
        if block.number < self._next:
            self.repeated += 1
            return
        missing = block.number - self._next
        if missing:
            self.gaps.append(Gap(self.hops * HOP, missing * HOP))
        for _ in range(missing):
            self.hops += 1
            yield np.zeros(HOP, np.int16), False
        self.hops += 1
        self.clipped += block.clipped
        self._next = block.number + 1
        yield block.samples, True

    def text(self) -> str:
        """What was lost, in a sentence; "" where nothing was."""
        parts = []
        if self.gaps:
            lost = sum(gap.length for gap in self.gaps) // HOP
            places = ", ".join(gap.text() for gap in self.gaps[:3])
            more = f" and {len(self.gaps) - 3} more places" if len(self.gaps) > 3 else ""
            parts.append(f"{lost} of {self.hops} blocks lost (at {places}{more}), silent there")
        if self.restarts:
            parts.append(f"the board began anew {self.restarts} times")
        if self.repeated:
            parts.append(f"{self.repeated} blocks came twice and count once")
        return "; ".join(parts)
