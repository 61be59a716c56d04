"""TESS: two women, 200 words in the phrase "Say the word ...", seven emotions, English.

A name is three fields, `OAF_back_angry.wav`:

    speaker  OAF the older, YAF the younger actress
    word     the word that was said
    emotion  see EMOTION; `ps` is pleasant surprise

One published file, `OA_bite_neutral.wav`, lacks a letter: its speaker is OAF.

Source: https://doi.org/10.5683/SP2/E8H2MF.
"""

import re
from pathlib import Path

from speech_emotion.corpora.clip import Clip, Licence

NAME = "tess"
TITLE = "TESS"
LICENCE = Licence("CC BY-NC-ND 4.0", "https://doi.org/10.5683/SP2/E8H2MF")
CITATION = (
    "Pichora-Fuller MK, Dupuis K (2020). Toronto emotional speech set (TESS). Borealis, V1. "
    "doi:10.5683/SP2/E8H2MF"
)
EXAMPLE = "OAF_back_angry.wav"
FOLDERS = re.compile(r"tess|(tess )?toronto emotional.*|[oy]af_.*", re.IGNORECASE)

EMOTION = {
    "angry": "angry",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happy",
    "neutral": "neutral",
    "ps": "surprise",
    "sad": "sad",
}
SPEAKER = {"OAF": "OAF", "OA": "OAF", "YAF": "YAF"}

_STEM = re.compile(r"(OAF?|YAF)_([a-z]+)_([a-z]+)", re.IGNORECASE)


def parse(path: Path) -> Clip | None:
    """The clip a file name describes; None if the name is not of this scheme."""
    match = _STEM.fullmatch(path.stem)
    if not match or match[3].lower() not in EMOTION:
        return None
    speaker, word, emotion = match.groups()
    return Clip(path, NAME, SPEAKER[speaker.upper()], "f", EMOTION[emotion.lower()], word.lower())
