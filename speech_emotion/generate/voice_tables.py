"""ser_voice_tables.{h,c}: constants of the transform, pitch, HNR and intensity.

All are computed in double precision and printed as integers in a Q format.
"""

import math
from pathlib import Path

import numpy as np

from speech_emotion.features import grid, schema
from speech_emotion.features.audio import FULL_SCALE
from speech_emotion.generate import layout
from speech_emotion.generate.layout import (
    INTENSITY_STEP,
    PITCH_LAGS,
    SINC_DEEP,
    SINC_DEPTH,
    SINC_STEPS,
)
from speech_emotion.generate.tables import NOTE, SOURCE, format_of, q31

_NOTE = NOTE + "/* clang-format off */\n"
_HANN_ONE = 2**15 - 1
_AUDITORY_THRESHOLD = 2e-5  # Pa; Praat's 0 dB, full scale being 1 Pa


def digit_reversal() -> np.ndarray:
    """Shape (256,): index with its four base-4 digits in reverse order."""
    index = np.arange(256)
    digits = [(index >> shift) & 3 for shift in (0, 2, 4, 6)]
    return digits[0] * 64 + digits[1] * 16 + digits[2] * 4 + digits[3]


def radix4_twiddles() -> np.ndarray:
    """cos and sin of w, 2w and 3w, w = 2 pi j / 4q, for j < q and q = 4, 16, 64, in that order."""
    rows = []
    for quarter in (4, 16, 64):
        angle = 2 * np.pi * np.arange(quarter) / (4 * quarter)
        for j in range(quarter):
            for multiple in (1, 2, 3):
                rows += [np.cos(multiple * angle[j]), np.sin(multiple * angle[j])]
    return np.array(rows)


def quarter_circle() -> np.ndarray:
    """cos, sin of 2 pi k / 1024 for k < 256, interleaved."""
    angle = 2 * np.pi * np.arange(256) / 1024
    return np.stack([np.cos(angle), np.sin(angle)], axis=1).ravel()


def turned_twiddles() -> np.ndarray:
    """Those of the radix-4 stages without the first of each stage, which turns nothing."""
    rows = radix4_twiddles().reshape(-1, 6)
    firsts = np.cumsum([0, 4, 16])
    return np.delete(rows, firsts, axis=0).ravel()


def hann() -> np.ndarray:
    """Shape (pitch_window,): Hann window whose end points are zero, as Praat's pitch analysis uses it."""
    window = layout.of_schema().pitch_window
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / (window - 1))


def window_correction() -> np.ndarray:
    """Shape (PITCH_LAGS,): r(0) / r(lag) of the window's autocorrelation (Boersma 1993, equation 9), as the
    chip has the window. Below 8: `limits` keeps the lags within half the window."""
    window = np.rint(hann() * _HANN_ONE)
    autocorrelation = np.correlate(window, window, "full")[len(window) - 1 :]
    return autocorrelation[0] / autocorrelation[:PITCH_LAGS]


def sinc_rows(depth: int) -> np.ndarray:
    """Rows f = 0, 1/64 ... 1/2: weights of samples 1-depth ... depth for the value at f: a sinc under a
    raised cosine that ends one sample beyond the last, on each side."""
    taps = np.arange(1 - depth, depth + 1)
    fractions = np.arange(SINC_STEPS + 1)[:, None] / (2 * SINC_STEPS)
    distance = np.abs(fractions - taps)
    reach = np.where(taps <= 0, depth + fractions, depth + 1 - fractions)
    return np.sinc(distance) * (0.5 + 0.5 * np.cos(np.pi * distance / reach))


def kaiser() -> np.ndarray:
    """Shape (intensity_steps,): Kaiser window of Praat's intensity, sum 1, by means of INTENSITY_STEP
    samples. Those weights differ so little that the level moves by less than 0.001 dB. Step 0 starts with a
    hop, intensity_begin samples before the centre; what it leaves out weighs 1e-10."""
    laid = layout.of_schema()
    place = np.arange(INTENSITY_STEP * laid.intensity_steps) - laid.intensity_begin
    beta = 2 * np.pi**2 + 0.5
    half = float(grid.intensity().window) / 2
    weight = np.i0(beta * np.sqrt(np.maximum(0, 1 - (place / half) ** 2))) / np.i0(beta)
    weight[np.abs(place) > laid.intensity_window // 2] = 0
    return weight.reshape(-1, INTENSITY_STEP).mean(axis=1) / weight.sum()


def _array(name: str, values: np.ndarray, kind: str) -> str:
    texts = [str(int(v)) for v in np.ravel(values)]
    per_line = 8 if kind == "int32_t" else 16
    lines = ["    " + ", ".join(texts[i : i + per_line]) for i in range(0, len(texts), per_line)]
    start = f"const {kind} SER_TABLE_IN_RAM({name})[{len(texts)}] = {{\n"
    return start + ",\n".join(lines) + "\n};\n"


def _intensity_defines() -> str:
    """Units of ser_intensity.c: powers are of squared sample steps, times 2^18."""
    unit = (
        1 / FULL_SCALE / _AUDITORY_THRESHOLD
    ) ** 2  # of a squared sample step, re (2e-5)^2 of full scale
    bits = format_of("intensity_db")
    least = 10 ** (schema.INTENSITY_FLOOR_DB / 10) / unit * 2.0**18
    unit_log2, per_log2 = (math.log2(unit) - 18) * 2**24, 10 * math.log10(2) * 2 ** (32 - 24 + bits)
    share = 2**41 / (layout.of_schema().intensity_whole * INTENSITY_STEP)
    return "\n".join(
        [
            f"#define SER_INTENSITY_UNIT_LOG2 ({round(unit_log2)}) /* of the unit of power, Q24 */",
            f"#define SER_INTENSITY_LEAST INT64_C({math.floor(least)}) /* power at the floor */",
            f"#define SER_INTENSITY_FLOOR ({round(schema.INTENSITY_FLOOR_DB * 2**bits)}) /* of the level */",
            f"#define SER_INTENSITY_PER_LOG2 {round(per_log2)} /* to the level's format */",
            f"#define SER_INTENSITY_SHARE {round(share)} /* one over the window's samples, Q41 */",
        ]
    )


def header() -> str:
    return (
        _NOTE
        + f"""
#ifndef SER_VOICE_TABLES_H
#define SER_VOICE_TABLES_H

#include "ser_schema.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {{
#endif

#define SER_PITCH_LAGS {PITCH_LAGS}
#define SER_SINC_DEPTH {SINC_DEPTH}
#define SER_SINC_DEEP {SINC_DEEP}
#define SER_SINC_STEPS {SINC_STEPS}
{_intensity_defines()}

extern const uint8_t ser_digit_reversal[256];
extern const int32_t ser_radix4_twiddles_q31[486];
extern const int32_t ser_quarter_circle_q31[512];
extern const int16_t ser_turns[256]; /* cos, sin of 2 pi n / 512 for n < 128, Q1.14 */
extern const uint16_t ser_hann_half[SER_PITCH_WINDOW / 2];         /* Q0.15 */
extern const int32_t ser_window_correction[SER_PITCH_LAGS];        /* Q3.28 */
extern const int32_t ser_sinc_rows_q30[(SER_SINC_STEPS + 1) * 2 * SER_SINC_DEPTH];
extern const int32_t ser_sinc_deep_rows_q30[(SER_SINC_STEPS + 1) * 2 * SER_SINC_DEEP];
extern const int32_t ser_kaiser_steps[SER_INTENSITY_STEPS];

#ifdef __cplusplus
}}
#endif

#endif
"""
    )


def source() -> str:
    parts = [
        _NOTE,
        '#include "ser_voice_tables.h"\n',
        '#include "ser_in_ram.h"\n',
        _array("ser_digit_reversal", digit_reversal(), "uint8_t"),
        _array("ser_radix4_twiddles_q31", q31(turned_twiddles()), "int32_t"),
        _array("ser_quarter_circle_q31", q31(quarter_circle()), "int32_t"),
        _array("ser_turns", np.rint(quarter_circle().reshape(128, 4)[:, :2] * 2**14), "int16_t"),
        _array("ser_hann_half", np.rint(hann()[: len(hann()) // 2] * _HANN_ONE), "uint16_t"),
        _array("ser_window_correction", np.rint(window_correction() * 2**28), "int32_t"),
        _array("ser_sinc_rows_q30", np.rint(sinc_rows(SINC_DEPTH) * 2**30), "int32_t"),
        _array("ser_sinc_deep_rows_q30", np.rint(sinc_rows(SINC_DEEP) * 2**30), "int32_t"),
        _array("ser_kaiser_steps", np.rint(kaiser() * 2.0**34), "int32_t"),
    ]
    return "\n".join(parts)


def outputs() -> dict[Path, str]:
    """Path and text of every generated file."""
    return {SOURCE / "ser_voice_tables.h": header(), SOURCE / "ser_voice_tables.c": source()}
