"""The functions of embedded/src/ser_math.h in numpy, operation by operation: the same bits."""

import numpy as np

_LOG2 = (
    0.12583663, -0.20726973, 0.21571575, -0.23894483, 0.28791624, -0.36070368, 0.48091063,
    -0.72134733, 0.44269502,
)  # fmt: skip
_EXP2 = (0.00015345811, 0.0013399931, 0.0096184891, 0.055503286, 0.24022646, 0.69314718, 1.0)


def log2(x: np.ndarray) -> np.ndarray:
    """Of float32 x > 0, normal: the bits of ser_log2."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    offset = bits - np.uint32(0x3F3504F3)
    exponent = (offset >> 23).astype(np.int32) - ((offset >> 31) << 9).astype(np.int32)
    t = (bits - (exponent << 23).view(np.uint32)).view(np.float32) - np.float32(1)
    return (_polynomial(_LOG2, t) * t + t) + exponent.astype(np.float32)


def exp2(x: np.ndarray) -> np.ndarray:
    """Of float32 x <= 0: the bits of ser_exp2."""
    x = np.maximum(np.asarray(x, np.float32), np.float32(-126))
    whole = np.floor(x + np.float32(0.5))
    power = np.ascontiguousarray(_polynomial(_EXP2, x - whole))
    scaled = (power.view(np.int32) + (whole.astype(np.int32) << 23)).view(np.float32)
    return np.where(x > -126, scaled, np.float32(0))


def _polynomial(coefficients, x):
    value = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        value = value * x + np.float32(coefficient)
    return value
