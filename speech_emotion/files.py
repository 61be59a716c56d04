"""Files that are whole or absent: written beside, synced, renamed."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from speech_emotion.errors import UserError


@contextmanager
def replacing(path: str | Path, mode: str = "w") -> Iterator[IO]:
    """Open a file for writing that appears under its name only once it is complete.

    Text is UTF-8 with "\\n" line ends on every system. If the body fails, or the disk is full, the
    file that was there before is still there and nothing else is left. OSError becomes UserError.
    """
    path = Path(path)
    text = "b" not in mode
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise UserError(
            f"{path}: cannot be written ({error.strerror}); choose another folder"
        ) from None
    try:
        with os.fdopen(
            handle, mode, encoding="utf-8" if text else None, newline="\n" if text else None
        ) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(beside, 0o666 & ~_umask())
        os.replace(beside, path)
    except BaseException as error:
        with suppress(OSError):
            os.unlink(beside)
        if isinstance(error, OSError):
            raise UserError(
                f"{path}: cannot be written ({error.strerror}); free space or choose another folder"
            ) from None
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextmanager
def alone(folder: Path, command: str) -> Iterator[None]:
    """Within it no other process is `alone` in the folder. UserError at once where one is; whatever ends this
    process gives the folder free."""
    from filelock import FileLock, SoftFileLock, Timeout

    path = folder / f".{command}.lock"
    lock: FileLock | SoftFileLock = FileLock(path)
    try:
        try:
            lock.acquire(timeout=0)
        except NotImplementedError:  # a network disk without locks: a file that is there or not
            lock = SoftFileLock(path)
            lock.acquire(timeout=0)
    except Timeout:
        raise UserError(
            f"{folder}: another run of {command} is writing here; wait for it, or choose another --out"
        ) from None
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror})") from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def in_turn(path: Path) -> Iterator[None]:
    """Within it one process after the other, by a lock at this path. Where none can be, all at once."""
    from filelock import FileLock

    lock = FileLock(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except (OSError, NotImplementedError):  # a folder that cannot be written, a disk without locks
        yield
        return
    try:
        yield
    finally:
        lock.release()


def writable_folder(path: Path) -> Path:
    """The folder, created if need be; UserError before any long work when nothing can be put there."""
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            return path
    except OSError as error:
        raise UserError(
            f"{path}: cannot be written to ({error.strerror}); choose another folder"
        ) from None
