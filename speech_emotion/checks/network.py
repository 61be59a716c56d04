"""What the network bears, measured on this computer with a real mosquitto and TLS on loopback.

  load     devices that speak: what is lost, how long from a device to the page, what it costs
  kills    broker, service and devices killed at random while they speak: nothing doubled, all losses counted
  flood    one device that says all it can: how long the others wait
  year     how soon the page of a year's history opens
  full     a full disk: decisions go on, and the history says that it has stopped
  home     a real Home Assistant finds the devices, shows what they say, and that they are away. It has to be
           installed in an environment of its own, whose Python is told:
           pip install homeassistant==2024.3.3 'josepy<2' -r <the requirements of the integrations mqtt,
           frontend and recorder, in their manifest.json>

Every run is bounded in time, makes its network in a folder of its own, and takes all of it away again.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from speech_emotion import cli
from speech_emotion.central import running, settings
from speech_emotion.central.broker import making
from speech_emotion.central.deciding import Decision
from speech_emotion.central.hub import Hub
from speech_emotion.central.simulate import MADE_UP
from speech_emotion.central.store import Store
from speech_emotion.errors import CheckFailed

LONGEST_SECONDS = 1800


def main() -> int | None:
    parser = cli.Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name, function):
        made = commands.add_parser(name)
        made.set_defaults(function=function)
        return made

    made = command("load", load)
    made.add_argument("--devices", type=int, default=200)
    made.add_argument("--seconds", type=float, default=60)
    made.add_argument("--period", type=float, default=3)
    made = command("kills", kills)
    made.add_argument("--times", type=int, default=20, help="of each: broker, service, devices")
    made.add_argument("--seed", type=int, default=0)
    made = command("flood", flood)
    made.add_argument("--seconds", type=float, default=20)
    made = command("year", year)
    made.add_argument("--decisions", type=int, default=1_000_000)
    made = command("full", full)
    made.add_argument(
        "on", type=Path, help="an empty folder of a small file system, such as a tmpfs of 12 MB"
    )
    made = command("home", home)
    made.add_argument(
        "python", type=Path, help="of the environment in which Home Assistant is installed"
    )
    arguments = parser.parse_args()
    return arguments.function(arguments)


# --- what is measured --------------------------------------------------------------------------------


def load(arguments):
    with _network() as net:
        net.start_broker()
        net.start_service()
        page = _Page(net)
        log = net.network.folder / "sent.log"
        net.reset_cost()
        began = time.monotonic()
        devices = net.simulate(
            "--devices", arguments.devices, "--seconds", min(arguments.seconds, LONGEST_SECONDS),
            "--period", arguments.period, "--log", log,
        )  # fmt: skip
        counts = json.loads(devices.communicate()[0])
        passed = time.monotonic() - began
        time.sleep(2)
        while len(set(net.decided())) < counts["made"] and time.monotonic() - began < passed + 60:
            time.sleep(1)
        behind = time.monotonic() - began - passed - 2
        cost = net.cost(time.monotonic() - began)
        sent = _read_log(log)
        known = page.stop()
        waits = sorted(known[key] - moment for key, moment in sent.items() if key in known)
        decided = net.decided()
        lost = net.lost()
    print(
        f"{arguments.devices} devices, a sentence each every {arguments.period:g} s, {passed:.0f} s"
    )
    print(
        f"made {counts['made']}, acknowledged {counts['acknowledged']}, decided {len(set(decided))}, "
        f"counted as lost {lost}, dropped in devices {counts['dropped']}, never sent "
        f"{counts['made'] - len(sent)}, connections {counts['connections']}"
    )
    print(f"the last was decided {max(0.0, behind):.0f} s after it was sent, or not at all")
    _print_waits("device to page", waits)
    _print_cost(cost)
    if missing := set(sent) - set(decided):
        raise CheckFailed(f"{len(missing)} sentences that were sent were not decided")
    if len(sent) < counts["made"]:
        raise CheckFailed("the process that plays the devices could not follow; the network could")
    return 0


def kills(arguments):
    chosen = random.Random(arguments.seed)
    with _network() as net:
        net.start_broker()
        net.start_service()
        fleets = [_Fleet(net, f"fleet{i}") for i in range(3)]
        until = time.monotonic() + 60
        while sum(device["seen"] > 0 for device in net.state()["devices"]) < 15:
            if time.monotonic() > until:  # what a device said before it was ever heard is no loss
                raise CheckFailed("the devices did not come")
            time.sleep(0.5)
        time.sleep(2)
        order = ["broker", "service", "devices"] * arguments.times
        chosen.shuffle(order)
        for each in order:
            time.sleep(chosen.uniform(1.5, 4))
            if each == "broker":
                net.kill(net.broker)
                time.sleep(chosen.uniform(0, 1))
                net.start_broker()
            elif each == "service":
                net.kill(net.service)
                time.sleep(chosen.uniform(0, 1))
                net.start_service()
            else:
                chosen.choice(fleets).kill()
        time.sleep(5)
        for fleet in fleets:
            fleet.end()
        time.sleep(8)
        decided = net.decided()
        sent: dict[str, float] = {}
        for fleet in fleets:
            sent |= fleet.sent()
        lost = net.lost()
        state = net.state()
        missing = set(sent) - set(decided)
        tails = _tails(sent, decided)
        repeated = sum(device["repeated"] for device in state["devices"])
    doubled = len(decided) - len(set(decided))
    uncounted = len(missing - tails) - lost
    print(f"{arguments.times} kills each of broker, service and devices (5 of 15 at once)")
    print(
        f"sent {len(sent)}, decided {len(set(decided))}, doubled {doubled}, not decided {len(missing)}, "
        f"counted as lost {lost}"
    )
    print(
        f"of those not decided {len(missing & tails)} were the last of a killed device: no later number tells"
    )
    print(f"repeated by the broker or a device, and recognised: {repeated}")
    print(f"the history's own words: {state['service']}")
    if doubled or set(decided) - set(sent) or uncounted > 0:
        raise CheckFailed(f"{doubled} doubled, {uncounted} neither decided nor counted")
    return 0


def flood(arguments):
    with _network() as net:
        making.add_many(net.network, ["flood"])
        net.start_broker()
        net.start_service()
        for flooding in (
            False,
            True,
            False,
            True,
        ):  # what else the computer does changes by the minute
            page = _Page(net)
            log = net.network.folder / "sent.log"
            net.reset_cost()
            began = time.monotonic()
            devices = net.simulate(
                "--devices", 20, "--seconds", arguments.seconds, "--period", 1, "--log", log
            )
            flooder = None
            if flooding:  # in a process of its own: here it would hold up the page that is measured
                flooder = net.start(
                    [sys.executable, "-c", _FLOODER, net.network.folder, arguments.seconds],
                    stdout=subprocess.PIPE, text=True,
                )  # fmt: skip
            counts = json.loads(devices.communicate()[0])
            said = int(flooder.communicate()[0]) if flooder else 0
            time.sleep(2)
            cost = net.cost(time.monotonic() - began)
            known = page.stop()
            sent = _read_log(log)
            waits = sorted(known[key] - at for key, at in sent.items() if key in known)
            name = f"beside {said / arguments.seconds:.0f} messages a second" if said else "alone"
            _print_waits(f"20 devices {name}", waits)
            _print_cost(cost)
            if len(waits) < counts["made"]:
                raise CheckFailed(
                    f"{counts['made'] - len(waits)} sentences of others were not shown"
                )
        state = net.state()
    refused = next(device["flood"] for device in state["devices"] if device["name"] == "flood")
    print(f"the service counted {refused} messages as too many")
    return 0


_FLOODER = """
import sys, time
from pathlib import Path
import paho.mqtt.client as mqtt
from speech_emotion.central import settings
network = settings.load(Path(sys.argv[1]))
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="flood")
client.username_pw_set("flood", network.password("flood"))
client.tls_set(ca_certs=str(network.ca))
client.max_queued_messages_set(1000)
client.connect(network.host, network.port)
client.loop_start()
count, end = 0, time.monotonic() + float(sys.argv[2])
while time.monotonic() < end:
    if client.publish("emotion/flood/voice", b"x" * 240, qos=1).rc:
        time.sleep(0.001)
    else:
        count += 1
print(count)
"""


def year(arguments):
    with _network() as net:
        _history(net.network.history, arguments.decisions)
        size = net.network.history.stat().st_size
        net.start_broker()
        began = time.monotonic()
        net.start_service()
        ready = time.monotonic() - began
        waits = []
        for _ in range(5):
            began = time.monotonic()
            urllib.request.urlopen(net.page, timeout=20).read()
            urllib.request.urlopen(net.page + "page.js", timeout=20).read()
            places = len(net.state()["places"])
            waits.append(time.monotonic() - began)
    print(
        f"{arguments.decisions} decisions of {places} places, {size / 1e6:.0f} MB; "
        f"service ready after {ready:.1f} s"
    )
    middle, worst = statistics.median(waits) * 1000, max(waits) * 1000
    print(f"page, script and state: {middle:.0f} ms, at worst {worst:.0f} ms")
    return 0


def full(arguments):
    filler = arguments.on / "filler"
    with _network() as net:
        net.network.history.symlink_to(arguments.on / "history.sqlite")
        net.start_broker()
        net.start_service()
        page = _Page(net)
        devices = net.simulate("--devices", 10, "--seconds", 60, "--period", 1)
        _wait_for("decisions to be kept", lambda: len(net.decided()) > 30)
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        _wait_for("the page to say it", lambda: net.state()["service"]["history"] is not None)
        print(f"full: the page says: {net.state()['service']['history']}")
        before = len(page.seen)
        time.sleep(15)
        state = net.state()
        unkept = state["service"]["unkept"]
        print(f"in 15 s {len(page.seen) - before} decisions were shown; {unkept} wait for room")
        if len(page.seen) - before < 75 or state["service"]["history"] is None:
            raise CheckFailed("decisions did not go on, or the history did not stop")
        filler.unlink()
        _wait_for("the history to go on", lambda: net.state()["service"]["history"] is None)
        counts = json.loads(devices.communicate()[0])
        _wait_for("all to be kept", lambda: len(set(net.decided())) == counts["made"])
        print(f"with room again: made {counts['made']}, kept {len(set(net.decided()))}")
        print((net.network.folder / "service.log").read_text().strip())
    for path in arguments.on.iterdir():
        path.unlink()
    return 0


def _wait_for(what, true, seconds=60):
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            raise CheckFailed(f"waited {seconds} s in vain for {what}")
        time.sleep(0.2)


def home(arguments):
    with _network() as net:
        places = {"sim-1": "kitchen", "sim-2": "study"}
        making.add_many(net.network, list(places), places)
        net.network.titles["kitchen"] = "Küche"
        net.network.save()
        net.start_broker()
        net.start_service()

        def speak():
            return net.simulate("--devices", 2, "--seconds", LONGEST_SECONDS, "--period", 2)

        devices = speak()
        facts = {
            "folder": str(net.network.folder / "home"), "host": net.network.host, "port": net.network.port,
            "user": settings.READER, "password": net.network.password(settings.READER),
            "ca": str(net.network.ca),
        }  # fmt: skip
        shown = net.start(
            [arguments.python, Path(__file__).with_name("home_assistant.py"), json.dumps(facts)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        if shown.stdout.readline() != "ready\n":
            raise CheckFailed("Home Assistant did not start; see above")

        def wait(what, true):
            began = time.monotonic()
            while not true(answer := ask()):
                if time.monotonic() > began + 90:
                    raise CheckFailed(f"{what}: waited in vain; it shows {answer}")
                time.sleep(0.2)
            print(f"{what}: after {time.monotonic() - began:.1f} s")
            return answer

        def ask():
            shown.stdin.write("\n")
            shown.stdin.flush()
            return json.loads(shown.stdout.readline())

        def alive(answer):
            states = {name: state for name, (state, _) in answer["states"].items()}
            return len(states) == 2 * (2 + len(MADE_UP)) and not set(states.values()) & _NOTHING

        def gone(answer):
            return {state for state, _ in answer["states"].values()} == {"unavailable"}

        answer = wait("both devices are there by themselves, and what they say", alive)
        for name, area in (("Küche (sim-1)", "Küche"), ("study (sim-2)", "study")):
            if [name, area] not in answer["devices"]:
                raise CheckFailed(f"no device {name}: {answer['devices']}")
        for device in places:
            row = {
                entity.removeprefix(f"sensor.speech_emotion_{device.replace('-', '_')}_"): state
                for entity, (state, _) in answer["states"].items()
                if device.replace("-", "_") in entity
            }
            print(f"{device}: {row}")
            shares = {label: float(row[label]) for label in MADE_UP}
            if abs(sum(shares.values()) - 100) > 0.5 or max(shares.values()) != float(
                row["confidence"]
            ):
                raise CheckFailed(f"{device}: no decision of the service's")
            if row["emotion"] not in ("uncertain", max(shares, key=shares.__getitem__)):
                raise CheckFailed(f"{device}: another emotion than the most probable one")
        net.kill(devices)
        wait("killed devices are unavailable", gone)
        devices = speak()
        wait("they are back", alive)
        net.kill(net.broker)
        wait("without a broker nothing is shown", gone)
        net.start_broker()
        wait("and with a new one all is back", alive)
        shown.stdin.close()
    return 0


_NOTHING = {"unavailable", "unknown"}


def _history(path, count):
    """A year of four rooms, evenly."""
    store, rng = Store(path), random.Random(0)
    now = int(time.time() * 1000)
    step = 365 * 24 * 3_600_000 / count
    hub, batch = Hub(), []
    for i in range(count):
        end = int(now - (count - i) * step)
        emotion, room = rng.choice(MADE_UP), rng.choice(("kitchen", "study", "hall", "bedroom"))
        row = {label: 0.7 if label == emotion else 0.05 for label in MADE_UP}
        key = f"{room}:9f3c01aa:{i}:voice"
        batch.append(Decision(key, room, end - 2000, end, 0, emotion, 0.7, False, row, [key]))
        if len(batch) == 10_000 or i == count - 1:
            store.write(batch, hub, now)
            batch = []
    store.close()


# --- a network to measure ----------------------------------------------------------------------------


class _Net:
    def __init__(self, folder):
        self.network = settings.Network(folder, port=_free_port())
        making.setup(self.network, hosts=["localhost", "127.0.0.1"], bind="127.0.0.1")
        self.page_port = _free_port()
        self.page = f"http://127.0.0.1:{self.page_port}/"
        self.broker = self.service = None
        self.processes = []
        self._spent = {}

    def start_broker(self):
        with (self.network.folder / "broker.log").open("ab") as log:
            self.broker = self.start(making.command(self.network), stderr=log)
        running.wait_for("127.0.0.1", self.network.port, self.broker)

    def start_service(self):
        with (self.network.folder / "service.log").open("ab") as log:
            self.service = self.start(
                [*_ME, "--folder", self.network.folder, "--page-port", str(self.page_port)],
                stdout=log, stderr=log,
            )  # fmt: skip
        until = time.monotonic() + 30
        while self.state()["service"]["broker"] is not None:
            if time.monotonic() > until:
                raise CheckFailed("the service did not come to the broker")
            time.sleep(0.05)

    def simulate(self, *options):
        command = [*_ME, "simulate", "--folder", self.network.folder, *map(str, options)]
        return self.start(command, stdout=subprocess.PIPE, text=True)

    def start(self, command, **more):
        process = subprocess.Popen([str(word) for word in command], **more)
        self.processes.append(process)
        return process

    def kill(self, process):
        process.send_signal(signal.SIGKILL)
        process.wait()

    def state(self):
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(self.page + "events", timeout=10) as answer,
        ):
            for line in answer:
                if line.startswith(b"data: "):
                    return json.loads(line[6:])
        return {"service": {"broker": "no service"}, "places": [], "devices": []}

    def decided(self):
        store = Store(self.network.history)
        keys = [decision.key for decision in store.export()]
        store.close()
        return keys

    def lost(self):
        return sum(device["lost"] for device in self.state()["devices"])

    def reset_cost(self):
        self._spent = {"broker": _cpu(self.broker), "service": _cpu(self.service)}

    def cost(self, seconds):
        now = {"broker": _cpu(self.broker), "service": _cpu(self.service)}
        return {name: (now[name] - self._spent[name]) / seconds for name in now}

    def close(self):
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


class _Page:
    """What a page is told, and when: key of a sentence -> time.monotonic."""

    def __init__(self, net):
        self.seen, self._stop = {}, False
        self._answer = urllib.request.urlopen(net.page + "events", timeout=60)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            for line in self._answer:
                if self._stop:
                    return
                if line.startswith(b"data: "):
                    now = time.monotonic()
                    for decision in json.loads(line[6:]).get("decisions", ()):
                        for key in decision["from"]:
                            self.seen.setdefault(key, now)

    def stop(self):
        self._stop = True
        return self.seen


class _Fleet:
    """Five devices in one process, which is killed and starts again."""

    def __init__(self, net, prefix):
        self._net, self._prefix, self._logs = net, prefix, []
        self._start()

    def _start(self):
        log = self._net.network.folder / f"{self._prefix}-{len(self._logs)}.log"
        self._logs.append(log)
        self._process = self._net.simulate(
            "--devices", 5, "--seconds", LONGEST_SECONDS, "--period", 0.5, "--prefix", self._prefix,
            "--log", log, "--seed", len(self._logs),
        )  # fmt: skip

    def kill(self):
        self._net.kill(self._process)
        self._start()

    def end(self):
        self._net.kill(self._process)

    def sent(self):
        found: dict[str, float] = {}
        for log in self._logs:
            if log.exists():
                found |= _read_log(log)
        return found


@contextlib.contextmanager
def _network():
    with tempfile.TemporaryDirectory(prefix="network-") as folder:
        net = _Net(Path(folder) / "network")
        try:
            yield net
        finally:
            net.close()


_ME = [sys.executable, "-m", "speech_emotion", "central"]


def _read_log(log):
    """Key -> when it was first sent; a line that a kill cut short is none."""
    found: dict[str, float] = {}
    for line in log.read_text().splitlines():
        words = line.split()
        if len(words) == 2:
            found.setdefault(words[0], float(words[1]))
    return found


def _tails(sent, decided):
    """The sentences of a start of a device after the last that was decided."""
    last: dict[tuple[str, str], int] = {}
    for key in decided:
        name, boot, seq, _ = key.split(":")
        last[name, boot] = max(last.get((name, boot), 0), int(seq))
    return {
        key
        for key in sent
        for name, boot, seq, _ in [key.split(":")]
        if int(seq) > last.get((name, boot), 0)
    }


def _cpu(process):
    fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _print_waits(what, waits):
    if waits:
        p50, p99 = (waits[min(len(waits) - 1, int(len(waits) * share))] for share in (0.5, 0.99))
        print(
            f"{what}: {len(waits)} shown, p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms, "
            f"at worst {waits[-1] * 1000:.0f} ms"
        )


def _print_cost(cost):
    shares = ", ".join(f"{name} {share:.0%}" for name, share in cost.items())
    load = os.getloadavg()[0]
    print(f"of one core: {shares}; load of the computer {load:.0f}, of {os.cpu_count()} cores")


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    cli.run(main)
