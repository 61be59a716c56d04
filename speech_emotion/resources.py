"""Where the files lie that are no Python: the C code (embedded/) and the licence.

In a checkout they stand beside the package, where the user put them; in an installed package, within it.
"""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _find(name: str) -> Path:
    inside = _PACKAGE / name
    return inside if inside.exists() else _PACKAGE.parent / name


EMBEDDED = _find("embedded")
"""The C99 extractor: src/, host/."""
LICENSE = _find("LICENSE")
CHECKOUT = _PACKAGE.parent if (_PACKAGE.parent / "embedded").is_dir() else None
"""The repository's folder; None where the package is installed by itself."""
