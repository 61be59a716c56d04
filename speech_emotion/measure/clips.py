"""The sounds to measure with: the user's, real clips of the corpora, or a synthetic voice."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from speech_emotion import corpora
from speech_emotion.errors import UserError
from speech_emotion.features import audio, schema

COUNT = 6


class Clips(NamedTuple):
    """Sounds, int16 (n,) each, by name; and what they are, in words."""

    sounds: dict[str, np.ndarray]
    about: str


def choose(files: list[Path], root: Path | None) -> Clips:
    """The files; or some clips of the corpora in `root`, and one of them cut in the middle of its loudest
    sound, where most is left to do; or, without either, the synthetic voice, cut likewise."""
    if files:
        sounds = {str(path): audio.load(path) for path in files}
        for path, sound in sounds.items():
            if not sound.any():
                raise UserError(
                    f"{path}: digital silence, which costs a chip next to nothing; name speech"
                )
        return Clips(sounds, "the clips given")
    if root is not None and (found := corpora.discover(root).clips):
        places = np.linspace(0, len(found) - 1, COUNT + 2)[1:-1].astype(int)
        sounds = {found[i].path.name: audio.load(found[i].path) for i in places}
        made = any(found[i].corpus == "synthetic" for i in places)
        about = f"{len(sounds)} {'SYNTHETIC' if made else 'real'} clips of the corpora"
    else:
        sounds = {"synthetic voice": synthetic_voice()}
        about = "a SYNTHETIC voice; name real ones with --clips or --corpora"
    name, longest = max(sounds.items(), key=lambda item: len(item[1]))
    sounds[f"{name}, cut at its loudest"] = cut_at_loudest(longest)
    return Clips(sounds, f"{about}, one of them also cut in mid-voice")


def synthetic_voice() -> np.ndarray:
    """Three seconds of a buzz around 130 Hz that comes and goes: int16."""
    time = np.arange(3 * schema.SAMPLE_RATE + schema.CLIP_REMAINDER) / schema.SAMPLE_RATE
    phase = 2 * np.pi * np.cumsum(130 + 15 * np.sin(2 * np.pi * 1.5 * time)) / schema.SAMPLE_RATE
    wave = sum(np.sin(k * phase) / k for k in range(1, 25))
    return np.rint(4000 * wave * (np.sin(2 * np.pi * 0.8 * time) > -0.5)).astype(np.int16)


def cut_at_loudest(sound: np.ndarray) -> np.ndarray:
    """The sound up to its loudest hop in the second half, a whole clip."""
    hops = len(sound) // schema.HOP
    levels = np.abs(sound[: hops * schema.HOP].astype(int)).reshape(hops, -1).sum(axis=1)
    last = hops // 2 + int(np.argmax(levels[hops // 2 :]))
    return sound[: last * schema.HOP + schema.CLIP_REMAINDER]
