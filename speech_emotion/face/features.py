"""What a face of 48 x 48 grey pixels looks like, in 1,044 whole numbers: histograms of oriented gradients.

Dalal & Triggs (2005), in integers throughout, so that C (ser_face.c) gives the same numbers on every
chip: 6 x 6 cells of 8 x 8 pixels, nine orientations, votes shared between neighbouring ones of both;
blocks of 2 x 2 cells, each made as long as any other and clipped. The same once more with cells of twice the
side, which see the face as a whole.
"""

import numpy as np

SIDE = 48
CELL = 8
CELLS = SIDE // CELL
BINS = 9
UNIT = 1024
"""A block's length; a feature is a whole number from 0 to CLIP."""
CLIP = 307  # 0.3 of it
COLUMNS = ((CELLS - 1) ** 2 + (CELLS // 2 - 1) ** 2) * 4 * BINS
_STEPS = 256  # of an orientation, between one bin and the next
_OCTANT = BINS * _STEPS // 4  # 45 degrees, of 180 that hold all bins
_AT_ONCE = 256  # faces

ARC = np.round(np.arctan(np.arange(_STEPS + 1) / _STEPS) / (np.pi / 4) * _OCTANT).astype(np.int64)
"""Angle of a slope from 0 to 1 in 256ths, in steps: a table for the chip."""


def spread() -> np.ndarray:
    """(SIDE, CELLS): how much, in 16ths, a pixel's vote goes to each cell along one axis; at the rim some is
    lost."""
    weights = np.zeros((SIDE, CELLS), np.int64)
    for pixel in range(SIDE):
        cell, part = divmod(2 * pixel - (CELL - 1), 2 * CELL)
        for which, weight in ((cell, 2 * CELL - part), (cell + 1, part)):
            if 0 <= which < CELLS:
                weights[pixel, which] = weight
    return weights


_SPREAD = spread()


def features(faces: np.ndarray) -> np.ndarray:
    """faces: uint8 (n, SIDE, SIDE). Returns float32 (n, COLUMNS), whole numbers from 0 to CLIP."""
    faces = np.asarray(faces)
    if faces.ndim != 3 or faces.shape[1:] != (SIDE, SIDE) or faces.dtype != np.uint8:
        raise ValueError(f"uint8 (n, {SIDE}, {SIDE}) expected, not {faces.dtype} {faces.shape}")
    parts = [_features(faces[at : at + _AT_ONCE]) for at in range(0, len(faces), _AT_ONCE)]
    return np.concatenate(parts) if parts else np.empty((0, COLUMNS), np.float32)


def _features(faces):
    cells = _cells(faces)
    coarse = sum(cells[:, i::2, j::2] for i in (0, 1) for j in (0, 1))
    return np.hstack([_blocks(cells), _blocks(coarse)]).astype(np.float32)


def _cells(faces):
    """(n, CELLS, CELLS, BINS) int64."""
    padded = np.pad(faces.astype(np.int64), ((0, 0), (1, 1), (1, 1)), mode="edge")
    across = padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]
    down = padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]
    size = np.sqrt(256 * (across**2 + down**2)).astype(np.int64)  # in 16ths, cut
    angle = _angle(across, down)
    first, part = np.divmod(angle, _STEPS)
    upper = size * part // _STEPS
    votes = np.zeros((*faces.shape, BINS))
    for which, vote in ((first, size - upper), ((first + 1) % BINS, upper)):
        np.put_along_axis(
            votes, which[..., None],
            np.take_along_axis(votes, which[..., None], -1) + vote[..., None], -1,
        )  # fmt: skip
    weights = _SPREAD.astype(float)  # sums stay below 2^53: exact
    return np.einsum("nyxb,yi,xj->nijb", votes, weights, weights, optimize=True).astype(np.int64)


def _angle(across, down):
    """From 0 to below BINS * _STEPS, which is 180 degrees: opposite directions are one."""
    flip = (down < 0) | ((down == 0) & (across < 0))
    x, y = np.where(flip, -across, across), np.where(flip, -down, down)  # y >= 0
    wide, high = np.abs(x), y
    large, small = np.maximum(wide, high), np.minimum(wide, high)
    arc = ARC[small * _STEPS // np.maximum(large, 1)]
    arc = np.where(high > wide, 2 * _OCTANT - arc, arc)  # to 90 degrees
    arc = np.where(x < 0, 4 * _OCTANT - arc, arc)
    return arc % (BINS * _STEPS)


def _blocks(cells):
    """(n, blocks * 4 * BINS) int64."""
    n, side = cells.shape[:2]
    cells = cells // 256
    parts = []
    for i in range(side - 1):
        for j in range(side - 1):
            block = cells[:, i : i + 2, j : j + 2].reshape(n, -1)
            length = _root((block**2).sum(axis=1)) + 16
            parts.append(np.minimum(block * UNIT // length[:, None], CLIP))
    return np.hstack(parts)


def _root(squares):
    """The whole part of the root, exact."""
    root = np.sqrt(squares.astype(float)).astype(np.int64)
    root -= root * root > squares
    return root + ((root + 1) * (root + 1) <= squares)
