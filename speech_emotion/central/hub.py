"""The service's mind, without a wire: topic and bytes in, decisions out. Nothing here sleeps or stores.

hub = Hub(places={"mic-1": "kitchen"})
hub.receive("emotion/mic-1/voice", payload, now, handle)
for decision in hub.due(now): ...
for handle in hub.take_done(): ...        # what may be acknowledged once the decisions are kept
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from speech_emotion import message
from speech_emotion.central.clocks import Uptime
from speech_emotion.central.deciding import Decision, Group, Heard, heard_key
from speech_emotion.central.limits import BURST, FLOOD_BURST, FLOOD_RATE, RATE, Allowance
from speech_emotion.central.sequences import Sequence
from speech_emotion.central.settings import NAME
from speech_emotion.fusion import CHANNELS, DEFAULT, Weights
from speech_emotion.fusion.pairing import REVISE_MS, WAIT_MS
from speech_emotion.message import About, Refused, Sentence
from speech_emotion.message.definition import WHOLE

PARTNER_MS = 600_000
"""Who said nothing for so long is not waited for."""
GROUPS_MOST = 64
"""Moments of a place that a late partner may still belong to."""
BOOTS_MOST = 16
"""Starts of a device that are remembered."""
REFUSALS = (
    "topic",
    "name",
    "length",
    "json",
    "fields",
    "version",
    "sum",
    "times",
    "model",
    "schema",
    "flood",
)


class Large(Protocol):
    """A central model: what it makes of the columns that a device sends."""

    columns: int
    threshold: float

    def probabilities(self, steps: tuple[int, ...]) -> dict[str, float] | None: ...


@dataclass
class Device:
    """What is known of one device. sequences and clocks: by the number of its start."""

    name: str
    place: str
    online: bool | None = None
    seen: int = 0
    about: About | None = None
    sequences: "OrderedDict[int, Sequence]" = field(default_factory=OrderedDict)
    past: int = 0  # losses of starts that are no longer remembered
    counts: Counter[str] = field(default_factory=Counter)
    clocks: dict[int, Uptime] = field(default_factory=dict)
    spoke: dict[str, int] = field(default_factory=dict)
    columns: "OrderedDict[tuple[int, int], dict[str, float]]" = field(default_factory=OrderedDict)
    allowance: Allowance = field(default_factory=lambda: Allowance(RATE, BURST))
    patience: Allowance = field(default_factory=lambda: Allowance(FLOOD_RATE, FLOOD_BURST))
    out: bool = False  # put out at the broker

    @property
    def lost(self) -> int:
        """Sentences whose numbers were used and that never came."""
        return self.past + sum(sequence.lost for sequence in self.sequences.values())

    def public(self) -> dict[str, Any]:
        """As it is shown."""
        return {
            "name": self.name, "place": self.place, "online": self.online, "seen": self.seen,
            "lost": self.lost, "dropped": self.about.dropped if self.about else 0,
            "refused": sum(self.counts[kind] for kind in REFUSALS if kind != "flood"),
            "flood": self.counts["flood"], "repeated": self.counts["repeated"], "out": self.out,
        }  # fmt: skip


class Hub:
    """places: device -> place; a device without one is a place by itself, under its own name.
    complain: is given one line for each message that was refused."""

    def __init__(
        self,
        places: Mapping[str, str] | None = None,
        *,
        large: Large | None = None,
        weights: Weights = DEFAULT,
        complain: Callable[[str], None] = lambda line: None,
        wait_ms: int = WAIT_MS,
    ):
        self.places = dict(places or {})
        self.devices: dict[str, Device] = {}
        self.at: dict[str, list[Device]] = {}  # place -> devices
        self.refused: Counter[str] = Counter()  # by kind, of all devices and of none
        self.touched: set[tuple[str, int]] = set()  # (device, boot) whose numbers changed
        self.changed: set[str] = set()  # devices that the page and the store should look at again
        self.flooding: set[str] = set()  # devices whose messages hold up those of others
        self._large, self.complain, self._wait = large, complain, wait_ms
        self._weights = weights
        self._done: list[Any] = []
        self._groups: dict[str, deque[Group]] = {}
        self._open: list[Group] = []

    def device(self, name: str) -> Device:
        """The device of a name, made where it is new."""
        if name not in self.devices:
            self.devices[name] = Device(name, self.places.get(name, name))
            self.at.setdefault(self.devices[name].place, []).append(self.devices[name])
        return self.devices[name]

    def receive(
        self,
        topic: str,
        payload: bytes,
        now: int,
        handle: Any = None,
        *,
        arrival: int | None = None,
    ) -> None:
        """A message. It is settled (its handle is among take_done) at once when it is refused or says nothing
        to decide upon, otherwise with its decision. arrival: when it came to the first who has a clock to be
        trusted, where that was earlier."""
        try:
            self._receive(topic, payload, now, handle, now if arrival is None else arrival)
        except Refused as refused:
            self._refuse(topic, refused, handle)

    def due(self, now: int) -> list[Decision]:
        """What is to be decided by now, in the order of its messages."""
        decisions, left = [], []
        for group in self._open:
            if group.deadline > now:
                left.append(group)
                continue
            decision = group.decision()
            group.decided = True
            self._done += group.waiting
            group.waiting.clear()
            if decision:
                decisions.append(decision)
        self._open = left
        return decisions

    def deadline(self) -> int | None:
        """When `due` will have something to say, as far as is known now."""
        return min((group.deadline for group in self._open), default=None)

    def take_done(self) -> list[Any]:
        """The handles of all that is settled, once."""
        done, self._done = self._done, []
        return done

    def recall(
        self,
        decisions: Iterable[Mapping[str, Any]],
        messages: Iterable[tuple[str, bytes, int]],
        now: int,
    ) -> None:
        """What another hub decided, with which this one goes on: none of these messages is decided again,
        and a partner that is late revises the decision that it belongs to.

        decisions: each as made public, at its newest revision. messages: topic, payload and arrival of those
        that they are from, and of others, which are passed over; what their devices tell of themselves has
        been received before."""
        decisions = list(decisions)
        wanted = {key for decision in decisions for key in decision["from"]}
        found: dict[str, Heard] = {}
        for topic, payload, arrival in messages:
            _, name, channel = topic.split("/")
            if channel not in CHANNELS:
                continue
            with suppress(Refused):
                sentence = message.decode_sentence(payload)
                if heard_key(name, sentence.boot, sentence.seq, channel) in wanted:
                    heard = self._heard(self.device(name), channel, sentence, now, None, arrival)
                    if heard is not None:
                        found[heard.key] = heard
        for decision in decisions:
            if all(key in found for key in decision["from"]):
                members = [found[key] for key in decision["from"]]
                group = Group(
                    decision["place"], members, now, decided=True,
                    rev=decision["rev"], weights=self._weights,
                )  # fmt: skip
                self._groups.setdefault(group.place, deque(maxlen=GROUPS_MOST)).append(group)

    # --- messages ---------------------------------------------------------------------------------

    def _receive(self, topic, payload, now, handle, arrival):
        parts = topic.split("/")
        if len(parts) != 3 or parts[0] != "emotion":
            raise Refused("topic", "not a topic of this service")
        _, name, what = parts
        if not NAME.fullmatch(name):
            raise Refused("name", "not the name of a device")
        device = self.device(name)
        self._allow(device, now)
        device.seen = max(device.seen, now)
        self.changed.add(name)
        match what:
            case "voice" | "face":
                self._sentence(device, what, payload, now, handle, arrival)
                return
            case "features":
                self._columns(device, payload)
            case "about":
                device.about = message.decode_about(payload)
            case "status":
                if payload not in (b"online", b"offline"):
                    raise Refused("fields", "a status that is neither online nor offline")
                device.online = payload == b"online"
            case _:
                raise Refused("topic", "not a topic of this service")
        self._done.append(handle)

    def _allow(self, device, now):
        if not device.patience.take(now):
            self.flooding.add(device.name)
        if not device.allowance.take(now):
            raise Refused("flood", "more messages than a device may send")

    def _sentence(self, device, channel, payload, now, handle, arrival):
        sentence = message.decode_sentence(payload)
        heard = self._heard(device, channel, sentence, now, handle, arrival)
        if heard is None:
            device.counts["repeated"] += 1
            self._done.append(handle)
        else:
            self._place(device.place, heard, now)

    def _heard(
        self, device: Device, channel: str, sentence: Sentence, now: int, handle: Any, arrival: int
    ) -> Heard | None:
        """A sentence, placed in time; None for one that was here before."""
        about = device.about
        if (
            about is None
            or about.model != sentence.model
            or len(about.names) != len(sentence.shares)
        ):
            raise Refused("model", "a model whose labels it has not told")
        if about.schema != sentence.schema:
            raise Refused("schema", "another schema than it has told")
        known = bool(device.sequences) or device.past > 0
        sequence = device.sequences.get(sentence.boot)
        if sequence is None:
            sequence = Sequence.starting(sentence.seq, known=known)
            device.sequences[sentence.boot] = sequence
            while len(device.sequences) > BOOTS_MOST:
                old, gone = device.sequences.popitem(last=False)
                device.past += gone.lost
                self.touched.add((device.name, old))
                device.clocks.pop(old, None)
        elif not sequence.take(sentence.seq):
            return None
        self.touched.add((device.name, sentence.boot))
        device.spoke[channel] = now
        clock = device.clocks.setdefault(sentence.boot, Uptime())
        begin, end = clock.interval(sentence, arrival)
        found: dict[str, float] = {}
        threshold = about.threshold / WHOLE
        if self._large and sentence.speech and (sentence.boot, sentence.seq) in device.columns:
            found = device.columns.pop((sentence.boot, sentence.seq))
            threshold = self._large.threshold
        elif sentence.speech:
            shares = zip(about.names, sentence.shares, strict=True)
            found = {label: share / WHOLE for label, share in shares}
        return Heard(
            device.name, channel, sentence.boot, sentence.seq, begin, end, now, found,
            threshold, handle,
        )  # fmt: skip

    def _columns(self, device, payload):
        columns = message.decode_columns(payload)
        if self._large is None:
            return
        if columns.columns != self._large.columns:
            raise Refused("model", "columns that the central model does not take")
        found = self._large.probabilities(columns.steps)
        if found is None:
            raise Refused("length", "another number of columns than the central model takes")
        device.columns[columns.boot, columns.seq] = found
        while len(device.columns) > 8:
            device.columns.popitem(last=False)

    def _refuse(self, topic, refused, handle):
        self._done.append(handle)
        self.refused[refused.kind] += 1
        parts = topic.split("/")
        name = parts[1] if len(parts) > 1 and parts[1] in self.devices else None
        if name is not None:
            counts = self.devices[name].counts
            counts[refused.kind] += 1
            self.changed.add(name)
            if refused.kind == "flood" and counts["flood"] % 1000 != 1:
                return  # a line for each would flood the log instead
        self.complain(f"refused {refused.kind} from {topic[:80]!a}: {refused}")

    # --- pairs --------------------------------------------------------------------------------------

    def _place(self, place, heard, now):
        groups = self._groups.setdefault(place, deque(maxlen=GROUPS_MOST))
        while groups and groups[0].decided and groups[0].members[0].arrival < now - REVISE_MS:
            groups.popleft()
        partners = self._partners(place, heard, now)
        for group in reversed(groups):
            if group.fits(heard):
                group.members.append(heard)
                group.waiting.append(heard.handle)
                if group.decided:
                    group.rev, group.decided, group.deadline = group.rev + 1, False, now
                    self._open.append(group)
                elif not partners - {(m.device, m.channel) for m in group.members}:
                    group.deadline = now
                return
        deadline = now + (self._wait if partners else 0)
        group = Group(place, [heard], deadline, waiting=[heard.handle], weights=self._weights)
        groups.append(group)
        self._open.append(group)

    def _partners(self, place, heard, now):
        """Who else may have heard or seen it."""
        return {
            (device.name, channel)
            for device in self.at.get(place, ())
            for channel, spoke in device.spoke.items()
            if device.online is not False
            and (device.name, channel) != (heard.device, heard.channel)
            and now - spoke < PARTNER_MS
        }
