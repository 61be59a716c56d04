"""The sounds of the Benchmark sketch, sample for sample as the chip makes them: in whole numbers, so that the
computer can say what the answers must be. Pulses through three resonators, and noise: nobody's voice.
"""

from dataclasses import dataclass

import numpy as np

from speech_emotion.features.schema import CLIP_REMAINDER, SAMPLE_RATE

VERSION = 1
"""Of the sounds and of the lines that the sketch prints. A change of either is a new version."""

RESONATORS = ((7750, 3940), (6640, 3870), (4080, 3780))
"""2 r cos(2 pi f / 16000) and r^2, in 1/4096: near 600, 1400 and 2600 Hz."""


@dataclass(frozen=True)
class Clip:
    """samples: length, CLIP_REMAINDER (mod HOP), so that the last one completes a hop. voiced: samples
    after which the pulses stop. period: samples between pulses at first; glide: its change every 16 pulses;
    wobble: largest change of one period. noise: its peak."""

    name: str
    samples: int
    voiced: int
    period: int
    glide: int = 0
    wobble: int = 0
    noise: int = 0


_SECOND = SAMPLE_RATE


def _whole(seconds):
    return seconds * _SECOND + CLIP_REMAINDER


CLIPS = (
    Clip("low, ends in a vowel", _whole(2), 3 * _SECOND, 150, wobble=3, noise=40),
    Clip("high, ends in a vowel", _whole(2), 3 * _SECOND, 60, wobble=1, noise=40),
    Clip("rising, then silence", _whole(3), 2 * _SECOND, 140, glide=-4, wobble=2, noise=20),
    Clip("falling, noisy", _whole(2), 3 * _SECOND, 80, glide=3, wobble=2, noise=900),
    Clip("noise", _whole(1), 0, 100, noise=3000),
    Clip("long vowel", _whole(5), 6 * _SECOND, 110, wobble=1, noise=10),
)  # fmt: skip


def samples(clip: Clip) -> np.ndarray:
    """int16 (clip.samples,): what the sketch's synthesis_sample gives, one after the other."""
    state, at_pulse, pulses = 1, 0, 0
    memories = [[0, 0] for _ in RESONATORS]
    out = np.empty(clip.samples, np.int16)
    for i in range(clip.samples):
        value = 0
        if i == at_pulse:
            state = state * 48271 % 2147483647
            step = (state >> 8) % (2 * clip.wobble + 1) - clip.wobble
            at_pulse += max(30, min(210, clip.period + clip.glide * (pulses // 16) + step))
            value = 6000 if i < clip.voiced else 0
            pulses += 1
        for (a, b), memory in zip(RESONATORS, memories, strict=True):
            now = value + (a * memory[0] - b * memory[1] >> 12)
            memory[1], memory[0] = memory[0], now
            value = now >> 1
        value >>= 2
        if clip.noise:
            state = state * 48271 % 2147483647
            value += (state >> 8) % (2 * clip.noise + 1) - clip.noise
        out[i] = max(-32768, min(32767, value))
    return out


def c_rows() -> str:
    """CLIPS as rows of the sketch's table."""
    return "\n".join(
        f'    {{"{c.name}", {c.samples}, {c.voiced}, {c.period}, {c.glide}, {c.wobble}, {c.noise}}},'
        for c in CLIPS
    )


def c_resonators() -> str:
    """RESONATORS as the sketch's initialiser."""
    return ", ".join(f"{{{a}, {b}}}" for a, b in RESONATORS)
