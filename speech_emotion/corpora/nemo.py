"""nEMO: nine actors, 90 sentences, six emotions, Polish.

A name is three fields, `EB0_anger_10.wav`:

    speaker   two letters and a digit
    emotion   see EMOTION
    sentence  its number

Source: Christop (2024), section "Dataset"; https://github.com/amu-cai/nEMO.
"""

import re
from pathlib import Path

from speech_emotion.corpora.clip import Clip, Licence

NAME = "nemo"
TITLE = "nEMO"
LICENCE = Licence("CC BY-NC-SA 4.0", "https://github.com/amu-cai/nEMO")
CITATION = (
    "Christop I (2024). nEMO: Dataset of Emotional Speech in Polish. Proc. LREC-COLING 2024. "
    "arXiv:2404.06292"
)
EXAMPLE = "EB0_anger_10.wav"
FOLDERS = re.compile(r"nemo", re.IGNORECASE)

EMOTION = {
    "anger": "angry",
    "fear": "fear",
    "happiness": "happy",
    "neutral": "neutral",
    "sadness": "sad",
    "surprised": "surprise",
}

_STEM = re.compile(r"([A-Z]{2}\d)_([a-z]+)_(\d+)", re.IGNORECASE)


def parse(path: Path) -> Clip | None:
    """The clip a file name describes; None if the name is not of this scheme."""
    match = _STEM.fullmatch(path.stem)
    if not match or match[2].lower() not in EMOTION:
        return None
    speaker, emotion, sentence = match.groups()
    return Clip(path, NAME, speaker.upper(), "", EMOTION[emotion.lower()], sentence)
