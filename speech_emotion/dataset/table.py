"""The tables on disk: clips.csv, features.csv and the sidecar JSON that says what they are.

Floats are written with the fewest digits that give back the same float32, so that a table that was
read is the table that was written. A name that a spreadsheet would take for a formula has an apostrophe
before it in the file.
"""

import csv
import json
import os
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from speech_emotion import names
from speech_emotion.errors import UserError
from speech_emotion.features import schema
from speech_emotion.files import replacing

CLIP_COLUMNS = (
    "path", "corpus", "speaker", "sex", "emotion", "sentence", "intensity", "seconds",
    "augmentation", "source", "background",
)  # fmt: skip
"""`path` is relative to the corpora folder and unique; an augmented copy's is `<source>#<kind>`.
`background` names the other clips that are heard in a copy, with BETWEEN between two."""

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
) -> Path:
    """Write clips.csv, features.csv and features.json. rows: (CLIP_COLUMNS dict, float32 vector) each.

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
        clips_csv.writerow(CLIP_COLUMNS)
        features_csv.writerow((*CLIP_COLUMNS, *schema.COLUMNS))
        for clip, vector in rows:
            cells = [names.csv_cell(clip[column]) for column in CLIP_COLUMNS]
            clips_csv.writerow(cells)
            features_csv.writerow(cells + [str(value) for value in vector])
        json.dump(info(), sidecar, indent=1)
        sidecar.write("\n")
        # a full disk must show before the first of the three gets its name
        for file in (clips_file, features_file, sidecar):
            file.flush()
            os.fsync(file.fileno())
    return path


def read(path: str | Path) -> FeatureTable:
    """Read and check features.csv with its sidecar.

    A table of this project must carry the present schema's hash. UserError names the file and what is
    wrong: missing columns, NaN or Inf (with the row), another schema, no rows.
    """
    path = Path(path)
    if path.is_dir():
        raise UserError(f"{path}: is a directory; name the features.csv in it")
    if not path.exists():
        raise UserError(f"{path}: no such file; make it with: python dataset_generator.py")
    info = _read_sidecar(path)
    frame = _read_csv(path)
    for column in ("path", "corpus", "speaker", "emotion"):
        if column not in frame:
            raise UserError(f"{path}: has no column '{column}'; make it with dataset_generator.py")
    missing = [column for column in schema.COLUMNS if column not in frame]
    if missing:
        raise UserError(
            f"{path}: {len(missing)} feature columns are missing, '{missing[0]}' first; "
            "make it again with dataset_generator.py"
        )
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
    empty = clips["emotion"].str.strip() == ""
    if empty.any():
        raise UserError(f"{path}: line {_line(empty)} has no emotion; label it or take it out")
    return FeatureTable(clips[list(CLIP_COLUMNS)], vectors, columns, info)


def _read_csv(path: Path) -> pd.DataFrame:
    """The table as it stands: names as text, whatever they look like, and no cell moved or dropped."""
    texts = {column: str for column in CLIP_COLUMNS if column != "seconds"}
    try:
        with path.open("rb") as file:
            if file.seek(0, os.SEEK_END) == 0:
                raise UserError(f"{path}: empty; make it again with dataset_generator.py")
            file.seek(-1, os.SEEK_END)
            if file.read(1) not in b"\r\n":
                raise UserError(f"{path}: truncated, its last line has no end; make it again")
        with warnings.catch_warnings():
            # a row that is longer than the header is else cut, or its first cell taken for an index
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(path, dtype=texts, keep_default_na=False, index_col=False)
    except (ValueError, pd.errors.ParserWarning) as error:
        raise UserError(f"{path}: not a CSV table ({str(error).splitlines()[0]})") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None


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
            cell = values[column][bad].iloc[0]
            raise UserError(f"{path}: line {_line(bad)}, '{column}' is '{cell}', not a number")
    with np.errstate(over="ignore"):
        vectors = values.to_numpy(np.float32)
    bad = ~np.isfinite(vectors)
    if bad.any():
        row, index = np.argwhere(bad)[0]
        raise UserError(
            f"{path}: line {row + 2}, '{columns[index]}' is {vectors[row, index]}; "
            "every cell must be a finite number"
        )
    return vectors
