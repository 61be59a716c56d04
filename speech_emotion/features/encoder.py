"""The encoder in integers, as the reference engine runs it: the same numbers as embedded/src/ser_encoder.c.

A small causal network, taught once to see speech as a large speech recogniser's lower layers see it, and
then frozen (docs/encoder.md). It stands on the mel levels less their running mean, so that neither loudness
nor the microphone's colour matters to it; what its units are, on average and in spread, over the frames that
hold speech are columns like any other.
"""

import numpy as np

from speech_emotion.features import encoder_weights
from speech_emotion.features.encoder_weights import MOST, SHIFT, TAPS, TOGETHER, Layer, Weights

LEVEL_BITS = 14  # of a mel level, dB; the schema's format of them
MEAN_BITS = 20  # of their running mean
RECIPROCAL_BITS = 24
STEP_BITS = 19  # an input is a level's distance from its mean in steps of 2^-1 dB
UNIT_BITS = 7  # an output of 128 is a unit of 1


def reciprocals(memory: int) -> np.ndarray:
    """int64 (memory,): 2^24 over 1, 2 ... memory."""
    return np.rint(2.0**RECIPROCAL_BITS / np.arange(1, memory + 1)).astype(np.int64)


def inputs(levels: np.ndarray, memory: int) -> np.ndarray:
    """int64 (hops, bands), -127 to 127, of mel levels (hops, bands) in dB times 2^14: their distance from
    the mean so far, in which a hop counts 1 / memory once more have been heard than that, in half dB."""
    levels = levels.astype(np.int64) << (MEAN_BITS - LEVEL_BITS)
    share = reciprocals(memory)
    half = 1 << (RECIPROCAL_BITS - 1)
    found = np.empty_like(levels)
    mean = np.zeros(levels.shape[1], np.int64)
    for hop, level in enumerate(levels):
        mean = mean + (((level - mean) * share[min(hop, memory - 1)] + half) >> RECIPROCAL_BITS)
        found[hop] = (level - mean + (1 << (STEP_BITS - 1))) >> STEP_BITS
    return np.clip(found, -MOST, MOST)


def convolve(layer: Layer, x: np.ndarray) -> np.ndarray:
    """int64 (frames // stride, outputs), 0 to 127, of x (frames, inputs)."""
    weights = np.frombuffer(layer.weights, np.int8).reshape(layer.outputs, TAPS, layer.inputs)
    before = (TAPS - 1) * layer.dilation
    padded = np.concatenate([np.zeros((before, layer.inputs)), x])
    sums = np.array(layer.bias, float)[None]
    for tap in range(TAPS):
        first = tap * layer.dilation
        # products of floats are exact: no sum reaches 2^53
        sums = sums + padded[first : first + len(x)] @ weights[:, tap].T.astype(float)
    sums = sums[layer.stride - 1 :: layer.stride].astype(np.int64)
    found = (sums * np.array(layer.multipliers, np.int64) + (1 << (SHIFT - 1))) >> SHIFT
    found = np.clip(found, 0, MOST)
    return np.minimum(found + x, MOST) if layer.residual else found


def units(levels: np.ndarray, weights: Weights | None = None) -> np.ndarray:
    """The last layer's outputs, int64 (hops // weights.hops, units), 0 to 127.

    levels: (hops, bands) integers, dB times 2^14. Output u is complete with hop weights.hops * (u + 1) - 1.
    """
    weights = weights or encoder_weights.shipped()
    x = inputs(levels, weights.memory)
    frames = len(x) // TOGETHER
    x = x[: frames * TOGETHER].reshape(frames, TOGETHER * x.shape[1])
    for layer in weights.layers:
        x = convolve(layer, x)
    return x


def tracks(mel: np.ndarray) -> np.ndarray:
    """The units per hop, (units, hops), NaN at hops that complete none. mel: (bands, hops) levels in dB."""
    levels = np.rint(np.asarray(mel, float).T * 2.0**LEVEL_BITS).astype(np.int64)
    found = units(levels)
    hops = encoder_weights.shipped().hops
    per_hop = np.full((encoder_weights.shipped().units, len(levels)), np.nan)
    per_hop[:, hops - 1 :: hops] = found.T / 2.0**UNIT_BITS
    return per_hop
