"""ser_schema.h and ser_tables.{h,c}, from features/schema.py.

No column, descriptor or constant is typed a second time in C: the C code refers to the names made here.
"""

import math
from itertools import groupby
from pathlib import Path

import numpy as np
from scipy.signal import savgol_coeffs

from speech_emotion.compiled import librosa
from speech_emotion.features import schema
from speech_emotion.features.reference import modulation_gain, step_energies
from speech_emotion.features.schema import PARTS
from speech_emotion.generate import layout
from speech_emotion.generate.layout import as_float as _float
from speech_emotion.resources import EMBEDDED

SOURCE = EMBEDDED / "src"
NOTE = (
    "/* Generated from features/schema.py by `python -m speech_emotion.generate`; do not edit. */\n"
)
_BINS = schema.FRAME // 2 + 1


def is_spread(descriptor: schema.Descriptor) -> bool:
    """Whether mean and standard deviation are all that is asked: two running sums instead of seven."""
    return set(descriptor.functionals) <= {"mean", "std"}


def schema_header() -> str:
    """ser_schema.h: constants, hash, group switches, column numbers, layout of the running sums."""
    lines = [NOTE, "#ifndef SER_SCHEMA_H", "#define SER_SCHEMA_H", ""]
    lines += [
        '#include "ser_config.h"',
        "",
        "/* Names this exact definition; sources of two different hashes must not be combined. */",
        f"#define SER_SCHEMA_HASH 0x{schema.HASH}ULL",
        "",
    ]
    for name, value in schema.CONSTANTS.items():
        text = str(value) if isinstance(value, int) else _float(value)
        lines.append(f"#define SER_{name} {f'({text})' if value < 0 else text}")
    shortest = schema.MIN_SAMPLES - (schema.MIN_SAMPLES - schema.CLIP_REMAINDER) % schema.HOP
    lines += [
        f"#define SER_MIN_CLIP {shortest} /* SER_MIN_SAMPLES cut to whole hops */",
        "",
        "/* What the voice stages take from these numbers: see speech_emotion/generate/layout.py. */",
        *layout.defines(),
        "",
        f"#define SER_FEATURES {len(schema.COLUMNS)}",
        "",
        "/* Groups: SER_WITH_<GROUP> 0, in ser_config.h or as -D, leaves one out, state and tables too. */",
    ]
    for group in schema.GROUPS:
        switch = f"SER_WITH_{group.upper()}"
        lines += [f"#ifndef {switch}", f"#define {switch} 1", "#endif"]
    lines += [
        "",
        "/* In the same way: how many of the first MFCCs, and of their changes, are kept,",
        "   whether second changes are, and whether kurtosis is. */",
        "#ifndef SER_MFCCS_KEPT",
        "#define SER_MFCCS_KEPT SER_MFCCS",
        "#endif",
        "#if SER_MFCCS_KEPT < SER_CORRELATED_MFCCS || SER_MFCCS_KEPT > SER_MFCCS",
        '#error "SER_MFCCS_KEPT: from SER_CORRELATED_MFCCS to SER_MFCCS"',
        "#endif",
        *(
            line
            for switch in ("SER_WITH_DELTA2", "SER_WITH_KURTOSIS")
            for line in (f"#ifndef {switch}", f"#define {switch} 1", "#endif")
        ),
        "",
    ]
    lines += ["", "/* The columns of each group: [SER_FIRST_x, SER_FIRST_x + SER_COUNT_x). */"]
    for group, first, count in group_ranges():
        lines.append(f"#define SER_FIRST_{group.upper()} {first}")
        lines.append(f"#define SER_COUNT_{group.upper()} {count}")
    lines += [
        "",
        "/* Every descriptor's first column; its functionals follow in the schema's order. */",
    ]
    column = 0
    for descriptor in schema.DESCRIPTORS:
        lines.append(f"#define SER_COLUMN_{descriptor.name.upper()} {column}")
        column += len(descriptor.columns)
    lines += ["", *_formats()]
    lines += [
        "",
        "/* Functionals, as bits. */",
    ]
    lines += [f"#define SER_{name.upper()} {1 << i}U" for i, name in enumerate(schema.MOMENTS)]
    lines += [
        "",
        "/* Parts: descriptors accumulated together. In each, those with seven sums come first",
        "   ([0, FULLS)), those with mean and standard deviation only after them ([FULLS, VALUES)). */",
    ]
    for part, why in PARTS.items():
        lines += _part_enum(part, why)
    each = " ".join(f"PART({part.upper()}, {part})" for part in PARTS)
    lines += [
        "",
        f"#define SER_EACH_PART(PART) {each}",
        "#define SER_PART_(NAME, name) SER_PART_##NAME,",
        "typedef enum { SER_EACH_PART(SER_PART_) SER_PARTS } ser_part;",
        "/* Parts of which a slope is asked: whose frames' numbers are summed, and where. */",
        "enum {",
        *(f"    SER_TIMES_{part.upper()}," for part in PARTS if _is_timed(part)),
        "    SER_TIMED_PARTS,",
        *(
            f"    SER_TIMES_{part.upper()} = SER_TIMED_PARTS,"
            for part in PARTS
            if not _is_timed(part)
        ),
        "};",
    ]
    fulls = " + ".join(f"SER_{part.upper()}_FULLS" for part in PARTS)
    values = " + ".join(f"SER_{part.upper()}_VALUES" for part in PARTS)
    lines += [
        f"enum {{ SER_FULLS = {fulls},",
        f"       SER_SPREADS = {values} - SER_FULLS }};",
    ]
    return "\n".join([*lines, "", "#endif", ""])


def _formats() -> list[str]:
    """What a descriptor's values are times, one line for each kind of them."""
    lines = ["/* Every descriptor's number format: values are integers, times 2^this. */"]
    for name, members in groupby(
        (d for d in schema.DESCRIPTORS if d.part is not None), key=lambda d: d.family or d.name
    ):
        lines.append(f"#define SER_BITS_{name.upper()} {next(iter(members)).bits}")
    return lines


def group_ranges() -> list[tuple[str, int, int]]:
    """(group, first column, columns); the schema keeps every group's columns together."""
    ranges, first = [], 0
    for group, descriptors in groupby(schema.DESCRIPTORS, key=lambda d: d.group):
        count = sum(len(d.columns) for d in descriptors)
        ranges.append((group, first, count))
        first += count
    assert [group for group, *_ in ranges] == list(schema.GROUPS), "a group's columns are scattered"
    return ranges


def _members(part):
    """Descriptors of a part: (full, spread), each in schema order."""
    members = [d for d in schema.DESCRIPTORS if d.part == part]
    return [d for d in members if not is_spread(d)], [d for d in members if is_spread(d)]


def _is_timed(part):
    return any("slope" in d.functionals for d in schema.DESCRIPTORS if d.part == part)


def condition(descriptor: schema.Descriptor) -> str:
    """The condition under which a descriptor's sums are kept, as the preprocessor asks it."""
    groups = filter(None, (descriptor.group, descriptor.sums_for))
    asked = " || ".join(f"SER_WITH_{group.upper()}" for group in groups)
    number = schema.mfcc_of(descriptor.name)
    if number is not None and number > schema.CORRELATED_MFCCS:
        asked += f" && SER_MFCCS_KEPT >= {number}"
    if descriptor.family == "mfcc_delta2":
        asked += " && SER_WITH_DELTA2"
    return asked


def by_group(descriptors, line):
    """One line per descriptor, wrapped in the switches of their groups."""
    lines = []
    for test, members in groupby(descriptors, key=condition):
        lines += [f"#if {test}", *map(line, members), "#endif"]
    return lines


def _part_enum(part, why):
    upper = part.upper()
    full, spread = _members(part)

    def line(descriptor):
        return f"    SER_{upper}_{descriptor.name.upper()},"

    return [
        "",
        f"enum {{ /* {part}: {why} */",
        *by_group(full, line),
        f"    SER_{upper}_FULLS,",
        f"    SER_{upper}_FULLS_LAST_ = SER_{upper}_FULLS - 1,",
        *by_group(spread, line),
        f"    SER_{upper}_VALUES",
        "};",
    ]


def contrast_bands() -> list[tuple[int, int, int]]:
    """(first bin, bins, bins averaged at either end) of each band, as librosa's spectral_contrast
    lays them out: octaves overlap by one bin below and all but the last leave out their top bin."""
    frequency = librosa.fft_frequencies(sr=schema.SAMPLE_RATE, n_fft=schema.FRAME)
    edges = [0.0, *(schema.CONTRAST_FMIN * 2.0**i for i in range(schema.CONTRAST_BANDS + 1))]
    bands = []
    for k in range(schema.CONTRAST_BANDS + 1):
        inside = np.flatnonzero((frequency >= edges[k]) & (frequency <= edges[k + 1]))
        first = inside[0] - (k > 0)
        last = _BINS - 1 if k == schema.CONTRAST_BANDS else inside[-1]
        averaged = max(1, int(np.rint(schema.CONTRAST_QUANTILE * (last - first + 1))))
        bands.append((int(first), int(last - first + (k == schema.CONTRAST_BANDS)), averaged))
    return bands


CHROMA_RUN = 5


def _chroma_filters() -> np.ndarray:
    return librosa.filters.chroma(
        sr=schema.SAMPLE_RATE, n_fft=schema.FRAME, n_chroma=schema.CHROMAS, tuning=0.0
    )


def chroma_rows() -> tuple[list[tuple[int, int, int]], list[list[float]]]:
    """Chroma weights in rows of CHROMA_RUN consecutive chromas (modulo 12), as most bins need them:
    ((first chroma, first bin, bins), ...) for runs of bins whose rows begin at the same chroma, and all
    rows. Bins that add to more chromas have several rows. What is below 1e-5 of a bin's largest weight is
    left out.
    """
    weights = _chroma_filters()
    runs: list[tuple[int, int, int]] = []
    rows: list[list[float]] = []
    for b, row in enumerate(np.where(weights > 1e-5 * weights.max(axis=0), weights, 0).T):
        # the shortest stretch round the circle that holds every weight kept
        count, first = min(
            (schema.CHROMAS - _leading(np.roll(row, -first)[::-1] == 0), first)
            for first in range(schema.CHROMAS)
        )
        stretch = np.zeros(-(-count // CHROMA_RUN) * CHROMA_RUN)
        stretch[:count] = np.roll(row, -first)[:count]
        for offset in range(0, count, CHROMA_RUN):
            start = (first + offset) % schema.CHROMAS
            rows.append(stretch[offset : offset + CHROMA_RUN].tolist())
            if runs and runs[-1][0] == start and runs[-1][1] + runs[-1][2] == b:
                runs[-1] = (start, runs[-1][1], runs[-1][2] + 1)
            else:
                runs.append((start, b, 1))
    return runs, rows


def _leading(flags):
    """How many True values a sequence begins with."""
    return next((i for i, flag in enumerate(flags) if not flag), len(flags))


def q31(values) -> np.ndarray:
    """As Q1.31: times 2^31, rounded; 1 becomes the largest there is, 2^31 - 1."""
    return np.minimum(np.rint(np.asarray(values) * 2.0**31), 2**31 - 1).astype(np.int64)


def format_of(family: str) -> int:
    """The number format of a descriptor or family: its values are times 2^this."""
    return next(d.bits for d in schema.DESCRIPTORS if family in (d.family, d.name))


def q32(values) -> np.ndarray:
    """Numbers below 1 as Q0.32."""
    return np.minimum(np.rint(np.asarray(values) * 2.0**32), 2**32 - 1).astype(np.int64)


def mel_rows() -> tuple[list[tuple[int, int]], list[float], list[float]]:
    """The mel filters: ((first bin, bins), ...), all weights in a row over their band's sum, and the sums."""
    filters = librosa.filters.mel(sr=schema.SAMPLE_RATE, n_fft=schema.FRAME, n_mels=schema.MELS)
    spans, packed, sums = [], [], []
    for row in filters.astype(float):
        (inside,) = np.nonzero(row)
        spans.append((int(inside[0]), int(inside[-1] - inside[0] + 1)))
        packed += (row[inside[0] : inside[-1] + 1] / row.sum()).tolist()
        sums.append(row.sum())
    return spans, packed, sums


def dct_half() -> np.ndarray:
    """The orthonormal DCT-II of MELS values, coefficients 1..MFCCS, (MFCCS, MELS / 2): the other half of
    each row mirrors it, with the sign of the coefficient's parity."""
    n = np.arange(schema.MELS // 2)
    k = np.arange(1, schema.MFCCS + 1)[:, None]
    return np.sqrt(2 / schema.MELS) * np.cos(np.pi * k * (2 * n + 1) / (2 * schema.MELS))


LOG2_BITS = 6


def log2_rows() -> np.ndarray:
    """Shape (2^LOG2_BITS, 3), integers: of log2(1 + x) over as many equal ranges of x in [0, 1), the parabola
    through the three Chebyshev points of each. With place in Q1.31 of a range, the logarithm is
    `a + mulh(place, b + mulh(place, c))` in Q30."""
    ranges = 1 << LOG2_BITS
    nodes = (1 + np.cos(np.pi * (np.arange(3) + 0.5) / 3)) / 2
    rows = []
    for i in range(ranges):
        c, b, a = np.polyfit(nodes, np.log2(1 + (i + nodes) / ranges), 2)
        rows.append([a * 2.0**30, b * 2.0**31, c * 2.0**32])
    return np.rint(rows).astype(np.int64)


def root_rows() -> np.ndarray:
    """Shape (96, 3), integers: for numbers p in [2^30, 2^32) by their highest 7 bits, 32 and more, c being
    the middle of each range: 2^62 / c (its bits as an int32), sqrt(c) times 2^15, log2(c / 2^30) in Q20."""
    middle = (np.arange(32, 128) + 0.5) * 2.0**25
    inverse = np.rint(2.0**62 / middle).astype(np.int64)
    inverse = np.where(inverse >= 2**31, inverse - 2**32, inverse)
    root, logarithm = np.sqrt(middle) * 2.0**15, np.log2(middle / 2.0**30) * 2.0**20
    return np.stack([inverse, np.rint(root), np.rint(logarithm)], axis=1).astype(np.int64)


def _tables():
    """(comment, C type, name, dimensions, values, needed when) of every table."""
    mel_spans, mel_weights, mel_sums = mel_rows()
    mel_gains = np.rint(10 * np.log10(mel_sums) * 2.0 ** format_of("mel")).astype(int)
    chroma_runs, chroma_weights = chroma_rows()
    half = schema.DELTA_WIDTH // 2
    return [
        (
            "smallest sum of squares of a frame of each level step above step 0",
            "int64_t", "ser_step_energies", [len(step_energies())], step_energies(), None,
        ),
        ("parabolas of the logarithm: see ser_fixed.c", "int32_t", "ser_log2_rows",
         [1 << LOG2_BITS, 3], log2_rows(), None),
        ("one over, root and logarithm of ranges: see ser_fixed.c", "int32_t", "ser_root_rows",
         [96, 3], root_rows(), None),
        ("first bin and bins of each mel band", "uint8_t", "ser_mel_spans",
         [schema.MELS, 2], mel_spans, "SER_NEEDS_MEL"),
        ("their weights in a row, Q0.32, each band's over their sum", "uint32_t", "ser_mel_weights",
         [len(mel_weights)], np.floor(np.array(mel_weights) * 2.0**32).astype(np.int64), "SER_NEEDS_MEL"),
        ("what that sum adds to a band's level, dB in the format of mel levels", "int32_t", "ser_mel_gains",
         [schema.MELS], mel_gains, "SER_NEEDS_MEL"),
        ("DCT-II of the mel levels, half of each row, Q33", "int32_t", "ser_dct",
         [schema.MFCCS, schema.MELS // 2], np.rint(dct_half() * 2.0**33).astype(np.int64), "SER_NEEDS_MFCC"),
        ("slope over DELTA_WIDTH hops: the weight of the hops 1, 2 ... away from the middle, odd, Q1.31",
         "int32_t", "ser_delta_weights", [half],
         q31(savgol_coeffs(schema.DELTA_WIDTH, 1, deriv=1)[:half][::-1]), "SER_WITH_CEPSTRUM"),
        ("curvature: the weight of the middle hop and those 1, 2 ... away, even, Q1.31",
         "int32_t", "ser_delta2_weights", [half + 1],
         q31(savgol_coeffs(schema.DELTA_WIDTH, 2, deriv=2)[: half + 1][::-1]), "SER_WITH_CEPSTRUM"),
        ("first bin, bins, and bins averaged at either end of each contrast band", "uint8_t",
         "ser_contrast_bands", [schema.CONTRAST_BANDS + 1, 3], contrast_bands(),
         "SER_WITH_CONTRAST"),
        ("first chroma, first bin and bins that begin there", "uint8_t",
         "ser_chroma_runs", [len(chroma_runs), 3], chroma_runs, "SER_WITH_CHROMA"),
        ("weights of each bin for SER_CHROMA_RUN chromas (modulo 12) from there, Q0.32", "uint32_t",
         "ser_chroma_weights", [len(chroma_weights), CHROMA_RUN], q32(chroma_weights),
         "SER_WITH_CHROMA"),
        ("first and last mel band, plus 1, of each modulation band", "uint8_t",
         "ser_modulation_bands", [len(schema.MODULATION_BANDS), 2], schema.MODULATION_BANDS,
         "SER_WITH_MODULATION"),
        ("one over how many that are, Q1.31", "int32_t", "ser_modulation_shares",
         [len(schema.MODULATION_BANDS)], q31([1 / (end - first) for first, end in schema.MODULATION_BANDS]),
         "SER_WITH_MODULATION"),
        ("gain of the running means over 2, 4 ... hops, Q1.31", "int32_t", "ser_modulation_gains",
         [schema.MODULATION_RATES],
         q31([modulation_gain(rate) for rate in range(1, schema.MODULATION_RATES + 1)]),
         "SER_WITH_MODULATION"),
    ]  # fmt: skip


_TABLES_HEADER = """
#ifndef SER_TABLES_H
#define SER_TABLES_H

#include "ser_schema.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the groups asked for need computed. */
#define SER_NEEDS_MFCC (SER_WITH_CEPSTRUM || SER_WITH_CORRELATION)
#define SER_NEEDS_MEL \\
    (SER_NEEDS_MFCC || SER_WITH_MEL || SER_WITH_RELATIVE || SER_WITH_SPECTRUM || SER_WITH_MODULATION || \\
     SER_WITH_ENCODER)
#define SER_NEEDS_MAGNITUDE (SER_WITH_SPECTRUM || SER_WITH_CONTRAST)
#define SER_NEEDS_FFT (SER_NEEDS_MEL || SER_NEEDS_MAGNITUDE || SER_WITH_CHROMA)
"""

_DESCRIPTOR_TYPE = """
/* Where a part's value goes: its first column, and which functionals (bits) stand there; and its format: what
   it is times 2^format, and what of these counts as the middle. */
typedef struct {
    uint16_t column;
    uint8_t functionals;
    uint8_t format;
    int32_t middle;
} ser_descriptor;
"""


MAGNITUDE_UNITS = 2.0**23
"""What a magnitude of full scale (a windowed transform of samples in [-1, 1)) counts on the chip."""


def spectrum_units() -> list[str]:
    """Floors and thresholds of the spectrum in the chip's units."""
    floor = math.sqrt(schema.POWER_FLOOR) * MAGNITUDE_UNITS
    floor_db = 10 * math.log10(schema.POWER_FLOOR)
    hertz = schema.SAMPLE_RATE / schema.FRAME  # of a bin
    from_q24 = {name: 2.0 ** (32 - 24 + format_of(name)) for name in ("centroid", "bandwidth")}
    return [
        f"#define SER_MAGNITUDE_FLOOR {math.ceil(floor)}U /* a full scale of 2^23 */",
        f"#define SER_MAGNITUDE_FLOOR_FINE {round(floor * 2**8)}U /* times 2^8 */",
        f"#define SER_SQUARE_FLOOR {round(floor**2)}U /* of its square */",
        f"#define SER_SQUARE_FLOOR_LOG2 {round(math.log2(floor**2) * 2**24)} /* Q24 */",
        f"#define SER_FULL_SQUARE_LOG2 {round(2 * math.log2(MAGNITUDE_UNITS) * 2**24)} /* Q24 */",
        f"#define SER_DECIBEL_FLOOR ({round(floor_db * 2 ** format_of('mel'))}) /* of a mel level */",
        f"#define SER_DECIBELS_PER_LOG2 {round(10 * math.log10(2) * 2**22)} /* times 2^22 */",
        f"#define SER_ROLLOFF_SHARE {round(schema.ROLLOFF * 2**32)}U /* Q0.32 */",
        f"#define SER_PER_BIN_LOG2 {round(math.log2(_BINS) * 2**24)} /* of SER_BINS, Q24 */",
        f"#define SER_PER_BIN {round(2**39 / _BINS)} /* 256 over SER_BINS, Q1.31 */",
        f"#define SER_LOG2_E {round(math.log2(math.e) * 2**30)} /* Q30 */",
        f"#define SER_CENTROID_SCALE {round(hertz * from_q24['centroid'])}U /* from bins in Q24 */",
        f"#define SER_BANDWIDTH_SCALE {round(hertz * from_q24['bandwidth'])}U /* from bins in Q24 */",
        f"#define SER_ROLLOFF_SCALE {round(hertz * 2 ** format_of('rolloff'))} /* from bins */",
        f"#define SER_CHROMA_DOWN {math.ceil(math.log2(_chroma_filters().sum(axis=1).max()))}"
        " /* so that no sum of chroma weights overflows */",
        f"#define SER_PER_MEL {round(2**31 / schema.MELS)} /* 1 over SER_MELS, Q1.31 */",
    ]


def tables_header() -> str:
    """ser_tables.h: the tables' declarations, and which of them the switched-on groups need."""
    low_bins = math.ceil(schema.LOW_HIGH_SPLIT * schema.FRAME / schema.SAMPLE_RATE)
    lines = [
        NOTE + _TABLES_HEADER,
        f"#define SER_BINS {_BINS}",
        f"#define SER_BIN_HZ {_float(schema.SAMPLE_RATE / schema.FRAME)}",
        f"#define SER_LOW_BINS {low_bins} /* bins below SER_LOW_HIGH_SPLIT */",
        *spectrum_units(),
        f"#define SER_CONTRAST_MOST {max(averaged for *_, averaged in contrast_bands())}"
        " /* bins averaged at a band's end, at most */",
        f"#define SER_CHROMA_RUN {CHROMA_RUN}",
        f"#define SER_CHROMA_RUNS {len(chroma_rows()[0])}",
        f"#define SER_MODULATION_BANDS {len(schema.MODULATION_BANDS)}",
        f"#define SER_LOG2_BITS {LOG2_BITS}",
        f"#define SER_STEPS {len(step_energies())} /* level steps above step 0 */",
        "",
    ]
    for comment, kind, name, dimensions, _, needed in _tables():
        declaration = f"extern const {kind} {name}{_brackets(dimensions)};"
        lines += _switched(needed, [f"/* {comment} */", declaration])
    lines.append(_DESCRIPTOR_TYPE)
    for part in PARTS:
        size = f"[SER_{part.upper()}_VALUES + 1]"
        lines.append(f"extern const ser_descriptor ser_{part}_descriptors{size};")
    return "\n".join([*lines, "", "#ifdef __cplusplus", "}", "#endif", "", "#endif", ""])


def tables_source() -> str:
    """ser_tables.c."""
    lines = [NOTE, '#include "ser_tables.h"', "", '#include "ser_in_ram.h"', ""]
    for comment, kind, name, dimensions, values, needed in _tables():
        flat = np.asarray(values).reshape(-1).tolist()
        text = [_float(v) for v in flat] if kind == "float" else [str(v) for v in flat]
        if kind == "uint32_t":
            text = [f"{v}U" for v in text]
        if kind == "int64_t":
            text = [f"INT64_C({v})" for v in text]
        if len(dimensions) == 2:
            width = dimensions[1]
            rows = [text[i : i + width] for i in range(0, len(text), width)]
            body = wrapped([f"{{{', '.join(row)}}}" for row in rows])
        else:
            body = wrapped(text)
        start = f"const {kind} SER_TABLE_IN_RAM({name}){_brackets(dimensions)} = {{"
        lines += _switched(needed, [f"/* {comment} */", start, *body, "};"])
    lines.append("/* A last entry of zeros keeps a part without members a valid array. */")
    for part in PARTS:
        full, spread = _members(part)
        name = f"SER_TABLE_IN_RAM(ser_{part}_descriptors)"
        lines.append(f"const ser_descriptor {name}[SER_{part.upper()}_VALUES + 1] = {{")
        lines += by_group(full, _descriptor_entry)
        lines += by_group(spread, _descriptor_entry)
        lines += ["    {0, 0, 0, 0},", "};", ""]
    return "\n".join(lines)


def _bits(descriptor):
    order = [schema.MOMENTS.index(name) for name in descriptor.functionals]
    assert order == sorted(order), f"{descriptor.name}: functionals not in the order of MOMENTS"
    return sum(1 << place for place in order)


def _descriptor_entry(descriptor):
    bits = _bits(descriptor)
    if descriptor.sums_for:
        bits = f"SER_WITH_{descriptor.group.upper()} ? {bits} : 0"
    middle = round(descriptor.middle * 2**descriptor.bits)
    return f"    {{SER_COLUMN_{descriptor.name.upper()}, {bits}, {descriptor.bits}, {middle}}},"


def _switched(needed, lines):
    return [f"#if {needed}", *lines, "#endif", ""] if needed else [*lines, ""]


def _brackets(dimensions):
    return "".join(f"[{n}]" for n in dimensions)


def wrapped(items, width=100):
    """Items as indented lines of C, comma-separated."""
    lines, line = [], "   "
    for item in items:
        if len(line) + len(item) + 2 > width:
            lines.append(line)
            line = "   "
        line += f" {item},"
    return [*lines, line]


def outputs() -> dict[Path, str]:
    """Every generated file's path and content."""
    return {
        SOURCE / "ser_schema.h": schema_header(),
        SOURCE / "ser_tables.h": tables_header(),
        SOURCE / "ser_tables.c": tables_source(),
    }
