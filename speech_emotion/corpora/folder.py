"""A user's own recordings, one folder per emotion: `DIR/<emotion>/*.wav`.

The label is the folder's name in lower case; any set of labels will do. The speaker is what
stands before the first `_` of the file name, `anna_01.wav`, or "unknown" when there is none.
"""

import re
from pathlib import Path

from speech_emotion.corpora.clip import Clip, Licence, Unused

NAME = "folder"
TITLE = "own recordings"
LICENCE = Licence("the user's own", "")
EXAMPLE = "DIR/<emotion>/<speaker>_<anything>.wav"

UNKNOWN_SPEAKER = "unknown"

#: Folder names that cannot be meant as an emotion.
_NO_LABEL = re.compile(r"audio|clips|data|recordings|samples|sounds|wavs?|", re.IGNORECASE)


def parse(path: Path) -> Clip:
    """The clip a path describes: its folder is the emotion."""
    label = path.parent.name.strip().lower()
    if _NO_LABEL.fullmatch(label):
        raise Unused(f"its folder is called '{path.parent.name}', not after an emotion")
    speaker, underscore, _rest = path.stem.partition("_")
    return Clip(path, NAME, speaker if underscore and speaker else UNKNOWN_SPEAKER, "", label)
