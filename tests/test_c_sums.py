"""The running sums (ser_bank) against exact rational arithmetic: short, after 49 days, and in any order."""

import ctypes
import subprocess
from fractions import Fraction
from math import sqrt
from pathlib import Path

import numpy as np
import pytest

from speech_emotion import native
from speech_emotion.errors import UserError
from speech_emotion.features import schema
from speech_emotion.resources import EMBEDDED

DAYS_49 = 49 * 86400 * 100  # frames
DESCRIPTOR = next(d for d in schema.DESCRIPTORS if d.name == "intensity_db")
UNIT = 2.0**-DESCRIPTOR.bits
MIDDLE = round(DESCRIPTOR.middle / UNIT)


SLOPE_FAR, SLOPE_FORMAT = 208700, 14  # in units of 8


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    try:
        compiler = native.compiler()
    except UserError as error:
        pytest.skip(str(error))
    built = tmp_path_factory.mktemp("sums") / "bank.so"
    source = EMBEDDED / "src"
    files = [source / f"ser_{name}.c" for name in ("bank", "fixed", "tables")]
    probe = Path(__file__).parent / "c" / "bank_probe.c"
    command = [
        *compiler,
        *native.FLAGS,
        "-shared",
        f"-I{source}",
        probe,
        *files,
        "-lm",
        "-o",
        built,
    ]
    subprocess.run(command, check=True)
    loaded = ctypes.CDLL(str(built))
    loaded.probe_bank_size.restype = ctypes.c_size_t
    loaded.probe_bank_frames.restype = ctypes.c_uint32
    loaded.probe_slope_std.restype = ctypes.c_float
    loaded.probe_series_size.restype = ctypes.c_size_t
    return loaded


class Bank:
    """A bank of the C code, and beside it the exact sums of x^k and of x by the frame's number."""

    def __init__(self, library):
        self.c, self.state = library, np.zeros(library.probe_bank_size(), np.uint8)
        library.probe_bank_clear(self.pointer)

    @property
    def pointer(self):
        return self.state.ctypes.data_as(ctypes.c_void_p)

    def add(self, values, frames):
        values, frames = np.asarray(values, np.int32), np.asarray(frames, np.uint32)
        self.c.probe_bank_add(
            self.pointer, values.ctypes.data_as(ctypes.c_void_p), frames.ctypes.data_as(ctypes.c_void_p),
            ctypes.c_size_t(len(values)),
        )  # fmt: skip

    def preset(self, sums, low, high):
        """sums: as `exact` gives them."""
        n = sums[0]
        times, full = preset_words(sums, low, high)
        self.c.probe_bank_preset(
            self.pointer,
            ctypes.c_uint32(n),
            times.ctypes.data_as(ctypes.c_void_p),
            full.ctypes.data_as(ctypes.c_void_p),
        )

    def columns(self, *others):
        """Of its frames and those of other banks."""
        found = np.zeros(7, np.float32)
        banks = (ctypes.c_void_p * (1 + len(others)))(
            self.pointer, *(each.pointer for each in others)
        )
        self.c.probe_bank_columns(banks, len(banks), found.ctypes.data_as(ctypes.c_void_p))
        return found


def preset_words(sums, low, high):
    """Those of the frames' numbers, and those of x."""
    _, t, tt, x1, x2, x3, x4, tx = sums
    times = [*words(t, 2), *words(tt, 3)]
    full = [*words(x1, 2), *words(x2, 3), *words(x3, 3), *words(x4, 4), *words(tx, 3), *words(low, 1),
            *words(high, 1)]  # fmt: skip
    return np.array(times, np.uint32), np.array(full, np.uint32)


def words(number, count):
    """Two's complement, least first; that it fits is part of the test."""
    assert -(1 << (32 * count - 1)) <= number < 1 << (32 * count)
    return [number >> (32 * i) & 0xFFFFFFFF for i in range(count)]


def exact(values, frames):
    """Count, sums of the frames' numbers and their squares, of x to x^4, of x by the number, whole."""
    x, t = [int(v) - MIDDLE for v in values], [int(f) for f in frames]
    powers = [sum(v**k for v in x) for k in (1, 2, 3, 4)]
    return [
        len(x),
        sum(t),
        sum(f * f for f in t),
        *powers,
        sum(a * b for a, b in zip(x, t, strict=True)),
    ]


def expected(sums, low, high):
    """The functionals, by exact fractions until the last step."""
    n, t, tt, x1, x2, x3, x4, tx = (Fraction(s) for s in sums)
    mean, middle = x1 / n, t / n
    second = x2 / n - mean**2
    third = x3 / n - 3 * mean * x2 / n + 2 * mean**3
    fourth = x4 / n - 4 * mean * x3 / n + 6 * mean**2 * x2 / n - 3 * mean**4
    slope = (tx / n - mean * middle) / (tt / n - middle**2)
    frames_per_second = schema.SAMPLE_RATE / schema.HOP
    return [
        (float(mean) + MIDDLE) * UNIT, sqrt(second) * UNIT, low * UNIT, high * UNIT,
        float(third) / float(second) ** 1.5, float(fourth / second**2) - 3,
        float(slope) * UNIT * frames_per_second,
    ]  # fmt: skip


def sentence(seed, count=300, start=0):
    rng = np.random.default_rng(seed)
    level = (
        45 + 20 * np.sin(np.arange(count) / 20) + rng.gamma(2, 3, count) + 0.01 * np.arange(count)
    )
    return np.rint(level / UNIT).astype(int), start + np.arange(count)


@pytest.mark.parametrize("seed", range(3))
def test_a_sentence(library, seed):
    values, frames = sentence(seed)
    bank = Bank(library)
    bank.add(values, frames)
    wanted = expected(exact(values, frames), values.min(), values.max())
    assert bank.columns() == pytest.approx(wanted, rel=2e-6, abs=2e-6)


def test_the_next_sentence_after_49_days_counts_as_exactly(library):
    """Sums as of 4.2e8 frames at either end of what there is, at the latest frame numbers."""
    far, count = (1 << 22) - 1, DAYS_49 - 300
    start = 2**32 - 301 - count
    half = count // 2
    t = count * start + count * (count - 1) // 2
    tt = sum_of_squares(start + count - 1) - sum_of_squares(start - 1)
    early = half * start + half * (half - 1) // 2
    # the first half at one end, the second at the other
    sums = [count, t, tt, far * (count - 2 * half), far**2 * count, far**3 * (count - 2 * half),
            far**4 * count, far * (t - 2 * early)]  # fmt: skip
    bank = Bank(library)
    bank.preset(sums, MIDDLE - far, MIDDLE + far)
    values, frames = sentence(7, start=2**32 - 301)
    bank.add(values, frames)
    together = [a + b for a, b in zip(sums, exact(values, frames), strict=True)]
    wanted = expected(together, MIDDLE - far, MIDDLE + far)
    # the slope is a difference of times that floats hold to 2^-24 of four billion
    assert bank.columns() == pytest.approx(wanted, rel=1e-5, abs=1e-6)
    before = bank.state.copy()
    bank.add(values, frames)  # what comes after is not counted
    assert library.probe_bank_frames(bank.pointer) == DAYS_49
    assert np.array_equal(bank.state, before)


def sum_of_squares(n):
    return n * (n + 1) * (2 * n + 1) // 6


def in_banks(library, parts):
    banks = []
    for values, frames in parts:
        banks.append(Bank(library))
        banks[-1].add(values, frames)
    return banks


@pytest.mark.parametrize("seed", range(3))
def test_banks_together_have_the_columns_of_one_bank_to_the_bit_in_any_order(seed, library):
    rng = np.random.default_rng(seed)
    far = (
        1 << 23 if seed == 2 else 1 << 10
    )  # around the middle: sums of either sign, and words of ones
    parts = [
        (MIDDLE + rng.integers(-far, far, 100 + 50 * i), 1000 * i + np.arange(100 + 50 * i))
        if seed
        else sentence(i, 100 + 50 * i, start=1000 * i)
        for i in range(5)
    ]
    whole = Bank(library)
    whole.add(np.concatenate([v for v, _ in parts]), np.concatenate([f for _, f in parts]))
    banks = in_banks(library, parts)
    for order in ((0, 1, 2, 3, 4), (4, 2, 0, 3, 1), (1, 0, 4, 3, 2)):
        first, *others = [banks[i] for i in order]
        assert first.columns(*others).tobytes() == whole.columns().tobytes()
    empty = Bank(library)
    assert empty.columns(whole, Bank(library)).tobytes() == whole.columns().tobytes()


def test_the_sums_of_49_days_in_each_of_five_banks_are_those_of_all_together(library):
    """Two of 2.1e8 frames at opposite ends, with three sentences: carries go through every word."""
    far, count = (1 << 22) - 1, DAYS_49 // 2
    banks, total = [], [0] * 8
    for which, end in enumerate((far, -far)):
        start = which * count
        t = count * start + count * (count - 1) // 2
        tt = sum_of_squares(start + count - 1) - sum_of_squares(start - 1)
        sums = [count, t, tt, *(end**k * count for k in (1, 2, 3, 4)), end * t]
        banks.append(Bank(library))
        banks[-1].preset(sums, MIDDLE + end, MIDDLE + end)
        total = [a + b for a, b in zip(total, sums, strict=True)]
    parts = [sentence(seed, start=2 * count + 1000 * seed) for seed in range(3)]
    for part in parts:
        total = [a + b for a, b in zip(total, exact(*part), strict=True)]
    banks += in_banks(library, parts)
    whole = Bank(library)
    whole.preset(total, MIDDLE - far, MIDDLE + far)
    assert banks[0].columns(*banks[1:]).tobytes() == whole.columns().tobytes()
    wanted = expected(total, MIDDLE - far, MIDDLE + far)
    assert whole.columns() == pytest.approx(wanted, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("frames", [(1 << 17) - 1, 1 << 17])
def test_few_frames_and_many_are_moved_to_their_mean_alike(frames, library):
    """Where the shorter way ends, and as far out as values go: the largest sums that it takes."""
    far = (1 << 22) - 1
    few = frames // 16
    start = 2**31 - frames
    t = frames * start + frames * (frames - 1) // 2
    tt = sum_of_squares(start + frames - 1) - sum_of_squares(start - 1)
    early = few * start + few * (few - 1) // 2
    for end in (far, -far):
        powers = [end**k * (frames - few) + (-end) ** k * few for k in (1, 2, 3, 4)]
        sums = [frames, t, tt, *powers, end * (t - 2 * early)]
        bank = Bank(library)
        bank.preset(sums, MIDDLE - far, MIDDLE + far)
        wanted = expected(sums, MIDDLE - far, MIDDLE + far)
        assert bank.columns() == pytest.approx(wanted, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("end", [SLOPE_FAR, -SLOPE_FAR])
def test_a_slope_after_49_days_at_one_end_spreads_by_what_comes_at_the_other(library, end):
    """Where a mean is all that is asked besides: 48 bits of the sum and 64 of squares suffice."""
    count, others = DAYS_49 - 300, 200
    bank, next_bank = Bank(library), Bank(library)
    sums = np.array([*words(end * count % (1 << 48), 2), *words(end * end * count, 2)], np.uint32)
    library.probe_slope_preset(
        bank.pointer, ctypes.c_uint32(count), sums.ctypes.data_as(ctypes.c_void_p)
    )
    for each in (bank, next_bank):
        library.probe_slope_add(each.pointer, -end * 8, others)
    banks = (ctypes.c_void_p * 2)(bank.pointer, next_bank.pointer)
    found = library.probe_slope_std(banks, 2, -end * 8, 3)
    share = Fraction(2 * others + 3, count + 2 * others + 3)
    wanted = 2 * SLOPE_FAR * sqrt(share * (1 - share)) * 2.0 ** (3 - SLOPE_FORMAT)
    assert found == pytest.approx(wanted, rel=2e-6)


def test_what_is_beyond_the_format_counts_as_its_end(library):
    bank = Bank(library)
    bank.add([MIDDLE + (1 << 23), MIDDLE - (1 << 23)], [0, 1])
    far = ((1 << 22) - 1) * UNIT
    mean, std, low, high, *_ = bank.columns()
    assert mean == pytest.approx(MIDDLE * UNIT) and std == pytest.approx(far)
    assert (low, high) == ((MIDDLE - (1 << 23)) * UNIT, (MIDDLE + (1 << 23)) * UNIT)


# one quantity alone, as HNR's


class Series:
    """Its sums, and its columns; the values' middle is 0."""

    def __init__(self, library):
        self.c, self.state = library, np.zeros(library.probe_series_size(), np.uint8)
        self.pointer = self.state.ctypes.data_as(ctypes.c_void_p)

    def add(self, values, frames):
        values, frames = np.asarray(values, np.int32), np.asarray(frames, np.uint32)
        self.c.probe_series_add(
            self.pointer, values.ctypes.data_as(ctypes.c_void_p), frames.ctypes.data_as(ctypes.c_void_p),
            ctypes.c_size_t(len(values)),
        )  # fmt: skip

    def columns(self):
        found = np.zeros(7, np.float32)
        self.c.probe_series_columns(self.pointer, found.ctypes.data_as(ctypes.c_void_p))
        return found


def around_zero(values, frames):
    """What `exact` and `expected` make of values whose middle is 0, by shifting them there and back."""
    return exact(np.asarray(values) + MIDDLE, frames)


def test_a_series_alone(library):
    """Values of both signs, as 16 bits hold them."""
    series = Series(library)
    assert (series.columns() == schema.UNDEFINED).all()
    rng = np.random.default_rng(4)
    frames = np.flatnonzero(rng.random(2000) < 0.6)
    values = np.clip(np.rint(rng.normal(3000, 4000, len(frames))), -32768, 32767).astype(int)
    series.add(values, frames)
    wanted = expected(around_zero(values, frames), values.min() + MIDDLE, values.max() + MIDDLE)
    wanted[0] -= MIDDLE * UNIT
    wanted[2] -= MIDDLE * UNIT
    wanted[3] -= MIDDLE * UNIT
    assert series.columns() == pytest.approx(wanted, rel=3e-6, abs=3e-6)


def test_a_series_of_49_days(library):
    """At both ends of 16 bits, and then not counted any more."""
    count = DAYS_49 - 300
    start = 2**32 - 301 - count
    half = count // 2
    t = count * start + count * (count - 1) // 2
    tt = sum_of_squares(start + count - 1) - sum_of_squares(start - 1)
    early = half * start + half * (half - 1) // 2
    low, high = -32768, 32767
    sums = [count, t, tt, *(low**k * half + high**k * (count - half) for k in (1, 2, 3, 4)),
            low * early + high * (t - early)]  # fmt: skip
    series = Series(library)
    library.probe_series_preset(
        series.pointer, ctypes.c_uint32(count),
        *(words.ctypes.data_as(ctypes.c_void_p) for words in preset_words(sums, low, high)),
    )  # fmt: skip
    values, frames = np.arange(300) * 100 - 9000, 2**32 - 301 + np.arange(300)
    series.add(values, frames)
    together = [a + b for a, b in zip(sums, around_zero(values, frames), strict=True)]
    wanted = expected(together, low + MIDDLE, high + MIDDLE)
    for i in (0, 2, 3):
        wanted[i] = (low, high)[i - 2] * UNIT if i else float(Fraction(together[3], DAYS_49)) * UNIT
    assert series.columns() == pytest.approx(wanted, rel=1e-5, abs=1e-6)
    before = series.state.copy()
    series.add(values, frames)
    assert np.array_equal(series.state, before)
