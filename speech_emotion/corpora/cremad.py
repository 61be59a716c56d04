"""CREMA-D: 91 actors, twelve sentences, six emotions, English.

A name is four fields, `1001_DFA_ANG_XX.wav`:

    actor      1001-1091
    sentence   three letters: IEO TIE IOM IWW TAI MTI IWL ITH DFA ITS TSI WSI
    emotion    see EMOTION
    intensity  LO low, MD medium, HI high, XX not specified (most sentences)

One published file has a shorter last field, `1040_ITH_SAD_X.wav`; it means XX.

Source: https://github.com/CheyneyComputerScience/CREMA-D, README.md and, for the actors' sex,
VideoDemographics.csv.
"""

import re
from pathlib import Path

from speech_emotion.corpora.clip import Clip, Licence, Unused

NAME = "cremad"
TITLE = "CREMA-D"
LICENCE = Licence(
    "ODbL 1.0", "https://github.com/CheyneyComputerScience/CREMA-D/blob/master/LICENSE.txt"
)
CITATION = (
    "Cao H, Cooper DG, Keutmann MK, Gur RC, Nenkova A, Verma R (2014). CREMA-D: Crowd-sourced "
    "Emotional Multimodal Actors Dataset. IEEE Transactions on Affective Computing 5(4): 377-390. "
    "doi:10.1109/TAFFC.2014.2336244"
)
EXAMPLE = "1001_DFA_ANG_XX.wav"
FOLDERS = re.compile(r"crema([-_ ]?d)?", re.IGNORECASE)

EMOTION = {
    "ANG": "angry",
    "DIS": "disgust",
    "FEA": "fear",
    "HAP": "happy",
    "NEU": "neutral",
    "SAD": "sad",
}
INTENSITY = {"LO": "low", "MD": "medium", "HI": "high", "XX": "", "X": ""}

FIRST_ACTOR = 1001
#: One letter per actor, from 1001 on: 43 women, 48 men.
SEX = (
    "mfffmfffff"  # 1001-1010
    "mffmmmmfmf"  # 1011-1020
    "fmmffmmfff"  # 1021-1030
    "mmmmmmfmmm"  # 1031-1040
    "mmfmmffmfm"  # 1041-1050
    "mfffffmfmf"  # 1051-1060
    "fmfmmmmmmm"  # 1061-1070
    "mfffffmffm"  # 1071-1080
    "mfmfmmmmfm"  # 1081-1090
    "f"  # 1091
)

_STEM = re.compile(r"(\d{4})_(IEO|TIE|IOM|IWW|TAI|MTI|IWL|ITH|DFA|ITS|TSI|WSI)_(\w{3})_(\w{1,2})")


def parse(path: Path) -> Clip | None:
    """The clip a file name describes; None if the name is not of this scheme."""
    match = _STEM.fullmatch(path.stem.upper())
    if not match or match[3] not in EMOTION or match[4] not in INTENSITY:
        return None
    actor, sentence, emotion, intensity = match.groups()
    number = int(actor) - FIRST_ACTOR
    if not 0 <= number < len(SEX):
        raise Unused(f"CREMA-D has actors 1001 to 1091, not {actor}")
    return Clip(path, NAME, actor, SEX[number], EMOTION[emotion], sentence, INTENSITY[intensity])
