"""The tables on disk: clips.csv, features.csv and the sidecar JSON that says what they are.

Floats are written with the fewest digits that give back the same float32, so that a table that was
read is the table that was written. A name that a spreadsheet would take for a formula has an apostrophe
before it in the file.
"""

import csv
import itertools
import json
import os
import re
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from speech_emotion import names
from speech_emotion.errors import UserError
from speech_emotion.features import containers, schema
from speech_emotion.files import replacing

CLIP_COLUMNS = (
    "path", "corpus", "speaker", "sex", "emotion", "sentence", "intensity", "seconds",
    "augmentation", "source", "background", "recording", "start", "end",
)  # fmt: skip
CUT_COLUMNS = CLIP_COLUMNS[-3:]
"""`path` is relative to the corpora folder and unique; an augmented copy's is `<source>#<kind>`.
`background` names the other clips that are heard in a copy, with BETWEEN between two. `recording`: of a
sentence, the longer recording that it was cut from; `start` and `end`: its place there in seconds, where it
is no file of its own (`features.sentences`). A table without a cut recording goes without these three,
CUT_COLUMNS."""

BETWEEN = "//"  # in no path


@dataclass(frozen=True)
class FeatureTable:
    """features.csv in memory: `clips` (a row per clip, CLIP_COLUMNS), `vectors` (n, columns) float32,
    `columns` their names, `info` the sidecar."""

    clips: pd.DataFrame
    vectors: np.ndarray
    columns: list[str]
    info: dict

    def __len__(self) -> int:
        return len(self.clips)

    def rows(self, keep: np.ndarray) -> "FeatureTable":
        """The rows that a mask or an index array selects."""
        clips = self.clips.iloc[np.flatnonzero(keep) if keep.dtype == bool else keep]
        return FeatureTable(
            clips.reset_index(drop=True), self.vectors[keep], self.columns, self.info
        )


def sidecar_path(features_csv: Path) -> Path:
    """dataset/features.csv -> dataset/features.json"""
    return Path(features_csv).with_suffix(".json")


def write(
    folder: Path,
    rows: Iterable[tuple[dict[str, str], np.ndarray]],
    info: Callable[[], dict],
    *,
    cut: bool = True,
) -> Path:
    """Write clips.csv, features.csv and features.json. rows: (CLIP_COLUMNS dict, float32 vector) each.
    cut: whether CUT_COLUMNS are written.

    Rows are streamed: memory does not grow with their number; `info` is asked for the sidecar when the
    last one is written. Returns the path of features.csv.
    """
    path = folder / "features.csv"
    for name in ("clips.csv", path.name, sidecar_path(path).name):
        for leftover in folder.glob(f".{name}.*"):  # of a run that was killed while writing
            leftover.unlink(missing_ok=True)
    with (
        replacing(folder / "clips.csv") as clips_file,
        replacing(path) as features_file,
        replacing(sidecar_path(path)) as sidecar,
    ):
        clips_csv = csv.writer(clips_file, lineterminator="\n")
        features_csv = csv.writer(features_file, lineterminator="\n")
        columns = CLIP_COLUMNS if cut else CLIP_COLUMNS[: -len(CUT_COLUMNS)]
        clips_csv.writerow(columns)
        features_csv.writerow((*columns, *schema.COLUMNS))
        ranges = _Ranges()
        for clip, vector in rows:
            ranges.take_in(vector)
            cells = [names.csv_cell(clip[column]) for column in columns]
            clips_csv.writerow(cells)
            features_csv.writerow(cells + [str(value) for value in vector])
        json.dump(info() | ranges.as_info(), sidecar, indent=1)
        sidecar.write("\n")
        # a full disk must show before the first of the three gets its name
        for file in (clips_file, features_file, sidecar):
            file.flush()
            os.fsync(file.fileno())
    return path


class _Ranges:
    """The least and the most of each feature, as it was written: what a spreadsheet did to numbers shows."""

    def __init__(self):
        self._least = np.full(len(schema.COLUMNS), np.inf, np.float32)
        self._most = -self._least

    def take_in(self, vector: np.ndarray) -> None:
        np.minimum(self._least, vector, out=self._least)
        np.maximum(self._most, vector, out=self._most)

    def as_info(self) -> dict[str, str]:
        return {"least": " ".join(map(str, self._least)), "most": " ".join(map(str, self._most))}


def read(path: str | Path) -> FeatureTable:
    """Read and check features.csv with its sidecar.

    Rows may have been taken out, and names changed, by hand or in a spreadsheet, with whatever sign it puts
    between cells; numbers may not. A table of this project must carry the present schema's hash. UserError
    names the file and what is wrong: what the file is where it is no such table, missing or repeated columns,
    rows of one path, NaN or Inf (with the line), numbers that are not those that were written, no rows,
    another schema.
    """
    path = Path(path)
    if path.is_dir():
        raise UserError(f"{path}: is a directory; name the features.csv in it")
    if not path.exists():
        raise UserError(f"{path}: no such file; make it with: python dataset_generator.py")
    form = _form(path)
    _check_header(path, form.header)
    info = _read_sidecar(path)
    frame = _read_csv(path, form)
    if frame.empty:
        raise UserError(f"{path}: holds no clips")
    clips = frame[[column for column in CLIP_COLUMNS if column in frame]].copy()
    for column in clips.columns.drop("seconds", errors="ignore"):
        clips[column] = clips[column].map(names.csv_text)
    for column in CLIP_COLUMNS:
        if column not in clips:
            clips[column] = ""
    columns = list(schema.COLUMNS)
    vectors = _numbers(path, frame, columns)
    if "seconds" in frame:
        _numbers(path, frame, ["seconds"])
        clips["seconds"] = pd.to_numeric(clips["seconds"])
    _check_ranges(path, vectors, frame.index, info)
    empty = clips["emotion"].str.strip() == ""
    if empty.any():
        raise UserError(f"{path}: line {_line(empty)} has no emotion; label it or take it out")
    twice = clips["path"].duplicated(keep=False)
    if twice.any():
        first = clips["path"][twice].iloc[0]
        one, other, *_ = frame.index[clips["path"] == first] + 2
        raise UserError(
            f"{path}: lines {one} and {other} are of one clip, {names.short(first, 200)}; "
            "take one of them out"
        )
    return FeatureTable(clips[list(CLIP_COLUMNS)].reset_index(drop=True), vectors, columns, info)


class _Form(NamedTuple):
    """How a table is written. decimal: the sign before a number's fraction."""

    encoding: str
    separator: str
    decimal: str
    header: list[str]


def _form(path: Path) -> _Form:
    """What the first two lines say; UserError where the file is no table."""
    try:
        with path.open("rb") as file:
            head = file.read(containers.HEAD)
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 4))
            tail = file.read()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    if size == 0:
        raise UserError(f"{path}: empty; make it again with dataset_generator.py")
    kind = containers.kind(head)
    if kind.name.startswith("a git-lfs pointer"):
        raise UserError(f"{path}: a git-lfs pointer; fetch the table itself with: git lfs pull")
    if kind.name == "a zip archive":
        raise UserError(f"{path}: not a CSV table but a workbook or archive; save the sheet as CSV")
    if kind.is_sound or not (kind.may_be_sound or kind.name == "JSON"):
        raise UserError(f"{path}: not a CSV table but {kind.name}; name a features.csv")
    encoding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    if not tail.replace(b"\0", b"").endswith((b"\n", b"\r")):
        raise UserError(f"{path}: truncated, its last line has no end; make it again")
    try:
        with path.open(encoding=encoding, newline="") as lines:
            first = lines.readline(_LONGEST_LINE)
            separator = max(",;\t", key=first.count)
            rows = csv.reader(itertools.chain([first], lines), delimiter=separator)
            header, row = next(rows, []), next(rows, [])
    except (UnicodeError, csv.Error):
        raise UserError(
            f"{path}: not a CSV table; make it again with dataset_generator.py"
        ) from None
    if head.lstrip()[:1] == b"{" or len(header) < 2:
        raise UserError(f"{path}: not a CSV table but {kind.name}; name a features.csv")
    numbers = [cell for name, cell in zip(header, row, strict=False) if name in schema.PLACE_OF]
    # a country that writes ; between cells writes 0,5
    decimal = "," if separator != "," and any("," in cell for cell in numbers) else "."
    return _Form(encoding, separator, decimal, header)


_LONGEST_LINE = 1 << 20  # characters of a header


def _check_header(path: Path, header: list[str]) -> None:
    """UserError where the columns are not a feature table's: it says whose they are."""
    twice = [name for name in dict.fromkeys(header) if name and header.count(name) > 1]
    if twice:
        raise UserError(
            f"{path}: has the column {names.short(twice[0])} twice; take one of them out"
        )
    missing = [column for column in schema.COLUMNS if column not in header]
    if len(missing) == len(schema.COLUMNS) and set(header) <= set(CLIP_COLUMNS):
        raise UserError(
            f"{path}: names clips but holds no features; they are in {path.with_name('features.csv')}"
        )
    if header[:2] == ["file", "seconds"] and not missing:
        raise UserError(
            f"{path}: extractor.py's, without emotions; put the clips into a folder per emotion, and make a "
            "table of them with dataset_generator.py --corpora FOLDER"
        )
    needed = [column for column in _NEEDED if column not in header]
    if len(missing) == len(schema.COLUMNS) and needed:
        some = ", ".join(names.short(name, 20) for name in header[:4])
        raise UserError(
            f"{path}: not a table of this project: its columns are {some} ...; name the features.csv that "
            "dataset_generator.py wrote"
        )
    if needed:
        raise UserError(f"{path}: has no column '{needed[0]}'; make it with dataset_generator.py")
    if missing:
        raise UserError(
            f"{path}: {len(missing)} feature columns are missing, '{missing[0]}' first; "
            "make it again with dataset_generator.py"
        )


_NEEDED = ("path", "corpus", "speaker", "emotion")


def _read_csv(path: Path, form: _Form) -> pd.DataFrame:
    """The table as it stands: names as text, whatever they look like, and no cell moved or dropped; without
    rows of nothing. Its index counts the rows of the file from 0."""
    texts = {column: str for column in CLIP_COLUMNS if column != "seconds"}
    try:
        with warnings.catch_warnings():
            # a row that is longer than the header is else cut, or its first cell taken for an index
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                path, dtype=texts, keep_default_na=False, index_col=False,
                sep=form.separator, decimal=form.decimal, encoding=form.encoding,
            )  # fmt: skip
    except (ValueError, pd.errors.ParserWarning):
        raise UserError(f"{path}: {_flaw(path, form)}") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    # below its table a spreadsheet leaves rows of nothing
    nothing = (frame[list(_NEEDED)] == "").all(axis=1)
    if nothing.any():
        nothing &= (frame.astype(str) == "").all(axis=1)
        frame = frame[~nothing].copy()
    for column in ("path", "source", "background"):
        if column in frame:
            frame[column] = _with_slashes(frame[column])
    return frame


def _with_slashes(paths: pd.Series) -> pd.Series:
    """Paths as they were written, where all have a Windows program's signs between folders."""
    named = paths[paths != ""]
    if (
        len(named)
        and named.str.contains("\\", regex=False).all()
        and not named.str.contains("/").any()
    ):
        return paths.str.replace("\\", "/", regex=False)
    return paths


def _flaw(path: Path, form: _Form) -> str:
    """What keeps a file from being a table, in words: the first line that has other cells than the header."""
    try:
        with path.open(encoding=form.encoding, newline="") as lines:
            rows = csv.reader(lines, delimiter=form.separator)
            for row in rows:
                if row and len(row) != len(form.header):
                    return (
                        f"line {rows.line_num} has {len(row)} cells, the header {len(form.header)}; "
                        "make it again with dataset_generator.py"
                    )
    except (UnicodeError, csv.Error):
        pass
    return "not a CSV table; make it again with dataset_generator.py"


def _check_ranges(path, vectors, index, info) -> None:
    """UserError where a number is beyond all that were written: a program has changed it."""
    try:
        least, most = (np.array(info[key].split(), np.float32) for key in ("least", "most"))
    except (KeyError, AttributeError, ValueError):
        return  # of an older version
    if len(least) != vectors.shape[1] or len(most) != vectors.shape[1]:
        return
    beyond = (vectors < least) | (vectors > most)
    if not beyond.any():
        return
    row, column = np.argwhere(beyond)[0]
    value = vectors[row, column]
    near = np.abs(np.where(vectors < least, least, most) - vectors) <= 1e-4 * np.abs(vectors) + 1e-4
    what = "has rounded" if near[beyond].all() else "has changed"
    raise UserError(
        f"{path}: line {index[row] + 2}, '{schema.COLUMNS[column]}' is {value!s}, beyond all that were "
        f"written ({least[column]!s} to {most[column]!s}): a spreadsheet {what} the numbers; make it again "
        "with dataset_generator.py"
    )


def _line(mask) -> int:
    """The line of the file where a mask is first true: the header is line 1."""
    return int(np.flatnonzero(mask)[0]) + 2


def _read_sidecar(path: Path) -> dict:
    sidecar = sidecar_path(path)
    if not sidecar.exists():
        raise UserError(
            f"{sidecar}: missing; it says which schema {path.name} has. Make both again"
        )
    try:
        info = json.loads(sidecar.read_text(encoding="utf-8"))
        found = info["schema"]
    except (ValueError, KeyError, TypeError):
        raise UserError(
            f"{sidecar}: not a sidecar of dataset_generator.py; make it again"
        ) from None
    if found != schema.HASH:
        raise UserError(
            f"{path}: features of schema {found}, this program's is {schema.HASH}; "
            "make it again with dataset_generator.py"
        )
    return info


def _numbers(path, frame, columns) -> np.ndarray:
    """The feature columns as float32 (n, columns); UserError names the first cell that is no number."""
    values = frame[columns]
    for column in values.columns[[t.kind not in "iuf" for t in values.dtypes]]:
        bad = pd.to_numeric(values[column].astype(str), errors="coerce").isna()
        if bad.any():
            cell = str(values[column][bad].iloc[0])
            raise UserError(
                f"{path}: line {frame.index[np.flatnonzero(bad)[0]] + 2}, '{column}' is "
                f"{names.short(cell)}, {_no_number(cell)}"
            )
    with np.errstate(over="ignore"):
        vectors = values.to_numpy(np.float32)
    bad = ~np.isfinite(vectors)
    if bad.any():
        row, index = np.argwhere(bad)[0]
        raise UserError(
            f"{path}: line {frame.index[row] + 2}, '{columns[index]}' is {vectors[row, index]}; "
            "every cell must be a finite number"
        )
    return vectors


def _no_number(cell: str) -> str:
    """Why a cell is none, and what to do."""
    again = "make it again with dataset_generator.py"
    if re.fullmatch(r"[-+]?\d{1,3}([.,' \xa0\u202f]\d{3})+([.,]\d+)?", cell):
        return f"not a number: a spreadsheet has put signs between thousands; {again}"
    if re.fullmatch(r"[-+]?\d+,\d+([eE][-+]?\d+)?", cell):
        return f"not a number: a spreadsheet has put commas before fractions; {again}"
    if cell.startswith("#"):
        return f"not a number but a spreadsheet's error; {again}"
    return "not a number"
