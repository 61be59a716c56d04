"""p(label) ~ voice(label)^a * face(label)^b: a log-linear pool (Genest & Zidek 1986) of two channels.

A channel that is missing is a term left out: the answer is then the other channel's own, to the last bit.
Single precision, with the operations of embedded/src/ser_fusion.c in its order: the same bits in C.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from speech_emotion.chip_math import exp2, log2
from speech_emotion.message.definition import WHOLE

CHANNELS = ("voice", "face")
FLOOR = 0.5 / WHOLE
"""What a probability below it is taken for: half of what a message can say. A zero would be a veto."""
MOST = 4.0
"""Of a weight."""
PRIOR = 20.0
"""Pairs that the default weights count for when weights are fitted: few recordings move them little."""


@dataclass(frozen=True)
class Weights:
    """Exponents, 0 to MOST. They add up to 1: as sure as the channels themselves are; to 2: as two witnesses
    are who err independently of each other."""

    voice: float
    face: float

    def __post_init__(self):
        for channel in CHANNELS:
            if not 0 <= getattr(self, channel) <= MOST:
                raise ValueError(f"weight of {channel}: {getattr(self, channel)}; 0 to {MOST:g}")


DEFAULT = Weights(0.7, 0.7)
"""For channels of which no labelled pairs are known: alike, and less sure than independent witnesses."""


def fuse(
    voice: np.ndarray | None, face: np.ndarray | None, weights: Weights = DEFAULT
) -> np.ndarray:
    """Probabilities (..., labels), float32, from those of the channels, of the same shape, in the same order
    of labels. None: there is no such channel; ValueError where there is neither."""
    given = [
        (channel, weight)
        for channel, weight in ((voice, weights.voice), (face, weights.face))
        if channel is not None
    ]
    if not given:
        raise ValueError("neither voice nor face")
    return fused_terms(*zip(*given, strict=True))


def fused_terms(terms: Sequence[np.ndarray], weights: Sequence[float]) -> np.ndarray:
    """The same of any number of terms, each with its weight. A single one is the answer, whatever its
    weight."""
    rows = [np.asarray(term, np.float32) for term in terms]
    if len(rows) == 1:
        return rows[0].copy()
    scores = np.zeros_like(rows[0])
    for row, weight in zip(rows, weights, strict=True):
        kept = np.where(row > np.float32(FLOOR), row, np.float32(FLOOR))
        kept = np.where(kept < np.float32(1), kept, np.float32(1))
        scores = scores + np.float32(weight) * log2(kept)
    powers = exp2(scores - scores.max(axis=-1, keepdims=True))
    total = np.zeros(powers.shape[:-1], np.float32)
    for label in range(powers.shape[-1]):
        total = total + powers[..., label]
    return powers / total[..., None]


def disagreement(voice: np.ndarray, face: np.ndarray) -> np.ndarray:
    """How far apart the channels are, (...) from 0, the same, to 1, no label in common: total variation."""
    voice, face = np.asarray(voice, np.float64), np.asarray(face, np.float64)
    return np.abs(voice - face).sum(axis=-1) / 2


def fitted(voice: np.ndarray, face: np.ndarray, truth: np.ndarray) -> Weights:
    """The weights of the least log loss. voice, face: (n, labels); truth: (n,) numbers of labels. What the
    default weights say counts for PRIOR pairs, so that few rows leave them where they are.

    Two weights and a convex loss: the logarithms are the columns of a multinomial logistic regression.
    """
    from scipy.optimize import minimize

    logs = np.log([np.clip(each, FLOOR, 1) for each in (voice, face)], dtype=np.float64)
    start = np.array([DEFAULT.voice, DEFAULT.face])

    def loss(weights):
        scores = np.tensordot(weights, logs, 1)
        scores -= scores.max(axis=1, keepdims=True)
        powers = np.exp(scores)
        shares = powers / powers.sum(axis=1, keepdims=True)
        own = np.arange(len(truth))
        value = -np.log(shares[own, truth]).sum() + PRIOR * ((weights - start) ** 2).sum() / 2
        slope = (shares * logs).sum(axis=(1, 2)) - logs[:, own, truth].sum(axis=1)
        return value, slope + PRIOR * (weights - start)

    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0, MOST)] * 2)
    return Weights(*(round(float(weight), 4) for weight in found.x))
