"""Which copies of a clip there can be: their kinds and strengths, and who is heard in them.

Copies are what a microphone might as well have heard. Kinds, each with its strength: noise, babble and
talkers (dB SNR), gain (dB), reverb (reverberation time, s), telephone (upper edge, Hz), microphone (spread
of its response, dB), stretch (duration factor), pitch (semitones), speed (factor: a tape that runs faster,
so that pitch, formants and rate rise together, as of a smaller talker), shift (s). A kind alone draws its
strength per clip, a kind with a value (`noise:10`) uses that. The draw depends on the seed, the clip's name
and the copy only, so that any order and any number of processes give the same bytes. `augment` makes them.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from speech_emotion.errors import UserError

if TYPE_CHECKING:
    import numpy as np

RANGES: dict[str, tuple[float, float]] = {
    "noise": (5.0, 30.0),  # dB SNR, white
    "babble": (0.0, 25.0),  # dB SNR, many made-up voices
    "talkers": (0.0, 25.0),  # dB SNR, several of another speaker's
    "gain": (-24.0, 6.0),  # dB
    "reverb": (0.1, 0.8),  # s until the tail is down by 60 dB
    "telephone": (3000.0, 3800.0),  # Hz, upper edge
    "microphone": (1.0, 6.0),  # dB, standard deviation over the octaves
    "stretch": (0.8, 1.2),  # of the duration
    "pitch": (-3.0, 3.0),  # semitones
    "speed": (0.86, 1.16),  # adults' vocal tracts differ by about as much
    "shift": (-0.1, 0.1),  # s; later is silence in front, earlier is cut off
}
AGAINST_THE_WORLD = (
    "noise", "babble", "babble:10", "talkers", "talkers:10", "gain:-20", "microphone", "telephone",
    "speed", "pitch",
)  # fmt: skip
"""The kinds that together earned their rows (docs/accuracy.md)."""
_ALLOWED = {
    "noise": (-20, 100), "babble": (-20, 100), "talkers": (-20, 100), "gain": (-60, 40), "reverb": (0.05, 5),
    "telephone": (1000, 7900), "microphone": (0, 20), "stretch": (0.5, 2), "pitch": (-12, 12),
    "speed": (0.5, 2), "shift": (-1, 1),
}  # fmt: skip
_ANOTHER_VOICE = ("speed", "pitch", "stretch")
# of one other speaker, however often each must be heard for six voices: with every further clip or speaker,
# fewer copies can train in a fold, because one of them is tested
OTHERS = 2


@dataclass(frozen=True)
class Augmentation:
    """One kind of copy. `value` None: drawn from RANGES for every clip."""

    kind: str
    value: float | None = None

    @classmethod
    def parse(cls, text: str) -> Augmentation:
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
            number = math.nan
        if not low <= number <= high:
            raise UserError(f"--augment {text}: the value must be a number from {low} to {high}")
        return cls(kind, number)

    @property
    def others(self) -> int:
        """How many other clips are heard in it."""
        return OTHERS if self.kind == "talkers" else 0

    def __str__(self) -> str:
        # all digits: two strengths never share a name
        return self.kind if self.value is None else f"{self.kind}:{self.value!r}".removesuffix(".0")


def is_voice(name: str) -> bool:
    """Whether copies of this kind (`pitch:2`) sound like another talker, and not like the same one through
    another room, noise or line. "" is no copy."""
    return name.partition(":")[0] in _ANOTHER_VOICE


class Others:
    """Who can be heard behind whom. clips: (name, speaker) of each; a speaker's name is nobody else's."""

    def __init__(self, clips: list[tuple[str, str]]):
        self._clips: dict[str, list[str]] = {}
        for name, speaker in sorted(clips):
            self._clips.setdefault(speaker, []).append(name)
        self._speakers = sorted(self._clips)

    def __bool__(self) -> bool:
        """Whether there is somebody else."""
        return len(self._speakers) > 1

    def behind(self, name: str, speaker: str, augmentation: Augmentation | None, *, seed: int
               ) -> tuple[str, ...]:  # fmt: skip
        """Names of the clips, all of one other speaker, that a copy of this clip is to hold; of the clip
        itself, None, no others."""
        if augmentation is None or not augmentation.others:
            return ()
        rng = random_for(f"{seed}|{name}|{augmentation}|others")
        # one fewer than there are: whoever would be the speaker himself is the last one instead
        other = self._speakers[rng.integers(len(self._speakers) - 1)]
        clips = self._clips[self._speakers[-1] if other == speaker else other]
        drawn = rng.choice(len(clips), min(augmentation.others, len(clips)), replace=False)
        return tuple(clips[i] for i in drawn)


def random_for(key: str) -> np.random.Generator:
    """Random numbers that depend on the key alone, on any machine."""
    import numpy as np

    digest = hashlib.sha256(key.encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "little"))
