"""The encoder's weights, as `encoder.json` beside this file holds them: the one trained thing in the schema.

`speech-emotion encoder` teaches them (docs/encoder.md) and writes the file; the C tables are generated from
it.
They are part of the features' definition: `digest` goes into the schema's hash.
"""

import base64
import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("encoder.json")
TAPS = 3  # of every convolution
SHIFT = 31  # an output is its sum times a multiplier over 2^31
MOST = 127  # of an output, a weight, and an input's size
TOGETHER = 2  # hops of the first layer's input


@dataclass(frozen=True)
class Layer:
    """One causal convolution. weights: int8 [outputs][TAPS][inputs], in C order, the newest tap last;
    bias: below 2^27 in size; multipliers: below 2^31. stride: inputs that come for each output; residual:
    its newest input is added to its output."""

    inputs: int
    outputs: int
    dilation: int
    stride: int
    residual: bool
    weights: bytes
    bias: tuple[int, ...]
    multipliers: tuple[int, ...]


@dataclass(frozen=True)
class Weights:
    """memory: hops over which the levels' running mean forgets; card: how the weights came to be."""

    memory: int
    layers: tuple[Layer, ...]
    card: dict[str, Any]

    @property
    def units(self) -> int:
        """Outputs of the last layer."""
        return self.layers[-1].outputs

    @property
    def hops(self) -> int:
        """Hops that come for each output of the last layer."""
        hops = TOGETHER
        for layer in self.layers:
            hops *= layer.stride
        return hops

    @property
    def digest(self) -> str:
        """Of everything that an output hangs on."""
        numbers = [
            [
                each.dilation,
                each.stride,
                each.residual,
                each.bias,
                each.multipliers,
                each.weights.hex(),
            ]
            for each in self.layers
        ]
        return hashlib.sha256(json.dumps([self.memory, numbers]).encode()).hexdigest()


def parse(text: str) -> Weights:
    """The weights of a file's text. ValueError: they are none that the chip can run, and why."""
    content = json.loads(text)
    layers: list[Layer] = []
    for i, each in enumerate(content["layers"]):
        outputs = len(each["bias"])
        weights = base64.b64decode(each["weights"])
        inputs = layers[-1].outputs if layers else len(weights) // (outputs * TAPS)
        layer = Layer(
            inputs, outputs, each["dilation"], each["stride"], each["residual"], weights,
            tuple(each["bias"]), tuple(each["multipliers"]),
        )  # fmt: skip
        if reason := _refused(layer):
            raise ValueError(f"layer {i}: {reason}")
        layers.append(layer)
    if not layers or not 1 <= content["memory"] <= 4096:
        raise ValueError("no layers, or a memory that is not 1 to 4096 hops")
    return Weights(content["memory"], tuple(layers), content["card"])


def _refused(layer):
    if len(layer.weights) != layer.outputs * TAPS * layer.inputs:
        return f"{len(layer.weights)} weights for {layer.inputs} inputs and {layer.outputs} outputs"
    if layer.inputs % 4 or layer.outputs % 4 or TAPS * layer.inputs > 2**10:
        return "inputs and outputs must be multiples of four, and inputs few"
    if len(layer.multipliers) != layer.outputs or not all(
        0 <= m < 2**31 for m in layer.multipliers
    ):
        return "an output has a multiplier below 2^31"
    if not all(abs(b) < 2**27 for b in layer.bias):
        return "a bias is below 2^27, so that no sum leaves 32 bits"
    if not (1 <= layer.dilation <= 32 and 1 <= layer.stride <= 8):
        return "a dilation is 1 to 32, a stride 1 to 8"
    if layer.residual and (layer.stride != 1 or layer.inputs != layer.outputs):
        return "what is added to an output is one input for one output"
    if 128 in layer.weights:
        return "a weight is -127 to 127"
    return ""


def written(memory: int, layers: list[dict[str, Any]], card: dict[str, Any]) -> str:
    """The text of a file, a layer's numbers in a line each. ValueError: as of `parse`."""
    rows = [
        ",\n   ".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in layer.items())
        for layer in layers
    ]
    every = ",\n".join(f"  {{{row}}}" for row in rows)
    text = f'{{"memory": {memory},\n "card": {json.dumps(card, indent=2)},\n "layers": [\n{every}\n]}}\n'
    parse(text)
    return text


@cache
def shipped() -> Weights:
    """Those of `encoder.json`."""
    return parse(FILE.read_text("utf-8"))
