"""The one way to librosa, by which its compiled functions stay whole.

numba keeps a function over arrays in two files that name each other, and finds them by an index. Processes
that compile it at the same time can leave halves that do not fit, or an index that promises one form where
another lies (numba issues 10128, 4807): whoever runs it, dies. On a fresh machine any two commands, workers
or tests that run at once can bring that about. librosa compiles such functions while it is loaded; so who
imports it from here loads it one process after the other.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platformdirs import user_cache_path

from speech_emotion import files

if TYPE_CHECKING:
    import librosa

__all__ = ["librosa"]


def __getattr__(name: str) -> Any:
    """librosa, when it is first asked for: it takes two seconds."""
    if name != "librosa":
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    import librosa

    # where numba keeps it, too; a folder that is named need not be there yet, and is the place all the same
    beside = Path(librosa.__file__).parent
    ours = beside / "__pycache__" if os.access(beside, os.W_OK) else user_cache_path("numba", False)
    folder = Path(os.environ.get("NUMBA_CACHE_DIR") or ours)
    with files.in_turn(folder / "speech_emotion.lock"):
        # those with functions over arrays; else they would be loaded where they are first used
        import librosa.core.audio
        import librosa.core.pitch
        import librosa.util.utils
    globals()["librosa"] = librosa
    return librosa
