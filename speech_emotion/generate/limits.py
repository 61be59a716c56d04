"""What the C code can follow of the schema, and why not further: `check` refuses the rest, before all else.

A number that an algorithm fixes (the transform's 512 samples) may only be what it is; one that is stored or
laid out in a certain way may move within what that allows. What is not refused here, both engines follow:
tests/test_schema_constants.py changes every number in turn.
"""

import math
from collections.abc import Iterator

from speech_emotion.errors import UserError
from speech_emotion.features import grid, schema
from speech_emotion.generate import layout

_SIZES = "an array's size in C, or a count"
_FREQUENCY = "a frequency between 0 and half the sampling rate"
_FLOAT = "single precision has no smaller normal number than 1.2e-38"
_SHARE = "a share"
_BY_DEFINITION = "what it is of is not negative"

# name: (least, most, why). Whole numbers have whole limits.
RANGES: dict[str, tuple[float, float, str]] = {
    "SAMPLE_RATE": (4000, 48000, "below, there is no speech; above, the chip cannot follow"),
    "HOP": (16, 1024, "ser_history.c codes blocks of 16 samples"),
    "FRAME": (layout.TRANSFORM, layout.TRANSFORM, "ser_fft.c transforms 512 real samples, with a radix of 4"),
    "CLIP_REMAINDER": (4, 1024, _SIZES),
    "MIN_SAMPLES": (1, 2**20, _SIZES),
    "DC_SHIFT": (1, 14, "ser_front.c keeps 2^DC_SHIFT times a sample, and twice that, in 32 bits"),
    "LEVEL_STEP_DB": (1, 60, "the gate counts in whole steps"),
    "LEVEL_FLOOR_DB": (-150, -10, "a frame of 512 samples has no level between 0 and -117 dB"),
    "GATE_STEPS": (1, 20, "ser_gate.h keeps running sums for every step"),
    "MELS": (40, 40, "the encoder was taught on so many bands (features/encoder.json)"),
    "MFCCS": (1, 63, "there are fewer than MELS"),
    "DELTA_WIDTH": (3, 15, "ser_gate.h remembers the levels of 16 frames"),
    "POWER_FLOOR": (1e-12, 2e-7, "ser_spectrum.c counts in 2^-23 of full scale, what is floored in 32 bits"),
    "ROLLOFF": (0.01, 0.99, _SHARE),
    "LOW_HIGH_SPLIT": (1, 24000, _FREQUENCY),
    "CONTRAST_FMIN": (1, 24000, _FREQUENCY),
    "CONTRAST_BANDS": (1, 8, "octaves below half the sampling rate"),
    "CONTRAST_QUANTILE": (0.0, 0.5, _SHARE),
    "CHROMAS": (4, 60, "ser_spectrum.c adds to five at a time, once round the circle at most"),
    "CORRELATED_MFCCS": (2, 20, "a correlation is of two"),
    "MODULATION_RATES": (1, 9, "numbered by one digit"),
    "PITCH_FLOOR": (20, 500, _FREQUENCY),
    "PITCH_CEILING": (50, 2000, _FREQUENCY),
    "PITCH_CANDIDATES": (2, 16, "ser_pitch.h numbers a frame's candidates in 4 bits"),
    "PITCH_SILENCE": (1e-3, 1.0, _SHARE),
    "PITCH_VOICING": (0.0, 1.0, _SHARE),
    "PITCH_OCTAVE_COST": (0.0, 1.0, _SHARE),
    "PITCH_JUMP_COST": (0.0, 10.0, "a cost, in units of a strength"),
    "PITCH_TURN_COST": (0.0, 10.0, "a cost, in units of a strength"),
    "SEMITONE_REFERENCE": (1, 24000, _FREQUENCY),
    "F0_STEP_LIMIT": (0.01, 100.0, _BY_DEFINITION),
    "F0_EDGE": (3, 50, "a parabola needs three frames; ser_contour.h keeps the latest ones"),
    "F0_SEGMENT": (2, 1000, "a slope needs two frames"),
    "CLEAR_PEAK": (0.0, 1.0, _SHARE),
    "CLEAR_STRENGTH": (0.0, 1.0, _SHARE),
    "INTENSITY_FLOOR_DB": (
        -40.0,
        100.0,
        "dB re 2e-5 of full scale: ser_intensity.c counts 2^-18 of a squared step; 94 is the loudest",
    ),
    "HNR_FRAMES_PER_WINDOW": (1.0, 1.0, "ser_hnr.c compares stretches as long as their longest lag"),
    "HNR_SILENCE": (1e-3, 1.0, _SHARE),
    "PERIOD_SHORTEST": (1e-5, 0.02, "pulses are found no nearer to each other than the pitch allows"),
    "PERIOD_LONGEST": (1e-4, 0.1, "ser_perturbation.c multiplies periods in 32 bits"),
    "PERIOD_FACTOR": (1.0, 10.0, "of two neighbours, the longer over the shorter"),
    "AMPLITUDE_FACTOR": (1.0, 100.0, "of two neighbours, the greater over the smaller"),
    "FLAT": (0.0, 1e6, _BY_DEFINITION),
    "TINY": (1e-37, 1e6, _FLOAT),
    "UNDEFINED": (-1e6, 1e6, "the models' inputs are finite"),
}  # fmt: skip


def check() -> None:
    """Raises UserError with the first reason why the C code cannot follow the schema."""
    for refuse in (_out_of_range, _relations, _geometry, _tables):
        for names, reason in refuse():
            values = ", ".join(f"{name} = {getattr(schema, name)}" for name in names.split())
            raise UserError(f"features/schema.py: {values}: {reason}")


def _out_of_range() -> Iterator[tuple[str, str]]:
    for name, value in schema.CONSTANTS.items():
        if name not in RANGES:
            yield name, f"nobody has said what the C code can follow; give it a range in {__name__}"
            continue
        least, most, why = RANGES[name]
        if isinstance(least, int) and not isinstance(value, int):
            yield name, "must be a whole number"
        if not least <= value <= most:
            span = f"must be {least:g}" if least == most else f"must be {least:g} to {most:g}"
            yield name, f"{span}: {why}"


def _relations() -> Iterator[tuple[str, str]]:
    """What one number demands of another, by definition or in librosa and Praat: names, and why not."""
    nyquist = schema.SAMPLE_RATE / 2
    for name in ("LOW_HIGH_SPLIT", "CONTRAST_FMIN", "PITCH_FLOOR", "PITCH_CEILING"):
        if getattr(schema, name) >= nyquist:
            yield f"{name} SAMPLE_RATE", "must be below half the sampling rate"
    if schema.PITCH_CEILING < 2 * schema.PITCH_FLOOR:
        yield "PITCH_FLOOR PITCH_CEILING", "must be an octave apart at least"
    if nyquist <= schema.CONTRAST_FMIN * 2**schema.CONTRAST_BANDS:
        yield (
            "CONTRAST_BANDS CONTRAST_FMIN SAMPLE_RATE",
            f"the last of the octaves would begin at half the sampling rate, {nyquist:g} Hz, or above",
        )
    if schema.MFCCS >= schema.MELS:
        yield "MFCCS MELS", "there must be fewer coefficients than bands"
    if schema.CORRELATED_MFCCS > schema.MFCCS:
        yield "CORRELATED_MFCCS MFCCS", "there are no more coefficients"
    if schema.DELTA_WIDTH % 2 == 0:
        yield "DELTA_WIDTH", "must be odd: a slope has a middle"
    if schema.PERIOD_SHORTEST >= schema.PERIOD_LONGEST:
        yield "PERIOD_SHORTEST PERIOD_LONGEST", "nothing lies between"
    for first, end in schema.MODULATION_BANDS:
        if not (
            isinstance(first, int) and isinstance(end, int) and 0 <= first < end <= schema.MELS
        ):
            yield "MODULATION_BANDS MELS", "must be whole numbers, [first, end) of the mel bands"
    if len(schema.MODULATION_BANDS) > 9:
        yield "MODULATION_BANDS", "must be at most 9: they are numbered by one digit"
    steps = -schema.LEVEL_FLOOR_DB // schema.LEVEL_STEP_DB
    if not schema.GATE_STEPS < steps < 256:
        yield (
            "LEVEL_STEP_DB LEVEL_FLOOR_DB GATE_STEPS",
            f"{steps} steps up to full scale: there must be more than the gate is wide, and 8 bits must "
            "count them",
        )


def _geometry() -> Iterator[tuple[str, str]]:
    """What the layout of the voice stages, and the spectral frame's, ask for."""
    laid = layout.of_schema()
    hop, remainder = schema.HOP, schema.CLIP_REMAINDER
    clip, voice = "HOP CLIP_REMAINDER", "PITCH_FLOOR SAMPLE_RATE"
    if hop % 16:
        yield (
            "HOP",
            "must be a multiple of 16: ser_history.c and ser_intensity.c take so many at a time",
        )
    if remainder % 4 or remainder > hop:
        yield clip, "the remainder must be a multiple of 4, at most a hop (ser_tail.c)"
    if hop > schema.FRAME:
        yield "HOP FRAME", "a hop must be at most a frame, so that every sample is in one"
    for name, frames in (
        ("pitch", grid.pitch()),
        ("HNR", grid.harmonicity()),
        ("intensity", grid.intensity()),
    ):
        if not 1 <= frames.rest <= hop - 1:
            yield (
                f"{clip} {voice}",
                f"Praat's {name} frames would fill a clip to {float(frames.rest):g} samples: how many there "
                "are would hang on rounding",
            )  # fmt: skip
    size = 2 * layout.TRANSFORM
    window, longest = laid.pitch_window, laid.pitch_longest
    reach = layout.SINC_DEEP + 2
    if longest + reach > layout.PITCH_LAGS:
        yield (
            voice,
            f"the longest period is {longest} samples, and the autocorrelation in ser_fft.c gives "
            f"{layout.PITCH_LAGS} lags, of which interpolation needs {reach}",
        )
    if not layout.TRANSFORM <= window <= size - layout.PITCH_LAGS or window % 4:
        yield (
            voice,
            f"three of the longest periods are a window of {window} samples; ser_pitch.c lays one of "
            f"{layout.TRANSFORM} to {size - layout.PITCH_LAGS}, a multiple of 4, into a transform of {size}",
        )
    stored = (math.log2(longest + 1.3) - laid.pitch_log_offset) * laid.pitch_log_steps
    if laid.pitch_log_steps < 12000 or stored > 0xFFFF:
        yield (
            f"PITCH_CEILING {voice}",
            f"16 bits would store periods in steps of 1/{laid.pitch_log_steps} octave only (ser_pitch.c)",
        )
    if laid.pitch_shortest < 4:
        yield (
            "PITCH_CEILING SAMPLE_RATE",
            f"a period of {laid.pitch_shortest} samples; interpolation needs 4",
        )
    everything = f"{clip} {voice}"
    if laid.tail_samples % 4:
        yield (
            everything,
            f"the tail would be {laid.tail_samples} samples, no multiple of 4 (ser_tail.c)",
        )
    if (
        laid.hnr_block < 1
        or laid.hnr_first < laid.hnr_block
        or (laid.hnr_first - laid.hnr_block) % 2
    ):
        yield (
            everything,
            "what HNR compares would begin before the latest spectral frame, or at an odd sample of it "
            "(ser_hnr.c)",
        )
    if laid.hnr_first - laid.hnr_block + 2 * laid.hnr_span > layout.TRANSFORM:
        yield (
            everything,
            f"two stretches of {laid.hnr_span} samples do not fit where ser_hnr.c correlates them",
        )
    if not 0 <= laid.hnr_centre - longest - laid.hnr_block <= layout.TRANSFORM - 2 * longest:
        yield (
            everything,
            f"{2 * longest} samples, whose mean ser_hnr.c takes, do not lie in the latest spectral frame",
        )
    if laid.intensity_last_whole < 0 or laid.intensity_first >= hop // layout.INTENSITY_STEP:
        yield everything, "intensity's window ends before its last hop (ser_intensity.c)"
    if (
        not 0
        <= laid.intensity_latency - laid.frame_latency - laid.intensity_lag
        < layout.GATE_HISTORY
    ):
        yield (
            everything,
            f"intensity comes later than the {layout.GATE_HISTORY} frames that ser_gate.h remembers",
        )
    if not (9 * longest // 4 + 8) / hop + 1 <= layout.VIEW_HOPS <= size // hop:
        yield (
            everything,
            f"ser_pulses.c looks at {layout.VIEW_HOPS} hops together, up to {size} samples, which must hold "
            "two periods and a quarter",
        )
    if math.ceil(schema.LOW_HIGH_SPLIT * schema.FRAME / schema.SAMPLE_RATE) > 126:
        yield (
            "LOW_HIGH_SPLIT SAMPLE_RATE",
            "ser_spectrum.c multiplies the mantissas of the bins below, 126 at most",
        )
    ratio = layout.period_ratio()
    if max(ratio.numerator, ratio.denominator) > 1000:
        yield (
            "PERIOD_FACTOR",
            "must be a ratio of numbers up to 1000 (ser_perturbation.c multiplies by them)",
        )
    needed = max(float(grid.intensity().window), schema.FRAME)
    shortest = schema.MIN_SAMPLES - (schema.MIN_SAMPLES - remainder) % hop
    if shortest < needed:
        yield (
            f"MIN_SAMPLES {everything}",
            f"clips of {shortest} samples would not hold one intensity frame of {math.ceil(needed)}",
        )


def _tables() -> Iterator[tuple[str, str]]:
    """What the tables' types hold, and filters that are empty."""
    import numpy as np

    from speech_emotion.compiled import librosa

    filters = librosa.filters.mel(sr=schema.SAMPLE_RATE, n_fft=schema.FRAME, n_mels=schema.MELS)
    if schema.MELS % 2:
        yield "MELS", "must be even: ser_cepstrum.c folds the cosines in the middle"
    if not np.count_nonzero(filters, axis=1).all():
        yield (
            "MELS SAMPLE_RATE",
            f"a band would be without a bin of a frame of {schema.FRAME} samples",
        )
