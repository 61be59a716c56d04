"""ser_encoder_tables.{h,c}: the encoder's weights, as the chip adds them up, from features/encoder.json.

Weights and outputs are bytes without a sign: a weight is 128 more than it is, and so is an input of the first
layer. What the weights' offset adds to a sum the chip takes away again."""

from itertools import accumulate
from pathlib import Path

import numpy as np

from speech_emotion.errors import UserError
from speech_emotion.features import encoder, encoder_weights, schema
from speech_emotion.features.encoder_weights import TAPS, TOGETHER, Layer
from speech_emotion.generate import tables

OFFSET = 128  # of a weight, and of the first layer's inputs

_HEADER = """
#ifndef SER_ENCODER_TABLES_H
#define SER_ENCODER_TABLES_H

#include "ser_tables.h"

#ifdef __cplusplus
extern "C" {
#endif

#if SER_WITH_ENCODER
"""

_LAYER = """
/* A causal convolution. weights: [SER_ENCODER_TAPS][inputs / 4][outputs / 4][4], oldest tap first: a word
   has an input's for four outputs, the first in its lowest byte, each SER_ENCODER_OFFSET more than it is; the
   next word has the next input's. */
typedef struct {
    const uint32_t *weights;
    const int32_t *bias, *multipliers; /* of each output */
    uint16_t history;                  /* where its latest inputs are kept, oldest first: frames of them */
    uint8_t frames, inputs, outputs, dilation, stride, residual;
} ser_encoder_layer;

extern const ser_encoder_layer ser_encoder_layers[SER_ENCODER_LAYERS];

/* 2^24 over 1, 2 ... */
extern const uint32_t ser_encoder_shares[SER_ENCODER_MEMORY];
"""


def _frames(layer: Layer) -> int:
    """Inputs that a layer keeps."""
    return (TAPS - 1) * layer.dilation + 1


def check() -> None:
    """UserError: the schema's mel levels are not what the encoder was taught on."""
    first = encoder_weights.shipped().layers[0]
    if first.inputs != TOGETHER * schema.MELS:
        raise UserError(
            f"features/schema.py: MELS = {schema.MELS}: the encoder was taught on "
            f"{first.inputs // TOGETHER} bands (features/encoder.json)"
        )


def header() -> str:
    """ser_encoder_tables.h."""
    weights = encoder_weights.shipped()
    history = sum(_frames(layer) * layer.inputs for layer in weights.layers)
    numbers = {
        "UNITS": weights.units,
        "HOPS": f"{weights.hops} /* that come for each output of the last layer */",
        "TOGETHER": f"{TOGETHER} /* of them, an input of the first layer */",
        "LAYERS": len(weights.layers),
        "TAPS": TAPS,
        "MOST": f"{encoder_weights.MOST} /* of an output; an input's size */",
        "OFFSET": f"{OFFSET} /* of weights and of the first layer's inputs */",
        "MEMORY": f"{weights.memory} /* hops over which the levels' mean forgets */",
        "MEMORY_BITS": f"{weights.memory.bit_length() - 1} /* two to the power of this, if it is one */",
        "HISTORY": f"{history} /* bytes of all layers' latest inputs */",
        "WIDEST": max(layer.outputs for layer in weights.layers),
        "MOST_INPUTS": f"{max(layer.inputs for layer in weights.layers)} /* of a layer, at a time */",
        "SHIFT": encoder_weights.SHIFT,
        "MEAN_BITS": f"{encoder.MEAN_BITS} /* of the mean of a level in dB, a power of two */",
        "STEP_BITS": f"{encoder.STEP_BITS} /* a step of an input, in these */",
        "RECIPROCAL_BITS": encoder.RECIPROCAL_BITS,
        "UNIT_BITS": f"{encoder.UNIT_BITS} /* an output of 2^this is a unit of 1 */",
    }
    lines = [tables.NOTE + _HEADER]
    lines += [f"#define SER_ENCODER_{name} {value}" for name, value in numbers.items()]
    lines += [_LAYER, "#endif", "", "#ifdef __cplusplus", "}", "#endif", "", "#endif", ""]
    return "\n".join(lines)


def _words(layer):
    """Of four inputs at a time, for four outputs at a time, a word of each input."""
    weights = np.frombuffer(layer.weights, np.int8).astype(np.int64) + OFFSET
    weights = weights.reshape(layer.outputs // 4, 4, TAPS, layer.inputs // 4, 4)
    words = (weights << np.array([0, 8, 16, 24])[:, None, None, None]).sum(axis=1)
    return [f"{word:#x}" for word in words.transpose(1, 2, 0, 3).ravel().tolist()]


def source() -> str:
    """ser_encoder_tables.c."""
    weights = encoder_weights.shipped()
    lines = [tables.NOTE, '#include "ser_encoder_tables.h"', "", '#include "ser_in_ram.h"', ""]
    lines += ["#if SER_WITH_ENCODER"]
    for i, layer in enumerate(weights.layers):
        lines += _array("uint32_t", f"weights_{i}", _words(layer))
        lines += _array("int32_t", f"bias_{i}", layer.bias)
        lines += _array("int32_t", f"multipliers_{i}", layer.multipliers)
    sizes = [_frames(layer) * layer.inputs for layer in weights.layers]
    places = [0, *accumulate(sizes)]
    lines += ["const ser_encoder_layer ser_encoder_layers[SER_ENCODER_LAYERS] = {"]
    for i, layer in enumerate(weights.layers):
        numbers = (
            places[i], _frames(layer), layer.inputs, layer.outputs, layer.dilation, layer.stride,
            int(layer.residual),
        )  # fmt: skip
        lines.append(
            f"    {{weights_{i}, bias_{i}, multipliers_{i}, {', '.join(map(str, numbers))}}},"
        )
    shares = [f"{share}U" for share in encoder.reciprocals(weights.memory)]
    lines += ["};", "", "const uint32_t ser_encoder_shares[SER_ENCODER_MEMORY] = {"]
    lines += [*tables.wrapped(shares), "};", "#else", "typedef int ser_encoder_is_left_out;"]
    return "\n".join([*lines, "#endif", ""])


def _array(kind, name, values):
    text = [str(value) for value in values]
    start = f"static const {kind} SER_TABLE_IN_RAM({name})[{len(text)}] = {{"
    return [start, *tables.wrapped(text), "};", ""]


def outputs() -> dict[Path, str]:
    """Path and text of the generated files."""
    check()
    return {
        tables.SOURCE / "ser_encoder_tables.h": header(),
        tables.SOURCE / "ser_encoder_tables.c": source(),
    }
