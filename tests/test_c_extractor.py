"""The C extractor as a stream: any block size, any sound, any moment; and its generated parts are fresh."""

import os
import subprocess
import sys

import numpy as np
import pytest
import signals

from speech_emotion import generate, resources
from speech_emotion.checks import parity
from speech_emotion.errors import UserError
from speech_emotion.features import audio, device, engines, reference, schema


@pytest.fixture(scope="module", autouse=True)
def _compiler():
    try:
        device.build()
    except UserError as error:
        pytest.skip(str(error))


def features_of(samples, block=None):
    extractor = device.Extractor()
    for start in range(0, len(samples), block or max(1, len(samples))):
        extractor.push(samples[start : start + (block or len(samples))])
    return extractor.finish()


def bits(vector):
    return vector.view(np.uint32).tolist()


def test_generated_sources_are_fresh():
    assert generate.stale() == [], "run python -m speech_emotion.generate"


@pytest.mark.parametrize("block", [1, 7, 79, 160, 1000, 4096])
def test_any_block_size_gives_the_same_bits(block):
    samples = np.concatenate([signals.voice(20000, wobble=3), signals.noise(9001, 300)])
    assert bits(features_of(samples, block).features) == bits(features_of(samples).features)


def test_blocks_of_changing_size_give_the_same_bits():
    samples = signals.voice(20000, glide=1, wobble=2)
    extractor, start, size = device.Extractor(), 0, 0
    while start < len(samples):
        extractor.push(samples[start : start + size])
        start, size = start + size, (size * 7 + 3) % 701
    assert bits(extractor.finish().features) == bits(features_of(samples).features)


@pytest.mark.parametrize("name", signals.hostile())
def test_hostile_sound_gives_finite_features(name):
    result = features_of(signals.hostile()[name])
    assert np.isfinite(result.features).all()
    quiet = (
        "silence",
        "constant",
        "all lowest",
        "all highest",
        "none",
        "one sample",
        "just too short",
    )
    assert result.speech == (name not in quiet)
    if name in quiet:
        assert (result.features == schema.UNDEFINED).all()


@pytest.mark.parametrize("extra", [0, 1, 79, 80, 159])
def test_the_end_is_cut_as_the_clip_is(extra):
    """A stream does not know its length beforehand, yet ends where audio.cut ends."""
    whole = signals.voice(16080 + extra, wobble=2)
    cut = audio.cut(whole)
    assert len(cut) == 16080
    assert bits(features_of(whole).features) == bits(features_of(cut).features)
    assert features_of(whole).seconds == pytest.approx(16080 / 16000)


def test_asking_midway_changes_nothing():
    samples = signals.voice(40000, glide=1, wobble=3)
    extractor = device.Extractor()
    for start in range(0, len(samples), 4001):
        extractor.push(samples[start : start + 4001])
        midway = extractor.finish()
        assert bits(midway.features) == bits(features_of(samples[: start + 4001]).features)
        assert bits(extractor.finish().features) == bits(midway.features)
    assert bits(midway.features) == bits(features_of(samples).features)


def test_reset_forgets_the_clip():
    extractor = device.Extractor()
    extractor.push(signals.noise(20000))
    extractor.reset()
    samples = signals.voice(20000, wobble=1)
    extractor.push(samples)
    assert bits(extractor.finish().features) == bits(features_of(samples).features)


def test_two_streams_do_not_touch_each_other():
    one, two = signals.voice(16000, wobble=2), signals.noise(16000)
    first, second = device.Extractor(), device.Extractor()
    for start in range(0, 16000, 500):
        first.push(one[start : start + 500])
        second.push(two[start : start + 500])
    assert bits(first.finish().features) == bits(features_of(one).features)
    assert bits(second.finish().features) == bits(features_of(two).features)


@pytest.mark.parametrize("length", [1600, 16080, 30000])
def test_a_window_is_the_clip_it_spans(length):
    """Windows slide by half their length; each has the bits of its clip alone."""
    samples = np.concatenate([signals.voice(40000, wobble=3), signals.noise(12345, 2000)])
    window, results = device.Window(length), []
    for start in range(0, len(samples), 333):
        results += window.push(samples[start : start + 333])
    starts = range(0, len(samples) - length + 1, length // 2)
    assert len(results) == len(starts)
    for start, result in zip(starts, results, strict=True):
        assert bits(result.features) == bits(features_of(samples[start : start + length]).features)


def test_dc_makes_no_difference_beyond_rounding():
    samples = signals.voice(16080, wobble=2)
    assert bits(features_of(samples + np.int16(3000)).features) == bits(
        features_of(samples).features
    )


def test_silent_stretches_are_gated_out():
    """Digital silence, and noise 50 dB down, around a voice leave the gated columns as they are, save where
    a frame straddles the border."""
    voice = signals.voice(32000, wobble=2)
    around = np.concatenate([np.zeros(16000, np.int16), voice, np.zeros(16000, np.int16)])
    steps = reference.level_steps(audio.block_dc(audio.cut(around)))
    assert (steps == 0).sum() > 150
    column = schema.COLUMNS.index("mel_10_mean")
    inside, alone = features_of(around).features[column], features_of(voice).features[column]
    assert abs(inside - alone) < 2  # dB; the silence itself lies at -100


def test_ten_minutes_keep_their_accuracy():
    """Running sums over 60 000 frames: still within 1e-3 of the value, or of the deviation it is made of."""
    stretch = np.concatenate([signals.voice(597080, glide=1, wobble=3), signals.noise(3000, 500)])
    samples = np.tile(stretch, 16)
    assert len(samples) > 600 * signals.SECOND
    result = features_of(samples)
    assert np.isfinite(result.features).all() and result.speech
    blocked = audio.block_dc(audio.cut(samples))
    expected = reference.gated_columns(blocked)
    for i, column in enumerate(schema.COLUMNS):
        if schema.GROUP_OF[column] in parity.EXACT_GROUPS:
            descriptor = column.rpartition("_")[0]
            deviation = expected.get(f"{descriptor}_std", 1)  # correlations have none, and reach 1
            tolerance = parity.TOLERANCE * max(abs(expected[column]), deviation)
            assert abs(result.features[i] - expected[column]) <= tolerance, column


def test_device_engine_by_name_and_its_errors(monkeypatch):
    samples = signals.voice(16080)
    assert bits(engines.get("device")(samples)) == bits(features_of(samples).features)
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(UserError, match="CC=no-such-compiler"):
        engines.get("device")
    with pytest.raises(UserError, match="engine turbo"):
        engines.get("turbo")


def test_a_broken_cache_folder_is_said_plainly(monkeypatch, tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    monkeypatch.setenv("SER_CACHE", str(file / "below"))
    with pytest.raises(UserError, match="SER_CACHE"):
        device.build()


def test_processes_that_compile_at_the_same_time(tmp_path):
    """Each writes its own draft and renames it into place: one library, no drafts, no half-written one."""
    code = (
        "import sys, numpy as np; sys.path.insert(0, sys.argv[1])\n"
        "from speech_emotion.features import device\n"
        "print(device.extract((np.arange(16080) * 977 % 5003 - 2500).astype(np.int16)).tobytes().hex())"
    )
    command = [sys.executable, "-c", code, str(resources.EMBEDDED.parent)]
    environment = {**os.environ, "SER_CACHE": str(tmp_path)}
    running = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) for _ in range(3)]
    printed = {process.communicate()[0] for process in running}
    assert [process.returncode for process in running] == [0, 0, 0]
    assert len(printed) == 1 and len(printed.pop()) > 8 * len(schema.COLUMNS)
    assert len(list(tmp_path.iterdir())) == 1


def test_null_pointers_are_refused():
    library = device._load()
    extractor = device.Extractor()
    assert library.ser_extractor_init(None) == 1
    assert library.ser_extractor_push(extractor._address(), None, 5) == 1
    assert library.ser_extractor_push(extractor._address(), None, 0) == 0
    assert library.ser_extractor_finish(extractor._address(), None, None) == 1
