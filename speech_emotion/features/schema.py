"""The one schema: every descriptor, functional, constant and column of the feature vector, in order.

Python's names, the CSV's columns and the C code's constants all come from here; `HASH` names this
exact definition wherever features, models or generated code are stored. To add a feature, add it
here, then to `reference.py` and to `embedded/`; everything else follows.
"""

import hashlib
import json
from dataclasses import asdict, dataclass

# --- the clip and its frame grid -------------------------------------------------------------
SAMPLE_RATE = 16000  # Hz
HOP = 160  # samples, 10 ms
FRAME = 512  # samples, 32 ms; also n_fft
CLIP_REMAINDER = 80  # a clip is cut to n = 80 (mod HOP): then the chip's grid is Praat's
MIN_SAMPLES = 1600  # 0.1 s: shorter clips do not hold one intensity frame (6.4 / 75 Hz)
DC_SHIFT = 8  # the DC blocker's leak is 2^-8 per sample: -3 dB near 10 Hz

# --- the speech gate -------------------------------------------------------------------------
# A frame's level is its mean square in dB re full scale, counted in whole steps. A frame holds
# speech when its step is at most GATE_STEPS below the loudest frame's. Counting in steps is what lets
# a stream decide at its end with a few running sums instead of every frame kept.
LEVEL_STEP_DB = 10
LEVEL_FLOOR_DB = (
    -120
)  # step 0 reaches up to LEVEL_FLOOR_DB + LEVEL_STEP_DB, digital silence included
GATE_STEPS = 4

# --- descriptors -----------------------------------------------------------------------------
MELS = 40
MFCCS = 20  # coefficients 1..20; the 0th is loudness, which energy and intensity already tell
DELTA_WIDTH = 9  # frames of the Savitzky-Golay slope
POWER_FLOOR = 1e-10  # of every logarithm of a power
ROLLOFF = 0.85
LOW_HIGH_SPLIT = 1000  # Hz
CONTRAST_FMIN = 100  # Hz; octaves up from here: 0-100, 100-200, ... 1600-3200, 3200-8000
CONTRAST_BANDS = 6  # octaves above CONTRAST_FMIN: one band more in all
CONTRAST_QUANTILE = 0.02
CHROMAS = 12
CORRELATED_MFCCS = 6  # the first so many, each pair of them
MODULATION_RATES = 4  # differences of running means over 0, 2, 4, 8, 16 hops (time constants)
PITCH_FLOOR = 75  # Hz
PITCH_CEILING = 600  # Hz
SEMITONE_REFERENCE = 100  # Hz is 0 semitones
F0_STEP_LIMIT = 6.0  # semitones per hop: a larger change is a tracking error, not a voice
F0_EDGE = 5  # voiced frames that make up the start and the end of the contour
F0_SEGMENT = 5  # voiced frames that a run must have for a slope of its own
# A voiced frame is clear when it is both loud and periodic. What others say in a talker's pauses is
# voiced too, but seldom both: over clear frames, F0 and pauses stay the talker's own.
CLEAR_PEAK = 0.2  # of the clip's peak, that a frame's own peak (under its window) reaches at least
CLEAR_STRENGTH = 0.6  # of the autocorrelation at F0's period, 1 for a perfect period
INTENSITY_FLOOR_DB = 0.0  # Praat's dB re 2e-5; digital silence counts as this
HNR_FRAMES_PER_WINDOW = 1.0  # Praat's "number of periods per window"

# mel bands [first, end) whose mean level is followed: up to 0.5, 1.2, 2.9 and 8 kHz or so
MODULATION_BANDS = ((0, 8), (8, 18), (18, 30), (30, MELS))

MOMENTS = ("mean", "std", "min", "max", "skewness", "kurtosis", "slope")


@dataclass(frozen=True)
class Descriptor:
    """A quantity measured per hop, and the functionals that the vector keeps of it.

    `functionals` is empty for a quantity that is one number per clip (jitter, voiced fraction).
    """

    name: str
    group: str
    unit: str
    functionals: tuple[str, ...]
    definition: str

    @property
    def columns(self) -> tuple[str, ...]:
        if not self.functionals:
            return (self.name,)
        return tuple(f"{self.name}_{functional}" for functional in self.functionals)


def _numbered(stem, count, first, *args):
    return [Descriptor(f"{stem}_{i:02d}", *args) for i in range(first, first + count)]


def _contour(group, prefix, frames, all_frames):
    """What is kept of an F0 contour that exists at some frames and has gaps between them."""
    unit = "semitones"
    columns: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
        ("f0_semitones", unit, MOMENTS, f"F0 re 100 Hz; {frames}"),
        ("f0_delta", unit, ("mean", "std"),
         "F0 minus the hop before's, both voiced, less than 6 semitones"),
        ("f0_delta_abs", unit, (), "mean size of these changes"),
        ("f0_rising", "ratio", (), "fraction of these changes that rise"),
        ("f0_rise", unit, (), "sum of the rising ones per voiced frame"),
        ("f0_fall", unit, (), "sum of the falling ones per voiced frame"),
        ("f0_curvature", unit, (),
         "quadratic coefficient of F0 over time scaled to 1 from first to last voiced frame"),
        ("f0_tilt", unit, (), "the linear coefficient of that fit, at mean time"),
        ("f0_start", unit, (), "mean of the first 5 voiced frames minus the mean"),
        ("f0_end", unit, (), "mean of the last 5 voiced frames minus the mean"),
        ("f0_segment_std", unit, (),
         "standard deviation of the means of voiced runs (of 5 frames or more, as below)"),
        ("f0_segment_range_mean", unit, (), "mean range of F0 within a run"),
        ("f0_segment_range_max", unit, (), "the largest"),
        ("f0_segment_slope_mean", "semitones/s", (), "mean slope of F0 within a run"),
        ("f0_segment_slope_std", "semitones/s", (), "their standard deviation"),
        ("f0_segment_slope_abs", "semitones/s", (), "the mean of their sizes"),
        ("voiced_fraction", "ratio", (), f"voiced frames over {all_frames}"),
        ("voiced_segment_rate", "1/s", (), "voiced runs per second, first to last voiced"),
        ("voiced_segment_mean", "s", (), "mean length of the voiced runs"),
        ("voiced_segment_std", "s", (), "their standard deviation"),
        ("voiced_segment_max", "s", (), "the longest"),
        ("pause_mean", "s", (), "mean length of the gaps between voiced runs"),
        ("pause_std", "s", (), "their standard deviation"),
        ("pause_max", "s", (), "the longest"),
    )  # fmt: skip
    return [
        Descriptor(prefix + name, group, unit, functionals, definition)
        for name, unit, functionals, definition in columns
    ]


_RATE = MOMENTS[1:6]  # of a hop-to-hop change: its mean and slope say next to nothing

DESCRIPTORS: tuple[Descriptor, ...] = (
    Descriptor("rms", "energy", "full scale", MOMENTS, "librosa.feature.rms"),
    Descriptor("rms_delta", "energy", "full scale", _RATE, "RMS minus the hop before's"),
    Descriptor("intensity_db", "intensity", "dB", MOMENTS, "Praat: To Intensity, 75 Hz, mean out"),
    Descriptor("intensity_db_delta", "intensity", "dB", _RATE, "intensity minus the hop before's"),
    Descriptor("zcr", "zcr", "crossings/sample", MOMENTS, "librosa.feature.zero_crossing_rate"),
    *_numbered("mfcc", MFCCS, 1, "cepstrum", "dB", MOMENTS, "librosa.feature.mfcc of the mel levels"),
    *_numbered(
        "mfcc_delta", MFCCS, 1, "cepstrum", "dB/hop", ("std",), "librosa.feature.delta, 9 hops"
    ),
    *_numbered(
        "mfcc_delta2", MFCCS, 1, "cepstrum", "dB/hop^2", ("std",), "the same, second order"
    ),
    Descriptor("centroid", "spectrum", "Hz", MOMENTS, "librosa.feature.spectral_centroid"),
    Descriptor("bandwidth", "spectrum", "Hz", MOMENTS, "librosa.feature.spectral_bandwidth, p 2"),
    Descriptor("rolloff", "spectrum", "Hz", MOMENTS, "librosa.feature.spectral_rolloff, 85 %"),
    Descriptor("flatness", "spectrum", "ratio", MOMENTS, "librosa.feature.spectral_flatness"),
    Descriptor("flux", "spectrum", "dB", MOMENTS, "librosa.onset.onset_strength of the mel levels"),
    Descriptor("low_high_db", "spectrum", "dB", MOMENTS, "power below over power above 1 kHz"),
    *_numbered(
        "contrast", CONTRAST_BANDS + 1, 0, "contrast", "dB", ("mean", "std"),
        "librosa.feature.spectral_contrast of the magnitudes",
    ),
    *_numbered(
        "mel", MELS, 0, "mel", "dB", ("mean", "std"), "librosa.feature.melspectrogram, log power"
    ),
    *_numbered(
        "chroma", CHROMAS, 0, "chroma", "ratio", ("mean", "std"), "librosa.feature.chroma_stft, tuning 0"
    ),
    *(
        Descriptor(f"mfcc_corr_{a:02d}_{b:02d}", "correlation", "ratio", (),
                   "Pearson's r of two MFCCs over the speech frames")
        for a in range(1, CORRELATED_MFCCS + 1)
        for b in range(a + 1, CORRELATED_MFCCS + 1)
    ),
    *(
        Descriptor(f"modulation_{band}_{rate}", "modulation", "dB", ("std",),
                   "mean mel level of a broad band: running mean over 2^rate hops minus one twice as long")
        for band in range(len(MODULATION_BANDS))
        for rate in range(MODULATION_RATES)
    ),
    *_numbered(
        "relative_mel", MELS, 0, "relative", "dB", ("mean",), "a mel level's less the mean of all bands'"
    ),
    Descriptor("relative_rms", "relative", "ratio", ("std", "min", "max", "slope"),
               "those of RMS over its mean"),
    Descriptor("relative_rms_delta", "relative", "ratio", ("std", "min", "max"),
               "those of its change over the mean of RMS"),
    *_contour("pitch", "", "Praat: To Pitch (ac), voiced frames", "all pitch frames"),
    *_contour("clear", "clear_", "the same of clear frames", "the loud frames"),
    Descriptor("jitter_local", "voice", "ratio", (), "Praat: Get jitter (local)"),
    Descriptor("jitter_rap", "voice", "ratio", (), "Praat: Get jitter (rap)"),
    Descriptor("jitter_ppq5", "voice", "ratio", (), "Praat: Get jitter (ppq5)"),
    Descriptor("shimmer_local", "voice", "ratio", (), "Praat: Get shimmer (local)"),
    Descriptor("shimmer_db", "voice", "dB", (), "Praat: Get shimmer (local_dB)"),
    Descriptor("shimmer_apq3", "voice", "ratio", (), "Praat: Get shimmer (apq3)"),
    Descriptor("shimmer_apq5", "voice", "ratio", (), "Praat: Get shimmer (apq5)"),
    Descriptor("hnr", "hnr", "dB", MOMENTS, "Praat: To Harmonicity (cc), voiced frames"),
)  # fmt: skip

GROUPS: tuple[str, ...] = tuple(dict.fromkeys(d.group for d in DESCRIPTORS))
COLUMNS: tuple[str, ...] = tuple(column for d in DESCRIPTORS for column in d.columns)
GROUP_OF: dict[str, str] = {column: d.group for d in DESCRIPTORS for column in d.columns}

UNDEFINED = 0.0
"""The value of a column whose quantity does not exist in a clip: no voiced frame, too few periods,
fewer than two values for a spread or slope."""

CONSTANTS: dict[str, float] = {
    name: value
    for name, value in list(globals().items())
    if name.isupper() and isinstance(value, int | float)
}


def describe() -> dict:
    """Everything the hash is taken over, as plain data (also what `extractor.py --schema` prints)."""
    return {
        "constants": CONSTANTS,
        "modulation_bands": MODULATION_BANDS,
        "descriptors": [asdict(d) for d in DESCRIPTORS],
    }


HASH: str = hashlib.sha256(json.dumps(describe(), sort_keys=True).encode()).hexdigest()[:16]
"""16 hex digits: two feature vectors may be mixed only when theirs are equal."""


def groups_of(columns) -> tuple[str, ...]:
    """The groups, in schema order, that must be computed to know these columns."""
    needed = {GROUP_OF[column] for column in columns}
    return tuple(group for group in GROUPS if group in needed)
