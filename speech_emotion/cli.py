"""The frame around every command: exit codes, one-line errors, progress on a terminal."""

import argparse
import io
import sys
from collections.abc import Callable, Iterable
from typing import NoReturn

from tqdm import tqdm

from speech_emotion import names
from speech_emotion.errors import CheckFailed, UserError


class Parser(argparse.ArgumentParser):
    """argparse's, whose complaint is one line, as every other error of a command. It names the command as it
    was called, so that what it says can be typed."""

    def __init__(self, **options):
        if options.get("prog") is None:
            options["prog"] = _called()
        super().__init__(**options)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message}; {self.prog} --help tells more\n")


def _called() -> str | None:
    """`python -m MODULE` where it was called so; else argparse's own guess, the program's name."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    if spec is None or not sys.argv[0].endswith(".py"):  # a script, or `speech-emotion COMMAND`
        return None
    return f"python -m {spec.name.removesuffix('.__main__')}"


def run(main: Callable[[], int | None]) -> None:
    """Run a command and leave with its exit code: 0 done, 1 a check failed, 2 bad input.

    What a user caused is one line on stderr; only our own mistakes show a stack trace.
    """
    # a file's name may hold letters that the terminal does not have
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        sys.exit(main() or 0)
    except CheckFailed as failure:
        print(f"failed: {names.terminal(str(failure))}", file=sys.stderr)
        sys.exit(1)
    except UserError as error:
        print(f"error: {names.terminal(str(error))}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("interrupted; the same command goes on where it stopped", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output went away: `... | head`
        sys.stderr.close()
        sys.exit(0)


def progress(items: Iterable, *, total: int | None = None, what: str, unit: str = "clip") -> tqdm:
    """A progress bar with the time left, on a terminal only."""
    return tqdm(items, total=total, desc=what, unit=unit, disable=not sys.stderr.isatty())
