"""A network for tests: its folder, a real mosquitto on loopback, the service in a process, a client."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest
from conftest import REPOSITORY

from speech_emotion.central import running, settings
from speech_emotion.central.broker import making
from speech_emotion.errors import UserError
from speech_emotion.message import About, Sentence, encode_about, encode_sentence

LABELS = ("angry", "happy", "neutral", "sad")
MODEL, SCHEMA, BOOT = 0xAB12CD34, 0xFC8B3603, 0x9F3C01AA


def need_broker():
    """Skip where what the network needs is not here, and say what."""
    for module in ("paho.mqtt.client", "starlette", "uvicorn", "cryptography"):
        pytest.importorskip(module, reason=f"no {module}; pip install 'speech-emotion[network]'")
    try:
        making.program()
    except UserError as error:
        pytest.skip(str(error))


def about(boot=BOOT, labels=LABELS, **more):
    return encode_about(About(**({
        "boot": boot, "names": labels, "threshold": 3000, "dropped": 0, "model": MODEL, "schema": SCHEMA,
        "columns": 0,
    } | more)))  # fmt: skip


def sentence(
    seq, *, boot=BOOT, begin=10_000, end=12_000, now=None, shares=(1000, 7000, 1500, 500), **more
):
    members = {
        "boot": boot, "seq": seq, "begin": begin, "end": end, "now": end if now is None else now,
        "shares": shares, "level": -300, "speech": True, "model": MODEL, "schema": SCHEMA,
    }  # fmt: skip
    return encode_sentence(Sentence(**(members | more)))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Net:
    """broker, service: processes, or None. Everything ends with `close`."""

    def __init__(self, folder: Path, places=None):
        self.network = settings.Network(folder, port=free_port())
        making.setup(self.network, hosts=["localhost", "127.0.0.1"], bind="127.0.0.1")
        making.add_many(self.network, list(places or {}), places or {})
        self.page_port = free_port()
        self.broker = self.service = None
        self.log = folder / "service.log"
        self.clients = {}

    @property
    def page(self):
        return f"http://127.0.0.1:{self.page_port}/"

    def start_broker(self):
        with (self.network.folder / "broker.log").open("ab") as log:
            self.broker = subprocess.Popen(making.command(self.network), stderr=log)
        running.wait_for("127.0.0.1", self.network.port, self.broker)

    def start_service(self):
        with self.log.open("ab") as log:
            self.service = subprocess.Popen(
                [sys.executable, "-m", "speech_emotion", "central", "--folder", self.network.folder,
                 "--page-port", str(self.page_port)],
                stderr=log, stdout=subprocess.DEVNULL, cwd=REPOSITORY,
            )  # fmt: skip
        wait(lambda: self.state()["service"]["broker"] is None, "the service to be at the broker")

    def simulate(self, *options):
        return subprocess.Popen(
            [sys.executable, "-m", "speech_emotion", "central", "simulate", "--folder",
             self.network.folder, *map(str, options)],
            stdout=subprocess.PIPE, cwd=REPOSITORY, text=True,
        )  # fmt: skip

    def kill(self, process):
        process.send_signal(signal.SIGKILL)
        process.wait()

    def state(self):
        """What a page gets when it opens; nothing where the service does not answer."""
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(self.page + "events", timeout=5) as answer,
        ):
            for line in answer:
                if line.startswith(b"data: "):
                    return json.loads(line[6:])
        return {"service": {"broker": "no service"}, "places": [], "devices": []}

    def device(self, name):
        """What the page knows of a device."""
        return next((each for each in self.state()["devices"] if each["name"] == name), None)

    def client(self, user, **more):
        """A client, connected as a user of the broker; its messages are in `.got`. One of the same user
        that was there before goes: the broker takes them for the same."""
        if user in self.clients:
            hang_up(self.clients[user])
        self.clients[user] = connect(self.network, user, **more)
        return self.clients[user]

    def close(self):
        for client in self.clients.values():
            hang_up(client)
        for process in (self.service, self.broker):
            if process is not None and process.poll() is None:
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def connect(
    network, user, *, password=None, ca=True, protocol=None, client_id=None, will=None, patience=5
):
    """A client of paho's, in its own thread. .rc: the broker's answer; None: nothing within `patience` s."""
    import paho.mqtt.client as mqtt

    client = mqtt.Client(
        mqtt.CallbackAPIVersion.VERSION2, client_id=client_id or f"{user}-test",
        protocol=protocol or mqtt.MQTTv311,
    )  # fmt: skip
    client.rc, client.got, client.reasons, client.gone = None, [], {}, False
    answered = threading.Event()

    def connected(_, __, ___, reason, ____):
        client.rc = reason
        answered.set()

    client.on_connect = connected
    client.on_message = lambda _, __, message: client.got.append((message.topic, message.payload))
    client.on_publish = lambda _, __, mid, reason, ___: client.reasons.__setitem__(mid, reason)
    client.on_disconnect = lambda *_: setattr(client, "gone", True)
    if user is not None:
        client.username_pw_set(user, network.password(user) if password is None else password)
    if ca:
        client.tls_set(ca_certs=str(network.ca) if ca is True else str(ca))
    if will:
        client.will_set(*will, qos=1, retain=True)
    client.connect("localhost", network.port, keepalive=10)
    client.loop_start()
    answered.wait(patience)
    return client


def hang_up(client):
    client.disconnect()
    client.loop_stop()


def wait(true, what, seconds=60):
    """Until something holds; fails where it does not come to hold."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if true():
            return
        time.sleep(0.05)
    pytest.fail(f"waited {seconds} s in vain for {what}")


def cpu_seconds(pid):
    """What a process has used of the processor."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
