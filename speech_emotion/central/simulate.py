"""Devices that are programs: the chip's own message code and queue (message/compiled.py), MQTT over TLS as a
board does it, and sentences from a generated library that hears clips, or made up.
"""

import heapq
import random
import re
import secrets
import selectors
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from speech_emotion import message
from speech_emotion.central import wire
from speech_emotion.central.settings import Network
from speech_emotion.errors import UserError
from speech_emotion.message import About, Sentence, compiled, definition

MADE_UP = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
RETRY_SECONDS = 0.5
CONNECTS = 3


class Spoken(NamedTuple):
    """What a device makes of one sentence. shares: ten-thousandths; level: tenths of dB below full scale."""

    shares: tuple[int, ...]
    milliseconds: int
    level: int
    speech: bool


class Voice(NamedTuple):
    """A device's model and, without end, what it makes of sentences."""

    labels: tuple[str, ...]
    threshold: int
    model: int
    schema: int
    sentences: Iterator[Spoken]


def made_up(seed: int) -> Voice:
    """Sentences that nobody said: probabilities drawn at random, for load."""

    def draw():
        rng = np.random.default_rng(seed)
        while True:
            row = rng.dirichlet(np.full(len(MADE_UP), 0.4))
            yield Spoken(message.shares(row.tolist()), int(rng.integers(800, 3000)), -300, True)

    return Voice(MADE_UP, 3000, 0x51AC0DE5, 0, draw())


def replayed(folder: Path, clips: Sequence[Path], seed: int) -> Voice:
    """The library's own C code hears clips, one after another in an order of its own, as a board would."""
    from speech_emotion.features import audio, schema
    from speech_emotion.model.compiled import Library

    library = Library(folder)
    if len(library.labels) > definition.LABELS_MOST:
        raise UserError(
            f"{folder}: {len(library.labels)} labels, a message has room for {definition.LABELS_MOST}; train "
            "a model with fewer (--labels)"
        )

    def hear():
        order = random.Random(seed)
        while True:
            samples = audio.load(order.choice(clips))
            answer = library.answer(samples)
            power = float(np.mean(samples.astype(float) ** 2)) / 32768.0**2
            level = max(-1000, min(0, round(100 * np.log10(max(power, 1e-10)))))
            yield Spoken(
                compiled.shares(answer.probabilities), round(answer.seconds * 1000), level, answer.speech
            )  # fmt: skip

    return Voice(
        tuple(library.labels), round(library.threshold * 10_000), _model_number(folder),
        int(schema.HASH[:8], 16), hear(),
    )  # fmt: skip


def _model_number(folder):
    """SER_MODEL_NUMBER of a library."""
    header = (folder / "src" / "ser_model.h").read_text(encoding="utf-8")
    found = re.search(r"#define SER_MODEL_NUMBER 0x([0-9a-f]{8})u", header)
    if found is None:
        raise UserError(f"{folder}: generated before there were messages; python -m codegen again")
    return int(found[1], 16)


@dataclass
class Fleet:
    """Devices in one thread. period: seconds from one sentence of a device to its next. heard: is told
    (key, time.monotonic at sending) of every sentence, just before it goes out."""

    network: Network
    names: Sequence[str]
    voice: Callable[[int], Voice]
    period: float = 3.0
    faces: bool = False
    seed: int = 0
    heard: Callable[[str, float], None] = lambda key, moment: None
    devices: list["_Device"] = field(default_factory=list)
    connecting: int = 0
    _due: list[tuple[float, int]] = field(default_factory=list)

    def run(self, seconds: float) -> dict[str, int]:
        """Speak for so long, then wait a little for what is still on its way. Returns the counts of made,
        acknowledged, dropped (no room in a device's queue), waiting, connections."""
        chosen = random.Random(self.seed)
        self.devices = [
            _Device(self, name, self.voice(i), chosen) for i, name in enumerate(self.names)
        ]
        self._wake_all()
        with selectors.DefaultSelector() as selector:
            patience = time.monotonic() + 5 + 0.1 * len(self.devices)
            while time.monotonic() < patience and not all(each.online for each in self.devices):
                self._turn(selector, speaking=False)
            start = time.monotonic()
            for device in self.devices:
                device.next = start + chosen.uniform(0, self.period)
            self._wake_all()
            end = start + seconds
            patience = 5 + 0.06 * len(self.devices)
            while (now := time.monotonic()) < end + patience:
                self._turn(selector, speaking=now < end)
                if now >= end and not any(device.waiting() for device in self.devices):
                    break
            for device in self.devices:
                device.leave()
        return {
            "made": sum(device.made for device in self.devices),
            "acknowledged": sum(device.acknowledged for device in self.devices),
            "dropped": sum(device.outbox.dropped for device in self.devices),
            "waiting": sum(device.waiting() for device in self.devices),
            "connections": sum(device.connections for device in self.devices),
        }

    def _wake_all(self):
        self._due = [(0.0, i) for i in range(len(self.devices))]

    def _turn(self, selector, *, speaking):
        """Each device that wants something now. Few connect in one turn: each connection takes milliseconds
        of all."""
        self.connecting = CONNECTS
        now = time.monotonic()
        while self._due[0][0] <= now:
            i = self._due[0][1]
            self.devices[i].step(selector, speaking=speaking)
            heapq.heapreplace(self._due, (self.devices[i].wants(speaking=speaking), i))
        for key, mask in selector.select(min(0.01, max(0.0, self._due[0][0] - now))):
            key.data.wire(mask)
            key.data.step(selector, speaking=speaking)


class _Device:
    def __init__(self, fleet, name, voice, chosen):
        self.fleet, self.name, self.voice = fleet, name, voice
        self.outbox = compiled.Outbox()
        self.made = self.acknowledged = self.connections = self.seq = 0
        self.online = False
        self._boot = secrets.randbelow(2**32 - 1) + 1  # whatever the seed: each start is another
        self._born = time.monotonic() - chosen.uniform(
            0, 2**32 / 1000
        )  # the uptime may be about to wrap
        self.next, self._retry, self._socket = 0.0, 0.0, None
        self._sent: dict[int, str] = {}
        self._face: Sentence | None = None
        mqtt = wire.paho()
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name)
        self._client.username_pw_set(name, fleet.network.password(name))
        self._client.tls_set_context(_context(str(fleet.network.ca)))
        self._client.will_set(f"emotion/{name}/status", "offline", qos=1, retain=True)
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_publish = self._published

    def uptime(self, now):
        return int((now - self._born) * 1000) & 0xFFFFFFFF

    def step(self, selector, *, speaking):
        now = time.monotonic()
        if speaking and now >= self.next:
            self.next += self.fleet.period
            self._speak(now)
        sock = self._client.socket()
        if sock is not self._socket:
            if self._socket is not None:
                with suppress(KeyError, ValueError):
                    selector.unregister(self._socket)
            if sock is not None:
                selector.register(sock, selectors.EVENT_READ, self)
            self._socket = sock
        if sock is None:
            if now >= self._retry and self.fleet.connecting > 0:
                self.fleet.connecting -= 1
                self._retry = now + RETRY_SECONDS
                with suppress(OSError, ValueError):
                    self._client.connect(
                        self.fleet.network.host, self.fleet.network.port, keepalive=30
                    )
            return
        self._send(now)
        if self._client.want_write():
            self._client.loop_write()
        self._client.loop_misc()

    def wants(self, *, speaking):
        """When it is to be looked at again, by time.monotonic, if nothing arrives before."""
        now = time.monotonic()
        if not self.online or self._client.want_write():
            return max(now + 0.01, self._retry if self._client.socket() is None else now)
        return min(self.next, now + 1) if speaking else now + 1

    def wire(self, mask):
        if mask & selectors.EVENT_READ and self._client.socket() is not None:
            self._client.loop_read()

    def waiting(self):
        return self.outbox.waiting()

    def leave(self):
        """As a board whose power goes: without a word, so that its last will is read."""
        with suppress(OSError):
            sock = self._client.socket()
            if sock is not None:
                sock.close()

    def _speak(self, now):
        spoken = next(self.voice.sentences)
        end = self.uptime(now)
        for _ in range(2 if self.fleet.faces else 1):
            self.seq += 1
            self.made += 1
            self.outbox.put(
                Sentence(
                    self._boot, self.seq, (end - spoken.milliseconds) & 0xFFFFFFFF, end, end, spoken.shares,
                    spoken.level, spoken.speech, self.voice.model, self.voice.schema,
                )
            )  # fmt: skip

    def _send(self, now):
        while self.online and len(self._sent) < 16 and (place := self.outbox.next()) >= 0:
            data = self.outbox.write(place, self.uptime(now))
            seq = message.decode_sentence(data).seq
            channel = "face" if self.fleet.faces and seq % 2 == 0 else "voice"
            key = f"{self.name}:{self._boot:08x}:{seq}:{channel}"
            self.fleet.heard(key, now)  # before it goes: a kill between leaves no sentence unnoted
            info = self._client.publish(f"emotion/{self.name}/{channel}", data, qos=1)
            self.outbox.sent(place, info.mid)
            self._sent[info.mid] = key

    def _connected(self, client, userdata, flags, reason, properties):
        if reason.is_failure:
            return
        self.connections += 1
        self.online = True
        self._sent.clear()
        self.outbox.again()
        about = About(
            self._boot, self.voice.labels, self.voice.threshold, self.outbox.dropped, self.voice.model,
            self.voice.schema, 0,
        )  # fmt: skip
        client.publish(
            f"emotion/{self.name}/about", compiled.write_about(about), qos=1, retain=True
        )
        client.publish(f"emotion/{self.name}/status", "online", qos=1, retain=True)

    def _disconnected(self, *_):
        self.online = False
        self._retry = time.monotonic() + RETRY_SECONDS

    def _published(self, client, userdata, mid, reason, properties):
        if self._sent.pop(mid, None) is not None:
            self.acknowledged += 1
            self.outbox.acknowledged(mid)


_CONTEXTS: dict[str, Any] = {}


def _context(ca):
    """One for all devices: reading the authority's certificate a thousand times takes its time."""
    import ssl

    if ca not in _CONTEXTS:
        try:
            _CONTEXTS[ca] = ssl.create_default_context(cafile=ca)
        except OSError as error:
            raise UserError(
                f"{ca}: cannot be read ({error.strerror}); python -m central setup"
            ) from None
    return _CONTEXTS[ca]
