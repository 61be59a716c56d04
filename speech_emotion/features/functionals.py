"""Functionals: what is kept of descriptors' values over the frames that hold speech."""

import numpy as np

from speech_emotion.features.schema import FLAT, MOMENTS, TINY, UNDEFINED


def is_flat(mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Whether values spread so little that their shape is rounding noise."""
    return variance <= FLAT * mean**2 + TINY


def functionals(values: np.ndarray, seconds: np.ndarray) -> dict[str, np.ndarray]:
    """Mean, std, min, max, skewness, kurtosis and slope of each descriptor.

    values: (descriptors, n), each in its own unit; seconds: (n,) the frames' times. Returns a dict of
    MOMENTS, each (descriptors,). std is the population's; skewness is g1 and kurtosis the excess g2
    (scipy.stats.skew and kurtosis, biased); slope is least squares, per second. What does not exist
    (n = 0; the shape of equal values; the slope of one frame) is UNDEFINED.
    """
    if values.shape[1] == 0:
        return {name: np.full(len(values), UNDEFINED) for name in MOMENTS}
    mean = values.mean(axis=1)
    centred = values - mean[:, None]
    squares = centred**2
    m2 = squares.mean(axis=1)
    flat = is_flat(mean, m2)
    scale = np.where(flat, 1.0, m2)
    time = seconds - seconds.mean()
    spread = time @ time
    return {
        "mean": mean,
        "std": np.sqrt(m2),
        "min": values.min(axis=1),
        "max": values.max(axis=1),
        "skewness": np.where(flat, UNDEFINED, (squares * centred).mean(axis=1) / scale**1.5),
        "kurtosis": np.where(flat, UNDEFINED, (squares**2).mean(axis=1) / scale**2 - 3),
        "slope": centred @ time / spread if spread > 0 else np.full(len(values), UNDEFINED),
    }
