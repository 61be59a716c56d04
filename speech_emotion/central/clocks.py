"""When a sentence was spoken, by the service's own clock. No device's clock is trusted, only its rate."""

import time
from collections import deque

from speech_emotion.message import Sentence
from speech_emotion.message.definition import U32

WINDOW = 32
"""Messages over which the least delay is taken: an error of a device's clock is outlived after so many."""


class Clock:
    """The service's time in ms since 1970: that of the system when it started, and from then on even. It is
    never before `floor`, the last that was stored: an hour set back does not disorder the history."""

    def __init__(self, floor: int = 0):
        self._start = max(int(time.time() * 1000), floor + 1) - time.monotonic() * 1000

    def now(self) -> int:
        return int(self._start + time.monotonic() * 1000)


class Uptime:
    """Maps the uptime of one start of a device: of the last messages, the one that was quickest is taken to
    have had no delay."""

    def __init__(self) -> None:
        self._zero: int | None = None
        self._delays: deque[int] = deque(maxlen=WINDOW)

    def interval(self, sentence: Sentence, arrival: int) -> tuple[int, int]:
        """Begin and end of a sentence that arrived at `arrival`; never after it."""
        difference = (arrival - sentence.now) & U32
        if self._zero is None:
            self._zero = difference
        relative = (difference - self._zero) & U32
        relative -= (U32 + 1) if relative > U32 // 2 else 0
        self._delays.append(relative)
        sent = arrival - (relative - min(self._delays))
        end = sent - ((sentence.now - sentence.end) & U32)
        return end - ((sentence.end - sentence.begin) & U32), end
