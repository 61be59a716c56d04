"""More than one machine: sentences in NATS JetStream, partitioned by place, each partition with one worker.

    devices - mosquitto - bridge - NATS: sentences.<partition>.<place>.<device>.<what> - worker (same Hub)
                            ^                                                               |
                            +------------------- NATS: decisions.<place> -------------------+

A place is always in the same partition, so that what belongs together meets in one hub. A worker holds a
partition by a lease (a key that expires); when it dies, what it had not acknowledged is delivered to the next
one, which first reads what was decided of late, and goes on with it. Decisions carry their key as the
message's identity, so that the server itself keeps a second one out.

Why NATS: its server is in Debian and one file, and has persistence, redelivery, leases and deduplication.
Kafka has partitions by key, but comes as no package of Debian, PyPI or npm, and wants a Java machine.
"""

import asyncio
import contextlib
import json
import math
import secrets
import time
import zlib
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

from speech_emotion.central.clocks import Clock
from speech_emotion.central.hub import Hub
from speech_emotion.central.limits import BURST, FLOOD_BURST, FLOOD_RATE, RATE, Allowance, PutOut
from speech_emotion.central.settings import Network
from speech_emotion.central.wire import Wire
from speech_emotion.errors import UserError
from speech_emotion.fusion.pairing import REVISE_MS

PARTITIONS = 8
SENTENCES, DECISIONS, LEASES = "sentences", "decisions", "leases"
LEASE_SECONDS = 3
RENEW_SECONDS = 0.8
ACK_SECONDS = 5
"""What was delivered and not acknowledged is delivered again after so long."""
KEEP_SECONDS = 7 * 24 * 3600
DAY_MS = 24 * 3_600_000
RECALL_MS = REVISE_MS + 1000 * (ACK_SECONDS + LEASE_SECONDS)
"""Decisions that a late partner may still revise, or whose messages may come again, are no older."""
BATCH = 200
ARRIVED = "Arrived"


def partition(place: str, partitions: int = PARTITIONS) -> int:
    """Of a place: the same on every machine, for ever."""
    return zlib.crc32(place.encode()) % partitions


async def connect(address: str) -> Any:
    """A connection to the server, which comes back by itself. UserError where nobody answers."""
    try:
        import nats
    except ImportError:
        raise UserError("nats-py: not installed; pip install 'speech-emotion[network]'") from None
    coming = nats.connect(
        address,
        max_reconnect_attempts=-1,
        reconnect_time_wait=1,
        connect_timeout=2,
        error_cb=_quietly,
    )
    try:
        return await asyncio.wait_for(coming, 4)  # by itself the client would try for ever
    except Exception as error:
        raise UserError(
            f"{address}: no NATS server answers ({type(error).__name__}); start nats-server -js"
        ) from None


async def _quietly(error):
    """The client says every failed attempt to come back; that it is away is told once, elsewhere."""


async def prepare(stream: Any) -> Any:
    """Streams and leases, made where they are not. Returns the leases."""
    from nats.js.api import KeyValueConfig, RetentionPolicy, StreamConfig

    await stream.add_stream(
        StreamConfig(
            SENTENCES,
            subjects=[f"{SENTENCES}.>"],
            max_age=KEEP_SECONDS,
            retention=RetentionPolicy.LIMITS,
        )
    )
    await stream.add_stream(
        StreamConfig(
            DECISIONS, subjects=[f"{DECISIONS}.>"], max_age=KEEP_SECONDS, duplicate_window=120
        )
    )
    return await stream.create_key_value(KeyValueConfig(LEASES, ttl=LEASE_SECONDS))


# --- from the broker to the server -------------------------------------------------------------------


async def bridge(network: Network, address: str, say: Callable[[str], None] = print) -> None:
    """Until cancelled: what devices say goes to the server, each place into its partition, and is
    acknowledged to the broker when the server has it; decisions come back to the broker. What is more than
    a device may say goes nowhere. say: is told who is put out for it."""
    connection = await connect(address)
    stream = connection.jetstream()
    await prepare(stream)
    loop, woken = asyncio.get_running_loop(), asyncio.Event()

    def wake() -> None:
        loop.call_soon_threadsafe(woken.set)

    wire = Wire(network, wake)
    wire.start()
    put_out, clock = PutOut(network, say), Clock()
    allowances: defaultdict[str, tuple[Allowance, Allowance]] = defaultdict(
        lambda: (Allowance(RATE, BURST), Allowance(FLOOD_RATE, FLOOD_BURST))
    )
    introduced: dict[str, bytes] = {}
    again = clock.now()
    back = asyncio.create_task(_decisions_to(stream, wire))
    try:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(woken.wait(), 1)
            woken.clear()
            now = clock.now()
            put_out.let_in(now)
            for arrived in wire.take():
                parts = arrived.topic.split("/")
                allowance, patience = allowances[parts[1]]
                if not patience.take(now):
                    put_out.put(parts[1], now)
                if not allowance.take(now):
                    wire.acknowledge([arrived.handle])
                    continue
                place = network.places.get(parts[1], parts[1])
                subject = f"{SENTENCES}.{partition(place)}.{place}.{parts[1]}.{parts[2]}"
                came = now - (time.monotonic() * 1000 - arrived.arrival)
                await _until_there(stream, subject, arrived.payload, {ARRIVED: str(int(came))})
                wire.acknowledge([arrived.handle])
                if parts[2] in ("about", "status"):
                    introduced[subject] = arrived.payload
            if now - again > DAY_MS:  # or the server would forget a device that never hangs up
                for subject, payload in introduced.items():
                    await _until_there(stream, subject, payload, {ARRIVED: str(now)})
                again = now
    finally:
        back.cancel()
        wire.stop()
        await connection.close()


async def _until_there(stream, subject, payload, headers):
    """Publish, and again until the server has it."""
    import nats.errors

    while True:
        try:
            return await stream.publish(subject, payload, headers=headers, timeout=2)
        except (nats.errors.Error, TimeoutError):
            await asyncio.sleep(0.2)


async def _decisions_to(stream, wire):
    from nats.js.api import ConsumerConfig, DeliverPolicy

    async for message in _messages(
        await stream.pull_subscribe(
            f"{DECISIONS}.>",
            durable="bridge",
            config=ConsumerConfig(deliver_policy=DeliverPolicy.NEW),
        )
    ):
        if wire.online:
            wire.publish(f"decision/{message.subject.split('.', 1)[1]}", message.data.decode())
        await message.ack()


async def _messages(subscription):
    import nats.errors

    while True:
        with contextlib.suppress(nats.errors.Error, TimeoutError):
            for message in await subscription.fetch(BATCH, timeout=1):
                yield message


# --- deciding ----------------------------------------------------------------------------------------


class Worker:
    """Holds its share of the partitions and decides for them. say: is told what it takes and gives up."""

    def __init__(self, address: str, say: Callable[[str], None] = lambda line: None):
        self.name = secrets.token_hex(4)
        self.held: dict[int, asyncio.Task[None]] = {}
        self._address, self._say = address, say
        self._revisions: dict[int, int] = {}
        self._asked: dict[int, float] = {}  # when the latest renewal that was granted was asked for
        self._clock = Clock()

    async def run(self) -> None:
        """Until cancelled."""
        connection = await connect(self._address)
        stream = connection.jetstream()
        self._leases = await prepare(stream)
        self._clock = Clock(await _newest(stream))
        try:
            while True:
                await self._share(stream)
                await asyncio.sleep(RENEW_SECONDS)
        finally:
            for task in self.held.values():
                task.cancel()
            for number in list(self._revisions):
                with contextlib.suppress(Exception):
                    await self._leases.delete(str(number))
            await connection.close()

    async def _share(self, stream):
        """Renew what is held, take what nobody has up to a fair share, give up what is more than that."""
        from nats.errors import Error

        try:
            await self._leases.put(f"worker-{self.name}", b"")
            keys = await self._leases.keys()
        except (Error, TimeoutError):
            keys = []
        workers = sum(key.startswith("worker-") for key in keys) or 1
        fair = -(-PARTITIONS // workers)
        for number, task in list(self.held.items()):
            try:
                if task.done():
                    task.result()
                if len(self.held) > fair:
                    raise TimeoutError  # another one needs its share
                asked = time.monotonic()
                self._revisions[number] = await self._leases.update(
                    str(number), self.name.encode(), self._revisions[number]
                )
                self._asked[number] = asked
            except (Error, TimeoutError):
                await self._give_up(number)
        for number in range(PARTITIONS):
            if number not in self.held and str(number) not in keys and len(self.held) < fair:
                with contextlib.suppress(Error, TimeoutError):
                    self._asked[number] = time.monotonic()
                    self._revisions[number] = await self._leases.create(
                        str(number), self.name.encode()
                    )
                    self.held[number] = asyncio.create_task(self._decide(stream, number))
                    self._say(f"partition {number}: taken")

    async def _give_up(self, number):
        task = self.held.pop(number)
        task.cancel()
        with contextlib.suppress(BaseException):
            await task
        with contextlib.suppress(Exception):
            await self._leases.delete(str(number), last=self._revisions.pop(number))
        self._say(f"partition {number}: given up")

    async def _decide(self, stream, number):
        """One partition, by a hub of its own. A message is acknowledged once its decision is kept."""
        from nats.errors import Error
        from nats.js.api import AckPolicy, ConsumerConfig

        hub = Hub(complain=self._say)
        await self._introduced(stream, number, hub)
        await self._recalled(stream, number, hub)
        subscription = await stream.pull_subscribe(
            f"{SENTENCES}.{number}.>", durable=f"partition-{number}",
            config=ConsumerConfig(
                ack_policy=AckPolicy.EXPLICIT, ack_wait=ACK_SECONDS, max_ack_pending=5000
            ),
        )  # fmt: skip
        while True:
            deadline = hub.deadline()
            wait = (
                1.0
                if deadline is None
                else min(1.0, max(0.02, (deadline - self._clock.now()) / 1000))
            )
            with contextlib.suppress(Error, TimeoutError):
                for message in await subscription.fetch(BATCH, timeout=wait):
                    _hear(hub, message, self._clock.now())
            for decision in hub.due(self._clock.now()):
                self._still_holds(number)
                await _until_there(
                    stream, f"{DECISIONS}.{decision.place}", json.dumps(decision.public()).encode(),
                    {"Nats-Msg-Id": f"{decision.key}.{decision.rev}"},
                )  # fmt: skip
            hub.touched.clear()
            hub.changed.clear()
            for message in hub.take_done():
                if message is not None:
                    self._still_holds(number)
                    with contextlib.suppress(Error):
                        await message.ack()

    def _still_holds(self, number):
        """TimeoutError where the lease may have run out, as when the machine stood still: then another worker
        decides, and is given what this one has not acknowledged."""
        if time.monotonic() - self._asked[number] > LEASE_SECONDS:
            raise TimeoutError(f"partition {number}: the lease ran out")

    async def _introduced(self, stream, number, hub):
        """What the devices of a partition have said of themselves: their last word each, from the stream.
        Raises where the server does not tell: without it, their sentences would be refused, and lost."""
        for what in ("about", "status"):
            asked = f"{SENTENCES}.{number}.*.*.{what}"
            about = await stream.stream_info(SENTENCES, subjects_filter=asked)
            for subject in about.state.subjects or ():
                message = await stream.get_last_msg(SENTENCES, subject)
                _hear(hub, message, self._clock.now(), settle=False)
        hub.take_done()

    async def _recalled(self, stream, number, hub):
        """What whoever had this partition before has decided of late, by the server's clock, as another
        machine's may differ. Raises as `_introduced` does."""
        from nats.js.errors import NotFoundError

        try:
            last = await stream.get_last_msg(DECISIONS, f"{DECISIONS}.>")
        except NotFoundError:
            return
        began = min(_milliseconds(last), await _oldest_unsettled(stream, number)) - RECALL_MS
        newest = {}
        async for decided in _since(stream, f"{DECISIONS}.>", began):
            decision = json.loads(decided.data)
            if partition(decision["place"]) == number:
                newest[decision["key"]] = decision  # a later revision comes later
        if not newest:
            return
        sentences = _since(stream, f"{SENTENCES}.{number}.>", began - REVISE_MS)
        hub.recall(
            newest.values(),
            [_arrived(message, self._clock.now())[1:] async for message in sentences],
            self._clock.now(),
        )


async def _oldest_unsettled(stream, number):
    """When the first message of a partition that is not acknowledged came to the server, ms."""
    from nats.js.errors import NotFoundError

    with contextlib.suppress(NotFoundError):
        consumer = await stream.consumer_info(SENTENCES, f"partition-{number}")
        if consumer.num_ack_pending:
            first = await stream.get_msg(
                SENTENCES,
                consumer.ack_floor.stream_seq + 1,
                subject=f"{SENTENCES}.{number}.>",
                next=True,
            )
            return _milliseconds(first)
    return math.inf


def _milliseconds(message):
    """When a message came to the server."""
    return message.time.timestamp() * 1000


async def _since(stream: Any, subject: str, began: float) -> AsyncIterator[Any]:
    """What the server has of a subject that came to it from a moment on, ms since 1970, in order."""
    from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

    subscription = await stream.pull_subscribe(
        subject,
        config=ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_TIME,
            opt_start_time=datetime.fromtimestamp(max(0, began) / 1000, UTC),
            ack_policy=AckPolicy.NONE,
        ),
    )
    try:
        left = (await subscription.consumer_info()).num_pending
        while left > 0:
            for message in (found := await subscription.fetch(min(left, BATCH), timeout=2)):
                yield message
            left -= len(found)
    finally:
        await subscription.unsubscribe()


async def _newest(stream):
    """When the last decision of all ended, ms: a worker's clock is never before it; 0 where there is none."""
    from nats.errors import Error

    with contextlib.suppress(Error, TimeoutError, ValueError, KeyError):
        last = await stream.get_last_msg(DECISIONS, f"{DECISIONS}.>")
        return int(json.loads(last.data)["end"])
    return 0


def _hear(hub, message, now, *, settle=True):
    place, topic, payload, arrival = _arrived(message, now)
    hub.places[topic.split("/")[1]] = place
    hub.receive(topic, payload, now, message if settle else None, arrival=arrival)


def _arrived(message, now):
    """Place, and topic, payload and arrival as they were at the broker."""
    _, _, place, device, what = message.subject.split(".")
    arrival = int((message.headers or {}).get(ARRIVED, now))
    return place, f"emotion/{device}/{what}", message.data, arrival
