"""TurEV-DB: six actors, Turkish words, four emotions.

A name is three fields, `1157_kz_beste.wav`, in `Sound Source/<Angry|Calm|Happy|Sad>/`:

    speaker  a number of four digits, one of six
    emotion  letters of the Turkish word, see EMOTION
    word     that was said

The repository's other folders hold the same clips filtered or drawn: those are copies, and left out.

Source: https://github.com/Xeonen/TurEV-DB (its README, and the names of its files).
"""

import re
from pathlib import Path

from speech_emotion.corpora.clip import Clip, Licence, Unused

NAME = "turev"
TITLE = "TurEV-DB"
LICENCE = Licence("CC BY-NC-ND 4.0", "https://github.com/Xeonen/TurEV-DB")
CITATION = (
    "Canpolat SF, Ormanoğlu Z, Zeyrek D (2020). Turkish Emotion Voice Database (TurEV-DB). Proc. SLTU-CCURL "
    "2020, pp. 368-375"
)
EXAMPLE = "1157_kz_beste.wav"
FOLDERS = re.compile(r"turev(-db)?(-master)?", re.IGNORECASE)
SHORT = True  # such names are given to other recordings too
SOUNDS = "sound source"

EMOTION = {
    "kz": "angry",  # kızgın
    "sk": "calm",  # sakin
    "mt": "happy",  # mutlu
    "uz": "sad",  # üzgün
}

_STEM = re.compile(r"(\d{4})_([a-z]{2})_(\w+)", re.IGNORECASE)


def parse(path: Path) -> Clip | None:
    """The clip a file name describes; None if the name is not of this scheme. Raises Unused for a copy."""
    match = _STEM.fullmatch(path.stem)
    if not match or match[2].lower() not in EMOTION:
        return None
    above = [folder.name.lower() for folder in path.parents]
    home = next((i for i, name in enumerate(above) if FOLDERS.fullmatch(name)), 0)
    if home and SOUNDS not in above[:home]:
        raise Unused("a filtered copy; the recordings are those below 'Sound Source'")
    speaker, emotion, word = match.groups()
    return Clip(path, NAME, speaker, "", EMOTION[emotion.lower()], word.lower())
