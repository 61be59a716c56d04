"""Recording one's own clips: every block lost is counted and located, and no other sample differs."""

import csv
import os
import sys
import threading
import tty
from types import SimpleNamespace

import numpy as np
import pytest
import serial
import signals
import sketch_harness as harness
import soundfile
from conftest import REPOSITORY
from hypothesis import given, settings
from hypothesis import strategies as st

from speech_emotion import cli
from speech_emotion.commands import record
from speech_emotion.corpora import discover
from speech_emotion.corpora.recordings import COLUMNS
from speech_emotion.errors import UserError
from speech_emotion.features import device, sentences
from speech_emotion.features.schema import HOP
from speech_emotion.recording import session, sources, takes, wire

S = 16000
VOICE = signals.voice(2 * S, glide=1, wobble=1)
ROOM = np.random.default_rng(1).normal(0, 8, 3 * S).round().astype(np.int16)
RUN = 0xC0FFEE


def blocks_of(samples, run=RUN, first=0):
    hops = samples[: len(samples) // HOP * HOP].reshape(-1, HOP)
    return [wire.encode(run, first + i, hop) for i, hop in enumerate(hops)]


def put_together(data, chunk=4096):
    decoder, joined = wire.Decoder(), wire.Joined()
    hops = [
        hop
        for at in range(0, len(data), chunk)
        for block in decoder.feed(data[at : at + chunk])
        for hop, _ in joined.put(block)
    ]
    return (np.concatenate(hops) if hops else np.zeros(0, np.int16)), joined, decoder


# --- the wire ---------------------------------------------------------------------------------


def test_an_hour_over_a_pseudo_terminal_with_damage_loses_what_was_damaged_and_nothing_else():
    """0.1 % of the blocks are damaged: bits turned, bytes lost, bytes too many, whole blocks gone, noise
    between."""
    random = np.random.default_rng(0)
    count = 3600 * 100
    sound = random.integers(-20000, 20000, (count, HOP)).astype(np.int16)
    sound[::7] = 0
    hurt = np.sort(random.choice(np.arange(1, count - 1), count // 1000, replace=False))
    kind = dict(zip(hurt.tolist(), (i % 5 for i in range(len(hurt))), strict=True))
    master, slave = os.openpty()
    tty.setraw(slave)

    def damaged(data, what):
        at = int(random.integers(0, len(data)))
        if what == 0:
            return data[:at] + bytes([data[at] ^ (1 << int(random.integers(8)))]) + data[at + 1 :]
        if what == 1:
            return data[:at] + data[at + int(random.integers(1, 40)) :]
        if what == 2:
            return data[: max(at, 1)] + random.bytes(5) + data[max(at, 1) :]
        return b"" if what == 3 else random.bytes(len(data)) + b"SER1"

    def send():
        for start in range(0, count, 500):
            data = bytearray()
            for i in range(start, start + 500):
                block = wire.encode(RUN, i, sound[i])
                data += damaged(block, kind[i]) if i in kind else block
            while data:
                del data[: os.write(master, data)]

    line = serial.Serial(
        os.ttyname(slave), sources.BAUD, timeout=0.1
    )  # which empties the line first
    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    board = sources.Board("pty", line, patience=120)  # the computer may be busy
    hops, heard = np.empty_like(sound), np.empty(count, bool)
    stream = board.hops()
    for i in range(count):
        hops[i], heard[i] = next(stream)
    sender.join()
    os.close(master)
    os.close(slave)
    assert np.flatnonzero(~heard).tolist() == hurt.tolist()
    assert (hops[heard] == sound[heard]).all() and not hops[~heard].any()
    gaps = board.joined.gaps
    assert sum(gap.length for gap in gaps) == len(hurt) * HOP
    assert [gap.start // HOP + k for gap in gaps for k in range(gap.length // HOP)] == hurt.tolist()
    assert board.losses().startswith(f"360 of {count} blocks lost (at {gaps[0].text()}")
    assert board.joined.restarts == board.joined.repeated == 0


@given(st.binary(max_size=900), st.integers(1, 700))
@settings(max_examples=40)
def test_whatever_stands_between_blocks_is_passed_over(noise, chunk):
    noise = noise.replace(b"SER1", b"")
    parts = blocks_of(VOICE[: 12 * HOP])
    samples, joined, decoder = put_together(noise + noise.join(parts), chunk)
    assert (samples == VOICE[: 12 * HOP]).all() and not joined.gaps
    assert decoder.foreign == 12 * len(noise) or noise.endswith((b"S", b"SE", b"SER"))


def test_sound_that_looks_like_a_block_is_sound():
    samples = np.frombuffer(b"SER1" * (4 * HOP // 2), np.int16)
    assert (put_together(b"".join(blocks_of(samples)))[0] == samples).all()


def test_a_board_that_starts_anew_is_listened_to_on():
    data = b"".join(
        [*blocks_of(VOICE[: 5 * HOP]), b"rst:0x1 boot", *blocks_of(VOICE[: 5 * HOP], 7, 0)]
    )
    samples, joined, _ = put_together(data)
    assert len(samples) == 10 * HOP and joined.restarts == 1 and "began anew 1" in joined.text()


def test_blocks_that_come_twice_count_once():
    data = blocks_of(VOICE[: 5 * HOP])
    samples, joined, _ = put_together(b"".join(data[:3] + data[1:]))
    assert (samples == VOICE[: 5 * HOP]).all() and joined.repeated == 2


def test_a_port_that_says_nothing_or_something_else_is_told():
    for said, hint in (
        (b"", "reset the board"),
        (b"hello\r\n" * 9, "no sound of the sketch Recorder"),
    ):
        line = SimpleNamespace(in_waiting=0, read=lambda n, said=said: said)
        with pytest.raises(UserError, match=hint):
            next(sources.Board("COM9", line, patience=0.05).hops())
    with pytest.raises(UserError, match="cannot be opened"):
        sources.Board("/dev/none")


# --- the sketch -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sketch(tmp_path_factory):
    folder = harness.generated(tmp_path_factory.mktemp("sketches"))
    return harness.build(folder, "Recorder", folder.parent / "recorder")


def test_the_sketch_sends_what_the_microphone_hears(sketch):
    import subprocess

    sound = np.concatenate([ROOM[:S], VOICE, ROOM[:S]])
    done = subprocess.run(
        [sketch], input=harness.slots(sound, shift=13), capture_output=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    samples, joined, decoder = put_together(done.stdout)
    assert not joined.gaps and not decoder.damaged
    assert (samples == sound[: len(samples)]).all() and len(samples) >= len(sound) - 2 * HOP


def test_the_sketch_tells_what_found_no_place(sketch):
    import subprocess

    sound = np.tile(VOICE, 2)
    done = subprocess.run(
        [sketch], input=harness.slots(sound, shift=13), capture_output=True, timeout=60,
        env=os.environ | {"STALL": "100"},
    )  # fmt: skip
    samples, joined, _ = put_together(done.stdout)
    assert joined.gaps
    lost = np.zeros(len(samples), bool)
    for gap in joined.gaps:
        lost[gap.start : gap.start + gap.length] = True
    assert (samples[~lost] == sound[: len(samples)][~lost]).all()


def test_the_sketch_and_its_reader_agree_and_the_port_is_that_of_the_other_sketches():
    here = REPOSITORY / "speech_emotion/codegen/library"
    text = (here / "examples/Recorder/Recorder.ino").read_text()
    assert f"RECORDER_BAUD {sources.BAUD} " in text
    assert '#include "Port.h"' in text
    assert '#include "Port.h"' in (here / "shared/Hearing.h").read_text()


# --- sessions ---------------------------------------------------------------------------------


class Sound:
    """A source that says some sounds, one after another, with pauses, as somebody who is prompted."""

    device, rate = "a test", S

    def __init__(self, *sounds, pause=1.0, lost=()):
        rest = ROOM[: int(pause * S)]
        self.samples = np.concatenate([np.tile(ROOM, 2), *(x for s in sounds for x in (s, rest))])
        self.lost = set(lost)

    def hops(self):
        for i in range(len(self.samples) // HOP):
            heard = i not in self.lost
            hop = self.samples[i * HOP : (i + 1) * HOP]
            yield (hop if heard else np.zeros(HOP, np.int16)), heard

    def losses(self):
        return ""


def test_takes_are_kept_label_by_label_with_a_line_each_and_read_back(tmp_path):
    said = []
    kept = session.guided(
        Sound(*[VOICE] * 4),
        takes.Takes(tmp_path),
        ["very happy", "müde"],
        "anna",
        wanted=2,
        say=said.append,
    )
    assert kept == {"very happy": 2, "müde": 2}
    with (tmp_path / "recordings.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS and len(rows) == 4
    for row in rows:
        samples, rate = soundfile.read(tmp_path / row["path"], dtype="int16")
        assert rate == S and f"{len(samples) / S:.3f}" == row["seconds"]
        assert row["speaker"] == "anna" and row["device"] == "a test"
    assert [row["path"] for row in rows] == [
        "very happy/anna_01.wav", "müde/anna_01.wav", "very happy/anna_02.wav", "müde/anna_02.wav",
    ]  # fmt: skip
    assert sum("[müde]" in line for line in said) == 2
    found = discover(tmp_path)
    assert {clip.speaker for clip in found.clips} == {"anna"} and len(found.clips) == 4
    assert {clip.emotion for clip in found.clips} == {"very happy", "müde"}
    assert any("recordings.csv" in note for note in found.notes)
    # and it goes on where it stopped
    kept = session.guided(
        Sound(VOICE), takes.Takes(tmp_path), ["müde"], "anna", wanted=3, say=said.append
    )
    assert kept == {"müde": 1} and (tmp_path / "müde/anna_03.wav").is_file()


def test_what_is_quiet_clipped_short_or_broken_is_asked_for_again(tmp_path):
    loud = np.clip(VOICE.astype(int) * 40, -32768, 32767).astype(np.int16)
    quiet = (VOICE / 10).astype(np.int16)
    said = []
    source = Sound(quiet, loud, VOICE[: S // 5], VOICE, VOICE)
    at = (2 * len(ROOM) + len(quiet) + len(loud) + S // 5 + 3 * S + S) // HOP
    source.lost = {at, at + 1}
    kept = session.guided(
        source, takes.Takes(tmp_path), ["happy"], "ben", wanted=1, say=said.append
    )
    assert kept == {"happy": 1}
    again = "\n".join(line for line in said if "again, please" in line)
    assert (
        "too quiet" in again
        and "clipped" in again
        and "say the whole sentence" in again
        and "20 ms of it were lost" in again
    )
    assert len(list(tmp_path.glob("happy/*.wav"))) == 1


def test_sentences_are_those_that_the_gate_cuts_from_the_same_sound():
    source = Sound(VOICE, VOICE[: S + 1234], VOICE)
    live = [each.samples for each in session.sentences(source.hops(), device.Gate())]
    cut = sentences.cut(source.samples).sentences
    assert len(live) == len(cut) == 3
    for samples, place in zip(live, cut, strict=True):
        assert (samples == source.samples[place.begin * HOP : place.end * HOP]).all()


def test_the_last_take_can_be_taken_back(tmp_path):
    kept = takes.Takes(tmp_path)
    first, second = (kept.keep(VOICE, "sad", "x", device="d") for _ in range(2))
    assert kept.take_back() == second and first.exists() and not second.exists()
    assert takes.Takes(tmp_path).count("sad", "x") == 1
    assert kept.take_back() == first and kept.take_back() is None


def test_sentences_of_one_recording_are_known_as_such(tmp_path):
    kept = takes.Takes(tmp_path)
    for label in ("happy", "sad"):
        for i in range(2):
            kept.keep(VOICE[i:], label, "anna", device="d", sentence_of=f"{label} of Monday")
    assert {clip.recording for clip in discover(tmp_path).clips} == {
        "happy of Monday",
        "sad of Monday",
    }


# --- the command ------------------------------------------------------------------------------


@pytest.fixture
def command(monkeypatch, capsys, tmp_path):
    def run(*arguments):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["speech-emotion record", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.run(record.main)
        return ended.value.code, *capsys.readouterr()

    return run


class FakeSounddevice:
    """As much of sounddevice as is used: a microphone of 48 kHz that hears the voice twice."""

    class PortAudioError(Exception):
        pass

    def query_devices(self, device, kind):
        assert kind == "input"
        if device == "none":
            raise ValueError("No input device matching 'none'")
        return {"name": "fake microphone", "default_samplerate": 48000.0}

    def check_input_settings(self, device, channels, dtype, extra, rate):
        if rate != 48000:
            raise self.PortAudioError("Invalid sample rate")

    def RawInputStream(self, *, samplerate, blocksize, device, channels, dtype):
        assert (samplerate, blocksize, channels, dtype) == (48000, 480, 1, "int16")
        sound = np.repeat(Sound(VOICE, VOICE).samples, 3)

        class Stream:
            at = 0

            def __enter__(self):
                return self

            def __exit__(self, *_):
                pass

            def read(self, count):
                data = sound[self.at : self.at + count]
                self.at += count
                return np.pad(data, (0, count - len(data))).tobytes(), self.at == 48000

        return Stream()


def test_a_microphone_of_another_rate_is_resampled_and_its_overflows_told(
    command, monkeypatch, tmp_path
):
    monkeypatch.setitem(sys.modules, "sounddevice", FakeSounddevice())
    code, said, error = command("--labels", "happy", "sad", "--speaker", "anna", "--takes", 1)
    assert code == 0, error
    assert "recording from fake microphone" in said and "too slow 1 times" in said
    assert "of anna now happy 1, sad 1" in said and "next: python dataset_generator.py" in said
    samples, rate = soundfile.read(tmp_path / "recordings/happy/anna_01.wav")
    assert rate == S and 2.0 < len(samples) / S < 2.8


def test_a_recording_without_a_break_is_kept_whole(command, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "sounddevice", FakeSounddevice())
    code, said, _ = command("--labels", "happy", "--speaker", "anna", "--continuous", 5)
    assert code == 0 and "--split" in said
    assert soundfile.info(tmp_path / "recordings/happy/anna_01.wav").frames == 5 * S


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--labels", "a", "a", "--speaker", "x"), "one stands there twice"),
        (("--labels", "a", "--speaker", "x", "--takes", "0"), "--takes 0"),
        (("--labels", "a", "b", "--speaker", "x", "--continuous", "9"), "of one label"),
        (("--labels", "a", "--speaker", "x", "--port", "p", "--microphone", "m"), "one of the two"),
        (("--labels", "a/b", "--speaker", "x"), "--labels 'a/b'"),
        (("--labels", "a", "--speaker", "x/y"), "--speaker 'x/y'"),
        (("--labels", "a", "--speaker", "x", "--microphone", "none"), "No input device"),
        (("--labels", "a", "--speaker", "x", "--prompts", "gone.txt"), "gone.txt"),
    ],
)
def test_mistakes_are_one_line(command, monkeypatch, tmp_path, arguments, said):
    monkeypatch.setitem(sys.modules, "sounddevice", FakeSounddevice())
    code, _, error = command(*arguments)
    assert code == 2 and error.count("\n") == 1 and said in error
    assert not list(tmp_path.iterdir())


def test_without_sounddevice_its_installation_is_told(command, monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    code, _, error = command("--labels", "a", "--speaker", "x")
    assert code == 2 and "pip install 'speech-emotion[record]'" in error
