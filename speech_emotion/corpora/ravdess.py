"""RAVDESS: 24 actors, two sentences, eight emotions, North American English.

A name is seven two-digit fields, `03-01-05-01-02-01-12.wav`:

    modality    01 audio and video, 02 video, 03 audio
    channel     01 speech, 02 song
    emotion     see EMOTION
    intensity   01 normal, 02 strong (neutral is never strong)
    statement   01 "Kids are talking by the door", 02 "Dogs are sitting by the door"
    repetition  01, 02
    actor       01-24, odd male, even female

Source: https://zenodo.org/records/1188976, "File naming convention".
"""

import re
from pathlib import Path

from speech_emotion.corpora.clip import Clip, Licence, Unused

NAME = "ravdess"
TITLE = "RAVDESS"
LICENCE = Licence("CC BY-NC-SA 4.0", "https://zenodo.org/records/1188976")
CITATION = (
    "Livingstone SR, Russo FA (2018). The Ryerson Audio-Visual Database of Emotional Speech and "
    "Song (RAVDESS). PLoS ONE 13(5): e0196391. doi:10.1371/journal.pone.0196391"
)
EXAMPLE = "03-01-05-01-02-01-12.wav"
FOLDERS = re.compile(r"ravdess|audio_(speech|song)_actors_01-24|actor_\d\d", re.IGNORECASE)

EMOTION = {
    "01": "neutral",
    "02": "calm",
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fear",
    "07": "disgust",
    "08": "surprise",
}
INTENSITY = {"01": "normal", "02": "strong"}
ACTORS = range(1, 25)

_STEM = re.compile(r"(0[1-3])-(0[12])-(0[1-8])-(0[12])-(0[12])-(0[12])-(\d\d)")


def parse(path: Path) -> Clip | None:
    """The clip a file name describes; None if the name is not of this scheme."""
    match = _STEM.fullmatch(path.stem)
    if not match:
        return None
    modality, channel, emotion, intensity, statement, _repetition, actor = match.groups()
    if modality != "03":
        raise Unused("a RAVDESS video track: only the audio-only files (03-...) are read")
    if channel != "01":
        raise Unused("RAVDESS song, not speech")
    if int(actor) not in ACTORS:
        raise Unused(f"RAVDESS has actors 01 to 24, not {actor}")
    sex = "m" if int(actor) % 2 else "f"
    return Clip(path, NAME, actor, sex, EMOTION[emotion], statement, INTENSITY[intensity])
