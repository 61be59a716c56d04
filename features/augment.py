"""Augmentation: copies of a clip that a microphone might as well have heard.

Kinds: noise (dB SNR), stretch (duration factor), pitch (semitones), shift (seconds). A kind alone
draws its strength per clip, a kind with a value (`noise:10`) uses that. The draw depends on the seed,
the clip's name and the copy only, so that any order and any number of processes give the same bytes.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
import parselmouth
from parselmouth.praat import call, run

from common.errors import UserError
from features.audio import FULL_SCALE
from features.schema import PITCH_CEILING, PITCH_FLOOR, SAMPLE_RATE

RANGES: dict[str, tuple[float, float]] = {
    "noise": (5.0, 30.0),  # dB SNR, white
    "stretch": (0.8, 1.2),  # of the duration
    "pitch": (-3.0, 3.0),  # semitones
    "shift": (-0.1, 0.1),  # s; later is silence in front, earlier is cut off
}
_ALLOWED = {"noise": (-20, 100), "stretch": (0.5, 2), "pitch": (-12, 12), "shift": (-1, 1)}


@dataclass(frozen=True)
class Augmentation:
    """One kind of copy. `value` None: drawn from RANGES for every clip."""

    kind: str
    value: float | None = None

    @classmethod
    def parse(cls, text: str) -> "Augmentation":
        """`noise`, `noise:10`, `stretch:0.9`, `pitch:-2`, `shift:0.05`; UserError for anything else."""
        kind, colon, value = text.partition(":")
        if kind not in RANGES:
            raise UserError(f"--augment {text}: no such kind; known are {', '.join(RANGES)}")
        if not colon:
            return cls(kind)
        low, high = _ALLOWED[kind]
        try:
            number = float(value)
        except ValueError:
            number = np.nan
        if not low <= number <= high:
            raise UserError(f"--augment {text}: the value must be a number from {low} to {high}")
        return cls(kind, number)

    def __str__(self) -> str:
        # all digits: two strengths never share a name
        return self.kind if self.value is None else f"{self.kind}:{self.value!r}".removesuffix(".0")


def apply(samples: np.ndarray, augmentation: Augmentation, *, seed: int, name: str) -> np.ndarray:
    """The augmented copy. samples: int16 (n,) at 16 kHz; name: the clip's, for the random draw.

    Returns int16 (m,); m differs from n for stretch only.
    """
    key = hashlib.sha256(f"{seed}|{name}|{augmentation}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(key[:8], "little"))
    value = augmentation.value
    if value is None:
        value = rng.uniform(*RANGES[augmentation.kind])
    x = samples / FULL_SCALE
    y = _KINDS[augmentation.kind](x, value, rng)
    return np.clip(np.rint(y * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)


def _noise(x, snr, rng):
    # against the sound without its DC, and by the very power of this draw: the ratio is met exactly
    noise = rng.standard_normal(len(x))
    return x + noise * np.sqrt(np.var(x) / np.mean(noise**2) / 10 ** (snr / 10))


def _manipulated(x, rng, what, change):
    # Praat's overlap-add keeps the periods as they are, where a phase vocoder would smear the jitter
    sound = parselmouth.Sound(x, SAMPLE_RATE)
    manipulation = call(sound, "To Manipulation", 0.01, PITCH_FLOOR, PITCH_CEILING)
    tier = call(manipulation, f"Extract {what} tier")
    change(tier, sound)
    call([manipulation, tier], f"Replace {what} tier")
    # Praat draws random numbers where it changes voiceless stretches; one script, so that no other
    # thread draws in between
    made = run(
        manipulation,
        f"random_initializeWithSeedUnsafelyButPredictably ({rng.integers(2**31)})\n"
        "Get resynthesis (overlap-add)\n"
        "random_initializeSafelyAndUnpredictably ()",
    )
    return made[0].values[0]


def _stretch(x, factor, rng):
    return _manipulated(x, rng, "duration", lambda tier, _: call(tier, "Add point", 0.0, factor))


def _pitch(x, semitones, rng):
    factor = 2 ** (semitones / 12)
    return _manipulated(
        x, rng, "pitch", lambda t, s: call(t, "Multiply frequencies", s.xmin, s.xmax, factor)
    )


def _shift(x, seconds, _rng):
    n = round(abs(seconds) * SAMPLE_RATE)
    if seconds >= 0:
        return np.concatenate([np.zeros(n), x])[: len(x)]
    return np.concatenate([x[n:], np.zeros(min(n, len(x)))])


_KINDS = {"noise": _noise, "stretch": _stretch, "pitch": _pitch, "shift": _shift}
