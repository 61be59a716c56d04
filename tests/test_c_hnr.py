"""Harmonics-to-noise ratio in C against its definition in double precision: frames, what they are made of,
and the ends of the number formats."""

import shutil

import numpy as np
import pytest
import signals
import soundfile
import voice_harness as harness
from hypothesis import given
from hypothesis import strategies as st

from speech_emotion.features import audio, schema
from speech_emotion.generate import layout
from speech_emotion.generate.layout import SINC_DEEP

if shutil.which("cc") is None:
    pytest.skip("no C compiler", allow_module_level=True)

LAID = layout.of_schema()
SPAN = LAID.hnr_span
CORPORA = ("Crema", "Ravdess", "Savee", "Tess")


# the definition, as Praat's manual has it


def coefficients(samples, frame):
    """r at lags 0 to SPAN of an HNR frame."""
    end = schema.CLIP_REMAINDER + schema.HOP * (frame + LAID.hnr_latency)
    tail = np.concatenate([np.zeros(LAID.tail_samples), samples[:end].astype(float)])
    tail = tail[len(tail) - LAID.tail_samples :]
    middle, half = LAID.hnr_centre, LAID.pitch_longest
    tail -= tail[middle - half : middle + half].mean()
    views = np.lib.stride_tricks.sliding_window_view(tail[LAID.hnr_first :], SPAN)[: SPAN + 1]
    powers = (views**2).sum(axis=1)
    roots = np.sqrt(powers[0] * powers)
    return np.divide(views @ views[0], roots, out=np.zeros(SPAN + 1), where=roots > 0)


def height(r, place):
    """r between its samples: mirrored at lag 0, and by what there is before the last one."""
    end = len(r) - 1
    whole = int(np.floor(place))
    left, depth = place - whole, min(SINC_DEEP, end - whole)
    if left < 1e-4 or depth < 1:
        return r[whole]
    if depth == 1:
        return r[whole] + left * (r[whole + 1] - r[whole])
    if depth == 2:
        before, here, there, after = r[whole - 1 : whole + 3]
        a, b = (there - before) / 2, (after - here) / 2
        bend = (b - a) / 2 + (left - 0.5) * (a + b - 2 * (there - here))
        return here + left * (there - here) - left * (1 - left) * bend
    taps = np.arange(1 - depth, depth + 1)
    distance = np.abs(left - taps)
    reach = depth + np.where(taps <= 0, left, 1 - left)
    weights = np.sinc(left - taps) * (0.5 + 0.5 * np.cos(np.pi * distance / reach))
    return r[np.abs(whole + taps)] @ weights


def maximum(r, lag):
    """The highest point within a sample of a lag, and where it is."""
    low, high = max(lag - 1, 0), min(lag + 1, SPAN - 1)
    for points in (41, 21, 21, 21):
        places = np.linspace(low, high, points)
        heights = [height(r, place) for place in places]
        best = int(np.argmax(heights))
        low, high = places[max(best - 1, 0)], places[min(best + 1, points - 1)]
    return heights[best], places[best]


def decibels(r):
    """HNR of a frame with these coefficients; -inf without a maximum."""
    lags = [i for i in range(2, SPAN) if r[i] > r[i - 1] and r[i] >= r[i + 1]]
    best = 0
    for lag in lags:
        if lag < 12 or r[lag] > r[lags].max() - 0.2:
            top, place = maximum(r, lag)
            if place >= 2:
                best = max(best, min(top, 1 / top) if top > 0 else 0)
    return 10 * np.log10(best / (1 - best)) if 0 < best < 1 else -np.inf


# what it is made of


def test_a_root_of_any_number():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.integers(2**30, 2**32, 100000), [2**30, 2**32 - 1]])
    wanted = 2.0**45 / np.sqrt(x)
    found = harness.fixed("inverse_root", x).astype(float)
    assert np.abs(found / wanted - 1).max() < 3e-8
    assert found.max() < 2**30


@given(
    place=st.floats(SPAN - SINC_DEEP, SPAN - 1),
    period=st.floats(2.1, 200),
    phase=st.floats(0, 6.28),
)
def test_between_the_last_lags(place, period, phase):
    r = np.concatenate([np.cos(2 * np.pi / period * np.arange(SPAN + 1) + phase), np.zeros(40)])
    rounded = np.rint(r * 2**29)
    place = round(place * 2**16)
    found = harness.short_sinc(rounded, place, SPAN) / 2**27
    assert found == pytest.approx(height(rounded[: SPAN + 1] / 2**29, place / 2**16), abs=1e-7)


@pytest.mark.parametrize("kind", ["noise", "sine", "alternating", "one", "steps", "sine at once"])
@pytest.mark.parametrize("size", [1, 90, 32767])
def test_cross_correlation(kind, size):
    """To 1e-7 of what the roots of both energies allow; at the first lags all roundings' means come out, and
    bins of a unit's energy are small numbers."""
    rng, at = np.random.default_rng(5), np.arange(512)
    y = {
        "noise": rng.uniform(-1, 1, 512), "sine": np.sin(0.07 * at), "alternating": (-1.0) ** at,
        "one": (at == 200).astype(float), "steps": rng.choice([-1.0, 1.0], 512),
        "sine at once": np.where(at < 276, 1 / size, 1) * np.sin(1.1 * at),
    }[kind]  # fmt: skip
    y = np.rint(y * size).astype(np.int16)
    x = np.where((at >= 66) & (at < 66 + SPAN), y, 0).astype(np.int32)
    factor = 2 ** int(np.floor((56.99 - np.log2((x.astype(float) ** 2).sum())) / 2))
    wanted = np.array([x[: 512 - lag].astype(float) @ y[lag:] for lag in range(SPAN)])
    found, up = harness.cross(x * factor, y)
    found = found[:SPAN] * 2.0**22 / factor / 2.0**up
    whole = np.sqrt((x.astype(float) ** 2).sum() * (y.astype(float) ** 2).sum())
    error = (found - wanted) / whole / (1 if size > 1 else 10)
    assert np.abs(error).max() < 1e-6
    assert np.abs(error[8:]).max() < 4e-7 and np.std(error[8:]) < 1e-7


# frames


def tone_in_noise(ratio, period, harmonics=8, seconds=1, peak=12000, seed=0):
    """A voice whose harmonics have so many dB more power than the white noise in it."""
    rng = np.random.default_rng(seed)
    at = np.arange(int(16000 * seconds) // 160 * 160 + 80)
    tone = sum(np.cos(2 * np.pi * k * at / period + k * k) / k for k in range(1, harmonics + 1))
    noise = rng.normal(size=len(at)) * tone.std() * 10 ** (-ratio / 20)
    sound = tone + noise
    return np.rint(sound * peak / np.abs(sound).max()).astype(np.int16)


def compare(samples, frames=None):
    """HNR of frames in C, those of them that are voiced, and by definition."""
    voice = harness.Voice(samples)
    ratio, limit = voice.hnr()
    where = np.flatnonzero(limit >= voice.level() / 256)
    where = where[:: max(1, len(where) // frames)] if frames else where
    return ratio[where], np.array([decibels(coefficients(samples, frame)) for frame in where])


@pytest.mark.parametrize("period", [40.4, 80, 131.7, 170.2])
@pytest.mark.parametrize("ratio", [0, 10, 20, 30, 40])
def test_a_tone_in_noise(ratio, period):
    """Most to the step that they are stored in; where nothing is known beyond the longest lag, the place of a
    maximum is found by fewer samples, and r is short of its top by some 1e-5, which counts at 40 dB. Noise
    adds a little to the highest of all lags."""
    found, wanted = compare(tone_in_noise(ratio, period, seed=ratio), 20)
    assert len(found) >= 20
    error = np.abs(found - wanted)
    assert np.median(error) < (0.005 if ratio < 40 else 0.4)
    assert error.max() < (0.15 if ratio < 40 else 1)
    assert found.mean() == pytest.approx(ratio, abs=0.8 if ratio else 2)


@pytest.mark.parametrize("peak", [3, 40, 32767])
def test_loud_and_soft_tones(peak):
    """What is rounded to samples is noise; the ratio is that of the samples."""
    found, wanted = compare(tone_in_noise(30, 100.3, peak=peak), 12)
    assert np.abs(found - wanted).max() < 0.02


def test_a_tone_that_is_clipped():
    sound = np.clip(tone_in_noise(25, 93.1, peak=32767).astype(int) * 3, -32768, 32767)
    found, wanted = compare(sound.astype(np.int16), 12)
    assert np.abs(found - wanted).max() < 0.02


@pytest.mark.parametrize("offset", [-20000, 500, 20000])
def test_an_offset_is_no_harmonic(offset):
    """Which the DC blocker would not leave. 60 dB above the sound its spectrum's rounding is the noise."""
    sound = tone_in_noise(15, 93.1, peak=2000)
    plain, _ = compare(sound, 12)
    found, wanted = compare((sound + offset).astype(np.int16), 12)
    # the first frames see the offset begin
    assert np.abs(found - wanted)[3:].max() < 0.02
    assert np.median(found) == pytest.approx(np.median(plain), abs=0.02)


def test_a_tone_that_begins_and_ends():
    """Frames of which a part is silent, or 50 dB softer: all but two, where r overshoots between samples."""
    sound = tone_in_noise(20, 110)
    for quiet in (0, 0.003):
        swell = np.where((np.arange(len(sound)) // 1300) % 2, 1, quiet)
        found, wanted = compare(np.rint(sound * swell).astype(np.int16))
        where = wanted > 0
        assert where.sum() >= 50
        assert np.sort(np.abs(found - wanted)[where])[-3] < 0.03


def test_periodic_to_the_sample_is_72_decibels():
    """A square wave of full scale, pulses of one unit: r is 1, and what is kept ends there."""
    at = np.arange(8080)
    for sound in (np.where(at // 40 % 2, 32767, -32768), at % 80 == 0):
        ratio, limit = harness.Voice(sound.astype(np.int16)).hnr()
        assert (ratio[5:-5] > 60).all() and ratio.max() <= 72.3
        assert (limit[5:-5] > 0).all()


def test_silence_has_no_ratio():
    voice = harness.Voice(np.zeros(8080, np.int16))
    ratio, limit = voice.hnr()
    assert len(ratio) > 40 and not ratio.any() and not limit.any()
    assert {voice.columns()[name] for name in harness.COLUMNS if "hnr" in name} == {
        schema.UNDEFINED
    }


@pytest.mark.parametrize("name", signals.hostile())
def test_hostile_sounds_stay_within_the_formats(name):
    """Whatever is overflown stops the run; products of 16 bits come to the same."""
    sound = signals.hostile()[name][:16080]
    plain = harness.Voice(sound)
    for option in (
        "-fsanitize=undefined -fsanitize-undefined-trap-on-error",
        "-DSER_TEST_NARROW_PRODUCTS",
    ):
        other = harness.Voice(sound, options=tuple(option.split()))
        assert np.array_equal(other.hnr(), plain.hnr()) and other.columns() == plain.columns()


@pytest.mark.corpora
def test_frames_of_speech(corpora_dir):
    """To the step it is stored in, in 95 of 100 frames above -3 dB."""
    errors = []
    for corpus in CORPORA:
        files = sorted((corpora_dir / corpus).rglob("*.flac"))
        for file in files[:: len(files) // 12][:12]:
            samples = audio.block_dc(audio.cut(soundfile.read(file, dtype="int16")[0]))
            if len(samples) < 160 * 800:
                found, wanted = compare(samples, 12)
                errors.append(np.abs(found - wanted)[wanted > -3])
    errors = np.concatenate(errors)
    assert len(errors) > 400
    assert np.median(errors) < 2e-3 and np.quantile(errors, 0.95) < 0.02
