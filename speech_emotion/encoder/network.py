"""The encoder as PyTorch teaches it, and its numbers as the chip multiplies them."""

import base64
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from speech_emotion.encoder.teacher import COMPONENTS
from speech_emotion.features.encoder_weights import MOST, TAPS

SHAPES = ((1, 1, False), (1, 2, False), (1, 1, True), (2, 1, True), (4, 1, True))
"""Dilation, stride, and whether its input is added, of each layer."""
INPUT = 1 / 32  # what a step of an input counts


class Encoder(nn.Module):
    """inputs: (clips, 2 MELS, frames of 50 Hz); outputs: (clips, units, frames of 25 Hz).

    tops: the largest output of the first layer, and of the others, which share one as they are added up.
    as_bytes: weights and outputs are rounded as on the chip, and what is rounded is taught on."""

    def __init__(self, inputs: int, units: int):
        super().__init__()
        widths = [inputs, *[units] * (len(SHAPES) - 1)]
        self.convolutions = nn.ModuleList(
            [nn.Conv1d(width, units, TAPS, bias=False) for width in widths]
        )
        self.norms = nn.ModuleList([nn.BatchNorm1d(units, momentum=0.05) for _ in SHAPES])
        self.frame = nn.Linear(units, COMPONENTS)
        self.sentence = nn.Linear(2 * units, 2 * COMPONENTS)
        self.tops, self.as_bytes = [4.0, 6.0], False

    def forward(self, x):
        return self.stream(self.first(x))

    def first(self, x):
        """The first layer's outputs."""
        return self._limited(self._convolved(0, x * INPUT), 0)

    def stream(self, x):
        """What follows."""
        for i, (_, stride, residual) in enumerate(SHAPES[1:], 1):
            made = self._limited(self._convolved(i, x)[:, :, stride - 1 :: stride], 1)
            x = torch.clamp(made + x, max=self.tops[1]) if residual else made
        return x

    def _convolved(self, i, x):
        dilation = SHAPES[i][0]
        x = functional.pad(x, ((TAPS - 1) * dilation, 0))
        if not self.as_bytes:
            return self.norms[i](
                functional.conv1d(x, self.convolutions[i].weight, dilation=dilation)
            )
        weight, bias = self.folded(i)
        steps = _steps(weight)[:, None, None]
        weight = weight + ((weight / steps).round() * steps - weight).detach()
        return functional.conv1d(x, weight, bias, dilation=dilation)

    def folded(self, i: int):
        """A layer's weights and bias with its normalisation in them."""
        norm = self.norms[i]
        gain = norm.weight / (norm.running_var + norm.eps).sqrt()
        return self.convolutions[i].weight * gain[
            :, None, None
        ], norm.bias - norm.running_mean * gain

    def _limited(self, x, top):
        x = torch.clamp(x, 0, self.tops[top])
        if self.as_bytes:
            step = self.tops[top] / MOST
            x = x + ((x / step).round() * step - x).detach()
        return x


def _steps(weight):
    """Of each output, what one of its weights' 127 steps is."""
    return weight.abs().amax((1, 2)) / MOST + 1e-12


@torch.no_grad()
def as_bytes(network: Encoder) -> list[dict[str, Any]]:
    """The layers as encoder.json has them."""
    tops = [network.tops[0], *[network.tops[1]] * (len(SHAPES) - 1)]
    layers, step_in = [], INPUT
    for i, (dilation, stride, residual) in enumerate(SHAPES):
        weight, bias = network.folded(i)
        steps = _steps(weight)
        whole = (weight / steps[:, None, None]).round().clamp(-MOST, MOST).permute(0, 2, 1)
        product = steps.numpy().astype(float) * step_in
        step_out = tops[i] / MOST
        layers.append({
            "dilation": dilation, "stride": stride, "residual": residual,
            "weights": base64.b64encode(whole.contiguous().numpy().astype(np.int8).tobytes()).decode(),
            "bias": np.rint(bias.numpy() / product).astype(np.int64).tolist(),
            "multipliers": np.rint(product / step_out * 2.0**31).astype(np.int64).tolist(),
        })  # fmt: skip
        step_in = step_out
    return layers
