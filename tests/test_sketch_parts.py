"""The microphone's path without a chip: I2S slots to samples, samples to blocks, blocks to utterances,
decisions to lines. C compiled here, with the address and undefined-behaviour sanitizers where they exist."""

import ctypes
import json
import subprocess
from pathlib import Path

import codegen_models
import numpy as np
import pytest
import signals

from speech_emotion import native, resources
from speech_emotion.features import audio

HOP = 160
QUIET, BEGIN, SPEECH, END, DISCARD = range(5)


@pytest.fixture(scope="module")
def probe(tmp_path_factory):
    target = tmp_path_factory.mktemp("probe") / "probe.so"
    source = resources.EMBEDDED / "src"
    files = [Path(__file__).parent / "c" / "microphone_probe.c"]
    files += [source / f"ser_{stage}.c" for stage in ("capture", "listen", "line")]
    trapping = ["-fsanitize=undefined", "-fsanitize-undefined-trap-on-error"]
    command = [*native.compiler(), "-std=c99", "-O1", "-fPIC", "-shared", f"-I{source}"]
    command += [*map(str, files), "-o", str(target), "-lm"]
    if subprocess.run([*command, *trapping], capture_output=True).returncode:
        subprocess.run(command, check=True)
    library = ctypes.CDLL(str(target))
    library.probe_dbfs.restype = ctypes.c_float
    library.probe_line.restype = library.probe_decimal.restype = ctypes.c_size_t
    return library


def pointer(array):
    return ctypes.c_void_p(array.ctypes.data)


# --- slots ------------------------------------------------------------------------------------


def sample(probe, value, shift):
    clipped = ctypes.c_uint16(0)
    slot = ctypes.c_uint32(value & 0xFFFFFFFF)
    return probe.probe_sample(slot, shift, ctypes.byref(clipped)), clipped.value


@pytest.mark.parametrize("shift", range(1, 17))
def test_slot_shift_is_floor_division_and_limits_at_int16(probe, shift):
    edges = [
        32767 << shift,
        (32768 << shift) - 1,
        32768 << shift,
        -32768 << shift,
        (-32768 << shift) - 1,
    ]
    draw = np.random.default_rng(shift)
    values = [0, 1, -1, 2**31 - 1, -(2**31), *edges, *draw.integers(-(2**31), 2**31, 50).tolist()]
    for value in values:
        if not -(2**31) <= value < 2**31:
            continue
        expected = value >> shift
        limited = max(-32768, min(32767, expected))
        assert sample(probe, value, shift) == (limited, int(limited != expected)), value


def test_24_bits_at_the_upper_end_of_the_slot(probe):
    """An INMP441's full scale is 2^23 - 1, left-aligned: shift 16 keeps the scale."""
    for microphone in (2**23 - 1, -(2**23), 420426, -420426, 255, -256):
        assert sample(probe, microphone << 8, 16) == (microphone >> 8, 0)
    assert sample(probe, 420426 << 8, 13) == (420426 >> 5, 0)  # 94 dB SPL
    assert sample(probe, (2**23 - 1) << 8, 13) == (32767, 1)


def as_slots(left, right=None, shift=16):
    """Bytes as the port delivers them: int32 little endian, left and right in turn."""
    slots = np.zeros((len(left), 2), "<i4")
    slots[:, 0] = np.asarray(left, np.int64) << shift
    if right is not None:
        slots[:, 1] = np.asarray(right, np.int64) << shift
    return np.frombuffer(slots.tobytes(), np.uint8)


def capture(probe, data, *, chunk=10**9, slot=0, shift=16, drop=(0, 0)):
    most = len(data) // (8 * HOP) + 1
    samples = np.zeros((most, HOP), np.int16)
    clipped, lost = np.zeros(most, np.uint16), np.zeros(most, np.uint16)
    overruns = ctypes.c_uint32(0)
    count = probe.probe_capture(
        pointer(data), ctypes.c_size_t(len(data)), ctypes.c_size_t(chunk), slot, shift, *drop,
        pointer(samples), pointer(clipped), pointer(lost), ctypes.byref(overruns),
    )  # fmt: skip
    return None if count < 0 else (samples[:count], clipped[:count], lost[:count], overruns.value)


@pytest.mark.parametrize("chunk", [1, 3, 7, 8, 37, 1279, 1280, 1281, 5000, 10**9])
def test_any_number_of_bytes_at_a_time_gives_the_same_blocks(probe, chunk):
    sound = signals.noise(5 * HOP + 77)
    samples, clipped, lost, overruns = capture(probe, as_slots(sound), chunk=chunk)
    assert samples.ravel().tolist() == sound[: 5 * HOP].tolist()
    assert not clipped.any() and not lost.any() and overruns == 0


def test_the_slot_of_the_microphone_is_taken_and_not_the_other(probe):
    left, right = signals.noise(HOP, seed=1), signals.noise(HOP, seed=2)
    for slot, expected in enumerate((left, right)):
        samples, *_ = capture(probe, as_slots(left, right), slot=slot)
        assert samples.ravel().tolist() == expected.tolist()


def test_limited_samples_are_counted_in_their_own_block(probe):
    sound = np.zeros(3 * HOP, np.int64)
    sound[HOP : HOP + 4] = [40000, -40000, 32767, -32768]
    samples, clipped, _, _ = capture(probe, as_slots(sound, shift=13), shift=13)
    assert clipped.tolist() == [0, 2, 0]
    assert samples[1, :4].tolist() == [32767, -32768, 32767, -32768]


def test_blocks_without_a_place_are_counted_and_the_next_one_says_so(probe):
    sound = signals.noise(8 * HOP)
    samples, _, lost, overruns = capture(probe, as_slots(sound), drop=(2, 5), chunk=100)
    blocks = sound.reshape(8, HOP)
    assert samples.tolist() == blocks[[0, 1, 5, 6, 7]].tolist()
    assert lost.tolist() == [0, 0, 3, 0, 0] and overruns == 3


def test_bad_arguments_are_refused(probe):
    data = as_slots(np.zeros(HOP))
    assert capture(probe, data, slot=2) is None and capture(probe, data, slot=-1) is None
    assert capture(probe, data, shift=0) is None and capture(probe, data, shift=17) is None


# --- utterances -------------------------------------------------------------------------------


class Heard:
    """The events of a sound, block by block."""

    def __init__(self, probe, sound, clipped=None, lost=None):
        sound = np.ascontiguousarray(sound[: len(sound) // HOP * HOP], np.int16)
        count = len(sound) // HOP
        zeros = np.zeros(count, np.uint16)
        clipped = zeros if clipped is None else np.asarray(clipped, np.uint16)
        lost = zeros if lost is None else np.asarray(lost, np.uint16)
        self.events, self.first = np.zeros(count, np.int32), np.full(count, -2, np.int32)
        self.utterance, self.floor = np.zeros((count, 3), np.uint32), np.zeros(count, np.float32)
        self.mean = np.zeros(count, np.float32)
        assert not probe.probe_listen(
            pointer(sound), pointer(clipped), pointer(lost), count, pointer(self.events),
            pointer(self.first), pointer(self.utterance), pointer(self.floor), pointer(self.mean),
        )  # fmt: skip

    def at(self, event):
        return np.flatnonzero(self.events == event).tolist()

    def utterances(self):
        """(first block, last block) of each that ended."""
        begins = [int(self.first[i]) for i in self.at(BEGIN)]
        ends = sorted(self.at(END) + self.at(DISCARD))
        return [(b, e) for b, e in zip(begins, ends, strict=False) if self.events[e] == END]


def room(seconds, rms=15, seed=5):
    return np.random.default_rng(seed).normal(0, rms, int(seconds * 16000)).round().astype(np.int16)


def voice(seconds, **options):
    return signals.voice(int(seconds * 16000), **options)


def test_an_utterance_is_found_with_some_sound_before_and_silence_after(probe):
    heard = Heard(probe, np.concatenate([room(1), voice(0.9), room(2)]))
    ((first, last),) = heard.utterances()
    assert 100 - 20 <= first < 100  # kept blocks reach back before the onset
    assert 190 + 45 <= last <= 190 + 70  # 0.5 s of silence, and what the level takes to fall
    assert heard.utterance[last, 0] == last - first + 1
    inside = heard.events[heard.at(BEGIN)[0] + 1 : last]
    assert set(inside.tolist()) == {SPEECH}


@pytest.mark.parametrize("rms", [0, 1, 15, 200])
def test_a_steady_room_never_opens_the_gate(probe, rms):
    assert set(Heard(probe, room(20, rms)).events.tolist()) == {QUIET}


@pytest.mark.parametrize("offset", [-3000, 12000])
def test_a_constant_offset_changes_nothing(probe, offset):
    sound = np.concatenate([room(1), voice(0.9) // 2, room(2)]).astype(np.int32)
    plain, shifted = Heard(probe, sound), Heard(probe, np.clip(sound + offset, -32768, 32767))
    assert plain.utterances() == shifted.utterances() and len(plain.utterances()) == 1


def test_a_click_opens_nothing_and_a_short_knock_is_discarded(probe):
    click = np.concatenate([room(1), np.full(80, 9000, np.int16), room(2)])
    assert set(Heard(probe, click).events.tolist()) == {QUIET}
    knock = np.concatenate([room(1), signals.noise(1600, 6000), room(2)])  # 100 ms
    heard = Heard(probe, knock)
    assert heard.utterances() == [] and len(heard.at(BEGIN)) == len(heard.at(DISCARD)) == 1


def test_a_knock_is_waited_for_like_an_utterance(probe):
    """Also right after one: what the silence before it was does not count."""
    knock = signals.noise(640, 6000)
    heard = Heard(probe, np.concatenate([room(1), voice(0.9), room(1.2), knock, room(1.5)]))
    (end,), (discard,) = heard.at(END), heard.at(DISCARD)
    assert end < 310 and discard > 310 + 50


def test_the_noise_floor_follows_the_room(probe):
    """Down at once, up by 3 dB a second; a room that grows louder as slowly never opens the gate."""
    quiet, loud = room(3, 20), room(3, 400)
    heard = Heard(probe, np.concatenate([loud, quiet]))
    assert heard.floor[299] == pytest.approx(400**2, rel=0.3)
    assert heard.floor[340] == pytest.approx(20**2, rel=0.3)
    slope = 10 ** (2.0 * np.arange(12 * 16000) / 16000 / 20)
    rising = (room(12, 30) * slope).astype(np.int16)
    heard = Heard(probe, rising)
    assert set(heard.events.tolist()) == {QUIET}
    assert heard.floor[-1] > 100 * heard.floor[60]


def test_a_pause_within_a_sentence_does_not_end_it_and_a_longer_one_does(probe):
    for pause, count in ((0.3, 1), (1.0, 2)):
        sound = np.concatenate([room(1), voice(0.6), room(pause), voice(0.6), room(1.5)])
        assert len(Heard(probe, sound).utterances()) == count


def test_nothing_is_longer_than_the_longest(probe):
    sound = np.concatenate([room(1), voice(11), room(2)])
    found = Heard(probe, sound).utterances()
    assert len(found) >= 2
    assert [last - first + 1 for first, last in found[:2]] == [500, 500]
    assert found[1][0] > found[0][1]


def test_noise_that_starts_and_stays_becomes_the_room(probe):
    """A fan: taken for one utterance, then for silence; speech above it is found again."""
    fan = room(20, 400)
    fan[-3 * 16000 : -2 * 16000] = np.clip(
        fan[-3 * 16000 : -2 * 16000] + 3.0 * voice(1), -32768, 32767
    )
    heard = Heard(probe, np.concatenate([room(1), fan]))
    found = heard.utterances()
    assert len(found) == 2
    assert abs(found[1][0] - 1800) < 40


def test_the_microphones_start_is_ignored(probe):
    """It delivers anything for its first quarter of a second."""
    junk = np.concatenate([np.full(2000, -32768, np.int16), signals.noise(2000, 30000)])
    heard = Heard(probe, np.concatenate([junk, room(2), voice(0.9), room(2)]))
    ((first, _),) = heard.utterances()
    assert first > 200 and len(heard.at(BEGIN)) == 1


def test_clipped_and_lost_are_those_of_the_utterance(probe):
    sound = np.concatenate([room(1), voice(0.9), room(2)])
    count = len(sound) // HOP
    clipped, lost = np.zeros(count, int), np.zeros(count, int)
    clipped[[10, 120, 150, 350]] = 7
    lost[[10, 130]] = 2
    heard = Heard(probe, sound, clipped, lost)
    ((first, last),) = heard.utterances()
    assert heard.utterance[last, 1:].tolist() == [14, 2]
    lost[first] = 9  # before its first block: no gap within
    assert Heard(probe, sound, clipped, lost).utterance[last, 2] == 2
    lost[first + 1] = 1
    assert Heard(probe, sound, clipped, lost).utterance[last, 2] == 3


def test_an_utterance_knows_nothing_of_the_one_before(probe):
    one = np.concatenate([voice(0.9), room(2)])
    sound = np.concatenate([room(1), one, one // 8])
    clipped = np.zeros(len(sound) // HOP, int)
    clipped[120] = 5
    heard = Heard(probe, sound, clipped)
    first, second = heard.at(END)
    assert heard.utterance[[first, second], 1].tolist() == [5, 0]
    assert heard.mean[first] / heard.mean[second] == pytest.approx(64, rel=0.15)


def test_levels_are_relative_to_full_scale(probe):
    square = np.where(np.arange(HOP) % 2, 32767, -32768).astype(np.int16)
    assert probe.probe_dbfs(pointer(square)) == pytest.approx(0, abs=0.01)
    assert probe.probe_dbfs(pointer((square // 10).astype(np.int16))) == pytest.approx(
        -20, abs=0.01
    )
    assert probe.probe_dbfs(pointer(np.zeros(HOP, np.int16))) == -100


@pytest.mark.corpora
def test_real_speech_is_found_whole(probe, corpora_dir):
    """Clips of all corpora, in a quiet room: hardly one is missed, cut in two, or loses any of its sound."""
    found, single, shares = 0, 0, []
    for i, clip in enumerate(codegen_models.real_clips(corpora_dir, 60)):
        speech = audio.load(clip.path)
        quiet = np.zeros(16000, np.int16)
        sound = np.concatenate([quiet, speech, quiet, quiet])
        heard = Heard(probe, sound + room(len(sound) / 16000, 3, seed=i)[: len(sound)]).utterances()
        found += len(heard) >= 1
        single += len(heard) == 1
        power = np.square(sound.astype(float))
        inside = sum(power[HOP * first : HOP * (last + 1)].sum() for first, last in heard)
        shares.append(inside / power.sum())
    print(f"{found} found, {single} as one, sound inside: least {min(shares):.3f}")
    assert found >= 59 and single >= 55
    assert np.quantile(shares, 0.05) > 0.99


# --- lines ------------------------------------------------------------------------------------


def line(probe, probabilities, *, state=None, weight=1.0, threshold=0.0, plot=0, size=400,
         seconds=1.234, dbfs=-23.4, counts=(4210, 3, 2, 1)):  # fmt: skip
    state = np.full(3, np.nan, np.float32) if state is None else state
    text = ctypes.create_string_buffer(b"?" * size, size + 1)
    numbers = np.array(counts, np.uint32)
    f = ctypes.c_float
    length = probe.probe_line(
        pointer(np.array(probabilities, np.float32)), pointer(state), f(weight), f(threshold),
        f(seconds), f(dbfs), pointer(numbers), plot, text, ctypes.c_size_t(size),
    )  # fmt: skip
    assert length == len(text.value)
    return text.value.decode()


def test_a_decision_is_one_json_object(probe):
    found = json.loads(line(probe, [0.1, 0.7, 0.2], threshold=0.5))
    assert found == {
        "emotion": "happy", "confidence": 0.7, "uncertain": False,
        "probabilities": {"angry": 0.1, "happy": 0.7, 'a "quoted" \\ name': 0.2},
        "seconds": 1.23, "dbfs": -23.4, "clipped": 3, "lost": 2, "overruns": 1, "response_us": 4210,
    }  # fmt: skip
    assert json.loads(line(probe, [0.1, 0.49, 0.41], threshold=0.5))["uncertain"] is True
    assert json.loads(line(probe, [0.1, 0.5, 0.4], threshold=0.5))["uncertain"] is False


def test_a_decision_is_pairs_for_the_plotter(probe):
    found = line(probe, [0.25, 0.7, 0.05], threshold=0.9, plot=1)
    pairs = dict(part.rsplit(":", 1) for part in found.split(","))
    assert list(pairs)[:2] == ["angry", "happy"]
    assert pairs["angry"] == "0.250" and pairs["uncertain"] == "1" and pairs["lost"] == "2"


@pytest.mark.parametrize("plot", [0, 1])
def test_a_line_that_does_not_fit_is_empty_and_nothing_is_written_behind_it(probe, plot):
    whole = line(probe, [0.1, 0.7, 0.2], plot=plot)
    assert line(probe, [0.1, 0.7, 0.2], plot=plot, size=len(whole) + 1) == whole
    for size in (0, 1, 20, len(whole)):
        text = ctypes.create_string_buffer(b"?" * 500, 501)
        length = probe.probe_line(
            pointer(np.array([0.1, 0.7, 0.2], np.float32)), pointer(np.zeros(3, np.float32)),
            ctypes.c_float(1), ctypes.c_float(0), ctypes.c_float(1.234), ctypes.c_float(-23.4),
            pointer(np.array([4210, 3, 2, 1], np.uint32)), plot, text, ctypes.c_size_t(size),
        )  # fmt: skip
        assert length == 0 and set(text.raw[size:500]) == {ord("?")}
        assert size == 0 or text.raw[:1] == b"\0"


@pytest.mark.parametrize(
    "number, decimals, text",
    [
        (0, 3, "0.000"), (0.9996, 3, "1.000"), (0.0004, 3, "0.000"), (1.5, 0, "2"), (12.34, 1, "12.3"),
        (-0.05, 1, "-0.1"), (99.95, 1, "99.9"), (123456, 2, "123456.00"), (3e9, 0, "2147483520"),
        (float("inf"), 0, "2147483520"), (float("nan"), 0, "2147483520"), (0.000001, 6, "0.000001"),
    ],
)  # fmt: skip
def test_numbers(probe, number, decimals, text):
    found = ctypes.create_string_buffer(40)
    probe.probe_decimal(ctypes.c_float(number), decimals, found, ctypes.c_size_t(40))
    assert found.value.decode() == text


def test_decisions_are_smoothed(probe):
    state = np.full(3, np.nan, np.float32)
    line(probe, [0.8, 0.1, 0.1], state=state, weight=1.0)
    assert state.tolist() == np.float32([0.8, 0.1, 0.1]).tolist()
    second = json.loads(line(probe, [0.0, 1.0, 0.0], state=state, weight=0.25))
    np.testing.assert_allclose(state, [0.6, 0.325, 0.075], atol=1e-6)
    assert second["emotion"] == "angry"  # one decision does not turn it
    third = json.loads(line(probe, [0.0, 1.0, 0.0], state=state, weight=0.25))
    assert third["emotion"] == "happy"
