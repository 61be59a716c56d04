"""Where the files lie that are no Python: the C code (embedded/) and the licence.

In a checkout they stand beside the package, where the user put them; an installed package has the C code
within it, and the licence in its metadata.
"""

from importlib import metadata
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_INSTALLED = (_PACKAGE / "embedded").is_dir()

EMBEDDED = (_PACKAGE if _INSTALLED else _PACKAGE.parent) / "embedded"
"""The C99 extractor: src/, host/."""


def licence() -> bytes:
    """The text of LICENSE, which every generated library carries."""
    if not _INSTALLED:
        return (_PACKAGE.parent / "LICENSE").read_bytes()
    for path in metadata.files("speech-emotion") or []:
        if path.name == "LICENSE":
            return Path(path.locate()).read_bytes()
    raise FileNotFoundError("speech-emotion is installed without its LICENSE; install it again")
