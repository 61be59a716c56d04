"""The reference engine: every column against its definition, and sounds whose answer is known beforehand."""

import base64
import itertools
import json
import math
import re

import numpy as np
import parselmouth
import pytest
import scipy.linalg
import scipy.signal
import scipy.stats
import signals
from parselmouth.praat import call
from threadpoolctl import threadpool_limits

from speech_emotion import files
from speech_emotion.checks import parity
from speech_emotion.compiled import librosa
from speech_emotion.corpora import discover
from speech_emotion.features import audio, encoder_weights, reference, schema
from speech_emotion.features.functionals import functionals

RATE = 16000
GATED = {"intensity", *parity.EXACT_GROUPS}
ULP = 2.0**-23  # of float32, relative


def vector(samples):
    """Column by name, of samples cut to the grid."""
    return dict(zip(schema.COLUMNS, reference.extract(audio.cut(samples)).tolist(), strict=True))


def int16(x):
    """Full scale 1 to int16."""
    return np.rint(np.clip(x, -1, 32767 / 32768) * 32768).astype(np.int16)


def time(seconds):
    return np.arange(round(seconds * RATE)) / RATE


def dc_gain(frequency):
    """Of the DC blocker, see test_audio.py: within 0.2 % of 1 above 200 Hz."""
    z = np.exp(2j * np.pi * frequency / RATE)
    return abs((1 - 1 / z) / (1 - (1 - 2**-schema.DC_SHIFT) / z))


# ---- the definitions, written down a second time ------------------------------------------------
# From the schema's `definition` texts, with librosa's functions on the waveform where the engine hands
# spectra around, Praat's commands by name and frame by frame, and SciPy's statistics.


def spectral_tracks(y):
    """Descriptors that librosa has: name to values per frame."""
    at = {"n_fft": 512, "hop_length": 160, "center": False}
    window = {"frame_length": 512, "hop_length": 160, "center": False}
    spectrum = np.abs(librosa.stft(y, **at))
    is_low = np.arange(257) * RATE / 512 < 1000
    low, high = ((spectrum[rows] ** 2).sum(axis=0) + 1e-10 for rows in (is_low, ~is_low))
    mel = librosa.feature.melspectrogram(y=y, sr=RATE, n_mels=40, power=2, **at)
    mel = 10 * np.log10(np.maximum(mel, 1e-10))
    mfcc = librosa.feature.mfcc(S=mel, n_mfcc=21)[1:]
    rise = np.maximum(mel[:, 1:] - mel[:, :-1], 0).mean(axis=0)
    tracks = {
        "rms": librosa.feature.rms(y=y, **window)[0],
        "zcr": librosa.feature.zero_crossing_rate(y, **window)[0],
        "centroid": librosa.feature.spectral_centroid(y=y, sr=RATE, **at)[0],
        "bandwidth": librosa.feature.spectral_bandwidth(y=y, sr=RATE, p=2, **at)[0],
        "rolloff": librosa.feature.spectral_rolloff(y=y, sr=RATE, roll_percent=0.85, **at)[0],
        "flatness": librosa.feature.spectral_flatness(y=y, **at)[0],
        "low_high_db": 10 * np.log10(low / high),
        "flux": np.concatenate([[np.nan], rise]),
    }
    contrast = librosa.feature.spectral_contrast(
        S=np.maximum(spectrum, 1e-5), sr=RATE, fmin=100, n_bands=6, quantile=0.02
    )
    chroma = librosa.feature.chroma_stft(y=y, sr=RATE, tuning=0, **at)
    matrices = {
        "mel": (mel, 0),
        "mfcc": (mfcc, 1),
        "contrast": (contrast, 0),
        "chroma": (chroma, 0),
        "encoder": (encoder_tracks(mel), 0),
    }
    for stem, order in (("mfcc_delta", 1), ("mfcc_delta2", 2)):
        slope = scipy.signal.savgol_filter(mfcc, 9, polyorder=order, deriv=order, mode="interp")
        matrices[stem] = (slope, 1)
    for band, (first, end) in enumerate(((0, 8), (8, 18), (18, 30), (30, 40))):
        level = mel[first:end].astype(np.float64).mean(axis=0)
        matrices[f"modulation_{band}"] = (modulations(level), 0)
    for stem, (matrix, first) in matrices.items():
        digits = "d" if stem.startswith("modulation") else "02d"
        tracks |= {f"{stem}_{i:{digits}}": row for i, row in enumerate(matrix, first)}
    return tracks


def encoder_tracks(mel):
    """The frozen encoder, frame by frame, from its file: mel (40, hops) in dB; NaN between its answers."""
    content = json.loads(encoder_weights.FILE.read_text("utf-8"))
    mean, x = np.zeros(40, np.int64), []
    for hop, levels in enumerate(np.rint(mel.T.astype(float) * 2**14).astype(np.int64) * 64):
        share = round(2**24 / min(hop + 1, content["memory"]))
        mean += ((levels - mean) * share + 2**23) // 2**24
        x.append(np.clip((levels - mean + 2**18) // 2**19, -127, 127))
    x = [np.concatenate([x[i], x[i + 1]]) for i in range(0, len(x) - 1, 2)]
    hops = 2
    for layer in content["layers"]:
        weights = np.frombuffer(base64.b64decode(layer["weights"]), np.int8).astype(np.int64)
        weights = weights.reshape(len(layer["bias"]), 3, -1)
        silence, made = np.zeros_like(x[0]), []
        for last in range(layer["stride"] - 1, len(x), layer["stride"]):
            total = np.array(layer["bias"])
            for tap in range(3):
                place = last - (2 - tap) * layer["dilation"]
                total = total + weights[:, tap] @ (x[place] if place >= 0 else silence)
            y = np.clip((total * np.array(layer["multipliers"]) + 2**30) // 2**31, 0, 127)
            made.append(np.minimum(y + x[last], 127) if layer["residual"] else y)
        x, hops = made, hops * layer["stride"]
    tracks = np.full((len(x[0]), mel.shape[1]), np.nan)
    for i, units in enumerate(x):
        tracks[:, hops * (i + 1) - 1] = units / 128
    return tracks


def running_mean(level, hops):
    """Over the past, its weights falling by e in so many hops; before the first value all was like it."""
    decay = math.exp(-1 / hops)
    past = np.arange(len(level))
    weights = scipy.linalg.toeplitz((1 - decay) * decay**past, np.zeros(len(level)))
    return weights @ level + decay ** (past + 1) * level[0]


def modulations(level):
    means = np.array([level, *(running_mean(level, hops) for hops in (2, 4, 8, 16))])
    return means[:-1] - means[1:]


def frames(praat, *unit):
    """Times and values of a Praat object's frames, NaN where Praat says undefined."""
    numbers = range(1, call(praat, "Get number of frames") + 1)
    return (
        np.array([call(praat, "Get time from frame number", i) for i in numbers]),
        np.array([call(praat, "Get value in frame", i, *unit) for i in numbers]),
    )


def statistics(stem, values, times):
    return {
        f"{stem}_mean": np.mean(values),
        f"{stem}_std": np.std(values),
        f"{stem}_min": np.min(values),
        f"{stem}_max": np.max(values),
        f"{stem}_skewness": scipy.stats.skew(values),
        f"{stem}_kurtosis": scipy.stats.kurtosis(values),
        f"{stem}_slope": scipy.stats.linregress(times, values).slope,
    }


def speech_by_definition(x):
    """The gate: whole 10 dB steps of the mean square re full scale, at most 4 below the loudest."""
    count = (len(x) - 512) // 160 + 1
    power = np.array([np.mean((x[160 * j : 160 * j + 512] / 32768) ** 2) for j in range(count)])
    steps = np.floor((10 * np.log10(np.maximum(power, 1e-12)) + 120) / 10)
    return (steps >= steps.max() - 4) & (steps > 0)


def perturbation(periods, size, deviation):
    """Mean over the runs of `size` periods in which Praat compares them, of |deviation(run)|.

    A run counts when its periods are 0.1-20 ms long and no neighbours differ by more than a factor of 1.3.
    """
    found = []
    for i in range(len(periods) - size + 1):
        run = periods[i : i + size]
        ratios = [max(a, b) / min(a, b) for a, b in itertools.pairwise(run)]
        if min(run) >= 1e-4 and max(run) <= 0.02 and max(ratios) <= 1.3:
            found.append(abs(deviation(run)))
    return np.mean(found)


def by_definition(samples):
    """All columns of a clip of voiced speech."""
    x = audio.block_dc(samples)
    tracks = spectral_tracks((x / 32768).astype(np.float32))
    sound = parselmouth.Sound(x / 32768, RATE)
    times, values = frames(call(sound, "To Intensity", 75, 0.01, "yes"))
    tracks["intensity_db"] = np.full(len(tracks["rms"]), np.nan)
    # spectral frame j is centred at 16 ms + 10 j
    tracks["intensity_db"][np.rint(times * 100 - 1.6).astype(int)] = np.maximum(values, 0)
    for name in ("rms", "intensity_db"):
        tracks[f"{name}_delta"] = np.concatenate([[np.nan], np.diff(tracks[name])])
    found, speech = {}, speech_by_definition(x)
    for name, track in tracks.items():
        use = speech & np.isfinite(track)
        found |= statistics(name, track[use].astype(np.float64), np.flatnonzero(use) * 0.01)
    for a, b in itertools.combinations(range(1, 7), 2):
        pair = [tracks[f"mfcc_{i:02d}"][speech].astype(np.float64) for i in (a, b)]
        found[f"mfcc_corr_{a:02d}_{b:02d}"] = scipy.stats.pearsonr(*pair).statistic
    levels = np.array([found[f"mel_{i:02d}_mean"] for i in range(40)])
    for i, level in enumerate(levels - np.mean(levels)):
        found[f"relative_mel_{i:02d}_mean"] = level

    pitch = call(sound, "To Pitch (ac)", 0.01, 75, 15, "no", 0.03, 0.45, 0.01, 0.35, 0.14, 600)
    times, hertz = frames(pitch, "Hertz")
    semitones = 12 * np.log2(hertz / 100)
    found |= contour(times, semitones)
    found["voiced_fraction"] = call(pitch, "Count voiced frames") / len(hertz)
    loud = np.array([frame.intensity >= 0.2 for frame in pitch])
    clear = loud & np.array([frame.selected.strength >= 0.6 for frame in pitch])
    of_clear = contour(times, np.where(clear, semitones, np.nan))
    found |= {f"clear_{name}": value for name, value in of_clear.items()}
    found["clear_voiced_fraction"] = (clear & np.isfinite(hertz)).sum() / loud.sum()

    pulses = call([sound, pitch], "To PointProcess (cc)")
    count = call(pulses, "Get number of points")
    periods = np.diff([call(pulses, "Get time from index", i + 1) for i in range(count)])
    mean = call(pulses, "Get mean period", 0, 0, 1e-4, 0.02, 1.3)
    found["jitter_local"] = perturbation(periods, 2, lambda run: run[1] - run[0]) / mean
    found["jitter_rap"] = perturbation(periods, 3, lambda run: run[1] - np.mean(run)) / mean
    found["jitter_ppq5"] = perturbation(periods, 5, lambda run: run[2] - np.mean(run)) / mean
    tier = call([pulses, sound], "To AmplitudeTier (period)", 0, 0, 1e-4, 0.02, 1.3)
    for kind, column in (
        ("local", "local"),
        ("local_dB", "db"),
        ("apq3", "apq3"),
        ("apq5", "apq5"),
    ):
        found[f"shimmer_{column}"] = call(tier, f"Get shimmer ({kind})", 1e-4, 0.02, 1.6)

    times, values = frames(call(sound, "To Harmonicity (cc)", 0.01, 75, 0.1, 1.0))
    voiced = values > -200  # False for NaN: Praat calls -200 undefined in a query
    return found | statistics("hnr", values[voiced], times[voiced])


def contour(times, semitones):
    """F0 and how it moves, runs and pauses. times, semitones: of all frames, NaN where unvoiced."""
    voiced = np.isfinite(semitones)
    found = statistics("f0_semitones", semitones[voiced], times[voiced])
    picture = "".join("v" if v else " " for v in voiced).strip()
    found["voiced_segment_rate"] = len(picture.split()) / (0.01 * len(picture))
    for stem, runs in (("voiced_segment", picture.split()), ("pause", picture.split("v"))):
        seconds = [0.01 * len(run) for run in runs if run] or [0]
        found |= {f"{stem}_mean": np.mean(seconds), f"{stem}_std": np.std(seconds)}
        found[f"{stem}_max"] = max(seconds)
    pairs = [(a, b) for a, b in itertools.pairwise(semitones) if abs(b - a) < 6]
    change = np.array([b - a for a, b in pairs])
    found |= {
        "f0_delta_mean": np.mean(change),
        "f0_delta_std": np.std(change),
        "f0_delta_abs": np.mean(np.abs(change)),
        "f0_rising": sum(b > a for a, b in pairs) / len(pairs),
        "f0_rise": np.maximum(change, 0).sum() / voiced.sum(),
        "f0_fall": np.minimum(change, 0).sum() / voiced.sum(),
    }
    t, f0 = times[voiced], semitones[voiced]
    scaled = (t - t.mean()) / (t[-1] - t[0])
    design = np.stack([np.ones_like(scaled), scaled, scaled**2], axis=1)
    _, found["f0_tilt"], found["f0_curvature"] = np.linalg.lstsq(design, f0)[0]
    found["f0_start"] = np.mean(f0[:5] - f0.mean())
    found["f0_end"] = np.mean(f0[-5:] - f0.mean())
    picture = "".join("v" if v else " " for v in voiced)
    runs = [run.span() for run in re.finditer("v{5,}", picture)]
    slopes = [scipy.stats.linregress(times[a:b], semitones[a:b]).slope for a, b in runs]
    ranges = [max(semitones[a:b]) - min(semitones[a:b]) for a, b in runs]
    return found | {
        "f0_segment_std": np.std([semitones[a:b].mean() for a, b in runs]),
        "f0_segment_range_mean": np.mean(ranges),
        "f0_segment_range_max": max(ranges),
        "f0_segment_slope_mean": np.mean(slopes),
        "f0_segment_slope_std": np.std(slopes),
        "f0_segment_slope_abs": np.mean(np.abs(slopes)),
    }


def check_every_column(samples):
    found, expected = vector(samples), by_definition(audio.cut(samples))
    for column in schema.COLUMNS:
        # Both sides give librosa the same float32 samples: what is left is the rounding of the vector to
        # float32, and for a value that is a difference of larger ones, the order of their sums
        assert found[column] == pytest.approx(expected[column], rel=ULP, abs=1e-9), column


@pytest.mark.corpora
@pytest.mark.parametrize("corpus", ["cremad", "ravdess", "savee", "tess"])
def test_every_column_of_real_clips_is_what_librosa_and_praat_say(corpora_dir, corpus):
    clips = [clip for clip in discover(corpora_dir).clips if clip.corpus == corpus]
    # two speakers and two emotions where a corpus has them, always the same clips
    for clip in (clips[len(clips) // 5], clips[-len(clips) // 3]):
        check_every_column(audio.load(clip.path))


def test_every_column_of_a_made_voice_is_what_librosa_and_praat_say():
    check_every_column(signals.voice(2 * RATE, glide=1, wobble=2) + signals.noise(2 * RATE, 20))


# ---- sounds with a known answer -----------------------------------------------------------------


@pytest.fixture(scope="module")
def sine():
    """0.3 of full scale at 250 Hz: 8 periods to the frame, 2.5 to the hop."""
    return vector(int16(0.3 * np.sin(2 * np.pi * 250 * time(2))))


def test_sine_rms_is_its_amplitude_over_the_root_of_two(sine):
    level = 0.3 / math.sqrt(2) * dc_gain(250)
    # the DC blocker's own start dies away within the first frames: 0.1 %
    for functional in ("mean", "min", "max"):
        assert sine[f"rms_{functional}"] == pytest.approx(level, rel=1e-3)
    assert sine["rms_std"] < 1e-4
    assert sine["rms_slope"] == pytest.approx(0, abs=1e-4)


def test_sine_intensity_is_its_level_above_20_micropascals(sine):
    level = 20 * math.log10(0.3 / math.sqrt(2) * dc_gain(250) / 2e-5)
    assert sine["intensity_db_mean"] == pytest.approx(level, abs=0.001)
    assert sine["intensity_db_std"] < 0.001


def test_sine_crosses_zero_twice_a_period(sine):
    """16 crossings in the 512 samples of a frame, the one before its first sample not counted."""
    assert sine["zcr_min"] == sine["zcr_max"] == 15 / 512
    shifted = vector(int16(0.3 * np.sin(2 * np.pi * 250 * time(2) + 0.3)))
    assert shifted["zcr_max"] == 16 / 512


def test_sine_f0_is_its_frequency(sine):
    # Praat's F0 of a pure tone is good to about 1e-5 (Boersma 1993: 5e-6 at best): 1e-3 semitones
    assert sine["f0_semitones_mean"] == pytest.approx(12 * math.log2(2.5), abs=1e-3)
    assert sine["f0_semitones_std"] < 1e-3
    assert sine["voiced_fraction"] == 1
    assert (
        sine["voiced_segment_mean"] == sine["voiced_segment_max"] == pytest.approx(1.97, abs=0.01)
    )
    assert sine["pause_max"] == sine["pause_mean"] == 0


def test_sine_has_no_jitter_and_no_shimmer(sine):
    # the rounding to 16 bits is -91 dB of this level: 3e-5
    for column in schema.COLUMNS:
        if schema.GROUP_OF[column] == "voice":
            assert 0 <= sine[column] < (1e-4 if column != "shimmer_db" else 20 * math.log10(1.0001))


def test_sine_spectrum_stands_at_its_frequency(sine):
    """Bin 8 of 31.25 Hz, and with the Hann window half as much in bins 7 and 9."""
    # the tone's magnitudes sum to 0.3 * 256 = 77; rounding to 16 bits puts 1.2e-4 into each of 254 other
    # bins, which lie 4000 Hz away on average: 1.6 Hz
    assert sine["centroid_mean"] == pytest.approx(250, abs=2)
    assert sine["rolloff_min"] == sine["rolloff_max"] == 281.25  # 25, 75, 100 % of its magnitudes
    assert sine["flatness_max"] < 1e-6
    assert sine["low_high_db_mean"] > 60


def test_twice_the_amplitude_is_six_decibels_everywhere():
    once, twice = (vector(n * signals.voice(RATE, wobble=2)) for n in (1, 2))
    step = 20 * math.log10(2)
    # an odd difference rounds half a sample off in the DC blocker: some 1e-3 of a quiet frame
    for column in ("intensity_db_mean", "intensity_db_max", "mel_05_mean", "mel_20_mean"):
        assert twice[column] - once[column] == pytest.approx(step, abs=0.01)
    assert twice["rms_mean"] == pytest.approx(2 * once["rms_mean"], rel=1e-3)
    for column in ("f0_semitones_mean", "zcr_mean", "hnr_mean", "jitter_local", "shimmer_local"):
        assert twice[column] == pytest.approx(once[column], rel=0.01)


def test_a_rising_tone_has_its_slope():
    t = time(2)
    found = vector(int16((0.2 + 0.3 * t) * np.sin(2 * np.pi * 250 * t)))
    slope = 0.3 / math.sqrt(2) * dc_gain(250)  # full scale per second
    assert found["rms_slope"] == pytest.approx(slope, rel=1e-3)
    # evenly spaced values: a uniform distribution has excess kurtosis -6/5
    assert found["rms_skewness"] == pytest.approx(0, abs=0.01)
    assert found["rms_kurtosis"] == pytest.approx(-1.2, abs=0.01)


def test_a_glide_of_five_semitones_a_second_has_that_slope():
    frequency = 110 * 2 ** (time(2) * 5 / 12)
    found = vector(int16(0.3 * np.sin(2 * np.pi * np.cumsum(frequency) / RATE)))
    assert found["f0_semitones_slope"] == pytest.approx(5, abs=0.01)
    assert found["f0_delta_mean"] == pytest.approx(0.05, abs=1e-4)
    assert found["f0_delta_std"] < 0.005
    # all of it rises, in one straight run
    assert found["f0_delta_abs"] == pytest.approx(0.05, abs=1e-4)
    assert found["f0_rising"] == 1
    # one change less than frames, of some 190
    assert found["f0_rise"] == pytest.approx(0.05, rel=0.01)
    assert found["f0_fall"] == found["f0_segment_slope_std"] == found["f0_segment_std"] == 0
    for column in ("f0_segment_slope_mean", "f0_segment_slope_abs"):
        assert found[column] == pytest.approx(5, abs=0.01)
    span = found["voiced_segment_max"] - 0.01  # s, from the first voiced frame to the last
    assert found["f0_segment_range_mean"] == found["f0_segment_range_max"]
    for column in ("f0_segment_range_max", "f0_tilt"):
        assert found[column] == pytest.approx(5 * span, abs=0.02)
    assert found["f0_curvature"] == pytest.approx(0, abs=0.02)
    edge = 5 * (span / 2 - 0.02)  # the middle of five frames, 2 from the end
    assert found["f0_end"] == pytest.approx(edge, abs=0.01)
    assert found["f0_start"] == pytest.approx(-edge, abs=0.01)
    middle = (
        len(audio.cut(np.zeros(2 * RATE, np.int16))) / 2 / RATE
    )  # frames lie symmetrically around it
    assert found["f0_semitones_mean"] == pytest.approx(12 * math.log2(1.1) + 5 * middle, abs=1e-3)


def test_an_arch_of_eight_semitones_has_that_curvature():
    """Two semitones up and down again within 2 s: over time scaled to 1, F0 is its peak - 8 u^2."""
    u = time(2) / 2 - 0.5
    frequency = 150 * 2 ** (-8 * u**2 / 12)
    found = vector(int16(0.3 * np.sin(2 * np.pi * np.cumsum(frequency) / RATE)))
    share = (found["voiced_segment_max"] - 0.01) / 2  # of the 2 s that voiced frames' centres span
    assert found["f0_curvature"] == pytest.approx(-8 * share**2, abs=0.02)
    assert found["f0_tilt"] == pytest.approx(0, abs=0.05)
    assert found["f0_rising"] == pytest.approx(0.5, abs=0.02)
    assert found["f0_rise"] == pytest.approx(-found["f0_fall"], rel=0.05)
    assert found["f0_start"] == pytest.approx(found["f0_end"], abs=0.1) and found["f0_end"] < 0


def test_an_octave_jump_is_no_change_of_f0():
    """Six semitones and more within a hop are the tracker's, not the voice's."""
    found = reference._f0_changes(np.array([0, 0.5, 12.5, 12.0, np.nan, 3.0, 9.0, 3.5]))
    assert found["f0_delta_mean"] == pytest.approx((0.5 - 0.5 - 5.5) / 3)
    assert found["f0_delta_abs"] == pytest.approx((0.5 + 0.5 + 5.5) / 3)
    assert found["f0_rising"] == pytest.approx(1 / 3)
    assert found["f0_rise"] == pytest.approx(0.5 / 7)
    assert found["f0_fall"] == pytest.approx(-6 / 7)


@pytest.mark.parametrize("hertz", [0.5, 2, 8, 20])
def test_a_level_that_swings_has_the_modulation_of_the_filters(hertz):
    """A running mean g / (1 - (1 - g) / z) of a sine in the steady state: its gain at that frequency."""
    hops = np.arange(4000)
    tracks = reference._modulation(-40 + 6 * np.sin(2 * np.pi * hertz * hops / 100))
    z = np.exp(2j * np.pi * hertz / 100)
    gains = [1 - math.exp(-1 / t) for t in (2, 4, 8, 16)]
    through = [1, *(g / (1 - (1 - g) / z) for g in gains)]
    for track, (fast, slow) in zip(tracks, itertools.pairwise(through), strict=True):
        # 3800 hops are whole periods of each
        assert np.std(track[200:]) == pytest.approx(6 / math.sqrt(2) * abs(fast - slow), rel=1e-4)


def test_mfccs_correlate_as_their_frames_do():
    """One spectrum that grows weaker or stronger against a floor moves all MFCCs along a line: |r| = 1."""
    shape = np.random.default_rng(3).normal(size=(6, 1))
    loudness = np.random.default_rng(4).normal(size=50)
    tracks = {f"mfcc_{i + 1:02d}": row for i, row in enumerate(5 + shape * loudness)}
    tracks["mfcc_03"] = np.full(50, 7.0)
    speech = np.arange(50) % 3 > 0
    found = reference._correlations(tracks, speech)
    for a, b in itertools.combinations(range(6), 2):
        expected = 0 if 2 in (a, b) else np.sign(shape[a, 0] * shape[b, 0])
        assert found[f"mfcc_corr_{a + 1:02d}_{b + 1:02d}"] == pytest.approx(expected, abs=1e-12)


def test_relative_columns_do_not_tell_how_loud_a_clip_is():
    """Two steps of the gate less, and no sample rounded; with noise, so that every band is above rounding."""
    sound = signals.voice(16080, glide=1, wobble=2) // 2 + signals.noise(16080, 3000)
    loud = 10 * (sound // 10).astype(np.int16)
    of_loud, of_soft = vector(loud), vector(loud // 10)
    columns = [column for column in schema.COLUMNS if schema.GROUP_OF[column] == "relative"]
    assert len(columns) == 40
    for column in columns:
        deviation = of_loud[column.removeprefix("relative_").rpartition("_")[0] + "_std"]
        assert of_soft[column] == pytest.approx(of_loud[column], abs=0.05 * abs(deviation)), column
    assert of_loud["mel_10_mean"] - of_soft["mel_10_mean"] == pytest.approx(20, abs=0.01)


def test_bursts_are_counted_and_their_pauses_measured():
    """Three tones of 0.3 s, 0.2 s apart. Praat's 40 ms window blurs an edge by up to half of itself."""
    t = time(1.7)
    on = np.zeros(len(t))
    for start in (0.2, 0.7, 1.2):
        on[round(start * RATE) : round((start + 0.3) * RATE)] = 1
    found = vector(int16(0.3 * on * np.sin(2 * np.pi * 200 * t)))
    assert found["voiced_segment_mean"] == pytest.approx(0.3, abs=0.02)
    assert found["voiced_segment_max"] == pytest.approx(0.3, abs=0.02)
    assert found["voiced_segment_std"] < 0.01
    assert found["pause_mean"] == pytest.approx(0.2, abs=0.02)
    assert found["pause_max"] == pytest.approx(0.2, abs=0.02)
    assert found["voiced_segment_rate"] == pytest.approx(3 / 1.3, rel=0.04)
    assert found["voiced_fraction"] == pytest.approx(0.9 / 1.7, abs=0.06)


def test_a_second_voice_in_the_pauses_is_voiced_but_not_clear():
    """Two tones of 0.3 s at 200 Hz, 0.3 s apart; all along one of 120 Hz at a tenth of their amplitude."""
    t = time(1.5)
    on = ((t > 0.3) & (t < 0.6) | (t > 0.9) & (t < 1.2)).astype(float)
    talker = 0.3 * on * np.sin(2 * np.pi * 200 * t)
    alone, both = vector(int16(talker)), vector(int16(talker + 0.03 * np.sin(2 * np.pi * 120 * t)))
    assert both["voiced_fraction"] > 0.9
    assert both["f0_semitones_min"] == pytest.approx(12 * np.log2(1.2), abs=0.1)
    assert both["clear_f0_semitones_min"] == pytest.approx(12, abs=0.1)
    assert both["clear_f0_semitones_max"] == pytest.approx(12, abs=0.1)
    assert both["clear_pause_max"] == pytest.approx(alone["clear_pause_max"], abs=0.011)
    assert both["clear_voiced_segment_rate"] == pytest.approx(2 / 0.9, rel=0.05)
    assert both["clear_voiced_fraction"] == pytest.approx(1, abs=0.05)


def test_a_hoarse_stretch_is_voiced_but_not_clear():
    """A voice of 0.6 s at 1 part noise to 1 part voice, after 0.6 s without: Praat's r is a half there."""
    t = time(1.2)
    voice = sum(np.sin(2 * np.pi * 150 * k * t) for k in range(1, 20))
    hiss = np.random.default_rng(3).standard_normal(len(t)) * np.std(voice) * (t > 0.6)
    found = vector(int16(0.3 * (voice + hiss) / np.abs(voice + hiss).max()))
    assert found["voiced_fraction"] > 0.8
    assert found["clear_voiced_fraction"] == pytest.approx(0.5, abs=0.1)


def pulses(periods, amplitudes):
    """A train of zero-mean pulses 1 ms wide at exact times: periods in s, one amplitude more."""
    at = 0.05 + np.concatenate([[0], np.cumsum(periods)])
    t = (np.arange(round((at[-1] + 0.05) * RATE)) + 0.5) / RATE
    x = np.zeros(len(t))
    for centre, amplitude in zip(at, amplitudes, strict=True):
        u = ((t - centre) / 0.0006) ** 2
        x += amplitude * (1 - 2 * u) * np.exp(-u)
    return int16(0.35 * x)


ALTERNATING = np.where(np.arange(201) % 2, 1.0, -1.0)
# (T + d, T - d, T + d, ...): successive periods differ by 2d, one differs from the mean of three by 4/3 d
# and from the mean of five by 4/5 d
ALTERNATION = {"local": 2, "rap": 4 / 3, "ppq5": 4 / 5, "apq3": 4 / 3, "apq5": 4 / 5}


@pytest.mark.parametrize("f0", [90, 120, 200])
@pytest.mark.parametrize("d", [0.002, 0.005])
def test_alternating_periods_have_the_jitter_of_the_formula(f0, d):
    found = vector(pulses((1 + d * ALTERNATING[:200]) / f0, np.ones(201)))
    for kind in ("local", "rap", "ppq5"):
        # a period is found by interpolating a correlation between samples: to 1/400 of one
        error = ALTERNATION[kind] * (1 / 400) * f0 / RATE
        assert found[f"jitter_{kind}"] == pytest.approx(ALTERNATION[kind] * d, abs=error), kind
    assert found["shimmer_local"] < 2e-4
    assert found["f0_semitones_mean"] == pytest.approx(12 * math.log2(f0 / 100), abs=1e-3)


@pytest.mark.parametrize("f0", [90, 120, 200])
@pytest.mark.parametrize("s", [0.02, 0.05])
def test_alternating_amplitudes_have_the_shimmer_of_the_formula(f0, s):
    found = vector(pulses(np.full(200, 1 / f0), 1 + s * ALTERNATING))
    for kind in ("local", "apq3", "apq5"):
        # 16 bits of pulses a third of full scale high, sampled anywhere on their slopes: 0.1 %
        assert found[f"shimmer_{kind}"] == pytest.approx(ALTERNATION[kind] * s, rel=1e-3), kind
    decibels = 20 * math.log10((1 + s) / (1 - s))
    assert found["shimmer_db"] == pytest.approx(decibels, rel=1e-3)
    assert found["jitter_local"] < 2e-5


def local(values):
    """Mean difference of neighbours over the mean."""
    return np.abs(np.diff(values)).mean() / values.mean()


def quotient(values, size):
    """Mean difference of each from the mean of the `size` around it, over the mean."""
    runs = np.lib.stride_tricks.sliding_window_view(values, size)
    return np.abs(runs[:, size // 2] - runs.mean(axis=1)).mean() / values.mean()


@pytest.mark.parametrize("f0", [110, 180])
def test_random_periods_have_the_jitter_of_the_very_periods_put_in(f0):
    periods = (1 + np.random.default_rng(f0).uniform(-0.02, 0.02, 200)) / f0
    found = vector(pulses(periods, np.ones(201)))
    # 1/400 of a sample on periods of 89 to 145 samples: 3e-5 each, and as often too long as too short
    assert found["jitter_local"] == pytest.approx(local(periods), abs=3e-5)
    assert found["jitter_rap"] == pytest.approx(quotient(periods, 3), abs=3e-5)
    assert found["jitter_ppq5"] == pytest.approx(quotient(periods, 5), abs=3e-5)


@pytest.mark.parametrize("f0", [110, 180])
def test_random_amplitudes_have_the_shimmer_of_the_very_amplitudes_put_in(f0):
    amplitudes = 1 + np.random.default_rng(f0).uniform(-0.1, 0.1, 201)
    found = vector(pulses(np.full(200, 1 / f0), amplitudes))
    inner = amplitudes[1:-1]  # a pulse is measured between two periods
    decibels = np.abs(20 * np.log10(inner[1:] / inner[:-1])).mean()
    # as for the alternating amplitudes
    assert found["shimmer_local"] == pytest.approx(local(inner), rel=1e-3)
    assert found["shimmer_apq3"] == pytest.approx(quotient(inner, 3), rel=1e-3)
    assert found["shimmer_apq5"] == pytest.approx(quotient(inner, 5), rel=1e-3)
    assert found["shimmer_db"] == pytest.approx(decibels, rel=1e-3)


@pytest.mark.parametrize("f0", [100, 250])
@pytest.mark.parametrize("ratio", [5, 10, 20, 30])
def test_harmonics_in_noise_have_their_harmonics_to_noise_ratio(f0, ratio):
    harmonics = sum(np.sin(2 * np.pi * f0 * k * time(2) + k * k) for k in range(1, 6))
    noise = np.random.default_rng(ratio).standard_normal(len(harmonics))
    x = harmonics / harmonics.std() + noise / noise.std() * 10 ** (-ratio / 20)
    found = vector(int16(0.1 * x))
    # One period of 212 samples holds the ratio to about 10 log10(1 + sqrt(2 / 212)) = 0.4 dB, and the best
    # of many lags is taken: too high by about as much.
    assert found["hnr_mean"] == pytest.approx(ratio + 0.4, abs=0.4)


@pytest.fixture(scope="module")
def noise():
    return vector(signals.noise(3 * RATE, 20000))


def test_white_noise_has_a_harmonics_to_noise_ratio_near_the_floor(noise):
    """Correlations of 212 unrelated samples have a standard deviation of 0.07; the largest of some 190 lags
    is 2 to 4 of those: r = 0.14 to 0.28, or -8 to -4 dB."""
    assert -8 < noise["hnr_mean"] < -4


def test_white_noise_is_unvoiced(noise):
    assert noise["voiced_fraction"] < 0.02
    assert abs(noise["jitter_local"]) < 0.1


def test_white_noise_is_flat(noise):
    # the geometric mean of exponentially distributed powers is e^-gamma of their mean; 296 frames
    assert noise["flatness_mean"] == pytest.approx(math.exp(-np.euler_gamma), abs=0.01)
    assert noise["zcr_mean"] == pytest.approx(0.5, abs=0.01)
    assert noise["centroid_mean"] == pytest.approx(4000, rel=0.01)
    assert noise["rolloff_mean"] == pytest.approx(0.85 * 8000, rel=0.01)
    assert noise["rms_mean"] == pytest.approx(20000 / 32768 / math.sqrt(3), rel=0.01)
    # 32 bins against 225, two of them half under the DC blocker: a few tenths of a dB less
    assert noise["low_high_db_mean"] == pytest.approx(10 * math.log10(32 / 225), abs=0.4)


# ---- the gate -----------------------------------------------------------------------------------


def frame_of(energy):
    """512 samples whose squares sum to exactly this."""
    samples = []
    for _ in range(512):
        samples.append(min(32767, math.isqrt(energy)))
        energy -= samples[-1] ** 2
    assert energy == 0
    return np.array(samples, np.int16)


@pytest.mark.parametrize("step", range(1, 12))
def test_a_level_step_begins_at_its_very_integer(step):
    """Step k begins at -120 + 10 k dB of full scale, 512 * 32768^2 (DC is not removed here)."""
    border = -(-512 * 32768**2 // 10 ** (12 - step))
    assert reference.step_energies()[step - 1] == border
    assert reference.level_steps(frame_of(border)).tolist() == [step]
    assert reference.level_steps(frame_of(border - 1)).tolist() == [step - 1]


def test_full_scale_is_the_top_step():
    assert reference.level_steps(np.full(512, -32768, np.int16)).tolist() == [12]
    assert reference.level_steps(np.full(512, 32767, np.int16)).tolist() == [11]
    assert reference.level_steps(np.zeros(512, np.int16)).tolist() == [0]


@pytest.mark.parametrize(("below", "counts"), [(4, True), (5, False)])
def test_a_frame_four_steps_below_the_loudest_holds_speech_and_five_below_does_not(below, counts):
    lows = [int(reference.step_energies()[k - 1]) for k in (10, 10 - below)]
    loud, quiet = (frame_of(energy) for energy in lows)
    pause = np.zeros(10 * schema.HOP - 512, np.int16)  # frame 10 is the quiet one, to the sample
    speech = reference.speech_frames(np.concatenate([loud, pause, quiet]))
    assert speech[0]
    assert not speech[5]
    assert speech[10] == counts


@pytest.mark.parametrize(("level", "counts"), [(-35, True), (-55, False)])
def test_what_lies_far_below_the_loudest_frame_does_not_count(level, counts):
    """Between 40 and 50 dB below, the border depends on where in its step the loudest frame lies."""
    t = time(1)
    loud = 0.5 * np.sin(2 * np.pi * 1000 * t)
    quiet = 0.5 * 10 ** (level / 20) * np.sin(2 * np.pi * 3000 * t)
    found = vector(int16(np.concatenate([loud, quiet])))
    # a second of each; where they meet, frames are shared
    assert found["zcr_mean"] == pytest.approx(0.25 if counts else 0.125, abs=0.005)


def padded():
    """The same speech in 0.1 s of silence before and after, and in 1 s before and 0.5 s after."""
    speech = signals.voice(24000, period=100, glide=1, wobble=2)
    return [
        audio.cut(np.concatenate([np.zeros(a, np.int16), speech, np.zeros(b, np.int16)]))
        for a, b in ((1600, 1600), (16000, 8000))
    ]


def test_silence_before_and_after_changes_no_gated_column():
    """Beyond a rim that every window fits into. Praat's windows of intensity are an exception."""
    near, far = map(vector, padded())
    # An intensity frame's centre lies exactly between two samples: rounding of the time decides, and the
    # window may stand a sample aside. That moves a level by 1/160 of its largest change per hop.
    sample = max(abs(near["intensity_db_delta_min"]), near["intensity_db_delta_max"]) / 160
    for column in schema.COLUMNS:
        if schema.GROUP_OF[column] == "intensity":
            if column.endswith(("_mean", "_std", "_min", "_max")):
                assert far[column] == pytest.approx(near[column], abs=sample), column
        elif schema.GROUP_OF[column] in GATED:
            # librosa transforms other blocks of frames at once, in float32: a few of its roundings. Those of
            # a cepstral coefficient, however small, are those of the levels that it is the sum of: the floor
            # is at 100 dB.
            cepstral = schema.GROUP_OF[column] == "cepstrum"
            least = ULP * -10 * np.log10(schema.POWER_FLOOR) if cepstral else 1e-6
            assert far[column] == pytest.approx(near[column], rel=16 * ULP, abs=least), column


def test_silence_before_and_after_changes_of_the_voice_only_the_voiced_fraction():
    near, far = map(vector, padded())
    for column in schema.COLUMNS:
        if (
            schema.GROUP_OF[column] in ("pitch", "clear", "voice", "hnr")
            and column != "voiced_fraction"
        ):
            assert far[column] == pytest.approx(near[column], rel=1e-5, abs=1e-6), column
    # 40 ms every 10 ms
    frames_near, frames_far = ((len(samples) - 640) // 160 + 1 for samples in padded())
    assert far["voiced_fraction"] * frames_far == pytest.approx(
        near["voiced_fraction"] * frames_near, rel=4 * ULP
    )


@pytest.mark.parametrize("offset", [-9000, 1, 12345])
def test_a_dc_offset_changes_nothing(offset):
    speech = signals.voice(RATE, wobble=2)
    assert np.array_equal(
        reference.extract(audio.cut(speech + np.int16(offset))),
        reference.extract(audio.cut(speech)),
    )


# ---- any sound ----------------------------------------------------------------------------------


def test_the_vector_is_float32_in_schema_order():
    found = reference.extract(audio.cut(signals.voice(RATE)))
    assert found.dtype == np.float32
    assert found.shape == (len(schema.COLUMNS),) == (606,)
    assert len(set(schema.COLUMNS)) == len(schema.COLUMNS)


@pytest.mark.parametrize(
    "name", [name for name, samples in signals.hostile().items() if len(samples) >= 1600]
)
def test_the_vector_of_any_sound_is_finite(name):
    assert np.isfinite(reference.extract(audio.cut(signals.hostile()[name]))).all()


@pytest.mark.parametrize("samples", [1600, 1700, 2000, 2500, 3000])
def test_the_shortest_clips_have_a_finite_vector(samples):
    assert np.isfinite(reference.extract(audio.cut(signals.voice(samples)))).all()


def test_digital_silence_is_undefined_in_every_column():
    assert (reference.extract(np.zeros(16080, np.int16)) == schema.UNDEFINED).all()


def test_a_clip_gives_the_same_bytes_whatever_came_before():
    """In one thread, as everywhere: sums that are split over threads round with their number."""
    clip = audio.cut(signals.voice(RATE, wobble=1))
    with threadpool_limits(1):
        alone = reference.extract(clip)
        reference.extract(audio.cut(signals.noise(2 * RATE)))
        assert np.array_equal(reference.extract(clip), alone)


# ---- functionals --------------------------------------------------------------------------------


def test_functionals_are_those_of_scipy():
    draw = np.random.default_rng(0)
    values = draw.standard_normal((50, 200)) ** 3 * 10.0 ** draw.integers(-6, 6, (50, 1))
    seconds = np.sort(draw.uniform(0, 3, 200))
    found = functionals(values, seconds)
    assert tuple(found) == schema.MOMENTS
    for i, row in enumerate(values):
        for name, expected in statistics("x", row, seconds).items():
            # two ways to sum 200 doubles
            assert found[name[2:]][i] == pytest.approx(expected, rel=1e-10, abs=1e-12 * row.std())


def test_equal_values_have_no_shape():
    for value in (0.0, 1e-30, 0.1, -1e6):
        found = functionals(np.full((1, 7), value), np.arange(7.0))
        assert found["min"][0] == found["max"][0] == value
        assert found["mean"][0] == pytest.approx(value, rel=1e-15)
        assert found["skewness"][0] == found["kurtosis"][0] == schema.UNDEFINED
        # what is left is the rounding of the mean
        assert found["std"][0] == pytest.approx(0, abs=1e-15 * abs(value))
        assert found["slope"][0] == pytest.approx(0, abs=1e-15 * abs(value))


def test_of_nothing_everything_is_undefined_and_of_one_value_spread_and_slope():
    nothing = functionals(np.zeros((2, 0)), np.zeros(0))
    assert all((values == schema.UNDEFINED).all() for values in nothing.values())
    one = functionals(np.array([[5.0]]), np.array([0.3]))
    assert [one[name][0] for name in schema.MOMENTS] == [5, 0, 5, 5, 0, 0, 0]


# ---- several processes in a fresh environment ------------------------------------------------------


def test_where_no_lock_can_be_it_goes_on_without(tmp_path):
    (tmp_path / "file").write_text("")
    with files.in_turn(tmp_path / "file" / "x.lock"):
        pass
