"""Where a user's clips lie when no folder was named."""

import os
from pathlib import Path

from speech_emotion.errors import UserError

KAGGLE_FOLDER = Path("speech-emotion-recognition-en")
"""The folder that the Kaggle set of four corpora unpacks into."""


def folder_of_clips(named: Path | None) -> Path:
    """`existing_folder`, where there must be one: else a UserError."""
    found = existing_folder(named)
    if found is None:
        raise UserError(f"no clips: no {KAGGLE_FOLDER}/ here; name their folder with --corpora")
    return found


def existing_folder(named: Path | None) -> Path | None:
    """The folder of clips: the one named by --corpora, else $SER_CORPORA, else the Kaggle set's, else None.
    UserError where a named one does not exist."""
    by = "--corpora"
    if named is None and os.environ.get("SER_CORPORA"):
        named, by = Path(os.environ["SER_CORPORA"]), "SER_CORPORA"
    if named is None:
        return KAGGLE_FOLDER if KAGGLE_FOLDER.is_dir() else None
    if not named.is_dir():
        raise UserError(f"{by} {named}: no such folder")
    return named


def off_by_one(root: Path, name: str) -> str:
    """Where a table's clip lies, if that is a folder above or below the one named; a part of a sentence."""
    below = sorted(p for p in root.iterdir() if p.is_dir()) if root.is_dir() else []
    for other in (root.parent, *below):
        if (other / name).is_file():
            return f"; they lie in {other}"
    return ""
