"""The sketch Networked on this computer: what it publishes is what the central service decides upon."""

import json
import os
import re
import subprocess

import numpy as np
import pytest
import sketch_harness as harness
import test_codegen_labels
from test_sketches import SHIFT, room

from speech_emotion import message
from speech_emotion.central.hub import Hub
from speech_emotion.codegen import clips
from speech_emotion.features import device, schema
from speech_emotion.message import definition
from speech_emotion.model.compiled import Library

pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
SETTINGS = {
    "NVS_ssid": "house", "NVS_wifi_password": "secret", "NVS_broker": "mqtts://192.0.2.1:8883",
    "NVS_name": "mic-1", "NVS_password": "word", "NVS_authority": "-----BEGIN CERTIFICATE-----",
}  # fmt: skip
T = 1_800_000_000_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return harness.generated(tmp_path_factory.mktemp("networked"))


@pytest.fixture(scope="module")
def networked(folder):
    return harness.build(folder, "Networked", folder.parent / "networked")


@pytest.fixture(scope="module")
def talk():
    """Two sentences in a room."""
    first, second = clips.samples(clips.CLIPS[0]), clips.samples(clips.CLIPS[2])
    return np.concatenate([room(1), first, room(2), second, room(2)])


def run(program, samples, **environment):
    done = subprocess.run(
        [program], input=harness.slots(samples, shift=SHIFT), capture_output=True, timeout=120,
        env=os.environ | SETTINGS | {"LINGER": "300"} | {k: str(v) for k, v in environment.items()},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stdout.decode().splitlines()
    published = [line.split(" ")[1:] for line in lines if line.startswith("mqtt ")]
    return [
        (topic, qos, keep, bytes.fromhex(data)) for topic, qos, keep, data in published
    ], done.stderr.decode()


def sentences(published):
    return [
        message.decode_sentence(data)
        for topic, *_, data in published
        if topic == "emotion/mic-1/voice"
    ]


def test_it_introduces_itself_and_leaves_a_last_will(networked, folder):
    published, log = run(networked, room(1))
    assert "mqtt mqtts://192.0.2.1:8883 mic-1 word will emotion/mic-1/status offline 1 1" in log
    assert "wifi house" in log
    (topic, qos, keep, data), status = published[:2]
    assert (topic, qos, keep) == ("emotion/mic-1/about", "1", "1")
    assert list(message.decode_about(data).names) == Library(folder).labels
    assert status == ("emotion/mic-1/status", "1", "1", b"online")


def test_the_service_decides_what_the_library_says(networked, folder, talk):
    published, _ = run(networked, talk)
    hub, found = Hub({"mic-1": "kitchen"}), []
    for topic, *_, data in published:
        hub.receive(topic, data, T)
        found += hub.due(T)
    assert not hub.refused and len(found) == 2
    heard = sentences(published)
    assert [each.seq for each in heard] == [1, 2] and heard[0].boot == heard[1].boot
    assert all(-400 < each.level < -100 and each.speech for each in heard)
    assert all(each.schema == int(schema.HASH[:8], 16) for each in heard)
    opened = Library(folder)
    onset, hops = 16000 // 160, ((heard[0].end - heard[0].begin) & definition.U32) // 10
    answers = [
        opened.answer(talk[160 * start : 160 * (start + hops + more)]).probabilities
        for start in range(onset - 20, onset) for more in (-1, 0, 1)
    ]  # fmt: skip
    said = np.array(heard[0].shares) / definition.WHOLE
    assert sum(said) == 1 and min(np.abs(answer - said).max() for answer in answers) < 1e-4
    assert found[0].emotion == opened.labels[int(said.argmax())]


def test_the_messages_are_as_small_as_promised(networked, talk):
    published, _ = run(networked, talk)
    assert max(len(data) for topic, *_, data in published if topic.endswith("voice")) <= 240


@pytest.mark.parametrize(
    "labels",
    [
        ["高兴", "生气", "中性"], ['say "so"', "back\\slash", "<b>&", "emotion", "constructor"],
        [chr(0x4E00 + i) + '"' * 97 for i in range(definition.LABELS_MOST)],
    ],
    ids=["Chinese", "punctuation", "the widest"],
)  # fmt: skip
def test_labels_of_any_script_reach_the_service_as_they_are(labels, talk, tmp_path):
    test_codegen_labels.write(labels, tmp_path / "Labels")
    program = harness.build(tmp_path / "Labels", "Networked", tmp_path / "networked")
    published, _ = run(program, talk)
    assert message.decode_about(published[0][3]).names == tuple(labels)
    hub, found = Hub({"mic-1": "kitchen"}), []
    for topic, *_, data in published:
        assert len(data) <= 240 or not topic.endswith("voice")
        hub.receive(topic, data, T)
        found += hub.due(T)
    assert not hub.refused and len(found) == 2
    assert list(found[0].probabilities) == labels


def test_more_labels_than_a_message_holds_are_said_when_it_is_compiled(tmp_path):
    labels = [f"label {i}" for i in range(definition.LABELS_MOST + 1)]
    test_codegen_labels.write(labels, tmp_path / "Many")
    for sketch, works in (("Microphone", True), ("Networked", False)):
        done = subprocess.run(
            ["g++", "-std=c++17", "-fsyntax-only", *harness.esp32("ESP32"), f"-I{harness.STAND_IN}",
             f"-I{tmp_path / 'Many' / 'src'}", "-include", "Arduino.h", "-x", "c++",
             tmp_path / "Many" / "examples" / sketch / f"{sketch}.ino"],
            capture_output=True, text=True,
        )  # fmt: skip
        assert (done.returncode == 0) == works, done.stderr
    assert f"which is {definition.LABELS_MOST}: train it with fewer (--labels)" in done.stderr


def test_what_nobody_can_be_told_waits_and_the_oldest_goes(folder, talk):
    """Two places, five sentences, and then a broker."""
    program = harness.build(folder, "Networked", folder.parent / "few", "-DIN_FLIGHT=1")
    many = np.concatenate([talk, talk, talk])
    published, _ = run(program, many, MQTT_AFTER=6)
    assert [each.seq for each in sentences(published)] == [1, 2, 3, 4, 5, 6]
    late = sentences(published)[0]
    assert (late.now - late.end) & definition.U32 < 60_000


def test_the_columns_of_a_sentence_are_the_extractors(folder, talk):
    folder = harness.generated(
        folder.parent, "Few", columns=211
    )  # no more fit into a message than 504
    program = harness.build(folder, "Networked", folder.parent / "columns", "-DSEND_FEATURES=1")
    published, _ = run(program, talk)
    columns = [
        message.decode_columns(data) for topic, *_, data in published if topic.endswith("features")
    ]
    assert [each.seq for each in columns] == [1, 2]
    about = message.decode_about(published[0][3])
    assert {each.columns for each in columns} == {about.columns} != {0}
    code = (folder / "src" / "ser_model.c").read_text()

    def table(name, kind=float):
        found = re.search(rf"{name}\[[^]]*\] = \{{([^}}]*)\}}", code)[1]
        return np.array(
            [kind(word.strip().rstrip("f")) for word in found.split(",") if word.strip()]
        )

    places, mean, inverse = table("columns", int), table("mean"), table("inverse")
    heard = sentences(published)[0]
    onset, hops = 16000 // 160, ((heard.end - heard.begin) & definition.U32) // 10

    def steps(samples):
        scaled = (device.extract(samples)[places] - mean) * inverse * definition.STEPS
        return np.clip(scaled, -32768, 32767)

    nearest = min(
        np.abs(steps(talk[160 * start : 160 * (start + hops + more)]) - columns[0].steps).max()
        for start in range(onset - 20, onset)
        for more in (-1, 0, 1)
    )
    assert nearest < 2


def test_without_settings_it_offers_a_page_and_keeps_what_is_typed_there(networked):
    empty = dict.fromkeys(SETTINGS, "")
    filled = {name.replace("NVS_", "FORM_"): value for name, value in SETTINGS.items()}
    done = subprocess.run(
        [networked], capture_output=True, timeout=20, env=os.environ | empty | filled
    )
    lines, log = done.stdout.decode().splitlines(), done.stderr.decode()
    setup = json.loads(lines[0])
    assert (
        f"access point {setup['wifi']} {setup['password']}" in log and len(setup["password"]) >= 8
    )
    html = next(line for line in lines if line.startswith("http 200 text/html"))
    for name in ("ssid", "wifi_password", "broker", "name", "password", "authority"):
        assert f"name={name}" in html
        assert f"flash {name}={SETTINGS['NVS_' + name]}" in log
    assert html.count("type=password") == 2 and html.endswith("</form>")
    assert log.rstrip().endswith("restart")


@pytest.mark.parametrize(
    "wrong", [{"broker": "mqtt://192.0.2.1"}, {"name": ""}, {"ssid": "x" * 33}]
)
def test_what_is_typed_wrong_is_not_kept(networked, wrong):
    empty = dict.fromkeys(SETTINGS, "")
    filled = {name.replace("NVS_", "FORM_"): value for name, value in SETTINGS.items()}
    filled |= {f"FORM_{name}": value for name, value in wrong.items()}
    done = subprocess.run(
        [networked], capture_output=True, timeout=20, env=os.environ | empty | filled
    )
    assert b"http 400" in done.stdout and b"flash" not in done.stderr


def test_a_held_button_forgets_everything(networked):
    _, log = run(networked, room(30), BUTTON=1, LINGER=5000)
    assert "flash cleared" in log and log.rstrip().endswith("restart")


def test_the_tasks_share_nothing_unguarded(folder, talk):
    try:
        program = harness.build(
            folder, "Networked", folder.parent / "tsan", "-fsanitize=thread", "-g"
        )
    except subprocess.CalledProcessError:
        pytest.skip("no thread sanitizer here")
    done = subprocess.run(
        [program], input=harness.slots(talk, shift=SHIFT), capture_output=True, timeout=120,
        env=os.environ | SETTINGS | {"LINGER": "300"},
    )  # fmt: skip
    if b"FATAL: ThreadSanitizer" in done.stderr:
        pytest.skip("the thread sanitizer does not run here")
    assert b"emotion/mic-1/voice" in done.stdout
    assert b"WARNING: ThreadSanitizer" not in done.stderr, done.stderr.decode()
