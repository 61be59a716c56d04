"""Processes that compile at once, on a machine where nothing is compiled yet, leave whole code behind."""

import os
import subprocess
import sys

from conftest import REPOSITORY

# Each process waits for the other before it writes a part of this function, as far as the other comes there;
# numba numbers what it compiles and writes the number into both parts, and one process is some ahead
_MEET = """
import sys, time
from pathlib import Path
from numba import njit
from numba.core.caching import IndexDataCacheFile

mine, other = sys.argv[1:]

def meeting(name):
    plain = getattr(IndexDataCacheFile, name)
    meetings = {}

    def wrapped(self, *arguments):
        part = Path(self._index_path).stem
        if "_zc_wrapper" in part:
            meetings[part] = meetings.get(part, 0) + 1
            place = f"{name}-{part}-{meetings[part]}-"
            Path(place + mine).touch()
            until = time.monotonic() + 2
            while time.monotonic() < until and not Path(place + other).exists():
                time.sleep(.01)
            if (mine == "first") == part.startswith("guf-"):
                time.sleep(.1)  # the halves that stay are of two processes
        return plain(self, *arguments)

    setattr(IndexDataCacheFile, name, wrapped)

if other:
    meeting("_save_index")
    meeting("_save_data")
if mine == "second":
    for _ in range(3):
        njit(lambda x: x)(1)

from speech_emotion.compiled import librosa
import numpy as np

print(librosa.zero_crossings(np.array([1., -1, 1, 1, -1]), pad=False).sum())
"""


def started(folder, mine, other=""):
    return subprocess.Popen(
        [sys.executable, "-c", _MEET, mine, other], cwd=folder, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"NUMBA_CACHE_DIR": str(folder / "not there yet"), "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip


def said(process):
    return process.communicate(timeout=300)[0].split(), process.returncode


def test_librosa_loaded_by_two_at_once_on_a_fresh_machine_is_whole(tmp_path):
    first, second = started(tmp_path, "first", "second"), started(tmp_path, "second", "first")
    assert said(first) == said(second) == (["3"], 0)
    assert said(started(tmp_path, "last")) == (["3"], 0)


def test_librosa_comes_from_one_place():
    for path in (REPOSITORY / "speech_emotion").rglob("*.py"):
        if path.name != "compiled.py":
            assert "import librosa" not in path.read_text().replace(
                "compiled import librosa", ""
            ), path
