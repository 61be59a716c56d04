"""URDU: 400 utterances out of television talk shows, nobody acting, four emotions, Urdu.

A name is three fields, `SM1_F10_A010.wav`, in a folder called after the emotion:

    speaker  S, sex (M or F), number
    file     of this speaker and emotion
    emotion  first letter of Angry, Happy, Neutral, Sad, and a number

Source: README of https://github.com/siddiquelatif/URDU-Dataset.
"""

import re
from pathlib import Path

from speech_emotion.corpora.clip import Clip, Licence

NAME = "urdu"
TITLE = "URDU"
LICENCE = Licence("research only", "https://github.com/siddiquelatif/URDU-Dataset")
CITATION = (
    "Latif S, Qayyum A, Usman M, Qadir J (2018). Cross Lingual Speech Emotion Recognition: Urdu vs. "
    "Western Languages. Proc. FIT 2018, pp. 88-93. doi:10.1109/FIT.2018.00023"
)
EXAMPLE = "SM1_F10_A010.wav"
FOLDERS = re.compile(r"urdu(-dataset)?(-master)?", re.IGNORECASE)

EMOTION = {"A": "angry", "H": "happy", "N": "neutral", "S": "sad"}

_STEM = re.compile(r"S([MF]\d+)_F\d+_([AHNS])\d+", re.IGNORECASE)


def parse(path: Path) -> Clip | None:
    """The clip a file name describes; None if the name is not of this scheme."""
    match = _STEM.fullmatch(path.stem)
    if not match:
        return None
    speaker, emotion = match[1].upper(), match[2].upper()
    return Clip(path, NAME, speaker, speaker[0].lower(), EMOTION[emotion])
