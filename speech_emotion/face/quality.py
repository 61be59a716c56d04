"""Whether a face is fit to be judged: large, sharp and turned to the camera; else why not."""

import numpy as np

LEAST_SIDE = 48
"""Pixels of the face in the picture: fewer are what the model would have to make up."""
LEAST_CONTRAST = 12.0
"""Standard deviation of the grey values."""
LEAST_SHARPNESS = 0.05
"""Mean square of the Laplacian, of the grey values' variance. Of FER-2013's faces 99 % have 0.27 or
more; blurred over two pixels, 95 % have 0.017 or less."""
LEAST_SYMMETRY = -0.5
"""Correlation with the mirror image: a face in profile has little. Of FER-2013's faces 97 % have more."""

TROUBLES = ("too small", "too dark or too pale", "blurred", "turned away")
"""What `trouble` says; in the order in which find/ser_look.c numbers them from 1."""


def contrast(crop: np.ndarray) -> float:
    return float(crop.std())


def sharpness(crop: np.ndarray) -> float:
    """Energy of the Laplacian (Pech-Pacheco et al. 2000) in units of the variance: from 0, blurred."""
    grey = crop.astype(float)
    inner = grey[1:-1, 1:-1]
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * inner
    return float((laplacian**2).mean() / max(grey.var(), 1.0))


def symmetry(crop: np.ndarray) -> float:
    """Correlation of the face with its mirror image, -1 to 1, coarsely seen."""
    grey = crop.astype(float).reshape(12, 4, 12, 4).mean(axis=(1, 3))
    grey -= grey.mean()
    return float((grey * grey[:, ::-1]).sum() / max((grey**2).sum(), 1.0))


def trouble(crop: np.ndarray, side: int) -> str:
    """crop: uint8 (48, 48); side: pixels that the face had in the picture. "" where it may be judged."""
    if side < LEAST_SIDE:
        return TROUBLES[0]
    if contrast(crop) < LEAST_CONTRAST:
        return TROUBLES[1]
    if sharpness(crop) < LEAST_SHARPNESS:
        return TROUBLES[2]
    if symmetry(crop) < LEAST_SYMMETRY:
        return TROUBLES[3]
    return ""
