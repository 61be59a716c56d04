"""ASED: 65 people, 27 sentences, five emotions, Amharic.

A name is five fields, `a5-03-01-02-50.wav`, in a folder called after the emotion:

    emotion     its first letter and the folder's number, see EMOTION
    sentence    01-07
    repetition  01, 02
    sex         01 female, 02 male
    speaker     01-65

The sentences of one number differ from emotion to emotion, so the sentence code is both: `a5-03`.

Source: README of https://github.com/Ethio2021/ASED_V1, "Organization the Database".
"""

import re
from pathlib import Path

from speech_emotion.corpora.clip import Clip, Licence

NAME = "ased"
TITLE = "ASED"
LICENCE = Licence("no licence stated; citation asked for", "https://github.com/Ethio2021/ASED_V1")
CITATION = (
    "Retta EA, Almekhlafi E, Sutcliffe R, Mhamed M, Ali H, Feng J (2023). A New Amharic Speech Emotion "
    "Dataset and Classification Benchmark. ACM TALLIP 22(1). doi:10.1145/3529759"
)
EXAMPLE = "a5-03-01-02-50.wav"
FOLDERS = re.compile(r"ased(_v1)?(-main|-master)?", re.IGNORECASE)

EMOTION = {"n1": "neutral", "f2": "fear", "h3": "happy", "s4": "sad", "a5": "angry"}
SEX = {"01": "f", "02": "m"}

_STEM = re.compile(r"([nfhsa][1-5])-(\d\d)-(\d\d)-(0[12])-(\d\d)", re.IGNORECASE)


def parse(path: Path) -> Clip | None:
    """The clip a file name describes; None if the name is not of this scheme."""
    match = _STEM.fullmatch(path.stem)
    if not match or match[1].lower() not in EMOTION:
        return None
    emotion, sentence, _repetition, sex, speaker = (field.lower() for field in match.groups())
    return Clip(path, NAME, speaker, SEX[sex], EMOTION[emotion], f"{emotion}-{sentence}")
