"""The reference engine: every column of the schema by librosa and Praat (parselmouth).

In goes a clip (`audio.load`), out comes the vector. It is what the CSV holds by default, and the
oracle that the C code is held against. Nothing here knows the whole recording except what the schema
says a stream can know at its end: the loudest level, and Praat's own path.
"""

import itertools
import math
import warnings
from functools import cache

import numpy as np
import parselmouth
import scipy.signal
from parselmouth.praat import call

from speech_emotion.compiled import librosa
from speech_emotion.features import encoder, grid, schema
from speech_emotion.features.audio import FULL_SCALE, block_dc
from speech_emotion.features.functionals import functionals, is_flat
from speech_emotion.features.schema import FRAME, HOP, SAMPLE_RATE, UNDEFINED

# Praat's "Get jitter" and "Get shimmer": the whole clip, and what counts as a period
_PERIODS = (0, 0, schema.PERIOD_SHORTEST, schema.PERIOD_LONGEST, schema.PERIOD_FACTOR)
_HOP_SECONDS = grid.seconds_per_hop()


def extract(samples: np.ndarray) -> np.ndarray:
    """The feature vector of one clip. samples: int16 (n,) from `audio.load`. Returns float32, in the
    order of schema.COLUMNS, always finite.

    The functions below take the samples after `audio.block_dc`.
    """
    samples = block_dc(samples)
    if not speech_frames(samples).any():
        return np.full(len(schema.COLUMNS), UNDEFINED, np.float32)
    values = gated_columns(samples)
    sound = parselmouth.Sound(samples / FULL_SCALE, SAMPLE_RATE)
    pitch = to_pitch(sound)
    values.update(pitch_columns(pitch))
    values.update(clear_columns(pitch))
    values.update(voice_columns(sound, pitch))
    values.update(_moments("hnr", *_hnr_track(sound)))
    return np.array([values[column] for column in schema.COLUMNS], np.float32)


def gated_columns(samples: np.ndarray) -> dict[str, float]:
    """The columns that are of the frames that hold speech."""
    tracks, speech = descriptors(samples), speech_frames(samples)
    values = _gated(tracks, speech)
    values.update(_correlations(tracks, speech))
    values.update(_relative(values))
    return values


def speech_frames(samples: np.ndarray) -> np.ndarray:
    """Which frames hold speech: bool (frames,). See schema, "the speech gate"."""
    steps = level_steps(samples)
    return (steps >= steps.max() - schema.GATE_STEPS) & (steps > 0)


@cache
def step_energies() -> np.ndarray:
    """Smallest sum of squares (of FRAME int16 samples) of each level step above step 0: int64."""
    full = FRAME * 32768**2
    top = -schema.LEVEL_FLOOR_DB // schema.LEVEL_STEP_DB
    decibels = schema.LEVEL_FLOOR_DB + schema.LEVEL_STEP_DB * np.arange(1, top + 1)
    return np.array([math.ceil(full * 10 ** (db / 10)) for db in decibels.tolist()], np.int64)


def level_steps(samples: np.ndarray) -> np.ndarray:
    """The level of each frame in steps of LEVEL_STEP_DB, in exact integer arithmetic: int (frames,)."""
    squares = np.concatenate([[0], np.cumsum(samples.astype(np.int64) ** 2)])
    starts = HOP * np.arange((len(samples) - FRAME) // HOP + 1)
    energy = squares[starts + FRAME] - squares[starts]
    return np.searchsorted(step_energies(), energy, side="right")


def descriptors(samples: np.ndarray) -> dict[str, np.ndarray]:
    """The descriptors that are gated by level, per hop: each (frames,), NaN where one does not exist.

    Frame j covers samples [HOP j, HOP j + FRAME); a change has no value at the first frame, intensity
    none at the edges of the clip.
    """
    y = (samples / FULL_SCALE).astype(np.float32)
    tracks = {}
    tracks["rms"] = librosa.feature.rms(y=y, frame_length=FRAME, hop_length=HOP, center=False)[0]
    tracks["rms_delta"] = _change(tracks["rms"])
    tracks["intensity_db"] = _intensity_track(samples, len(tracks["rms"]))
    tracks["intensity_db_delta"] = _change(tracks["intensity_db"])
    tracks["zcr"] = librosa.feature.zero_crossing_rate(
        y, frame_length=FRAME, hop_length=HOP, center=False
    )[0]

    magnitude = np.abs(librosa.stft(y, n_fft=FRAME, hop_length=HOP, center=False))
    power = magnitude**2
    mel = librosa.power_to_db(
        librosa.feature.melspectrogram(S=power, sr=SAMPLE_RATE, n_mels=schema.MELS),
        amin=schema.POWER_FLOOR, top_db=None,
    )  # fmt: skip
    tracks.update(_rows("mel", mel, 0))
    mfcc = librosa.feature.mfcc(S=mel, n_mfcc=schema.MFCCS + 1)[1:]
    tracks.update(_rows("mfcc", mfcc, 1))
    for order, stem in ((1, "mfcc_delta"), (2, "mfcc_delta2")):
        if mfcc.shape[1] >= schema.DELTA_WIDTH:
            slope = librosa.feature.delta(mfcc, width=schema.DELTA_WIDTH, order=order)
        else:
            slope = np.zeros_like(mfcc)
        tracks.update(_rows(stem, slope, 1))

    for band, (first, end) in enumerate(schema.MODULATION_BANDS):
        for rate, track in enumerate(_modulation(mel[first:end].mean(axis=0, dtype=np.float64))):
            tracks[f"modulation_{band}_{rate}"] = track

    tracks.update(_rows("encoder", encoder.tracks(mel), 0))

    tracks["centroid"] = librosa.feature.spectral_centroid(S=magnitude, sr=SAMPLE_RATE)[0]
    tracks["bandwidth"] = librosa.feature.spectral_bandwidth(
        S=magnitude, sr=SAMPLE_RATE, centroid=tracks["centroid"][None]
    )[0]
    tracks["rolloff"] = librosa.feature.spectral_rolloff(
        S=magnitude, sr=SAMPLE_RATE, roll_percent=schema.ROLLOFF
    )[0]
    tracks["flatness"] = librosa.feature.spectral_flatness(S=magnitude, amin=schema.POWER_FLOOR)[0]
    flux = librosa.onset.onset_strength(S=mel, sr=SAMPLE_RATE, center=False, detrend=False)
    tracks["flux"] = np.concatenate([[np.nan], flux[1:]])
    is_low = librosa.fft_frequencies(sr=SAMPLE_RATE, n_fft=FRAME) < schema.LOW_HIGH_SPLIT
    # summed apart: the total minus the low would drown a weak high part in float32's rounding
    low, high = power[is_low].sum(axis=0), power[~is_low].sum(axis=0)
    floor = schema.POWER_FLOOR
    tracks["low_high_db"] = 10 * np.log10((low + floor) / (high + floor))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # librosa warns of silent frames, which the gate leaves out
        # the floor of a power, as everywhere: below it a valley is a chance zero of the spectrum, and its
        # logarithm no measurement
        contrast = librosa.feature.spectral_contrast(
            S=np.maximum(magnitude, math.sqrt(floor)), sr=SAMPLE_RATE, fmin=schema.CONTRAST_FMIN,
            n_bands=schema.CONTRAST_BANDS, quantile=schema.CONTRAST_QUANTILE,
        )  # fmt: skip
        chroma = librosa.feature.chroma_stft(
            S=power, sr=SAMPLE_RATE, n_chroma=schema.CHROMAS, tuning=0.0
        )
    tracks.update(_rows("contrast", contrast, 0))
    tracks.update(_rows("chroma", chroma, 0))
    return tracks


def modulation_gain(rate: int) -> float:
    """How far a running mean over 2^rate hops moves towards the latest value."""
    return 1 - math.exp(-1 / 2**rate)


def _modulation(level):
    """How strongly a level (frames,) in dB moves at four rates: differences of running means.

    The running mean over t hops follows m += (1 - exp(-1/t)) (level - m) from the first frame on; two of
    them an octave apart pass what changes at the rate between (as a difference of low-passes does).
    """
    means = [level]
    for rate in range(1, schema.MODULATION_RATES + 1):
        gain = modulation_gain(rate)
        mean, _ = scipy.signal.lfilter([gain], [1, gain - 1], level, zi=[level[0] * (1 - gain)])
        means.append(mean)
    return [fast - slow for fast, slow in itertools.pairwise(means)]


def _correlations(tracks, speech):
    """Pearson's r of each pair of the first MFCCs over the speech frames; UNDEFINED where one is flat."""
    count = schema.CORRELATED_MFCCS
    pairs = list(itertools.combinations(range(count), 2))
    names = [f"mfcc_corr_{a + 1:02d}_{b + 1:02d}" for a, b in pairs]
    if not speech.any():
        return dict.fromkeys(names, UNDEFINED)
    mfcc = np.array([tracks[f"mfcc_{i:02d}"][speech] for i in range(1, count + 1)], np.float64)
    centred = mfcc - mfcc.mean(axis=1, keepdims=True)
    covariance = centred @ centred.T
    flat = is_flat(mfcc.mean(axis=1), mfcc.var(axis=1))
    scale = np.sqrt(np.where(flat, 1.0, covariance.diagonal()))
    return {
        name: UNDEFINED if flat[a] or flat[b] else covariance[a, b] / (scale[a] * scale[b])
        for name, (a, b) in zip(names, pairs, strict=True)
    }


def _relative(values):
    """The mel levels without the clip's own: the same however loud it is."""
    names = [f"mel_{band:02d}_mean" for band in range(schema.MELS)]
    level = np.mean([values[name] for name in names])
    return {f"relative_{name}": values[name] - level for name in names}


def _rows(stem, matrix, first):
    return {f"{stem}_{i:02d}": row for i, row in enumerate(matrix, first)}


def _change(track):
    return np.concatenate([[np.nan], np.diff(track)])


def _gated(tracks, speech):
    """Functionals of every track over the speech frames at which it exists."""
    values = {}
    seconds = np.arange(len(speech)) * _HOP_SECONDS
    names = list(tracks)
    matrix = np.array([tracks[name] for name in names], np.float64)
    exists = np.isfinite(matrix)
    # tracks that exist at the same frames share one pass
    for pattern in np.unique(exists, axis=0):
        alike = np.flatnonzero((exists == pattern).all(axis=1))
        use = pattern & speech
        result = functionals(matrix[np.ix_(alike, np.flatnonzero(use))], seconds[use])
        for row, index in enumerate(alike):
            for name, numbers in result.items():
                values[f"{names[index]}_{name}"] = numbers[row]
    return values


def _moments(stem, track, seconds):
    result = functionals(np.asarray(track, np.float64)[None], seconds)
    return {f"{stem}_{name}": numbers[0] for name, numbers in result.items()}


def _intensity_track(samples, frames):
    """Praat's intensity in dB on the spectral frames' grid; NaN where its longer window sticks out."""
    sound = parselmouth.Sound(samples / FULL_SCALE, SAMPLE_RATE)
    intensity = sound.to_intensity(schema.PITCH_FLOOR, _HOP_SECONDS, subtract_mean=True)
    track = np.full(frames, np.nan)
    values = np.maximum(intensity.values[0], schema.INTENSITY_FLOOR_DB)
    first = grid.intensity_lag()
    track[first : first + len(values)] = values
    return track


def to_pitch(sound: parselmouth.Sound) -> parselmouth.Pitch:
    """Praat's Pitch by autocorrelation, Boersma (1993), from PITCH_FLOOR to PITCH_CEILING, every hop."""
    return sound.to_pitch_ac(
        _HOP_SECONDS, schema.PITCH_FLOOR, schema.PITCH_CANDIDATES, False, schema.PITCH_SILENCE,
        schema.PITCH_VOICING, schema.PITCH_OCTAVE_COST, schema.PITCH_JUMP_COST, schema.PITCH_TURN_COST,
        schema.PITCH_CEILING,
    )  # fmt: skip


def pitch_columns(pitch: parselmouth.Pitch) -> dict[str, float]:
    """The contour of all voiced frames."""
    frequency = pitch.selected_array["frequency"]
    return contour_columns(frequency, len(frequency))


def clear_columns(pitch: parselmouth.Pitch) -> dict[str, float]:
    """The contour of the clear frames only; the voiced fraction is of the loud ones."""
    chosen = pitch.selected_array
    loud = np.array([frame.intensity >= schema.CLEAR_PEAK for frame in pitch], bool)
    clear = loud & (chosen["strength"] >= schema.CLEAR_STRENGTH)
    values = contour_columns(np.where(clear, chosen["frequency"], 0), loud.sum())
    return {f"clear_{name}": value for name, value in values.items()}


def contour_columns(frequency: np.ndarray, frames: int) -> dict[str, float]:
    """F0 in semitones, its change, and the statistics of voiced runs and of the gaps between them.

    frequency: (n,) Hz per hop, 0 where unvoiced; frames: how many the voiced fraction is of.
    """
    voiced = frequency > 0
    semitones = np.full(len(frequency), np.nan)
    semitones[voiced] = 12 * np.log2(frequency[voiced] / schema.SEMITONE_REFERENCE)
    times = np.flatnonzero(voiced) * _HOP_SECONDS
    values = _moments("f0_semitones", semitones[voiced], times)
    values.update(_f0_changes(semitones))
    values.update(_f0_shape(np.flatnonzero(voiced), semitones[voiced]))

    edges = np.flatnonzero(np.diff(np.concatenate([[0], voiced, [0]]).astype(int)))
    starts, ends = edges[::2], edges[1::2]
    values.update(_f0_segments(semitones, starts, ends))
    values["voiced_fraction"] = voiced.sum() / frames if frames else UNDEFINED
    span = (ends[-1] - starts[0]) * _HOP_SECONDS if len(starts) else 0
    values["voiced_segment_rate"] = len(starts) / span if span else UNDEFINED
    for stem, runs in (("voiced_segment", ends - starts), ("pause", starts[1:] - ends[:-1])):
        lengths = runs * _HOP_SECONDS
        values.update(_mean_and_std(stem, lengths))
        values[f"{stem}_max"] = lengths.max() if len(lengths) else UNDEFINED
    return values


def _f0_changes(semitones):
    """How F0 moves from hop to hop; semitones: (frames,), NaN where unvoiced."""
    voiced = np.isfinite(semitones).sum()
    change = np.diff(semitones)
    change = change[np.abs(change) < schema.F0_STEP_LIMIT]  # NaN is not less
    values = _mean_and_std("f0_delta", change)
    values["f0_delta_abs"] = np.abs(change).mean() if len(change) else UNDEFINED
    values["f0_rising"] = (change > 0).mean() if len(change) else UNDEFINED
    values["f0_rise"] = change[change > 0].sum() / voiced if voiced else UNDEFINED
    values["f0_fall"] = change[change < 0].sum() / voiced if voiced else UNDEFINED
    return values


def _f0_shape(frames, semitones):
    """The contour as a whole: frames (n,) numbers of the voiced frames, semitones (n,) their F0."""
    names = ("f0_curvature", "f0_tilt", "f0_start", "f0_end")
    edge = schema.F0_EDGE
    if len(frames) < edge:
        return dict.fromkeys(names, UNDEFINED)
    time = (frames - frames.mean()) / (frames[-1] - frames[0])
    curvature, tilt, _ = np.polyfit(time, semitones, 2)
    mean = semitones.mean()
    starts, ends = semitones[:edge].mean() - mean, semitones[-edge:].mean() - mean
    return dict(zip(names, (curvature, tilt, starts, ends), strict=True))


def _f0_segments(semitones, starts, ends):
    """How F0 moves within the voiced runs [start, end) that are long enough to have a slope."""
    runs = [semitones[a:b] for a, b in zip(starts, ends, strict=True) if b - a >= schema.F0_SEGMENT]
    names = ("std", "range_mean", "range_max", "slope_mean", "slope_std", "slope_abs")
    if not runs:
        return {f"f0_segment_{name}": UNDEFINED for name in names}
    means = np.array([run.mean() for run in runs])
    ranges = np.array([np.ptp(run) for run in runs])
    slopes = np.array([np.polyfit(np.arange(len(run)) * _HOP_SECONDS, run, 1)[0] for run in runs])
    numbers = (
        means.std(), ranges.mean(), ranges.max(), slopes.mean(), slopes.std(), np.abs(slopes).mean(),
    )  # fmt: skip
    return {f"f0_segment_{name}": value for name, value in zip(names, numbers, strict=True)}


def _mean_and_std(stem, values):
    if len(values) == 0:
        return {f"{stem}_mean": UNDEFINED, f"{stem}_std": UNDEFINED}
    return {f"{stem}_mean": values.mean(), f"{stem}_std": values.std()}


def voice_columns(sound: parselmouth.Sound, pitch: parselmouth.Pitch) -> dict[str, float]:
    """Jitter and shimmer of the whole clip, over the pulses that Praat finds by cross-correlation."""
    pulses = call([sound, pitch], "To PointProcess (cc)")
    values = {}
    for kind in ("local", "rap", "ppq5"):
        values[f"jitter_{kind}"] = call(pulses, f"Get jitter ({kind})", *_PERIODS)
    for kind, column in (
        ("local", "local"),
        ("local_dB", "db"),
        ("apq3", "apq3"),
        ("apq5", "apq5"),
    ):
        values[f"shimmer_{column}"] = call(
            [sound, pulses], f"Get shimmer ({kind})", *_PERIODS, schema.AMPLITUDE_FACTOR
        )
    return {name: value if math.isfinite(value) else UNDEFINED for name, value in values.items()}


def _hnr_track(sound):
    """Harmonics-to-noise ratio of the voiced frames in dB, and their times in s."""
    harmonicity = sound.to_harmonicity_cc(
        _HOP_SECONDS, schema.PITCH_FLOOR, schema.HNR_SILENCE, schema.HNR_FRAMES_PER_WINDOW
    )
    values = harmonicity.values[0]
    voiced = values > -200  # Praat's mark of an unvoiced frame
    return values[voiced], harmonicity.xs()[voiced]
