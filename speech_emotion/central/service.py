"""The central service: what arrives is decided upon, shown and passed on at once.

It is kept in another thread, so that a slow disk holds up nothing, and acknowledged to the broker when it is
kept, so that nothing is lost.
"""

import asyncio
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from speech_emotion.central import discovery
from speech_emotion.central.board import Board
from speech_emotion.central.clocks import Clock
from speech_emotion.central.deciding import Decision
from speech_emotion.central.hub import Hub, Large
from speech_emotion.central.limits import PutOut
from speech_emotion.central.settings import Network
from speech_emotion.central.store import Store, changes
from speech_emotion.central.wire import Wire
from speech_emotion.fusion import DEFAULT, Weights

SHOW_SECONDS = 0.05
"""The page is told of news at most so often."""
DAY_MS = 24 * 3_600_000
FORGET_SECONDS = 600


@dataclass
class _Keeping:
    """What is to be kept next, and the handles of what is to be acknowledged then."""

    decisions: list[Decision] = field(default_factory=list)
    done: list[Any] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    woken: asyncio.Event = field(default_factory=asyncio.Event)


class Service:
    """Runs until it is cancelled. viewers: each is given a dict for every piece of news."""

    def __init__(
        self,
        network: Network,
        *,
        large: Large | None = None,
        weights: Weights = DEFAULT,
        complain: Callable[[str], None] | None = None,
        store: Store | None = None,
    ):
        self.network = network
        self.store = store or Store(network.history)
        self.clock = Clock(self.store.newest())
        self.hub = Hub(network.places, large=large, weights=weights, complain=complain or _print)
        self.store.restore(self.hub)
        for device in network.places:
            self.hub.device(device)
        self.board = Board()
        self.board.restore(self.store, self.clock.now())
        self.viewers: set[asyncio.Queue[dict[str, Any]]] = set()
        self.decided = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()
        self._disk = asyncio.Lock()
        self.wire = Wire(network, self._wake)
        self.put_out = PutOut(network, self.hub.complain)
        self._news: dict[str, Decision] = {}
        self._stale: set[str] = set()
        self._keeping = _Keeping()
        self._closing = False
        self._discovered: dict[str, tuple[str, ...]] = {}
        self._connection = 0
        self._said: str | None = None
        self._offset = self.clock.now() - time.monotonic() * 1000

    async def run(self) -> None:
        """Work until cancelled."""
        self._loop = asyncio.get_running_loop()
        self.wire.start()
        helpers = [asyncio.create_task(self._show()), asyncio.create_task(self._forget())]
        keeper = asyncio.create_task(self._keep())
        try:
            while True:
                deadline = self.hub.deadline()
                timeout = 1.0
                if deadline is not None:
                    timeout = min(timeout, max(0.0, (deadline - self.clock.now()) / 1000))
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), timeout)
                self._woken.clear()
                self.work()
                if keeper.done():
                    keeper.result()  # why it ended
        finally:
            for helper in helpers:
                helper.cancel()
            self._closing = True
            self._keeping.woken.set()
            await keeper
            self.wire.stop()
            self.store.close()

    def work(self) -> None:
        """Everything that has arrived, and everything that is due."""
        for arrived in self.wire.take():
            now = int(arrived.arrival + self._offset)
            self.hub.receive(arrived.topic, arrived.payload, now, arrived.handle)
            if self.hub.flooding:
                self._limit(self.clock.now())
        now = self.clock.now()
        self._limit(now)
        decisions = self.hub.due(now)
        keeping = self._keeping
        keeping.decisions += decisions
        keeping.done += self.hub.take_done()
        keeping.changed |= self.hub.changed
        if keeping.decisions or keeping.done or keeping.changed or self.hub.touched:
            keeping.woken.set()
        for decision in decisions:
            self.wire.publish(f"decision/{decision.place}", decision.public())
            self.board.note(decision)
            self._news[decision.key] = decision
        self.decided += len(decisions)
        self._discover()
        self._stale |= self.hub.changed
        self.hub.changed.clear()

    async def _keep(self):
        """What came since is written, and then acknowledged; what comes meanwhile, together the next time."""
        while not self._closing or self._keeping.woken.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._keeping.woken.wait(), 1)
            mine, self._keeping = self._keeping, _Keeping()
            touched = set(self.hub.touched)
            self.hub.touched.clear()
            rows = changes(self.hub, touched, mine.changed, self.clock.now())
            if mine.decisions or rows or self.store.trouble:
                async with self._disk:
                    kept = await asyncio.to_thread(self.store.commit, mine.decisions, rows)
                if not kept:
                    self.hub.touched |= touched
                    self._keeping.changed |= mine.changed
            self._say_trouble()
            self.wire.acknowledge(mine.done)

    def _limit(self, now):
        """Who holds up the others is put out at the broker."""
        for name in self.hub.flooding:
            self.put_out.put(name, now)
        self.hub.flooding.clear()
        for name in self.put_out.let_in(now) | self.put_out.until.keys():
            device = self.hub.devices[name]
            if device.out != (name in self.put_out.until):
                device.out = not device.out
                self.hub.changed.add(name)

    # --- what the page shows -----------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """All that a page needs when it opens."""
        names = {device.place for device in self.hub.devices.values()} | set(self.board.places)
        return {
            "now": self.clock.now(), "service": self.health(),
            "places": [self.board.public(name, self._title(name)) for name in sorted(names)],
            "devices": [device.public() for _, device in sorted(self.hub.devices.items())],
        }  # fmt: skip

    def health(self) -> dict[str, Any]:
        """How the service itself is."""
        return {
            "broker": self.wire.trouble, "history": self.store.trouble, "unkept": self.store.missed,
            "dropped": self.wire.dropped, "refused": sum(self.hub.refused.values()),
        }  # fmt: skip

    async def _show(self):
        health = None
        while True:
            await asyncio.sleep(SHOW_SECONDS)
            now_health = self.health()
            if not (self._news or self._stale or now_health != health):
                continue
            health = now_health
            news = {
                "now": self.clock.now(), "service": health,
                "decisions": [decision.public() for decision in self._news.values()],
                "devices": [self.hub.devices[name].public() for name in sorted(self._stale)],
                "minutes": {
                    decision.place: self.board.minutes(decision.place)
                    for decision in self._news.values()
                },
            }  # fmt: skip
            self._news, self._stale = {}, set()
            for viewer in list(self.viewers):
                try:
                    viewer.put_nowait(news)
                except asyncio.QueueFull:  # it cannot follow: it is told to begin anew
                    self.viewers.discard(viewer)

    # --- the rest ----------------------------------------------------------------------------------

    def _discover(self):
        """Home Assistant is told of places that it was not told of on this connection."""
        if not self.wire.online:
            return
        if self._connection != self.wire.connections:
            self._connection, self._discovered = self.wire.connections, {}
        for device in [self.hub.devices[name] for name in self.hub.changed]:
            if device.about is None or self._discovered.get(device.name) == device.about.names:
                continue
            self._discovered[device.name] = device.about.names
            title = self._title(device.place)
            for topic, config in discovery.configs(
                device.name, device.place, title, device.about.names
            ).items():
                self.wire.publish(topic, config, retain=True)

    async def _forget(self):
        """What is older than the network's settings allow is deleted, a little at a time."""
        while True:
            await asyncio.sleep(FORGET_SECONDS)
            before = self.clock.now() - self.network.keep_days * DAY_MS
            with suppress(sqlite3.Error):  # a full disk cannot forget either; later
                while await self._forgotten(before):
                    await asyncio.sleep(0.05)

    async def _forgotten(self, before):
        async with self._disk:
            return await asyncio.to_thread(self.store.delete_some, before)

    def _title(self, place):
        return self.network.titles.get(place, place)

    def _say_trouble(self):
        trouble = self.store.trouble
        if trouble != self._said:
            self._said = trouble
            _print(
                f"{self.store.path}: history is not kept ({trouble}); decisions go on"
                if trouble
                else f"{self.store.path}: history is kept again; {self.store.missed} decisions are not in it"
            )

    def _wake(self):
        loop = self._loop
        if loop is not None and not loop.is_closed():
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._woken.set)


def _print(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
