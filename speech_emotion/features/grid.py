"""Where frames lie in a clip: everything about time that follows from the schema, for both engines and the
page.

Spectral frame j covers samples [HOP j, HOP j + FRAME). Praat's frames (pitch, harmonicity, intensity) are
HOP apart, too, but stand as a block in the middle of the clip; since a clip has CLIP_REMAINDER samples
more than whole hops, the first of them is centred at the same sample in every clip, half a hop or none from
a sample that the chip can know beforehand.
"""

import math
from fractions import Fraction
from typing import NamedTuple

from speech_emotion.features import schema


class Frames(NamedTuple):
    """Praat's frames of one analysis, in samples: how long the sound is that a frame looks at, what is left
    of a hop when they are laid into a clip, and the place that frame 0 is centred on (between samples
    centre - 1 and centre where it is whole)."""

    window: Fraction
    rest: Fraction
    centre: Fraction


def period() -> Fraction:
    """The longest period of a voice, in samples."""
    return schema.SAMPLE_RATE / Fraction(str(schema.PITCH_FLOOR))


def _frames(periods: Fraction) -> Frames:
    """As Praat lays frames that need so many of the longest periods: as many as fit, around the middle."""
    window = periods * period()
    rest = (schema.CLIP_REMAINDER - window) % schema.HOP
    return Frames(window, rest, (window + rest) / 2)


def pitch() -> Frames:
    """To Pitch (ac): three periods under a Hann window (Boersma 1993)."""
    return _frames(Fraction(3))


def harmonicity() -> Frames:
    """To Harmonicity (cc): the stretches compared and the longest lag between them."""
    return _frames(1 + Fraction(str(schema.HNR_FRAMES_PER_WINDOW)))


def intensity() -> Frames:
    """To Intensity: a Kaiser window of 6.4 periods."""
    return _frames(Fraction("6.4"))


def intensity_lag() -> int:
    """The spectral frame nearest to intensity frame 0, by its number."""
    return round((intensity().centre - Fraction(schema.FRAME, 2)) / schema.HOP)


def hop_of(centre: Fraction) -> int:
    """How many hops after the clip's start the one begins in which a frame's centre lies."""
    return math.floor(centre / schema.HOP)


def seconds_per_hop() -> float:
    """HOP in s."""
    return schema.HOP / schema.SAMPLE_RATE
