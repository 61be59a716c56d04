"""The journal: one line per finished clip, so that an interrupted run loses nothing.

A line is appended whole after each clip; whatever a `kill -9` leaves half-written is cut off at the
next start. A line counts only for the same file (size and modification time), augmentation, seed,
schema, engine and library versions; the finished tables are written from the journal, so a resumed run
ends with the bytes of an uninterrupted one. Only the lines' places are kept in memory.
"""

import base64
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from common.errors import UserError


@dataclass(frozen=True)
class Result:
    """What came of one clip: a feature vector, or the reason it was left out."""

    key: str  # names the clip, its augmentation and the state of its file
    seconds: float = 0.0
    audio: str = ""  # hash of the samples: equal for duplicates
    features: str = ""  # float32 little-endian, base64
    left_out: str = ""

    @classmethod
    def of(cls, key: str, seconds: float, audio: str, vector: np.ndarray) -> "Result":
        packed = base64.b64encode(np.asarray(vector, "<f4").tobytes()).decode()
        return cls(key, seconds, audio, packed)

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
            self._file = path.open("r+b")
        except OSError as error:
            raise UserError(f"{path}: cannot be written ({error.strerror})") from None
        self._end = self._read()

    @staticmethod
    def _resumes(path: Path, header: str) -> bool:
        with path.open("rb") as file:
            return file.readline() == header.encode()

    def _read(self) -> int:
        """Note where each result stands; cut off what is not a whole line. Returns the end."""
        self._file.readline()
        place = self._file.tell()
        for line in self._file:
            try:
                if not line.endswith(b"\n"):
                    break
                key = Result(**json.loads(line)).key
            except (ValueError, TypeError):
                break
            self._places[key] = place
            place += len(line)
        self._file.truncate(place)
        return place

    def __contains__(self, key: str) -> bool:
        return key in self._places

    def __getitem__(self, key: str) -> Result:
        self._file.seek(self._places[key])
        return Result(**json.loads(self._file.readline()))

    def add(self, result: Result) -> None:
        """Append; on a full disk the line is taken back and UserError raised."""
        line = (json.dumps(asdict(result)) + "\n").encode()
        try:
            self._file.seek(self._end)
            self._file.write(line)
            self._file.flush()
        except OSError as error:
            self._file.truncate(self._end)
            raise UserError(
                f"{self._file.name}: cannot be written ({error.strerror}); "
                "free space and run again: finished clips are kept"
            ) from None
        self._places[result.key] = self._end
        self._end += len(line)

    def close(self) -> None:
        self._file.close()
