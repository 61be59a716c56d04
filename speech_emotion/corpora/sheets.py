"""What a user says of their recordings in tables of their own: `speakers.csv` and `labels.csv`; and what the
recorder wrote of them, `recordings.csv`.

Either lies in the folder of recordings or in any folder of it, and speaks for all files below. speakers.csv
has the columns file,speaker and perhaps sex (f or m); a file is named by its path from the folder of the
table. labels.csv has the columns label,means: what a folder is called, and the label to take instead.
"""

from __future__ import annotations

import csv
import os
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from speech_emotion import names
from speech_emotion.corpora import recordings, words
from speech_emotion.errors import UserError

SPEAKERS, LABELS = "speakers.csv", "labels.csv"
_SEX = {"": "", "f": "f", "m": "m", "female": "f", "male": "m", "w": "f", "woman": "f", "man": "m"}


class Sheets:
    """The tables above some files, read. UserError names the table, the line and what is wrong in it."""

    def __init__(self, root: Path, paths: Iterable[Path]):
        self._root = root
        self._of: dict[tuple[str, Path], dict | None] = {}
        self._files: dict[Path, set[str]] = {}
        self._used: dict[Path, set[str]] = {}
        for path in paths:
            for folder in self._above(path):
                self._files.setdefault(folder, set()).add(_key(path.relative_to(folder).as_posix()))

    def has_speakers(self, path: Path) -> bool:
        """Whether a speakers.csv speaks for this file, be it without naming it."""
        return self._nearest(SPEAKERS, path) is not None or self._recorded(path) is not None

    def whose(self, path: Path) -> str:
        """Which table says who speaks in a file."""
        return SPEAKERS if self._nearest(SPEAKERS, path) is not None else recordings.FILE

    def speaker(self, path: Path) -> tuple[str, str]:
        """Speaker and sex of a file, empty where its table says nothing."""
        folder = self._nearest(SPEAKERS, path)
        if folder is None:
            recorded = self._recorded(path)
            return (recorded[0], "") if recorded else ("", "")
        key = _key(path.relative_to(folder).as_posix())
        self._used.setdefault(folder, set()).add(key)
        return self._read(SPEAKERS, folder).get(key, ("", ""))

    def recording(self, path: Path) -> str:
        """The longer recording that a file is a sentence of, as its recordings.csv says; "" for itself."""
        recorded = self._recorded(path)
        return recorded[1] if recorded else ""

    def _recorded(self, path):
        """(speaker, sentence_of) of a file that a recordings.csv above it names, else None."""
        folder = self._nearest(recordings.FILE, path)
        if folder is None:
            return None
        return self._read(recordings.FILE, folder).get(_key(path.relative_to(folder).as_posix()))

    def label(self, path: Path, label: str) -> str:
        """What a label of a file means; the label itself where its table does not name it."""
        folder = self._nearest(LABELS, path)
        return label if folder is None else self._read(LABELS, folder).get(label, label)

    def notes(self) -> list[str]:
        """What does not fit: files that a table names and nobody has, and files that it does not name."""
        said = []
        for folder, used in sorted(self._used.items()):
            table = self._read(SPEAKERS, folder)
            gone = sorted(set(table) - self._files[folder])
            silent = sorted(used - set(table))
            place = folder / SPEAKERS
            if gone:
                said.append(
                    f"{place}: names {len(gone)} files that are no clips here, {names.short(gone[0])} first"
                )
            if silent:
                said.append(
                    f"{place}: does not name {len(silent)} clips, {names.short(silent[0])} first: who speaks "
                    "in them is unknown"
                )
        return said

    def _above(self, path):
        """The folders from the file's to the root."""
        for folder in path.parents:
            yield folder
            if folder == self._root:
                return

    def _nearest(self, name, path):
        return next((f for f in self._above(path) if self._read(name, f) is not None), None)

    def _read(self, name, folder):
        if (name, folder) not in self._of:
            place = folder / name
            reader = {SPEAKERS: _speakers, LABELS: _labels, recordings.FILE: _recordings}[name]
            self._of[name, folder] = reader(place) if place.is_file() else None
        return self._of[name, folder]


def _key(path):
    return unicodedata.normalize(
        "NFC", os.path.normpath(path.replace("\\", "/")).replace("\\", "/")
    )


def _speakers(place):
    found: dict[str, tuple[str, str]] = {}
    for line, row in _rows(place, ("file", "speaker")):
        sex = row.get("sex", "").strip().lower()
        if sex not in _SEX:
            raise UserError(f"{place}: line {line}: sex {names.short(sex)}; write f, m or nothing")
        if not row["file"].strip():
            raise UserError(f"{place}: line {line}: names no file")
        speaker = words.clean(row["speaker"])
        if why := names.flaw(speaker):
            raise UserError(f"{place}: line {line}: speaker {names.short(speaker)} {why}")
        _once(found, _key(row["file"].strip()), (speaker, _SEX[sex]), place, line)
    return found


def _recordings(place):
    found: dict[str, tuple[str, str]] = {}
    for line, row in _rows(place, ("path", "speaker")):
        speaker = words.clean(row["speaker"])
        if speaker and (why := names.flaw(speaker)):
            raise UserError(f"{place}: line {line}: speaker {names.short(speaker)} {why}")
        key = _key(names.csv_text(row["path"].strip()))
        _once(found, key, (speaker, row.get("sentence_of", "").strip()), place, line)
    return found


def _labels(place):
    found: dict[str, str] = {}
    for line, row in _rows(place, ("label", "means")):
        label = words.clean(row["means"]).lower()
        if why := names.label_flaw(label):
            raise UserError(f"{place}: line {line}: label {names.short(label)} {why}")
        _once(found, words.clean(row["label"]).lower(), label, place, line)
    return found


def _once(found, key, value, place, line):
    if found.setdefault(key, value) != value:
        raise UserError(
            f"{place}: line {line}: {names.short(key)} is there twice, with another value"
        )


def _rows(place, columns):
    """(line, row) of a table with these columns, whatever a spreadsheet separates them by."""
    try:
        text = place.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"{place}: cannot be read as UTF-8 text ({error}); save it as CSV UTF-8"
        ) from None
    lines = text.splitlines()
    head = lines[0] if lines else ""
    separator = max(",;\t", key=head.count)
    rows = csv.reader(lines, delimiter=separator)
    header = [name.strip().lower() for name in next(rows, [])]
    if missing := [column for column in columns if column not in header]:
        raise UserError(
            f"{place}: has no column '{missing[0]}'; its first line must be {','.join(columns)}"
        )
    try:
        for row in rows:
            if any(cell.strip() for cell in row):
                if len(row) < len(columns):
                    raise UserError(
                        f"{place}: line {rows.line_num}: {len(row)} cells, {len(header)} expected"
                    )
                yield rows.line_num, dict(zip(header, row, strict=False))
    except csv.Error as error:
        raise UserError(f"{place}: line {rows.line_num}: not CSV ({error})") from None
