"""The voice stages in C against numpy, and against Praat: each helper, each stage, and the columns."""

import itertools
import re
import shutil
from fractions import Fraction
from pathlib import Path

import hypothesis.extra.numpy as hnp
import numpy as np
import parselmouth
import pulse_definition
import pytest
import signals
import soundfile
import voice_harness as harness
from conftest import REPOSITORY
from hypothesis import given, settings
from hypothesis import strategies as st
from parselmouth.praat import call

from speech_emotion.features import audio, reference, schema
from speech_emotion.features.functionals import functionals
from speech_emotion.generate import voice_tables as generate_voice_tables

if shutil.which("cc") is None:
    pytest.skip("no C compiler", allow_module_level=True)

CORPORA = ("Crema", "Ravdess", "Savee", "Tess")


def sound_of(samples):
    return parselmouth.Sound(samples / audio.FULL_SCALE, reference.SAMPLE_RATE)


def speech(seconds, seed=1):
    """Voice-like sound, cut as clips are."""
    n = int(16000 * seconds) // 160 * 160 + 80
    return audio.block_dc(signals.voice(n, glide=2, wobble=3, seed=seed))


@pytest.fixture(scope="module")
def clips(corpora_dir):
    """60 clips of each corpus, spread over its files: corpus and DC-blocked samples."""
    chosen = []
    for corpus in CORPORA:
        files = sorted((corpora_dir / corpus).rglob("*.flac"))
        for file in files[:: len(files) // 60][:60]:
            samples = soundfile.read(file, dtype="int16")[0]
            chosen.append((corpus, audio.block_dc(audio.cut(samples))))
    return chosen


@pytest.fixture(scope="module")
def streams(clips):
    return [harness.Voice(samples) for _, samples in clips]


# helpers


def test_tables_are_fresh():
    for path, text in generate_voice_tables.outputs().items():
        committed = path.read_text(encoding="utf-8")
        assert committed == text, "run python -m speech_emotion.generate"


def test_state_fits():
    assert harness.state_bytes() <= 46 * 1024


@pytest.mark.parametrize(
    ("name", "exact", "bound"),
    [("exp2", np.exp2, 2e-7), ("rsqrt", lambda x: x**-0.5, 3e-7),
     ("recip", lambda x: 1 / x, 4e-7)],
)  # fmt: skip
def test_elementary_functions(name, exact, bound):
    x = np.float32(
        np.linspace(-120, 120, 100001) if name == "exp2" else np.logspace(-35, 35, 99999)
    )
    wanted = exact(x.astype(float))
    assert np.abs(harness.math(name, x) / wanted - 1).max() < bound


def test_logarithm():
    x = np.float32(np.concatenate([np.logspace(-37, 38, 99999), np.linspace(0.5, 2, 99999)]))
    wanted = np.log2(x.astype(float))
    error = np.abs(harness.math("log2", x) - wanted)
    assert (error <= 2 * 2.0**-24 * np.maximum(np.abs(wanted), 0.5)).all()


@pytest.mark.parametrize("natural", [False, True])
def test_transforms(natural):
    rng = np.random.default_rng(0)
    parts = np.rint(rng.uniform(-(2**25), 2**25, (2, 256)))
    z = parts[0] + 1j * parts[1]
    error = harness.complex256(z, natural) - np.fft.fft(z) / 8
    assert np.sqrt((np.abs(error) ** 2).mean() / 2) < 1.7
    assert np.abs(error).max() < 16


WINDOWS = {"Hann": np.hanning(640), "none": np.ones(640)}


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("largest", [2**23, 2**20, 2**17])
def test_autocorrelation(window, largest):
    """To 3e-5 of lag 0, of sounds that rise from rounding as of those whose spectrum is one line."""
    rng, at = np.random.default_rng(3), np.arange(640)
    sounds = [
        rng.normal(size=640), np.sin(0.05 * at), at % 110 == 0, at == 320, np.ones(640), (-1.0) ** at,
        rng.choice([-1, 1], 640), sum(np.sin(0.06 * k * at) / k for k in range(1, 25)),
    ]  # fmt: skip
    for sound in sounds:
        sound = np.rint(sound * WINDOWS[window] / np.abs(sound).max() * largest)
        wanted = np.correlate(sound, sound, "full")[639 : 639 + 256]
        got = harness.autocorrelation(sound)
        assert np.abs(got / got[0] - wanted / wanted[0]).max() < 3e-5
        assert 2**22 <= got[0] <= 2**30 and np.abs(got).max() <= got[0] + 16
    assert (harness.autocorrelation(np.zeros(640)) == 0).all()


@given(st.floats(27, 212), st.integers(1, 40), st.floats(0.3, 2.5))
def test_maxima_between_lags(period, harmonics, height):
    """Of a voice with so many harmonics of equal strength: the deep sinc finds the place within a thousandth
    of a sample unless the maximum is flat, and both find the height."""
    harmonics = min(harmonics, int(0.4 * period))
    at = np.arange(256)[:, None]
    wave = np.cos(2 * np.pi * at * np.arange(1, harmonics + 1) / period).mean(axis=1)
    correlation = height * wave
    lag = int(np.argmax(correlation[int(period) - 1 : int(period) + 3])) + int(period) - 1
    _, near, deep = harness.peaks(correlation, lag)
    assert near[1] == pytest.approx(height, rel=0.004)
    assert deep[1] == pytest.approx(height, rel=3e-4)
    assert deep[0] == pytest.approx(period, abs=0.03 if harmonics < 0.02 * period else 0.001)


@given(
    hnp.arrays(np.int16, st.sampled_from([80, 240, 1680]), elements=st.integers(-32768, 32767)),
    st.integers(-32768, 32767),
)
def test_the_peak_is_exact(samples, most):
    """The largest distance from the mean, to 1/256 of a sample step."""
    samples = np.minimum(samples, most).astype(np.int16)
    wanted = max(
        abs(Fraction(int(s)) - Fraction(int(samples.astype(int).sum()), len(samples)))
        for s in (samples.min(), samples.max())
    )
    assert abs(Fraction(harness.Voice(samples).level(), 256) - wanted) <= Fraction(1, 256)


def test_products_of_16_bits_give_the_same_bits():
    """As a Cortex-M0+ puts products together."""
    samples = speech(2)
    narrow = harness.Voice(samples, options=("-DSER_TEST_NARROW_PRODUCTS",)).columns()
    assert narrow == harness.Voice(samples).columns()


@pytest.mark.parametrize(("offset", "scale"), [(0, 1), (55, 8), (-1e3, 1)])
def test_moments(offset, scale):
    """60000 frames, ten minutes: a tenth of a percent of the spread, as single precision allows."""
    rng = np.random.default_rng(1)
    frames = np.flatnonzero(rng.random(100000) < 0.6)[:60000]
    values = (offset + scale * (rng.gamma(2, size=60000) + frames / 4e4)).astype(np.float32)
    got = harness.moments(values, frames)
    wanted = functionals(values.astype(float)[None], frames / 100)
    for name, number in wanted.items():
        unit = scale if name in ("mean", "std", "min", "max") else abs(number[0])
        assert got[name] == pytest.approx(number[0], abs=1e-3 * unit), name


def test_moments_of_nothing_and_of_equal_values():
    assert set(harness.moments([], []).values()) == {0}
    assert set(harness.moments([3.5], [7]).values()) == {3.5, 0}
    flat = harness.moments([3.5] * 9, range(9))
    assert flat["skewness"] == flat["kurtosis"] == flat["slope"] == 0


def wandering(frames, seed):
    """Runs and pauses of random length, F0 wandering and now and then an octave off."""
    rng = np.random.default_rng(seed)
    semitones = 8 + np.cumsum(rng.normal(0, 0.4, frames)) / np.sqrt(1 + np.arange(frames) / 300)
    semitones += 12 * (rng.random(frames) < 0.01)
    voiced = np.repeat(np.arange(frames) % 2, rng.integers(1, 40, frames))[:frames]
    return np.where(voiced, np.clip(semitones, -5, 33), np.nan)  # 75 to 670 Hz


def far_apart(gap):
    """Two runs of ten frames with slopes of their own, and a long pause between."""
    at = np.arange(10.0)
    return np.concatenate([5 + 0.2 * at, np.full(gap, np.nan), 9 - 0.1 * at + 0.01 * at**2])


CONTOURS = {
    "nothing voiced": np.full(9, np.nan),
    "no frame": np.zeros(0),
    "one frame": np.array([np.nan, 3.5]),
    "four": np.array([1, 2, np.nan, 4, 8.0]),
    "five": np.array([1, 2, 4, 8, 5.0]),
    "all octaves": np.array([0, 12, 0, 12, 0, 12.0]),
    "level": np.full(300, 6.25),
    "parabola": 3 + 0.02 * (np.arange(200) - 60) ** 2 / 100,
    "a second": wandering(100, 0),
    "eight seconds": wandering(800, 1),
    "ten minutes": wandering(60000, 2),
    "apart": far_apart(100),
    "far apart": far_apart(700),
}


@pytest.mark.parametrize("name", CONTOURS)
def test_contour(name):
    """Single precision: 2e-4, ten minutes' sums included. Where 7 s part two runs of 0.1 s, the parabola
    hangs on their slopes, a hundredth of the whole: 1e-3."""
    tolerance = 1e-3 if name == "far apart" else 2e-4
    log_periods = harness.log_periods(CONTOURS[name])
    semitones = harness.semitones(log_periods)
    hertz = np.where(np.isnan(semitones), 0, 100 * 2 ** (semitones / 12.0))
    wanted = reference.contour_columns(hertz, len(hertz))
    got = harness.contour(log_periods)
    assert list(got) == [column for column in harness.COLUMNS if column in wanted]
    for column, number in wanted.items():
        assert got[column] == pytest.approx(number, rel=tolerance, abs=2e-4), column


def test_a_hum_of_eleven_minutes_counts_as_runs_of_five():
    """No sum of the contour overflows, wherever F0 jumps to: the run is cut."""
    semitones = np.tile(np.repeat([-5.0, 33.0], 500), 70)
    log_periods = harness.log_periods(semitones)
    got = harness.contour(log_periods)
    found = harness.semitones(log_periods)
    assert got["f0_semitones_mean"] == pytest.approx(found.mean(), abs=1e-3)
    assert got["f0_semitones_std"] == pytest.approx(found.std(), rel=1e-3)
    assert got["f0_semitones_kurtosis"] == pytest.approx(-2, abs=0.01)
    assert got["voiced_fraction"] == 1
    assert got["voiced_segment_max"] == pytest.approx(327.68)
    assert "pause_max" in got and got["pause_max"] == schema.UNDEFINED


def test_history_keeps_quiet_sound_exactly_and_loud_sound_closely():
    quiet = signals.noise(16080, 31)
    # the first hop's 80 samples follow 80 zeros
    assert (harness.Voice(quiet).history()[80:] == quiet).all()
    loud = speech(1)
    error = harness.Voice(loud).history()[80:] - loud
    assert 10 * np.log10((loud.astype(float) ** 2).sum() / (error**2).sum()) > 44


# jitter and shimmer of given pulses


def hann_amplitudes(samples, times):
    """Praat's amplitudes: RMS under a Hann window of 0.2 of the periods to each side."""
    levels = np.zeros(len(times))
    for i in range(1, len(times) - 1):
        left, right = 0.2 * (times[i] - times[i - 1]), 0.2 * (times[i + 1] - times[i])
        if max(left, right) > 0.2 * 320:
            continue
        first, last = np.floor(np.array([times[i] - left, times[i] + right]) + 0.5).astype(int)
        at = np.arange(first, last + 1)
        distance = at - times[i]
        weight = 0.5 + 0.5 * np.cos(np.pi * distance / np.where(distance < 0, left, right))
        rms = np.sqrt(((samples[at] * weight) ** 2).sum() / (weight**2).sum())
        levels[i] = np.log2(rms) if rms > 0 else 0
    return levels


def test_jitter_and_shimmer_of_praats_own_pulses():
    for seed in range(3):
        samples = speech(3, seed)
        swell = 0.7 + 0.3 * np.sin(np.arange(len(samples)) / 60)
        samples = (samples * swell).astype(np.int16)
        sound = sound_of(samples)
        pulses = call([sound, reference.to_pitch(sound)], "To PointProcess (cc)")
        count = call(pulses, "Get number of points")
        times = [call(pulses, "Get time from index", i + 1) for i in range(count)]
        places = np.array(times) * 16000 - 0.5
        levels = hann_amplitudes(samples.astype(float), places)
        got = harness.perturbation(np.round(places * 256), np.round(levels * 128))
        wanted = list(reference.voice_columns(sound, reference.to_pitch(sound)).values())
        # times are rounded to 1/256 sample, amplitudes to 0.05 dB
        assert got == pytest.approx(wanted, rel=0.02)


def pulse_train(period, *, jitter=0.004, shimmer=0.03, peak=8000, offset=0, seed=1):
    """A voice of 0.75 s and silence after it: samples, and the (places, log2 amplitudes) of its pulses.

    Each rings at four times the pitch, and dies away before the next. jitter, shimmer: standard deviation of
    a period and an amplitude.
    """
    rng = np.random.default_rng(seed)
    count = int(12000 / period)
    places = 200 + np.cumsum(period * (1 + jitter * rng.normal(size=count).clip(-3, 3)))
    amplitudes = 1 + shimmer * rng.normal(size=count).clip(-3, 3)
    since = (np.arange(16080)[:, None] - places) / period
    rings = np.where(since >= 0, np.exp(-6 * since.clip(0)) * np.sin(8 * np.pi * since), 0)
    wave = rings @ amplitudes
    return np.rint(peak * wave / np.abs(wave).max() + offset).astype(int), (
        places,
        np.log2(amplitudes) + 20,
    )


TRAINS = {
    "a man": pulse_train(134.3),
    "a woman": pulse_train(71.7),
    "75 Hz": pulse_train(211.0),
    "600 Hz": pulse_train(27.2),
    "with an offset": pulse_train(97.1, offset=500),
    "full scale": pulse_train(88.8, peak=32767),
    "over full scale": pulse_train(88.8, peak=45000),
    "a few units": pulse_train(110.4, peak=6),
    "hoarse": pulse_train(120.2, jitter=0.02, shimmer=0.15),
}
JITTER_AND_SHIMMER = [column for column in harness.COLUMNS if schema.GROUP_OF[column] == "voice"]


@pytest.mark.parametrize("name", TRAINS)
def test_pulses_jitter_and_shimmer_by_their_definition(name):
    """In double precision, of the sound as it is kept and the F0 as it was found."""
    samples = np.clip(TRAINS[name][0], -32768, 32767).astype(np.int16)
    stream = harness.Voice(samples)
    kept = stream.history()[-len(samples) :]
    marking = pulse_definition.Marking(kept, stream.track(), stream.level() / 256)
    places, wanted = stream.pulses(), marking.pulses()
    assert len(places) == len(wanted) > 50
    # places are stored in 1/256, levels in 1/128 octave; behind the voice an offset is like itself anywhere
    assert np.abs(places - wanted)[places < 12000].max() < 0.5 / 256 + 5e-4
    levels = np.rint(128 * marking.levels(places)) / 128
    wanted = pulse_definition.perturbation(places, levels)
    found = stream.columns()
    for column, number in zip(JITTER_AND_SHIMMER, wanted, strict=True):
        # a level that is halfway between two may have been rounded to the other
        flip = (
            0 if "jitter" in column else 2 / 128 * (6.02 if "_db" in column else 0.7) / len(places)
        )
        assert found[column] == pytest.approx(number, rel=1e-4, abs=1e-6 + flip), column


@pytest.mark.parametrize("name", ["a man", "a woman", "75 Hz", "full scale", "hoarse"])
def test_jitter_and_shimmer_are_those_that_were_put_in(name):
    samples, pulses = TRAINS[name]
    found = harness.Voice(np.clip(samples, -32768, 32767).astype(np.int16)).columns()
    for column, number in zip(
        JITTER_AND_SHIMMER, pulse_definition.perturbation(*pulses), strict=True
    ):
        assert found[column] == pytest.approx(number, rel=0.1), column


@pytest.mark.parametrize("name", TRAINS)
def test_pulses_do_not_depend_on_how_the_sound_comes(name):
    samples = np.clip(TRAINS[name][0], -32768, 32767).astype(np.int16)
    whole, parts = harness.Voice(samples), harness.Voice(samples[:80])
    for start in range(80, len(samples), 480):
        parts.push(samples[start : start + 480])
    assert parts.columns() == whole.columns()
    assert (parts.pulses() == whole.pulses()).all()


@pytest.mark.parametrize("options", [("-DSER_TEST_NARROW_PRODUCTS",), ("-mavx2",)])
def test_pulses_have_the_same_bits_by_every_kernel(options):
    """Two sums at a time, as on a Cortex-M0+; sixteen products at a time.

    Of samples of -2^15 side by side as well, the sum of whose products does not fit 32 bits.
    """
    if options == ("-mavx2",) and "avx2" not in Path("/proc/cpuinfo").read_text(encoding="utf-8"):
        pytest.skip("no AVX2 here")
    square = np.where(np.arange(16080) // 40 % 2, 32767, -32768)
    for samples in [*(train for train, _ in TRAINS.values()), square]:
        samples = np.clip(samples, -32768, 32767).astype(np.int16)
        other = harness.Voice(samples, options=options)
        assert other.columns() == harness.Voice(samples).columns()


@given(
    st.integers(0, 2**31),
    st.sampled_from([(0.01, 1.0), (0.1, 8.0), (0.3, 12.0)]),
    st.integers(8, 300),
)
def test_jitter_and_shimmer_of_any_pulses(seed, spread, count):
    """Of amplitudes down to one unit, periods that are none between them."""
    rng = np.random.default_rng(seed)
    periods = rng.uniform(30, 300) * (1 + spread[0] * rng.normal(size=count).clip(-3, 3))
    periods[rng.random(count) < 0.02] = 700
    places = np.rint(np.cumsum(periods) * 256)
    levels = np.rint(rng.uniform(1, 1800) + spread[1] * rng.normal(size=count)).clip(1, 2047)
    wanted = pulse_definition.perturbation(places / 256, levels / 128)
    assert harness.perturbation(places, levels) == pytest.approx(wanted, rel=1e-4, abs=1e-5)


# stages, frame by frame


@pytest.mark.corpora
def test_pitch_frames(clips, streams):
    frames = wrong = settled = 0
    header = (REPOSITORY / "embedded/src/ser_pitch.h").read_text(encoding="utf-8")
    kept, at_once = (
        int(re.search(rf"#define SER_PITCH_{name} (\d+)", header)[1])
        for name in ("FRAMES", "COMMIT")
    )
    for (_, samples), stream in zip(clips, streams, strict=True):
        wanted = reference.to_pitch(sound_of(samples)).selected_array["frequency"]
        got = stream.track()
        gone = len(wanted) - len(got)  # settled with the peak so far
        assert gone % at_once == 0
        settled += gone > 0 and len(wanted) <= kept
        wanted = wanted[gone:]
        both = (wanted > 0) & (got > 0)
        distance = 12 * np.abs(np.log2(got[both] / wanted[both]))
        wrong += ((wanted > 0) != (got > 0)).sum() + (distance > 0.2).sum()
        frames += len(wanted)
        assert np.median(distance) < 0.01 if both.any() else True
    assert wrong <= 0.002 * frames
    assert settled <= 0.01 * len(clips)


def test_the_path_follows_a_peak_that_falls_as_the_mean_settles():
    """One-sided noise at the start: the mean so far makes the peak seem larger than the whole sound's is."""
    voice = signals.voice(24080, period=110).astype(float)
    voice -= voice.mean()
    samples = np.rint(voice * 390 / np.abs(voice).max()).astype(np.int16)
    samples[:80] = np.repeat([12000, -12000], [70, 10])
    wanted = reference.to_pitch(sound_of(samples)).selected_array["frequency"] > 0
    assert wanted.mean() > 0.9  # just not silent beside that noise
    assert np.array_equal(harness.Voice(samples).track() > 0, wanted)


@pytest.mark.corpora
def test_intensity_frames(clips, streams):
    errors = []
    for (_, samples), stream in zip(clips, streams, strict=True):
        wanted = sound_of(samples).to_intensity(75, 0.01, subtract_mean=True).values[0]
        got = stream.intensity()
        assert len(got) == len(wanted)
        errors.append(np.abs(got - np.maximum(wanted, 0)))
    errors = np.concatenate(errors)
    # frames lie between two samples; on which of them Praat's window is centred, its rounding decides
    assert np.median(errors) < 2e-3  # dB: four samples share a weight of the window
    assert np.quantile(errors, 0.99) < 0.1


# columns

BARS = {"jitter": 0.985, "shimmer": 0.985}


@pytest.mark.corpora
def test_columns_follow_praat(clips, streams):
    """Pearson's r per column over all clips, and of jitter and shimmer in every corpus."""
    wanted, got = [], []
    for (_, samples), stream in zip(clips, streams, strict=True):
        sound = sound_of(samples)
        pitch = reference.to_pitch(sound)
        values = {**reference.pitch_columns(pitch), **reference.clear_columns(pitch)}
        values.update(reference.voice_columns(sound, pitch))
        values.update(reference._moments("hnr", *reference._hnr_track(sound)))
        wanted.append([values[column] for column in harness.COLUMNS])
        got.append(list(stream.columns().values()))
    wanted, got = np.array(wanted), np.array(got)
    corpus = np.array([name for name, _ in clips])
    short = []
    for i, column in enumerate(harness.COLUMNS):
        bar = BARS.get(column.split("_")[0], 0.995)
        if (r := np.corrcoef(wanted[:, i], got[:, i])[0, 1]) < bar:
            short.append((column, "all", r))
        for name in CORPORA if column.split("_")[0] in BARS else ():
            where = corpus == name
            if (r := np.corrcoef(wanted[where, i], got[where, i])[0, 1]) < 0.95:
                short.append((column, name, r))
    assert short == []


# the stream


def test_asking_does_not_disturb_the_stream():
    samples = speech(4)
    undisturbed, asked = harness.Voice(samples), harness.Voice()
    for start in (0, 16080, 16080 + 8000, 16080 + 16000):
        stop = min(start + 16080 if start == 0 else start + 8000, len(samples))
        asked.push(samples[start:stop])
        assert asked.columns() == asked.columns()
    asked.push(samples[stop:])
    assert asked.columns() == undisturbed.columns()


NOT_AHEAD = ("-DSER_PITCH_COUNTS=0",)


@given(
    sentences=st.lists(
        st.tuples(st.integers(40, 200), st.integers(1, 4), st.integers(-12, 0), st.integers(0, 60)),
        min_size=1,
        max_size=7,
    ),
    asking=st.integers(3, 70),
)
@settings(max_examples=15, deadline=None)
def test_frames_counted_while_the_sound_goes_on_are_those_counted_when_asked(sentences, asking):
    """Whatever the loudness of what comes, which moves the peak and so what is silent and what is clear, for
    longer than all frames are kept; and whenever it is asked."""
    parts = []
    for hops, seed, down, quiet in sentences:
        voice = signals.voice(160 * hops, period=90 + seed, wobble=seed, seed=seed)
        parts += [voice * 2.0 ** (down / 2), signals.noise(160 * quiet, 30, seed)]
    sound = np.concatenate(parts)
    ahead_as_when_asked(audio.block_dc(audio.cut(sound.astype(np.int16))), asking)


def test_frames_of_speech_counted_while_it_goes_on_are_those_counted_when_asked(clips):
    """Sentences that grow louder, fall, and follow each other for longer than all frames are kept."""
    speech = [samples for _, samples in clips[::9]]
    for samples in speech:
        ahead_as_when_asked(samples, 23)
    for first, gains in enumerate(((0.02, 0.1, 0.4, 0.6, 1), (1, 0.3, 0.05, 0.9, 0.2))):
        parts = [gain * samples for gain, samples in zip(gains, speech[5 * first :], strict=False)]
        ahead_as_when_asked(audio.cut(np.concatenate(parts).astype(np.int16)), 61)


def ahead_as_when_asked(samples, hops):
    """Asked every so many hops."""
    ahead, when_asked = harness.Voice(), harness.Voice(options=NOT_AHEAD)
    marks = [0, *range(80 + 160 * hops, len(samples), 160 * hops), len(samples)]
    for start, stop in itertools.pairwise(marks):
        for voice in (ahead, when_asked):
            voice.push(samples[start:stop])
        assert ahead.columns() == when_asked.columns()


def test_a_shared_spectrum_gives_the_same_hnr():
    samples = speech(3)
    alone, shared = harness.Voice(samples).columns(), harness.Voice(samples, share=True).columns()
    assert shared == alone


@pytest.mark.corpora
def test_beyond_eight_seconds_the_answer_is_close(clips):
    """A minute of two speakers, where the oldest frames and pulses are settled with the peak so far."""
    samples = np.concatenate([samples for corpus, samples in clips if corpus == "Savee"])
    samples = samples[: 60 * 16000 - 80]
    sound = sound_of(samples)
    pitch = reference.to_pitch(sound)
    wanted = {**reference.pitch_columns(pitch), **reference.clear_columns(pitch)}
    wanted.update(reference.voice_columns(sound, pitch))
    wanted.update(reference._moments("hnr", *reference._hnr_track(sound)))
    got = harness.Voice(samples).columns()
    for column in ("f0_semitones_mean", "f0_semitones_std", "hnr_mean", "hnr_std"):
        assert got[column] == pytest.approx(wanted[column], abs=0.2), column
    for column in ("voiced_fraction", "clear_voiced_fraction"):
        assert got[column] == pytest.approx(wanted[column], abs=0.02), column
    assert got["clear_f0_semitones_mean"] == pytest.approx(
        wanted["clear_f0_semitones_mean"], abs=0.2
    )
    for column in ("jitter_local", "jitter_ppq5", "shimmer_local", "shimmer_apq5"):
        assert got[column] == pytest.approx(wanted[column], rel=0.1), column
