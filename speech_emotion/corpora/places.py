"""Where a user's clips lie when no folder was named."""

import os
from pathlib import Path

from speech_emotion.errors import UserError

KAGGLE_FOLDER = Path("speech-emotion-recognition-en")
"""The folder that the Kaggle set of four corpora unpacks into."""


def existing_folder(named: Path | None) -> Path | None:
    """The folder of clips: the one named by --corpora, else $SER_CORPORA, else the Kaggle set's, else None.
    UserError where a named one does not exist."""
    if named is not None:
        if not named.is_dir():
            raise UserError(f"--corpora {named}: no such folder")
        return named
    for folder in (Path(os.environ.get("SER_CORPORA") or KAGGLE_FOLDER), KAGGLE_FOLDER):
        if folder.is_dir():
            return folder
    return None
