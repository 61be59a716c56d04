"""Devices, a real mosquitto with TLS, the service and its page, on loopback: who may say what, what
survives kills, what is counted."""

import json
import os
import random
import re
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import network_harness as harness
import pytest
from conftest import REPOSITORY
from network_harness import Net, about, connect, hang_up, sentence, wait

from speech_emotion.central import settings
from speech_emotion.central.broker import making
from speech_emotion.central.limits import PutOut
from speech_emotion.central.store import Store
from speech_emotion.errors import UserError

harness.need_broker()

PLACES = {"mic": "kitchen", "cam": "kitchen", "far": "study"}


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    """A broker and a service, for all tests that leave them as they were."""
    made = Net(tmp_path_factory.mktemp("net") / "network", PLACES)
    made.start_broker()
    made.start_service()
    yield made
    made.close()


@pytest.fixture
def own(tmp_path):
    """A network to be broken; nothing runs yet."""
    made = Net(tmp_path / "network", PLACES)
    yield made
    made.close()


# --- the broker: who may say what --------------------------------------------------------------------


def test_only_who_knows_a_password_is_let_in(net):
    assert not net.client("mic").rc.is_failure
    for user, password in ((None, None), ("mic", "wrong"), ("mic", ""), ("nobody", "x")):
        client = connect(net.network, user, password=password)
        assert client.rc is not None and client.rc.is_failure, (user, password)
        hang_up(client)


def test_without_tls_or_with_another_authority_nobody_is_heard(net, tmp_path):
    plain = connect(net.network, "mic", ca=False, patience=1)
    assert plain.rc is None
    hang_up(plain)
    other = settings.Network(tmp_path / "other")
    making.setup(other, hosts=["localhost"], bind="127.0.0.1")
    with pytest.raises(OSError, match="certificate"):
        connect(net.network, "mic", ca=other.ca)


def test_the_broker_listens_on_this_computer_only(net):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # nothing is sent; it tells this computer's own address
        address = probe.getsockname()[0]
    if address.startswith("127."):
        pytest.skip("no other address than loopback here")
    for port in (net.network.port, net.page_port):
        with pytest.raises(OSError):
            socket.create_connection((address, port), 1)


@pytest.mark.parametrize(
    "topic",
    ["emotion/far/voice", "emotion/far/status", "decision/kitchen", "homeassistant/sensor/x/config",
     "emotion/mic/command", "emotion/mic/place", "anything"],
)  # fmt: skip
def test_a_device_speaks_under_its_own_name_only(net, topic):
    import paho.mqtt.client as mqtt

    listener = net.client("homeassistant")
    listener.subscribe([("decision/#", 1), ("homeassistant/#", 1), ("emotion/+/status", 1)])
    mic = net.client("mic", protocol=mqtt.MQTTv5)
    info = mic.publish(topic, b"forged", qos=1)
    wait(lambda: info.mid in mic.reasons, "the broker's word")
    assert "Not authorized" in str(mic.reasons[info.mid])
    mic.publish("emotion/mic/status", b"online", qos=1).wait_for_publish(5)
    wait(lambda: ("emotion/mic/status", b"online") in listener.got, "what is its own")
    assert b"forged" not in [data for _, data in listener.got]


@pytest.mark.parametrize(
    "topic", ["decision/kitchen", "emotion/cam/status", "homeassistant/sensor/x/config"]
)
def test_a_devices_last_will_is_under_its_own_name_only(net, topic):
    """Nobody but the broker speaks for who is gone; it asks the same list."""
    listener = net.client("homeassistant")
    listener.subscribe([("decision/#", 1), ("emotion/+/status", 1), ("homeassistant/#", 1)])
    listener.publish("homeassistant/status", b"x", qos=1).wait_for_publish(
        5
    )  # it is subscribed by then
    gone = connect(net.network, "far", will=(topic, b"false"))
    gone.socket().close()  # as one whose power goes
    gone.loop_stop()
    honest = connect(net.network, "far", will=("emotion/far/status", b"offline"))
    honest.socket().close()
    honest.loop_stop()
    wait(lambda: ("emotion/far/status", b"offline") in listener.got, "the true last will")
    assert b"false" not in [payload for _, payload in listener.got]


def test_a_device_hears_nobody_else(net):
    mic = net.client("mic")
    mic.subscribe([("#", 1), ("emotion/#", 1), ("decision/#", 1)])
    far = net.client("far")
    far.publish("emotion/far/status", b"online", qos=1).wait_for_publish(5)
    time.sleep(0.5)
    assert mic.got == []


def test_a_device_cannot_take_the_services_session(net):
    thief = net.client("mic", client_id="central")
    thief.subscribe("#", 1)
    time.sleep(0.3)
    assert net.state()["service"]["broker"] is None


def test_whoever_says_too_much_at_once_is_disconnected(net):
    far = net.client("far")
    far.publish("emotion/far/voice", b"x" * 5000, qos=1)
    wait(lambda: far.gone, "the broker to hang up")


def test_keys_and_passwords_are_their_owners_alone(net):
    folder = net.network.folder
    assert folder.stat().st_mode & 0o077 == 0
    for path in [
        *(folder / "passwords").iterdir(),
        folder / "broker" / "server.key",
        folder / "broker" / "users",
    ]:
        assert path.stat().st_mode & 0o077 == 0, path
    assert len({path.read_text() for path in (folder / "passwords").iterdir()}) == 5


def test_a_device_that_was_put_out_stays_out(net):
    making.add(net.network, "guest", "study")
    password = net.network.password("guest")
    wait(lambda: not net.client("guest").rc.is_failure, "the guest to be let in")
    making.remove(net.network, "guest")
    wait(lambda: net.client("guest", password=password).rc.is_failure, "the guest to be put out")
    with pytest.raises(UserError, match="no such device"):
        making.remove(net.network, "guest")


# --- the service ---------------------------------------------------------------------------------------


def speak(client, name, numbers, *, boot, pause=0.0, channel="voice", tell=True):
    start = time.monotonic()
    if tell:
        client.publish(f"emotion/{name}/about", about(boot), qos=1, retain=True)
        client.publish(f"emotion/{name}/status", b"online", qos=1, retain=True)
    for seq in numbers:
        now = int((time.monotonic() - start) * 1000) + 10_000 + 1000 * seq
        client.publish(
            f"emotion/{name}/{channel}", sentence(seq, boot=boot, begin=now - 800, end=now), qos=1
        ).wait_for_publish(5)
        time.sleep(pause)


def test_from_a_device_to_the_page_and_to_whoever_listens(net):
    listener = net.client("homeassistant")
    listener.subscribe([("decision/#", 1), ("homeassistant/#", 1)])
    far = net.client("far")
    speak(far, "far", [1], boot=11)
    wait(lambda: any(topic == "decision/study" for topic, _ in listener.got), "the decision")
    decision = json.loads(next(data for topic, data in listener.got if topic == "decision/study"))
    assert (decision["emotion"], decision["confidence"], decision["place"]) == (
        "happy",
        0.7,
        "study",
    )
    wait(
        lambda: sum(topic.startswith("homeassistant/") for topic, _ in listener.got) >= 6,
        "its entities",
    )
    state = net.state()
    [study] = [each for each in state["places"] if each["name"] == "study"]
    assert study["last"]["key"] == decision["key"]
    assert net.device("far")["online"]


def test_losses_are_counted_by_their_numbers(net):
    before = net.device("far")["lost"]
    speak(net.client("far"), "far", [1, 2, 5, 6, 9, 3], boot=12)
    wait(lambda: net.device("far")["lost"] == before + 3, "4, 7 and 8 to be missed")


def test_a_device_without_power_is_offline_on_the_page(net):
    will = ("emotion/cam/status", b"offline")
    cam = connect(net.network, "cam", will=will)
    speak(cam, "cam", [], boot=13)
    wait(lambda: (net.device("cam") or {}).get("online"), "the device to be online")
    cam._sock.shutdown(socket.SHUT_RDWR)  # as a kill: without a word
    cam.loop_stop()
    wait(lambda: net.device("cam")["online"] is False, "its last will")


def test_hostile_messages_of_a_device_are_counted_and_the_others_served(net):
    rng = random.Random(2)
    far, mic = net.client("far"), net.client("mic")
    speak(mic, "mic", [], boot=14)
    refused, flood = (net.device("far")[key] for key in ("refused", "flood"))
    lines = net.log.read_text().count("\nrefused ")
    for _ in range(60):
        payload = rng.choice([b"{", b"\xff" * 100, b'{"v":NaN}', b"<script>", rng.randbytes(200)])
        far.publish("emotion/far/voice", payload, qos=1).wait_for_publish(5)
    speak(mic, "mic", [1], boot=14, tell=False)
    wait(
        lambda: net.device("far")["refused"] + net.device("far")["flood"] == refused + flood + 60,
        "the count",
    )
    assert net.log.read_text().count("\nrefused ") >= lines + 59
    wait(
        lambda: any(p["name"] == "kitchen" and p["last"] for p in net.state()["places"]),
        "the other's sentence",
    )


def test_who_is_put_out_is_disconnected_and_comes_back_when_its_time_is_over(net):
    lines = []
    out = PutOut(net.network, lines.append)
    cam, mic = net.client("cam"), net.client("mic")
    for time_out in (60_000, 120_000):
        out.put("cam", 1000)
        out.put("cam", 1500)
        out.put("nobody", 1500)
        wait(lambda client=cam: client.gone, "the device to be disconnected")
        making.add_many(
            net.network, ["guest"]
        )  # whoever writes the list of users lets nobody in by it
        assert connect(net.network, "cam").rc.is_failure
        assert out.let_in(1000 + time_out - 1) == set() and out.let_in(1000 + time_out) == {"cam"}
        wait(lambda: not net.client("cam").rc.is_failure, "the device to be let in again")
        cam = net.clients["cam"]
    assert not mic.gone and [line.split(",")[0] for line in lines] == [
        "cam: put out at the broker for 60 s", "cam: put out at the broker for 120 s",
    ]  # fmt: skip


def test_a_flood_does_not_delay_the_others(own):
    """The device is put out at the broker, the page says so, and the others' sentences are decided."""
    making.add_many(own.network, ["cam"])
    own.start_broker()
    own.start_service()
    cam, mic = own.client("cam"), own.client("mic")
    data = sentence(1, boot=15)

    def flood():
        while not cam.gone:
            cam.publish("emotion/cam/voice", data, qos=0)

    listener = own.client("homeassistant")
    listener.subscribe("decision/kitchen", 1)
    thread = threading.Thread(target=flood)
    thread.start()
    speak(mic, "mic", range(1, 6), boot=15, pause=0.2)
    wait(lambda: sum(b'"mic:' in data for _, data in listener.got) >= 5, "five decisions")
    thread.join(10)
    assert cam.gone
    wait(
        lambda: own.device("cam")["out"] and own.device("cam")["online"] is not True,
        "the page to say so",
    )
    assert own.device("cam")["flood"] > 100 and own.device("mic")["out"] is False
    assert "cam: put out at the broker for 60 s" in own.log.read_text()
    own.kill(own.service)  # while it is away nobody is kept out for ever
    own.start_service()
    wait(lambda: not own.client("cam").rc.is_failure, "the device to be let in again")


# --- the page's server -------------------------------------------------------------------------------


def ask(address, **headers):
    try:
        with urllib.request.urlopen(
            urllib.request.Request(address, headers=headers), timeout=5
        ) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read()


def test_the_page_loads_nothing_from_elsewhere_and_cannot_be_framed(net):
    status, headers, body = ask(net.page)
    assert status == 200 and b"<title>" in body
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert not re.search(rb"(src|href)=\"(https?:)?//", body)
    assert ask(net.page + "page.js")[0] == 200
    for path in ("nothing", "../network.json", "%2e%2e/network.json", "page/index.html"):
        assert ask(net.page + path)[0] == 404


def test_another_site_cannot_ask_by_another_name(net):
    assert ask(net.page, Host="evil.example")[0] == 400
    assert ask(net.page, Host=f"localhost:{net.page_port}")[0] == 200


def test_beyond_this_computer_the_page_is_encrypted_and_asks_for_a_password(tmp_path):
    import base64
    import ssl

    made = Net(tmp_path / "network")
    port = harness.free_port()
    log = (tmp_path / "log").open("wb")
    command = [sys.executable, "-m", "speech_emotion", "central", "--folder", made.network.folder,
               "--page-host", "0.0.0.0", "--page-port", str(port)]  # fmt: skip
    service = subprocess.Popen(command, stderr=log, stdout=log, cwd=REPOSITORY)
    context = ssl.create_default_context(cafile=made.network.ca)

    def status(password):
        word = base64.b64encode(f"me:{password}".encode()).decode()
        request = urllib.request.Request(
            f"https://localhost:{port}/", headers={"Authorization": f"Basic {word}"}
        )
        try:
            with urllib.request.urlopen(request, timeout=5, context=context) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None

    try:
        wait(lambda: status("wrong") == 401, "the page to refuse")
        assert status(made.network.password("page")) == 200
    finally:
        service.terminate()
        service.wait(10)


# --- kills -------------------------------------------------------------------------------------------


def decided(net):
    """The keys of all that was decided, in their order."""
    store = Store(net.network.history)
    keys = [decision.key for decision in store.export()]
    store.close()
    return keys


def test_kills_of_broker_and_service_double_nothing_and_lose_nothing_uncounted(own):
    """The long run, 20 kills each, is `python -m speech_emotion.checks.network kills`."""
    own.start_broker()
    own.start_service()
    log = own.network.folder / "sent.log"
    devices = own.simulate("--devices", 4, "--seconds", 14, "--period", 0.5, "--log", log)
    wait(
        lambda: all((own.device(f"sim-{i}") or {}).get("online") for i in range(1, 5)),
        "all devices",
    )
    time.sleep(1)
    own.kill(own.service)
    time.sleep(1)
    own.start_service()
    time.sleep(1)
    own.kill(own.broker)
    time.sleep(0.5)
    own.start_broker()
    counts = json.loads(devices.communicate(timeout=60)[0])
    wait(lambda: own.state()["service"]["broker"] is None, "the service to be back")
    sent = {line.split()[0] for line in log.read_text().splitlines()}
    assert counts["made"] == counts["acknowledged"] == len(sent) > 80
    assert counts["connections"] == 8

    def settled():
        lost = sum(own.device(f"sim-{i}")["lost"] for i in range(1, 5))
        return len(decided(own)) + lost == counts["made"]

    wait(settled, "all to be decided or counted")
    keys = decided(own)
    assert len(keys) == len(set(keys)) and set(keys) <= sent
    assert sum(own.device(f"sim-{i}")["repeated"] for i in range(1, 5)) < counts["made"]


def test_a_disk_that_does_not_answer_holds_up_no_decision(own):
    """As long as nothing can be written, decisions are told all the same; then they are kept."""
    own.start_broker()
    own.start_service()
    listener = own.client("homeassistant")
    listener.subscribe("decision/kitchen", 1)
    held = sqlite3.connect(own.network.history, isolation_level=None)
    held.execute("BEGIN IMMEDIATE")
    speak(own.client("mic"), "mic", range(1, 4), boot=21, pause=0.2)
    wait(lambda: len(listener.got) == 3, "three decisions")
    assert held.execute("SELECT count(*) FROM decisions").fetchone() == (0,)
    held.execute("ROLLBACK")
    held.close()
    wait(lambda: len(decided(own)) == 3, "the history", 30)
    assert [json.loads(data)["key"] for _, data in listener.got] == decided(own)


def test_what_is_said_while_the_service_is_away_is_decided_when_it_is_back(own):
    own.start_broker()
    own.start_service()
    own.kill(own.service)
    counts = json.loads(
        own.simulate("--devices", 2, "--seconds", 3, "--period", 0.3).communicate(timeout=60)[0]
    )
    own.start_service()
    wait(lambda: len(decided(own)) == counts["made"], "what the broker kept")
    assert [own.device(f"sim-{i}")["lost"] for i in (1, 2)] == [0, 0]


def test_what_a_device_had_no_room_for_is_counted(own):
    own.start_broker()
    own.start_service()
    devices = own.simulate("--devices", 1, "--seconds", 24, "--period", 0.05)
    wait(
        lambda: decided(own), "its first sentence"
    )  # what it said before it was ever heard is no loss
    own.kill(own.broker)
    time.sleep(6)  # 120 sentences, 64 places
    own.start_broker()
    counts = json.loads(devices.communicate(timeout=60)[0])
    assert (
        counts["dropped"] > 0 and counts["waiting"] == 0
    )  # how many hangs on how soon it was heard
    wait(
        lambda: own.device("sim-1")["lost"] + own.device("sim-1")["flood"] >= counts["dropped"],
        "the dropped to be missed",
    )


# --- commands ----------------------------------------------------------------------------------------


def central(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "central", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
    )


def test_commands_say_what_is_wrong_in_one_line(tmp_path, net):
    folder = net.network.folder
    cases = {
        "network.json: no such file": ["--folder", tmp_path / "none"],
        "no such device": ["device", "nobody", "--remove", "--folder", folder],
        "device '<b>'": ["device", "<b>", "--folder", folder],
        "device 'central'": ["device", "central", "--folder", folder],
        "place 'a/b'": ["device", "mic", "--place", "a/b", "--folder", folder],
        "no day": ["history", "--delete", "--before", "yesterday", "--folder", folder],
        "choose another port": ["--folder", folder, "--page-port", net.page_port],
        "no sounds": ["simulate", "--library", tmp_path, "--clips", tmp_path, "--folder", folder],
    }
    for words, arguments in cases.items():
        done = central(*arguments)
        assert done.returncode == 2 and words in done.stderr, (arguments, done.stderr)
        assert len(done.stderr.splitlines()) == 1


def test_setup_again_changes_no_certificate_and_no_password(tmp_path):
    folder = tmp_path / "network"
    central("setup", "--folder", folder, "--host", "hub.local", "192.0.2.7")
    central("device", "mic", "--place", "kitchen", "--title", "Küche", "--folder", folder)
    files = [p for p in folder.rglob("*") if p.is_file() and p.name not in ("network.json",)]
    before = {path: path.read_bytes() for path in files}
    central("setup", "--folder", folder, "--host", "hub.local", "192.0.2.7")
    assert {path: path.read_bytes() for path in files} == before
    assert settings.load(folder).titles == {"kitchen": "Küche"}


def test_under_another_address_the_broker_is_known_by_the_same_authority(tmp_path):
    from cryptography import x509

    folder = tmp_path / "network"
    said = central("setup", "--folder", folder, "--host", "192.0.2.7").stdout
    assert "--bind 0.0.0.0" in said
    authority = (folder / "ca.pem").read_bytes()
    said = central("setup", "--folder", folder, "--host", "hub.local", "--bind", "0.0.0.0").stdout
    assert "--bind" not in said and (folder / "ca.pem").read_bytes() == authority
    certificate = x509.load_pem_x509_certificate((folder / "broker" / "server.pem").read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["hub.local"]
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority))


def test_history_is_shown_written_out_and_deleted(own):
    own.start_broker()
    own.start_service()
    own.simulate("--devices", 1, "--seconds", 2, "--period", 0.5).communicate(timeout=30)
    folder = own.network.folder
    wait(lambda: len(decided(own)) == 4, "four decisions")
    assert "4 decisions of 1 places" in central("history", "--folder", folder).stdout
    lines = central("history", "--export", "--folder", folder).stdout.splitlines()
    assert [json.loads(line)["place"] for line in lines] == ["sim-1"] * 4
    assert "4 decisions deleted" in central("history", "--delete", "--folder", folder).stdout


def test_the_broker_is_started_by_its_command(tmp_path):
    made = Net(tmp_path / "network")
    process = subprocess.Popen(
        [sys.executable, "-m", "central", "broker", "--folder", made.network.folder],
        cwd=REPOSITORY,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait(lambda: _listens(made.network.port), "the broker")
        assert Path(f"/proc/{process.pid}/comm").read_text().strip() == "mosquitto"
    finally:
        process.terminate()
        process.wait(10)


def _listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def test_without_a_broker_installed_it_says_how_to_get_one(tmp_path):
    made = Net(tmp_path / "network")
    done = subprocess.run(
        [sys.executable, "-c", "from speech_emotion.central.broker import making\n"
         "import shutil\nshutil.which = lambda *a, **k: None\n"
         "from speech_emotion.commands.central import run\n"
         f"import sys; sys.argv = ['central', 'broker', '--folder', {str(made.network.folder)!r}]; run()"],
        capture_output=True, text=True, cwd=REPOSITORY, env=dict(os.environ),
    )  # fmt: skip
    assert done.returncode == 2 and "apt-get install mosquitto" in done.stderr
