"""How much a device may say. More is counted and not looked at; a device that says so much that reading it
would hold up the others is put out at the broker for a while.
"""

from collections.abc import Callable
from dataclasses import dataclass

from speech_emotion.central.broker import making
from speech_emotion.central.settings import Network

RATE, BURST = 10.0, 100.0
"""Messages per second and at once that are looked at."""
FLOOD_RATE, FLOOD_BURST = 100.0, 300.0
"""Messages per second and at once beyond which a device is put out. No device of ours can do that: its queue
holds 64 sentences."""
OUT_MS, OUT_MOST_MS = 60_000, 3_600_000
"""For how long, the first time and at most: each time twice as long as the time before."""
FORGIVEN_MS = 24 * 3_600_000


@dataclass
class Allowance:
    """A leaky bucket: `rate` messages per second, `burst` at once. Time in ms."""

    rate: float
    burst: float
    left: float | None = None
    counted: int = 0

    def take(self, now: int) -> bool:
        """Whether one more is allowed."""
        passed = max(0, now - self.counted)
        before = self.burst if self.left is None else self.left
        self.left = min(self.burst, before + passed * self.rate / 1000)
        self.counted = max(self.counted, now)
        if self.left < 1:
            return False
        self.left -= 1
        return True


class PutOut:
    """The devices that may not log in for a while. say: is told of each, in a line."""

    def __init__(self, network: Network, say: Callable[[str], None]):
        self.until: dict[str, int] = {}
        self._network, self._say = network, say
        self._last: dict[
            str, tuple[int, int]
        ] = {}  # device -> when it was let in again, for how long out
        making.put_out(network, [])  # whom a killed service had put out, is in again

    def put(self, name: str, now: int) -> None:
        """Its connection is closed at once, and it does not get another until its time is over."""
        if name in self.until or not self._network.password_file(name).exists():
            return
        again, before = self._last.get(name, (0, 0))
        wait = min(OUT_MOST_MS, 2 * before) if before and now - again < FORGIVEN_MS else OUT_MS
        self.until[name] = now + wait
        self._last[name] = now + wait, wait
        making.put_out(self._network, list(self.until))
        self._say(f"{name}: put out at the broker for {wait // 1000} s, for it says too much")

    def let_in(self, now: int) -> set[str]:
        """Those whose time is over may log in again; returns their names."""
        over = {name for name, until in self.until.items() if until <= now}
        for name in over:
            del self.until[name]
        if over:
            making.put_out(self._network, list(self.until))
        return over
