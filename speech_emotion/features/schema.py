"""The one schema: every descriptor, functional, constant and column of the feature vector, in order.

Python's names, the CSV's columns and the C code's constants all come from here; `HASH` names this
exact definition wherever features, models or generated code are stored. To change a number, change it
here: both engines follow, or `python -m speech_emotion.generate` says why the C code cannot. To add a
feature, see docs/add_a_feature.md.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from speech_emotion.features import encoder_weights

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
PITCH_FLOOR = 75  # Hz; also sets the windows of intensity and HNR
PITCH_CEILING = 600  # Hz
# Praat's settings of To Pitch (ac), as its manual gives them
PITCH_CANDIDATES = 15  # of a frame, unvoiced being one
PITCH_SILENCE = 0.03  # of the clip's peak
PITCH_VOICING = 0.45
PITCH_OCTAVE_COST = 0.01
PITCH_JUMP_COST = 0.35
PITCH_TURN_COST = 0.14  # voiced to unvoiced, or back
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
HNR_SILENCE = 0.1  # of the clip's peak: Praat's "silence threshold" of To Harmonicity (cc)
# What counts as a period of the voice, and how much neighbours may differ (Praat's manual, Voice 2 and 3)
PERIOD_SHORTEST = 1e-4  # s
PERIOD_LONGEST = 0.02  # s
PERIOD_FACTOR = 1.3
AMPLITUDE_FACTOR = 1.6
# Values spread so little that a third or fourth moment is rounding noise, when their variance is at most
# FLAT times the mean's square, plus TINY.
FLAT = 1e-10
TINY = 1e-24

# mel bands [first, end) whose mean level is followed: up to 0.5, 1.2, 2.9 and 8 kHz or so
MODULATION_BANDS = ((0, 8), (8, 18), (18, 30), (30, MELS))

MOMENTS = ("mean", "std", "min", "max", "skewness", "kurtosis", "slope")


# What the chip accumulates together: descriptors that exist at the same frames and become known at the
# same moment are one part of its running sums, with one count and one time.
PARTS = {
    "frame": "known at every frame",
    "change": "no value at the first frame",
    "delta": "known DELTA_WIDTH / 2 frames late",
    "intensity": "no value where its longer window sticks out of the clip",
    "intensity_change": "nor at the first frame that has one",
    "encoder": "known at every fourth frame or so, as often as the encoder's last layer answers",
}


@dataclass(frozen=True)
class Descriptor:
    """A quantity measured per hop, and the functionals that the vector keeps of it.

    `functionals` is empty for a quantity that is one number per clip (jitter, voiced fraction). `stage` is
    where the chip measures it: embedded/src/ser_<stage>.c. `part` is the part of the running sums (PARTS)
    that its values go to; None where the stage keeps statistics of its own, or takes them from sums that
    are kept anyway. `family` is the common stem of numbered descriptors, whose values are an array in C.
    `sums_for` is another group whose columns come from its sums too, so that they are kept for that one as
    well. `bits` and `middle` are the chip's number format: a value is kept as an integer, times 2^bits, and
    summed as its distance from `middle`. That is to be below 2^22 / 2^bits, or 2^20.6 / 2^bits where mean and
    std are all that is asked; what is farther counts as that far."""

    name: str
    group: str
    unit: str
    functionals: tuple[str, ...]
    definition: str
    stage: str
    part: str | None = None
    family: str | None = None
    sums_for: str | None = None
    bits: int = 0
    middle: float = 0.0

    @property
    def columns(self) -> tuple[str, ...]:
        if not self.functionals:
            return (self.name,)
        return tuple(f"{self.name}_{functional}" for functional in self.functionals)


def _numbered(stem, count, first, *args, **more):
    return [
        Descriptor(f"{stem}_{i:02d}", *args, **{**more, "family": stem})
        for i in range(first, first + count)
    ]


def _contour(group, prefix, frames, all_frames):
    """What is kept of an F0 contour that exists at some frames and has gaps between them."""
    unit = "semitones"
    columns: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
        ("f0_semitones", unit, MOMENTS, f"F0 re {SEMITONE_REFERENCE} Hz; {frames}"),
        ("f0_delta", unit, ("mean", "std"),
         f"F0 minus the hop before's, both voiced, less than {F0_STEP_LIMIT:g} semitones"),
        ("f0_delta_abs", unit, (), "mean size of these changes"),
        ("f0_rising", "ratio", (), "fraction of these changes that rise"),
        ("f0_rise", unit, (), "sum of the rising ones per voiced frame"),
        ("f0_fall", unit, (), "sum of the falling ones per voiced frame"),
        ("f0_curvature", unit, (),
         "quadratic coefficient of F0 over time scaled to 1 from first to last voiced frame"),
        ("f0_tilt", unit, (), "the linear coefficient of that fit, at mean time"),
        ("f0_start", unit, (), f"mean of the first {F0_EDGE} voiced frames minus the mean"),
        ("f0_end", unit, (), f"mean of the last {F0_EDGE} voiced frames minus the mean"),
        ("f0_segment_std", unit, (),
         f"standard deviation of the means of voiced runs (of {F0_SEGMENT} frames or more, as below)"),
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
        Descriptor(prefix + name, group, unit, functionals, definition, stage="contour")
        for name, unit, functionals, definition in columns
    ]


def _mfcc():
    """The coefficients; of the first, the correlations take the sums."""
    return [
        replace(d, sums_for="correlation") if i < CORRELATED_MFCCS else d
        for i, d in enumerate(
            _numbered(
                "mfcc", MFCCS, 1, "cepstrum", "dB", MOMENTS, "librosa.feature.mfcc of the mel levels",
                stage="cepstrum", part="frame", bits=12,
            )
        )
    ]  # fmt: skip


_RATE = MOMENTS[1:6]  # of a hop-to-hop change: its mean and slope say next to nothing
_SPECTRUM: dict[str, Any] = {"stage": "spectrum", "part": "frame"}

DESCRIPTORS: tuple[Descriptor, ...] = (
    Descriptor("rms", "energy", "full scale", MOMENTS, "librosa.feature.rms",
               stage="extractor", part="frame", bits=23, middle=0.5),
    Descriptor("rms_delta", "energy", "full scale", _RATE, "RMS minus the hop before's",
               stage="extractor", part="change", bits=22),
    Descriptor("intensity_db", "intensity", "dB", MOMENTS,
               f"Praat: To Intensity, {PITCH_FLOOR} Hz, mean out", stage="extractor", part="intensity",
               bits=15, middle=48),
    Descriptor("intensity_db_delta", "intensity", "dB", _RATE, "intensity minus the hop before's",
               stage="extractor", part="intensity_change", bits=14),
    Descriptor("zcr", "zcr", "crossings/sample", MOMENTS, "librosa.feature.zero_crossing_rate",
               stage="extractor", part="frame", bits=21, middle=0.5),
    *_mfcc(),
    *_numbered("mfcc_delta", MFCCS, 1, "cepstrum", "dB/hop", ("std",),
               f"librosa.feature.delta, {DELTA_WIDTH} hops", stage="cepstrum", part="delta", bits=14),
    *_numbered("mfcc_delta2", MFCCS, 1, "cepstrum", "dB/hop^2", ("std",), "the same, second order",
               stage="cepstrum", part="delta", bits=14),
    Descriptor("centroid", "spectrum", "Hz", MOMENTS, "librosa.feature.spectral_centroid", **_SPECTRUM,
               bits=8, middle=SAMPLE_RATE / 4),
    Descriptor("bandwidth", "spectrum", "Hz", MOMENTS, "librosa.feature.spectral_bandwidth, p 2",
               **_SPECTRUM, bits=9, middle=SAMPLE_RATE / 8),
    Descriptor("rolloff", "spectrum", "Hz", MOMENTS,
               f"librosa.feature.spectral_rolloff, {100 * ROLLOFF:g} %", **_SPECTRUM,
               bits=8, middle=SAMPLE_RATE / 4),
    Descriptor("flatness", "spectrum", "ratio", MOMENTS, "librosa.feature.spectral_flatness", **_SPECTRUM,
               bits=23, middle=0.5),
    Descriptor("flux", "spectrum", "dB", MOMENTS, "librosa.onset.onset_strength of the mel levels",
               stage="spectrum", part="change", bits=15, middle=48),
    Descriptor("low_high_db", "spectrum", "dB", MOMENTS,
               f"power below over power above {LOW_HIGH_SPLIT / 1000:g} kHz", **_SPECTRUM, bits=13),
    *_numbered("contrast", CONTRAST_BANDS + 1, 0, "contrast", "dB", ("mean", "std"),
               "librosa.feature.spectral_contrast of the magnitudes", **_SPECTRUM,
               bits=15, middle=38),
    *_numbered("mel", MELS, 0, "mel", "dB", ("mean", "std"), "librosa.feature.melspectrogram, log power",
               **_SPECTRUM, sums_for="relative", bits=14, middle=-36),
    *_numbered("chroma", CHROMAS, 0, "chroma", "ratio", ("mean", "std"),
               "librosa.feature.chroma_stft, tuning 0", **_SPECTRUM, bits=21, middle=0.5),
    *(
        Descriptor(f"mfcc_corr_{a:02d}_{b:02d}", "correlation", "ratio", (),
                   "Pearson's r of two MFCCs over the speech frames", stage="bank", family="mfcc_corr")
        for a in range(1, CORRELATED_MFCCS + 1)
        for b in range(a + 1, CORRELATED_MFCCS + 1)
    ),
    *(
        Descriptor(f"modulation_{band}_{rate}", "modulation", "dB", ("std",),
                   "mean mel level of a broad band: running mean over 2^rate hops minus one twice as long",
                   stage="modulation", part="frame", family="modulation", bits=14)
        for band in range(len(MODULATION_BANDS))
        for rate in range(MODULATION_RATES)
    ),
    *_numbered("encoder", encoder_weights.shipped().units, 0, "encoder", "ratio", ("mean", "std"),
               "output of a unit of the frozen encoder (docs/encoder.md), 1 at most", stage="encoder",
               part="encoder", bits=10),
    *_numbered("relative_mel", MELS, 0, "relative", "dB", ("mean",),
               "a mel level's less the mean of all bands'", stage="bank"),
    *_contour("pitch", "", "Praat: To Pitch (ac), voiced frames", "all pitch frames"),
    *_contour("clear", "clear_", "the same of clear frames", "the loud frames"),
    Descriptor("jitter_local", "voice", "ratio", (), "Praat: Get jitter (local)", stage="perturbation"),
    Descriptor("jitter_rap", "voice", "ratio", (), "Praat: Get jitter (rap)", stage="perturbation"),
    Descriptor("jitter_ppq5", "voice", "ratio", (), "Praat: Get jitter (ppq5)", stage="perturbation"),
    Descriptor("shimmer_local", "voice", "ratio", (), "Praat: Get shimmer (local)", stage="perturbation"),
    Descriptor("shimmer_db", "voice", "dB", (), "Praat: Get shimmer (local_dB)", stage="perturbation"),
    Descriptor("shimmer_apq3", "voice", "ratio", (), "Praat: Get shimmer (apq3)", stage="perturbation"),
    Descriptor("shimmer_apq5", "voice", "ratio", (), "Praat: Get shimmer (apq5)", stage="perturbation"),
    Descriptor("hnr", "hnr", "dB", MOMENTS, "Praat: To Harmonicity (cc), voiced frames", stage="hnr"),
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


ENGINE = "integers 2"
"""The arithmetic that the columns come from on the chip: another one, of the same quantities, moves their
last digits."""

_ON_THE_CHIP = ("stage", "part", "family", "sums_for")  # where a number is computed, not what it is


def describe() -> dict:
    """Everything the hash is taken over, as plain data (also what `extractor.py --schema` prints)."""
    descriptors = [
        {field: value for field, value in asdict(d).items() if field not in _ON_THE_CHIP}
        for d in DESCRIPTORS
    ]
    return {
        "engine": ENGINE,
        "constants": CONSTANTS,
        "modulation_bands": MODULATION_BANDS,
        "encoder": encoder_weights.shipped().digest,
        "descriptors": descriptors,
    }


HASH: str = hashlib.sha256(json.dumps(describe(), sort_keys=True).encode()).hexdigest()[:16]
"""16 hex digits: two feature vectors may be mixed only when theirs are equal."""


PLACE_OF: dict[str, int] = {column: place for place, column in enumerate(COLUMNS)}


def places_of(columns: Iterable[str]) -> list[int]:
    """Where these columns stand in the vector. KeyError: one is none of the schema's."""
    return [PLACE_OF[column] for column in columns]


def mfcc_of(name: str) -> int | None:
    """The number of the MFCC that a descriptor or column is about, or its change; None: about another."""
    match = re.match(r"mfcc_(?:delta2?_)?(\d+)(?:_|$)", name)
    return int(match[1]) if match else None


def mfccs_of(columns: Iterable[str]) -> int:
    """How many of the first MFCCs must be computed to know these columns; those that correlations are of
    always are."""
    numbers = [mfcc_of(column) or 0 for column in columns]
    return max([CORRELATED_MFCCS, *numbers])


def groups_of(columns) -> tuple[str, ...]:
    """The groups, in schema order, that must be computed to know these columns."""
    needed = {GROUP_OF[column] for column in columns}
    return tuple(group for group in GROUPS if group in needed)
