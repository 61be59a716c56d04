"""C compilers and what they build: found, run, and their first complaint told in one line.

Everything that compiles C goes through here: the device engine, generated libraries, firmware, the page.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from platformdirs import user_cache_path

from speech_emotion.errors import UserError

PATIENCE = 3600
"""Seconds that a program may take; one that crashes on an emulated chip may run for ever."""
EXACT = ("-ffp-contract=off", "-fno-math-errno")
"""No contraction: a fused multiply-add would round differently from one target to another."""
FLAGS = ("-std=c99", "-O3", "-fPIC", *EXACT)
"""Of code for this computer."""
WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wdouble-promotion", "-Werror")
SHARED = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")
"""The ending of a shared library's name."""


class Complaint(UserError):
    """A program failed. `reason` is its first telling line, without the program's name."""

    def __init__(self, program: str, reason: str):
        super().__init__(f"{program}: {reason}")
        self.reason = reason


def run(command: Sequence[str | Path], *, cwd: Path | None = None) -> str:
    """What a program printed. Raises Complaint where it fails or does not end."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, errors="replace", cwd=cwd, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        raise Complaint(
            words[0], f"not done within {PATIENCE} s; name fewer or shorter --clips"
        ) from None
    if done.returncode:
        raise Complaint(words[0], first_complaint(done.stderr, done.returncode))
    return done.stdout


def first_complaint(said: str, code: int = 1) -> str:
    """The line of a compiler's or linker's words that names what is wrong, or else the first."""
    lines = said.splitlines() or [f"exit code {code}"]
    telling = (line for line in lines if re.search("error|overflowed|undefined|relocation", line))
    return next(telling, lines[0]).strip()


@cache
def version(program: str) -> str:
    """The first number that `program --version` prints."""
    found = re.search(r"\d+\.\d+[\d.]*", run([program, "--version"]))
    return found[0] if found else "of unknown version"


def compiler() -> list[str]:
    """The C compiler's command: $CC, else cc, gcc or clang. Raises UserError where there is none."""
    if os.environ.get("CC"):
        command = shlex.split(os.environ["CC"])
        if shutil.which(command[0]):
            return command
        raise UserError(f"CC={os.environ['CC']}: no such program; name a C compiler or unset CC")
    for name in ("cc", "gcc", "clang"):
        if shutil.which(name):
            return [name]
    raise UserError(
        "engine device: no C compiler found (cc, gcc, clang); install one, e.g. apt-get install gcc, "
        "or use --engine reference"
    )


def cache_folder() -> Path:
    """Where compiled libraries are kept: $SER_CACHE, else the user's cache folder."""
    if os.environ.get("SER_CACHE"):
        return Path(os.environ["SER_CACHE"])
    return user_cache_path("ser-device", appauthor=False)


@contextmanager
def keeping(what: str, folder: Path) -> Iterator[None]:
    """Within it something compiled is written below a folder, which is made. UserError where it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise UserError(
            f"{folder}: cannot keep the compiled {what} there ({error.strerror}); "
            "set SER_CACHE to a folder that can be written"
        ) from None
