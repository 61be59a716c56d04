"""SAVEE: four men, 15 sentences per emotion (30 neutral), British English.

A name is emotion letters and sentence number, in a folder named after the speaker,
`AudioData/DC/sa03.wav`; the Kaggle set puts the speaker in front instead, `DC_sa03.wav`.
The sentences of one number differ from emotion to emotion, so the sentence code is both: `sa03`.

Source: http://kahlan.eps.surrey.ac.uk/savee/, AudioData/Info.txt.
"""

import re
from pathlib import Path

from speech_emotion.corpora.clip import Clip, Licence

NAME = "savee"
TITLE = "SAVEE"
LICENCE = Licence(
    "free of charge for research, after registration",
    "http://kahlan.eps.surrey.ac.uk/savee/Download.html",
)
CITATION = (
    "Haq S, Jackson PJB (2010). Multimodal Emotion Recognition. In: Wang W (ed.), Machine "
    "Audition: Principles, Algorithms and Systems, IGI Global, pp. 398-423. "
    "doi:10.4018/978-1-61520-919-4.ch017"
)
EXAMPLE = "DC_a01.wav"
FOLDERS = re.compile(r"savee", re.IGNORECASE)
SHORT = True  # such names are given to other recordings too

EMOTION = {
    "a": "angry",
    "d": "disgust",
    "f": "fear",
    "h": "happy",
    "n": "neutral",
    "sa": "sad",
    "su": "surprise",
}

_STEM = re.compile(r"(DC|JE|JK|KL)_((sa|su|[adfhn])\d\d)", re.IGNORECASE)


def parse(path: Path) -> Clip | None:
    """The clip a file name (and its folder's) describes; None if not of this scheme."""
    match = _STEM.fullmatch(path.stem) or _STEM.fullmatch(f"{path.parent.name}_{path.stem}")
    if not match:
        return None
    speaker, sentence, emotion = match.groups()
    return Clip(path, NAME, speaker.upper(), "m", EMOTION[emotion.lower()], sentence.lower())


def is_known(clip: Clip) -> bool:
    """Whether the corpus has this sentence: 15 of each emotion, 30 neutral ones."""
    number = int(clip.sentence[-2:])
    return 1 <= number <= (30 if clip.emotion == "neutral" else 15)
