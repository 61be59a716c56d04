"""The journal: one line per finished clip, so that an interrupted run loses nothing.

A line is appended whole after each clip; whatever a `kill -9` leaves half-written is cut off at the
next start. A line counts only for the same file (size and modification time), augmentation, seed,
schema, engine, its source and library versions; the finished tables are written from the journal, so
a resumed run ends with the bytes of an uninterrupted one. What was left out is tried again by the
next run: the cause may be cured without the file changing. Only the lines' places are kept in memory.
"""

import base64
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from speech_emotion.errors import UserError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


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

    @classmethod
    def of(cls, key: str, seconds: float, audio: str, vector: np.ndarray) -> "Result":
        packed = base64.b64encode(np.asarray(vector, "<f4").tobytes()).decode()
        return cls(key, seconds, audio, packed)

    @property
    def name(self) -> str:
        """The clip's, relative to the corpora folder."""
        return self.key.rsplit("|", 3)[0]

    @property
    def vector(self) -> np.ndarray:
        """The features: float32, in schema order."""
        return np.frombuffer(base64.b64decode(self.features), "<f4")


class Journal:
    """Results by key, on disk. `settings` is what makes old results worthless when it changes."""

    def __init__(self, path: Path, settings: dict):
        self._places: dict[str, int] = {}
        header = json.dumps(settings, sort_keys=True) + "\n"
        try:
            if not path.exists() or not self._resumes(path, header):
                path.write_text(header, encoding="utf-8", newline="\n")
            # unbuffered: a line that does not fit on the disk must not come back when the file is closed
            self._file = path.open("r+b", buffering=0)
        except OSError as error:
            raise UserError(f"{path}: cannot be written ({error.strerror})") from None
        self._lock()
        self._end = self._read(path)
        self._lines = path.open("rb")  # after `_read`: it buffers, and the tail has been cut off

    def _lock(self) -> None:
        """Two runs that append to one journal would write over each other's lines."""
        if fcntl is None:
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"{self._file.name}: another run is writing here; wait for it, or choose another --out"
            ) from None
        except OSError:
            pass  # a network disk without locks

    @staticmethod
    def _resumes(path: Path, header: str) -> bool:
        with path.open("rb") as file:
            return file.readline() == header.encode()

    def _read(self, path: Path) -> int:
        """Note where each result stands; cut off what is not a whole line. Returns the end."""
        with path.open("rb") as lines:
            place = len(lines.readline())
            for line in lines:
                try:
                    if not line.endswith(b"\n"):
                        break
                    result = Result(**json.loads(line))
                except (ValueError, TypeError):
                    break
                if not result.left_out:
                    self._places[result.key] = place
                place += len(line)
        self._file.truncate(place)
        return place

    def __contains__(self, key: str) -> bool:
        return key in self._places

    def __getitem__(self, key: str) -> Result:
        self._lines.seek(self._places[key])
        return Result(**json.loads(self._lines.readline()))

    def add(self, result: Result) -> None:
        """Append; on a full disk the line is taken back and UserError raised."""
        line = (json.dumps(asdict(result)) + "\n").encode()
        try:
            self._file.seek(self._end)
            # a disk that fills up takes a part of the line first
            rest = memoryview(line)
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            self._file.truncate(self._end)
            raise UserError(
                f"{self._file.name}: cannot be written ({error.strerror}); "
                "free space and run again: finished clips are kept"
            ) from None
        self._places[result.key] = self._end
        self._end += len(line)

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_) -> None:
        self._file.close()
        self._lines.close()
