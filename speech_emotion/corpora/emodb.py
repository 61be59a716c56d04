"""EMO-DB: the Berlin database, ten actors, ten sentences, seven emotions, German.

A name is four fields without separators, `03a01Fa.wav`:

    speaker   03, 08-16
    sentence  a01 a02 a04 a05 a07 b01 b02 b03 b09 b10
    emotion   first letter of the German word, see EMOTION
    version   a, b, c ...

Boredom (L) has no counterpart in the other corpora: `discover` leaves it out unless asked.

Source: http://emodb.bilderbar.info/docu/, "Code of emotions" and "Information about the speakers".
"""

import re
from pathlib import Path

from speech_emotion.corpora.clip import Clip, Licence

NAME = "emodb"
TITLE = "EMO-DB"
LICENCE = Licence(
    "freely available, citation asked for; no formal licence stated", "http://emodb.bilderbar.info/"
)
CITATION = (
    "Burkhardt F, Paeschke A, Rolfes M, Sendlmeier WF, Weiss B (2005). A Database of German "
    "Emotional Speech. Proc. Interspeech 2005, pp. 1517-1520. doi:10.21437/Interspeech.2005-446"
)
EXAMPLE = "03a01Fa.wav"
FOLDERS = re.compile(r"emo-?db|berlin.*emotion.*", re.IGNORECASE)

EMOTION = {
    "W": "angry",  # Wut (or Ärger)
    "L": "boredom",  # Langeweile
    "E": "disgust",  # Ekel
    "A": "fear",  # Angst
    "F": "happy",  # Freude
    "T": "sad",  # Trauer
    "N": "neutral",
}
SEX = {
    "03": "m",
    "08": "f",
    "09": "f",
    "10": "m",
    "11": "m",
    "12": "m",
    "13": "f",
    "14": "f",
    "15": "m",
    "16": "f",
}

SENTENCES = frozenset(["a01", "a02", "a04", "a05", "a07", "b01", "b02", "b03", "b09", "b10"])

_STEM = re.compile(r"(03|08|09|1[0-6])([ab]\d\d)([WLEAFTN])([a-z])", re.IGNORECASE)


def parse(path: Path) -> Clip | None:
    """The clip a file name describes; None if the name is not of this scheme."""
    match = _STEM.fullmatch(path.stem)
    if not match:
        return None
    speaker, sentence, emotion, _version = match.groups()
    return Clip(path, NAME, speaker, SEX[speaker], EMOTION[emotion.upper()], sentence.lower())


def is_known(clip: Clip) -> bool:
    """Whether the corpus has this sentence."""
    return clip.sentence in SENTENCES
