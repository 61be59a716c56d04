"""Past one machine: two workers share the partitions of a real NATS server; what belongs together stays
together, also when one of them is killed."""

import asyncio
import contextlib
import json
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter

import network_harness as harness
import pytest
from conftest import REPOSITORY
from network_harness import Net, wait

from speech_emotion.central import partitions

harness.need_broker()
nats = pytest.importorskip("nats", reason="no nats-py; pip install 'speech-emotion[network]'")
SERVER = shutil.which("nats-server", path="/usr/sbin:/usr/bin:/usr/local/bin")
pytestmark = pytest.mark.skipif(
    SERVER is None, reason="no nats-server; apt-get install nats-server"
)


@pytest.fixture
def address(tmp_path):
    port = harness.free_port()
    command = [SERVER, "-js", "-a", "127.0.0.1", "-p", str(port), "-sd", tmp_path / "jetstream"]
    server = subprocess.Popen(list(map(str, command)), stderr=subprocess.DEVNULL)
    harness.wait(lambda: _listens(port), "the server")
    yield f"nats://127.0.0.1:{port}"
    server.terminate()
    server.wait(10)


def _listens(port):
    import socket

    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def start(command, address, *more):
    return subprocess.Popen(
        [sys.executable, "-m", "central", command, "--nats", address, *map(str, more)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=REPOSITORY,
    )  # fmt: skip


def decisions(address):
    """All that is in the stream of decisions."""

    async def read():
        connection = await nats.connect(address)
        stream = connection.jetstream()
        subscription = await stream.subscribe(f"{partitions.DECISIONS}.>", ordered_consumer=True)
        found = []
        try:
            while True:
                found.append(json.loads((await subscription.next_msg(timeout=0.5)).data))
        except nats.errors.TimeoutError:
            await connection.close()
        return found

    return asyncio.run(read())


def leases(address):
    """Which worker holds which partition."""

    async def read():
        connection = await nats.connect(address)
        try:
            kept = await connection.jetstream().key_value(partitions.LEASES)
            keys = [key for key in await kept.keys() if key.isdigit()]
            return {int(key): (await kept.get(key)).value.decode() for key in keys}
        except nats.errors.Error:
            return {}
        finally:
            await connection.close()

    return asyncio.run(read())


def test_a_place_is_always_in_the_same_partition():
    assert [partitions.partition(place) for place in ("kitchen", "study", "hall")] == [4, 1, 7]
    spread = Counter(partitions.partition(f"room-{i}") for i in range(1000))
    assert set(spread) == set(range(partitions.PARTITIONS)) and max(spread.values()) < 200


def test_two_workers_one_killed_no_pair_lost_split_or_decided_twice(tmp_path, address):
    net = Net(tmp_path / "network")
    processes = []
    try:
        net.start_broker()
        processes = [start("bridge", address, "--folder", net.network.folder)]
        workers = [start("worker", address) for _ in range(2)]
        processes += workers
        wait(
            lambda: sorted(Counter(leases(address).values()).values()) == [4, 4],
            "each worker to hold half of the partitions", 40,
        )  # fmt: skip
        log = tmp_path / "sent.log"
        devices = net.simulate(
            "--devices", 12, "--seconds", 12, "--period", 0.8, "--faces", "--log", log
        )
        time.sleep(6)
        net.kill(workers[0])
        counts = json.loads(devices.communicate(timeout=60)[0])
        sent = {line.split()[0] for line in log.read_text().splitlines()}
        assert counts["made"] == len(sent)

        def told():
            return {source for each in decisions(address) for source in each["from"]}

        def newest():
            """The last revision of each decision."""
            last = {}
            for each in sorted(decisions(address), key=lambda each: each["rev"]):
                last[each["key"]] = each
            return last

        def together():
            return all(len(each["from"]) == 2 for each in newest().values())

        with contextlib.suppress(pytest.fail.Exception):
            # on a busy machine one half comes after the wait for it: the revision then brings both together
            wait(lambda: told() == sent and together(), "all that was sent to be decided", 40)
        assert told() == sent, "all that was sent is decided, and nothing else"
        wait(lambda: len(set(leases(address).values())) == 1, "the other one to hold them all")
        last = newest()
        found = Counter(source for each in last.values() for source in each["from"])
        assert set(found.values()) == {1}, "decided twice"
        assert all(len(each["from"]) == 2 for each in last.values()), "a pair was split"
        assert len(last) == len(sent) // 2
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
                process.wait()
        net.close()


async def said(address, what, device, payload):
    """A device's message, as the bridge hands it on, of a place "kitchen"."""
    connection = await nats.connect(address)
    stream = connection.jetstream()
    await partitions.prepare(stream)
    number = partitions.partition("kitchen")
    arrived = {partitions.ARRIVED: str(int(time.time() * 1000))}
    await stream.publish(
        f"{partitions.SENTENCES}.{number}.kitchen.{device}.{what}", payload, headers=arrived
    )
    await connection.close()


def say(address, what, device, payload):
    asyncio.run(said(address, what, device, payload))


@pytest.fixture
def pair(address):
    """A microphone and a camera that have introduced themselves, and the two halves of a pair."""
    for device in ("mic", "cam"):
        say(address, "about", device, harness.about())
        say(address, "status", device, b"online")
    begun = time.monotonic()

    def half(seq):
        now = 20_000 + int(1000 * (time.monotonic() - begun))
        return harness.sentence(seq, begin=15_000 + 2000 * seq, end=16_500 + 2000 * seq, now=now)

    return half


def running(address, number):
    """A worker that holds the place's partition."""
    worker = start("worker", address)
    wait(lambda: len(leases(address)) == partitions.PARTITIONS, f"worker {number}", 40)
    return worker


def test_a_late_partner_revises_what_a_worker_that_was_killed_had_decided(address, pair):
    first = running(address, 1)
    say(address, "voice", "mic", pair(1))
    wait(lambda: len(decisions(address)) == 1, "the first half to be decided")
    first.kill()
    first.wait()
    wait(lambda: not leases(address), "its leases to run out")
    second = running(address, 2)
    try:
        say(address, "face", "cam", pair(1))
        wait(lambda: len(decisions(address)) == 2, "the other half")
    finally:
        second.kill()
        second.wait()
    alone, both = decisions(address)
    assert (alone["rev"], len(alone["from"])) == (0, 1)
    assert (both["rev"], both["key"]) == (1, alone["key"]) and len(both["from"]) == 2


def test_a_worker_that_stood_still_leaves_the_pair_to_who_has_its_partitions_now(address, pair):
    # of both halves the worker that stands still has fetched the first
    first = running(address, 1)
    say(address, "face", "cam", pair(1))
    say(address, "voice", "mic", pair(1))
    wait(lambda: len(decisions(address)) >= 1, "a pair, so that each is waited for from now on")
    heard = len(decisions(address))
    say(address, "voice", "mic", pair(2))
    time.sleep(0.2)
    first.send_signal(signal.SIGSTOP)
    assert len(decisions(address)) == heard, "too slow a machine: it was decided before"
    wait(lambda: not leases(address), "its leases to run out")
    second = running(address, 2)
    try:
        say(address, "face", "cam", pair(2))
        wait(lambda: len(decisions(address)) > heard, "the half that the other one heard")
        first.send_signal(signal.SIGCONT)
        wait(
            lambda: any(len(d["from"]) == 2 for d in decisions(address)[heard:]),
            "both together", 20,
        )  # fmt: skip
        time.sleep(1)
        newest = {d["key"]: d for d in decisions(address)[heard:]}
        assert len(newest) == 1
    finally:
        for worker in (first, second):
            worker.kill()
            worker.wait()


def test_decisions_come_back_to_the_broker(tmp_path, address):
    net = Net(tmp_path / "network", {"sim-1": "kitchen"})
    processes = []
    try:
        net.start_broker()
        processes = [
            start("bridge", address, "--folder", net.network.folder),
            start("worker", address),
        ]
        listener = net.client("homeassistant")
        listener.subscribe("decision/kitchen", 1)
        wait(lambda: len(leases(address)) == partitions.PARTITIONS, "the worker", 40)
        net.simulate("--devices", 1, "--seconds", 3, "--period", 1).communicate(timeout=30)
        wait(lambda: len(listener.got) >= 3, "three decisions")
    finally:
        for process in processes:
            process.kill()
            process.wait()
        net.close()


def test_without_a_server_it_says_so():
    done = subprocess.run(
        [sys.executable, "-m", "central", "worker", "--nats", f"nats://127.0.0.1:{harness.free_port()}"],
        capture_output=True, text=True, cwd=REPOSITORY, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2 and "start nats-server -js" in done.stderr
    assert len(done.stderr.splitlines()) == 1
