"""The voice stages of the C library (pitch, pulses, HNR, intensity) and their helpers, called by ctypes.

They are compiled by themselves, without the extractor around them. Samples in are int16, DC blocked.
"""

import ctypes
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from speech_emotion.features import schema
from speech_emotion.generate import layout

REPOSITORY = Path(__file__).resolve().parent.parent
FLAGS = ("-std=c99", "-O2", "-ffp-contract=off", "-shared", "-fPIC")
COLUMNS = [
    column
    for group in ("pitch", "clear", "voice", "hnr")
    for descriptor in schema.DESCRIPTORS
    if descriptor.group == group
    for column in descriptor.columns
]


@cache
def library(*more: str) -> ctypes.CDLL:
    """The stages, compiled. more: options of the compiler."""
    source = REPOSITORY / "embedded" / "src"
    stages = (
        "bank",
        "contour",
        "fft",
        "fixed",
        "hnr",
        "history",
        "intensity",
        "moments",
        "peak",
    )
    others = ("perturbation", "pitch", "pulses", "tables", "tail", "voice_tables")
    files = [source / f"ser_{name}.c" for name in (*stages, *others)]
    folder = tempfile.mkdtemp(prefix="ser_voice_")
    built = Path(folder) / "voice.so"
    probe = REPOSITORY / "tests" / "c" / "voice_probe.c"
    subprocess.run(
        ["cc", *FLAGS, *more, f"-I{source}", probe, *files, "-lm", "-o", built], check=True
    )
    loaded = ctypes.CDLL(str(built))
    loaded.probe_level.restype = ctypes.c_uint32
    loaded.probe_size.restype = loaded.probe_state_bytes.restype = ctypes.c_size_t
    return loaded


def pointer(array):
    return array.ctypes.data_as(ctypes.c_void_p)


class Voice:
    """One stream. push takes whole hops: 80 + 160 m samples first, 160 m later."""

    def __init__(self, samples=(), share=False, options=()):
        self._library = library(*options)
        self._state = ctypes.create_string_buffer(self._library.probe_size())
        self._library.probe_reset(self._state, int(share))
        self.push(samples)

    def push(self, samples):
        samples = np.ascontiguousarray(samples, np.int16)
        self._library.probe_push(self._state, pointer(samples), ctypes.c_size_t(len(samples)))

    def columns(self) -> dict[str, float]:
        values = np.zeros(len(COLUMNS), np.float32)
        self._library.probe_columns(self._state, pointer(values))
        return dict(zip(COLUMNS, values.astype(float).tolist(), strict=True))

    def level(self) -> int:
        """The sound's peak, in 1/256 sample steps."""
        return self._library.probe_level(self._state)

    def intensity(self):
        return self._read("probe_levels", 2000)

    def track(self):
        return self._read("probe_track", 800)

    def pulses(self):
        return self._read("probe_pulses", 1000)

    def hnr(self):
        """dB of each frame kept, and up to which peak of the sound each is voiced, in sample steps."""
        ratio, limit = np.zeros(800, np.float32), np.zeros(800, np.float32)
        count = self._library.probe_hnr(self._state, pointer(ratio), pointer(limit))
        return ratio[:count].astype(float), limit[:count].astype(float)

    def history(self):
        return self._read("probe_history", 100000)

    def _read(self, name, room):
        values = np.zeros(room, np.float32)
        return values[: getattr(self._library, name)(self._state, pointer(values))].astype(float)


def state_bytes() -> int:
    return library().probe_state_bytes()


def moments(values, frames):
    out = np.zeros(7, np.float32)
    values, frames = np.float32(values), np.uint32(frames)
    library().probe_moments(pointer(values), pointer(frames), len(values), pointer(out))
    return dict(zip(schema.MOMENTS, out.astype(float).tolist(), strict=True))


def log_periods(semitones):
    """How the chip stores an F0, 0 where it is NaN."""
    laid = layout.of_schema()
    octaves = np.log2(schema.SAMPLE_RATE / schema.SEMITONE_REFERENCE) - semitones / 12
    steps = np.rint((octaves - laid.pitch_log_offset) * laid.pitch_log_steps)
    assert np.nanmin(steps, initial=1) >= 1 and np.nanmax(steps, initial=1) <= 0xFFFF
    return np.nan_to_num(steps).astype(np.uint16)


def semitones(log_periods):
    """The F0 that a stored one stands for, NaN where it is 0."""
    laid = layout.of_schema()
    octaves = log_periods / laid.pitch_log_steps + laid.pitch_log_offset
    found = 12 * (np.log2(schema.SAMPLE_RATE / schema.SEMITONE_REFERENCE) - octaves)
    return np.where(log_periods > 0, found, np.nan)


def contour(log_periods):
    """The pitch columns of a contour: one stored F0 per frame, 0 where unvoiced."""
    names = [column for column in COLUMNS if schema.GROUP_OF[column] == "pitch"]
    log_periods, out = np.uint16(log_periods), np.zeros(len(names), np.float32)
    library().probe_contour(pointer(log_periods), len(log_periods), pointer(out))
    return dict(zip(names, out.astype(float).tolist(), strict=True))


def autocorrelation(samples):
    """The 256 lags of 640 whole numbers of at most 2^23, to a scale of their own."""
    samples, lags = np.ascontiguousarray(samples, np.int32), np.zeros(256, np.int32)
    library().probe_autocorrelation(pointer(samples), pointer(lags))
    return lags.astype(float)


def peaks(correlation, lag):
    """(place, height) of a maximum near a lag: by a parabola, by the shallow sinc and by the deep one."""
    r, found = np.rint(correlation * 2**27).astype(np.int32), np.zeros(6, np.int32)
    library().probe_peaks(pointer(r), int(lag), pointer(found))
    return [(place / 2**16, height / 2**25) for place, height in found.reshape(3, 2).tolist()]


def short_sinc(correlation, place, end):
    """Of r in Q29 at a place of 16 fractional bits, where nothing is known beyond end: Q27."""
    r = np.ascontiguousarray(correlation, np.int32)
    return library().probe_short_sinc(pointer(r), int(place), int(end))


def cross(x, y):
    """The 512 lags of whole numbers x with samples y, and by how many bits y's spectrum was amplified."""
    x, y, lags = (
        np.ascontiguousarray(x, np.int32),
        np.ascontiguousarray(y, np.int16),
        np.zeros(512, np.int32),
    )
    up = library().probe_cross(pointer(x), pointer(y), pointer(lags))
    return lags.astype(float), up


def perturbation(times, levels):
    out = np.zeros(7, np.float32)
    times, levels = np.uint32(times), np.uint32(levels)
    library().probe_perturbation(pointer(times), pointer(levels), len(times), pointer(out))
    return out.astype(float)


def math(name, x):
    x = np.float32(x)
    y = np.zeros_like(x)
    which = ("log2", "exp2", "rsqrt", "recip").index(name)
    library().probe_math(which, pointer(x), len(x), pointer(y))
    return y.astype(float)


def fixed(name, x):
    """Of whole numbers of 32 bits, in the function's own format."""
    x = np.ascontiguousarray(x, np.uint32)
    y = np.zeros_like(x)
    which = ("log2", "exp2", "root", "reciprocal", "inverse_root").index(name)
    library().probe_fixed(which, pointer(x), len(x), pointer(y))
    return y


def complex256(z, natural_input):
    """The transform of whole numbers, over 8."""
    work = np.ascontiguousarray(np.stack([z.real, z.imag], axis=1), np.int32)
    library().probe_complex256(pointer(work), int(natural_input))
    return work[:, 0] + 1j * work[:, 1]
