"""Where takes are kept: `<emotion>/<speaker>_<take>.wav`, 16 kHz, 16 bit, and a line each in
recordings.csv."""

import csv
import datetime
from pathlib import Path

import numpy as np
import soundfile

from speech_emotion import names
from speech_emotion.corpora.recordings import COLUMNS, FILE
from speech_emotion.errors import UserError
from speech_emotion.features.audio import FULL_SCALE
from speech_emotion.features.schema import SAMPLE_RATE
from speech_emotion.features.speech import clipped
from speech_emotion.files import replacing


def check_names(labels: list[str], speaker: str) -> None:
    """UserError for a label or a speaker that no folder or file can be called after."""
    for what, name in (*(("--labels", label) for label in labels), ("--speaker", speaker)):
        why = names.flaw(name) if what == "--speaker" else names.label_flaw(name)
        if not why and names.file_name(name) != name:
            why = f"can be no name of a file; {names.short(names.file_name(name))} can"
        if why:
            raise UserError(f"{what} {names.short(name)}: {why}")


class Takes:
    """A folder of recordings. Each take is whole on disk, with its line, when `keep` returns."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.table = folder / FILE
        self.rows: list[dict[str, str]] = []
        if self.table.exists():
            self.rows = _read(self.table)

    def number(self, emotion: str, speaker: str) -> int:
        """Of the next take: one more than any file or line has."""
        place = self.folder / emotion
        taken = [path.stem for path in place.glob(f"{_escaped(speaker)}_*.wav")]
        taken += [Path(row["path"]).stem for row in self.rows if row["emotion"] == emotion]
        numbers = [stem.rpartition("_") for stem in taken]
        return 1 + max((int(n) for s, _, n in numbers if s == speaker and n.isdecimal()), default=0)

    def count(self, emotion: str, speaker: str) -> int:
        """How many takes there are of a speaker and an emotion."""
        return sum(row["emotion"] == emotion and row["speaker"] == speaker for row in self.rows)

    def keep(
        self, samples: np.ndarray, emotion: str, speaker: str, *,
        device: str, rate: int = SAMPLE_RATE, sentence_of: str = "",
    ) -> Path:  # fmt: skip
        """Write a take and its line. samples: int16 (n,) at SAMPLE_RATE. Returns the file's path."""
        take = self.number(emotion, speaker)
        path = self.folder / emotion / f"{speaker}_{take:02d}.wav"
        with replacing(path, "wb") as file:
            soundfile.write(file, samples, SAMPLE_RATE, format="WAV", subtype="PCM_16")
        peak = float(np.abs(samples.astype(np.int32)).max(initial=0)) / FULL_SCALE
        row = {
            "path": path.relative_to(self.folder).as_posix(), "emotion": emotion, "speaker": speaker,
            "take": str(take), "when": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
            "device": device, "rate": str(rate), "seconds": f"{len(samples) / SAMPLE_RATE:.3f}",
            "peak_dbfs": f"{20 * np.log10(max(peak, 1e-5)):.1f}",
            "clipped_samples": str(clipped(samples)), "sentence_of": sentence_of,
        }  # fmt: skip
        self.rows.append(row)
        self._write()
        return path

    def take_back(self) -> Path | None:
        """Delete the last take that was kept, and its line; None where there is none."""
        if not self.rows:
            return None
        path = self.folder / self.rows.pop()["path"]
        self._write()
        path.unlink(missing_ok=True)
        return path

    def _write(self):
        with replacing(self.table) as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(COLUMNS)
            rows.writerows([names.csv_cell(row[column]) for column in COLUMNS] for row in self.rows)


def _escaped(name):
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


def _read(path):
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: cannot be read ({error}); move it away") from None
    if rows and not set(COLUMNS) <= set(rows[0]):
        raise UserError(f"{path}: not as speech-emotion record writes it; choose another --out")
    return [{c: names.csv_text(row[c] or "") for c in COLUMNS} for row in rows]
