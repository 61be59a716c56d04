"""The journal: one line per finished clip, so that an interrupted run loses nothing.

A line is appended whole after each clip, with a checksum before it; what a `kill -9` leaves half-written is
cut off at the next start, and a line that a disk has damaged does not count. A journal belongs to the
settings in its name and first line (schema, engine, its source, seed, library versions), and one of other
settings is left alone. A result counts only for the same file (size and modification time) and augmentation.
The tables are written from the journal, so a resumed run ends with the bytes of an uninterrupted one.
What was left out is tried again by the next run, as the cause may be cured without the file changing; but not
what ended its process. Only the lines' places are kept in memory. One process at a time: see `files.alone`.
"""

import base64
import hashlib
import json
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

import numpy as np

from speech_emotion.errors import UserError


@dataclass(frozen=True)
class Result:
    """What came of one clip: a feature vector, or the reason it was left out."""

    key: str  # names the clip, its augmentation and the state of its file
    seconds: float = 0.0
    audio: str = ""  # hash of the samples: equal for duplicates
    features: str = ""  # float32 little-endian, base64
    left_out: str = ""
    limited: int = 0  # samples that were beyond full scale
    remarks: str = ""  # what was found out about the file
    silence: str = ""  # why nobody speaks in it
    level: float = 0.0  # of the speech, dB re full scale
    clipped: int = 0  # samples at full scale
    fatal: bool = False  # the process that read it died: it is left out until its file changes

    @classmethod
    def of(cls, key: str, seconds: float, audio: str, vector: np.ndarray) -> "Result":
        packed = base64.b64encode(np.asarray(vector, "<f4").tobytes()).decode()
        return cls(key, seconds, audio, packed)

    @property
    def name(self) -> str:
        """The clip's, relative to the corpora folder."""
        return self.key.rsplit("|", 3)[0]

    @property
    def unseen(self) -> bool:
        """Whether whoever made it did not find the clip's file."""
        return "|gone|" in self.key

    @property
    def vector(self) -> np.ndarray:
        """The features: float32, in schema order."""
        return np.frombuffer(base64.b64decode(self.features), "<f4")


class Journal:
    """Results by key, on disk, in a folder. `settings` is what makes old results worthless when it changes.

    damaged: lines that did not count. others: journals of other settings, and of older versions.
    """

    def __init__(self, folder: Path, settings: dict):
        self._header = json.dumps(settings, sort_keys=True).encode() + b"\n"
        name = hashlib.sha256(self._header).hexdigest()[:8]
        self.path = folder / f"features.{name}.journal"
        self.others = sorted(set(folder.glob("features*.journal")) - {self.path})
        self.damaged = 0
        self._places: dict[str, int] = {}
        # a line of other settings has another checksum, wherever it was put
        self._start = zlib.crc32(self._header)
        try:
            self.path.touch()
            # unbuffered: a line that does not fit on the disk must not come back when the file is closed
            self._file = self.path.open("r+b", buffering=0)
            self._end = self._read()
            self._lines = self.path.open(
                "rb"
            )  # after `_read`: it buffers, and the tail has been cut off
        except OSError as error:
            raise UserError(f"{self.path}: cannot be written ({error.strerror})") from None

    def _read(self) -> int:
        """Note where each result stands; cut off what is no whole line. Returns the end."""
        place = 0
        with self.path.open("rb") as lines:
            for number, line in enumerate(lines):
                if not line.endswith(b"\n"):
                    break
                result = self._parsed(line)
                if result is None:
                    self.damaged += number > 0  # the first is the settings
                elif not result.left_out or result.fatal:
                    self._places[result.key] = place
                place += len(line)
        self._file.truncate(place)
        if place == 0:
            self._file.write(self._header)
            place = len(self._header)
        return place

    def _parsed(self, line: bytes) -> Result | None:
        """A line's result; None for one that is not as it was written."""
        checksum, _, content = line.rstrip(b"\n").partition(b" ")
        if checksum != self._checksum(content):
            return None
        try:
            return Result(**json.loads(content))
        except (ValueError, TypeError):
            return None

    def _checksum(self, content: bytes) -> bytes:
        return b"%08x" % zlib.crc32(content, self._start)

    def __contains__(self, key: str) -> bool:
        return key in self._places

    def __getitem__(self, key: str) -> Result:
        self._lines.seek(self._places[key])
        result = self._parsed(self._lines.readline())
        if result is None or result.key != key:
            raise UserError(f"{self.path}: damaged while it was in use; run again")
        return result

    def add(self, result: Result) -> None:
        """Append; on a full disk the line is taken back and UserError raised."""
        content = json.dumps(asdict(result)).encode()
        line = self._checksum(content) + b" " + content + b"\n"
        try:
            self._file.seek(self._end)
            # a disk that fills up takes a part of the line first
            rest = memoryview(line)
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            self._file.truncate(self._end)
            raise UserError(
                f"{self.path}: cannot be written ({error.strerror}); "
                "free space and run again: finished clips are kept"
            ) from None
        self._places[result.key] = self._end
        self._end += len(line)

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        self._lines.close()
