"""EMOVO: six actors, 14 sentences, seven emotions, Italian.

A name is three fields, `dis-f1-b1.wav`:

    emotion   first letters of the Italian word, see EMOTION
    speaker   sex and number
    sentence  b (short), l (long), n (nonsense), d (question) and a number

Source: Costantini et al. (2014), section 3.
"""

import re
from pathlib import Path

from speech_emotion.corpora.clip import Clip, Licence

NAME = "emovo"
TITLE = "EMOVO"
LICENCE = Licence(
    "freely available for research, no formal licence stated", "https://aclanthology.org/L14-1478/"
)
CITATION = (
    "Costantini G, Iaderola I, Paoloni A, Todisco M (2014). EMOVO Corpus: an Italian Emotional Speech "
    "Database. Proc. LREC 2014, pp. 3501-3504"
)
EXAMPLE = "dis-f1-b1.wav"
FOLDERS = re.compile(r"emovo", re.IGNORECASE)

EMOTION = {
    "dis": "disgust",  # disgusto
    "gio": "happy",  # gioia
    "neu": "neutral",
    "pau": "fear",  # paura
    "rab": "angry",  # rabbia
    "sor": "surprise",  # sorpresa
    "tri": "sad",  # tristezza
}

_STEM = re.compile(r"([a-z]{3})-([fm][1-3])-([a-z]\d)", re.IGNORECASE)


def parse(path: Path) -> Clip | None:
    """The clip a file name describes; None if the name is not of this scheme."""
    match = _STEM.fullmatch(path.stem)
    if not match or match[1].lower() not in EMOTION:
        return None
    emotion, speaker, sentence = (field.lower() for field in match.groups())
    return Clip(path, NAME, speaker, speaker[0], EMOTION[emotion], sentence)
