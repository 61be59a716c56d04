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


def capture(probe, data, *, chunk=10**9, slot=0, shift=16, drop=(0, 0), init=True):
    """samples, clipped, lost, overruns; and in `capture.faults` each block's fault."""
    most = len(data) // (2 * HOP) + 1
    samples, fault = np.zeros((most, HOP), np.int16), np.zeros(most, np.uint8)
    clipped, lost = np.zeros(most, np.uint16), np.zeros(most, np.uint16)
    overruns = ctypes.c_uint32(0)
    if init and probe.probe_capture_init(slot, shift):
        return None
    count = probe.probe_capture(
        pointer(data), ctypes.c_size_t(len(data)), ctypes.c_size_t(chunk), *drop, pointer(samples),
        pointer(clipped), pointer(lost), pointer(fault), ctypes.byref(overruns),
    )  # fmt: skip
    capture.faults = fault[:count].tolist()
    return samples[:count], clipped[:count], lost[:count], overruns.value


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
    assert capture(probe, data, slot=2) is None and capture(probe, data, slot=-2) is None
    assert capture(probe, data, shift=0) is None and capture(probe, data, shift=17) is None
    assert capture(probe, data, slot=-1, shift=17) is None


# --- a capture path that lasts for years -------------------------------------------------------

SILENT, STUCK, WRONG_SLOT, CLIPPED, OFFSET = range(1, 6)
FULL = 2**31  # of a slot


def as_raw(*slots):
    """Bytes of whole 32-bit slots, left and right in turn; or of int16 samples, if there is but one."""
    if len(slots) == 1:
        return np.frombuffer(np.asarray(slots[0], "<i2").tobytes(), np.uint8)
    both = np.stack([np.asarray(slot, np.int64).astype("<i4") for slot in slots], axis=1)
    return np.frombuffer(np.ascontiguousarray(both).tobytes(), np.uint8)


def heard_at_13(sound):
    """A microphone's slots that shift 13 makes exactly this sound of."""
    return np.asarray(sound, np.int64) << 13


def speech(seconds, seed=1, peak=12000):
    """Syllables: a voice whose level comes and goes, of whatever length."""
    time = np.arange(int(seconds * 16000)) / 16000
    source = np.random.default_rng(seed).normal(0, 0.2, len(time))
    for k in range(1, 12):
        source += np.sin(2 * np.pi * 110 * k * time) / k
    found = source * np.maximum(0, np.sin(2 * np.pi * 2.5 * time))
    return np.round(found * peak / np.abs(found).max()).astype(np.int64)


@pytest.mark.parametrize("peak", [300, 12000, 32000])
@pytest.mark.parametrize("mean", [0, 500, -500])
def test_a_microphone_without_offset_keeps_every_bit(probe, mean, peak):
    """From the first sample on, and also one whose offset is small; at full scale, after two seconds."""
    sound = np.clip(speech(8, peak=peak) + mean, -32768, 32767)[: 8 * 16000 // HOP * HOP]
    samples, clipped, *_ = capture(probe, as_raw(heard_at_13(sound), 0 * sound), shift=13)
    start = 200 * HOP if peak > 30000 else 0
    assert np.array_equal(samples.ravel()[start:], sound[start:]) and not clipped.any()


@pytest.mark.parametrize("share", [-0.2, -0.15, -0.1, -0.05, 0.05, 0.1, 0.2])
@pytest.mark.parametrize("port", ["i2s", "pdm"])
def test_an_offset_neither_clips_nor_deafens(probe, share, port):
    """From the moment on at which the gate begins to listen, the sound is that of a microphone without an
    offset, but for a constant and what a high-pass at .3 Hz takes; nothing is limited, nothing steps."""
    sound = speech(8)
    offset = round(share * FULL)
    if port == "i2s":
        data = as_raw(heard_at_13(sound) + offset, 0 * sound)
        samples, clipped, *_ = capture(probe, data, shift=13)
    else:
        data = as_raw((sound >> 3) + (offset >> 16))
        samples, clipped, *_ = capture(probe, data, slot=-1, shift=13)
        sound = sound >> 3 << 3
    start = 50
    assert not clipped[start:].any()
    error = samples[start:].ravel() - sound[start * HOP : len(samples) * HOP].astype(float)
    assert 700 < np.abs(error).mean() < 1300  # what is let through, of 32768
    assert np.ptp(error) < 400  # against a peak of 12000: .3 Hz
    assert np.abs(np.diff(error)).max() <= 3
    # without it: what arrived at the gate was limited in every block
    naive = np.clip(((heard_at_13(sound) + offset) >> 13), -32768, 32767)
    assert (np.abs(naive) > 32000).any() or abs(share) < 0.1


def test_an_offset_that_wanders_makes_no_step(probe):
    """Warming up: from nothing to -20 % within a minute; passing the threshold is not heard."""
    length = 60 * 16000 // HOP * HOP
    drift = (-0.2 * FULL * np.arange(length) / length).astype(np.int64)
    sound = np.random.default_rng(0).normal(0, 30, length).round().astype(np.int64)
    samples, clipped, *_ = capture(probe, as_raw(heard_at_13(sound) + drift, 0 * sound), shift=13)
    error = samples.ravel() - sound.astype(float)
    assert not clipped.any() and np.abs(np.diff(error)).max() <= 2
    assert np.abs(error).max() < 1500
    assert capture.faults[-1] == OFFSET and capture.faults[600] == 0


def still(value):
    return np.full(1060 * HOP, value, np.int64)


MICROPHONES = {  # left, right slot; which fault after 5.5 s, and which words
    "good": (lambda: (heard_at_13(speech(10.6)), still(0)), 0, ""),
    "good, and another": (lambda: (heard_at_13(speech(10.6)), heard_at_13(speech(10.6, 2))), 0, ""),
    "in a very quiet room": (lambda: (heard_at_13(room(10.6, 4)), still(0)), 0, ""),
    "not connected": (lambda: (still(0), still(0)), SILENT, "silent"),
    "dead": (lambda: (np.arange(1060 * HOP) % 2 << 12, still(0)), SILENT, "silent"),
    "stuck high": (lambda: (still(-1), still(-1)), STUCK, "stuck"),
    "stuck": (lambda: (still(12345678), still(0)), STUCK, "stuck"),
    "other slot": (lambda: (still(0), heard_at_13(speech(10.6))), WRONG_SLOT, "L/R pin"),
    "other slot, stuck": (lambda: (still(-1), heard_at_13(speech(10.6))), WRONG_SLOT, "L/R pin"),
    "clipped": (lambda: (heard_at_13(8 * speech(10.6)), still(0)), CLIPPED, "clipped"),
    "offset": (lambda: (heard_at_13(speech(10.6)) - FULL // 7, still(0)), OFFSET, "offset"),
}  # fmt: skip


@pytest.mark.parametrize("name", MICROPHONES)
def test_what_is_wrong_with_a_microphone_is_said(probe, name):
    slots, fault, words = MICROPHONES[name]
    probe.probe_capture_says.restype = ctypes.c_char_p
    capture(probe, as_raw(*(slot[: 1060 * HOP] for slot in slots())), shift=13)
    judged = 50 + 500 - 1  # nothing is said before: a microphone starts up
    assert set(capture.faults[:judged]) == {0} and set(capture.faults[judged:1049]) == {fault}
    said = probe.probe_capture_says(capture.faults[judged]).decode()
    assert words in said and bool(said) == bool(fault)


def test_a_microphone_that_was_mended_is_well_again(probe):
    slots = np.concatenate([still(0), heard_at_13(speech(10.6))])
    capture(probe, as_raw(slots, 0 * slots), shift=13)
    assert capture.faults[700] == SILENT and capture.faults[-1] == 0


def test_a_pdm_microphone_is_judged_too(probe):
    for sound, fault in ((still(0), SILENT), (still(-300), STUCK), (speech(10.6) >> 3, 0)):
        capture(probe, as_raw(sound[: 1060 * HOP]), slot=-1, shift=13)
        assert capture.faults[600] == fault


def test_samples_of_16_bits_are_the_upper_half_of_a_slot(probe):
    sound = signals.noise(3 * HOP)
    data = as_raw(sound)
    for chunk in (1, 3, 10**9):
        samples, *_ = capture(probe, data, slot=-1, shift=16, chunk=chunk)
        assert samples.ravel().tolist() == sound.tolist()
    louder, *_ = capture(probe, as_raw(sound >> 3), slot=-1, shift=13)
    assert louder.ravel().tolist() == (sound >> 3 << 3).tolist()


def test_what_the_port_lost_is_counted_before_the_block_that_follows(probe):
    sound = as_raw(signals.noise(2 * HOP))
    assert probe.probe_capture_init(-1, 16) == 0
    for frames, blocks in ((240, 2), (160, 1), (720, 5), (1, 1), (0, 0)):
        probe.probe_capture_missed(frames)
        _, _, lost, _ = capture(probe, sound, init=False)
        assert lost.tolist() == [blocks, 0], frames
    *_, overruns = capture(probe, sound, init=False)
    assert overruns == 9


def test_counters_that_count_for_years_stay_at_their_largest(probe):
    """2^32 blocks are 497 days; a block's own count has 16 bits."""
    sound = as_raw(signals.noise(2 * HOP))
    assert probe.probe_capture_init(-1, 16) == 0
    probe.probe_capture_preset(2**32 - 3, 2**16 - 2)
    probe.probe_capture_missed(5 * HOP)
    _, _, lost, overruns = capture(probe, sound, init=False, drop=(0, 1))
    assert lost.tolist() == [2**16 - 1] and overruns == 2**32 - 1
    probe.probe_capture_missed(2**32 - 1)
    _, _, lost, overruns = capture(probe, sound, init=False)
    assert lost.tolist() == [2**16 - 1, 0] and overruns == 2**32 - 1


def test_the_gate_hears_the_same_after_49_days(probe):
    """Its state after an hour of a room is that after the first minute: nothing in it adds up over time."""
    minute = room(60, 20, seed=9)
    ends = []
    for times in (1, 6):
        sound = np.concatenate([*[minute] * times, voice(0.9), room(2)])
        heard = Heard(probe, sound)
        ((first, last),) = heard.utterances()
        offset = (times - 1) * 60 * 100
        ends.append((first - offset, last - offset, heard.floor[first + 1], heard.mean[last]))
    assert ends[0] == ends[1]


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
