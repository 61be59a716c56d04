"""Features of many files as a table, and as a step of a scikit-learn pipeline: the library's front door.

>>> import speech_emotion
>>> frame = speech_emotion.features(["a.wav", "b.m4a"])  # doctest: +SKIP
>>> frame.loc["a.wav", "f0_semitones_mean"]  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from speech_emotion.errors import UserError
from speech_emotion.features import schema
from speech_emotion.features.measuring import measure, measure_all

Files = str | Path | Iterable[str | Path]


def features(
    files: Files,
    *,
    engine: str = "reference",
    columns: Sequence[str] | None = None,
    jobs: int = 1,
    errors: Literal["raise", "nan"] = "raise",
) -> pd.DataFrame:
    """The features of sound files.

    Parameters
    ----------
    files
        One file, or several; a sentence of a long one is `file@12.34-15.98` (seconds).
    engine
        `reference` (librosa and Praat) or `device` (the chip's C code).
    columns
        Some of `schema.COLUMNS`; all by default.
    jobs
        Processes, -1 for one per core.
    errors
        What a file that cannot be measured does: raise UserError, or become a row of NaN, its reason in
        `frame.attrs["errors"]`.

    Returns
    -------
    DataFrame
        float32, a row per file in the order given, the index their names; columns in schema order or as
        given; `attrs` holds the schema's hash, the engine and the errors.
    """
    names = [str(files)] if isinstance(files, str | Path) else [str(file) for file in files]
    chosen = list(schema.COLUMNS if columns is None else columns)
    if unknown := [column for column in chosen if column not in schema.PLACE_OF]:
        raise UserError(
            f"column '{unknown[0]}': not in the schema; see speech_emotion.features.schema.COLUMNS"
        )
    if errors not in ("raise", "nan"):
        raise ValueError(f"errors={errors!r}: 'raise' or 'nan'")
    vectors = np.full((len(names), len(schema.COLUMNS)), np.nan, np.float32)
    wrong: dict[str, str] = {}
    for i, found in enumerate(measure_all(names, engine=engine, jobs=jobs) if names else ()):
        if isinstance(found, UserError):
            if errors == "raise":
                raise found
            wrong[names[i]] = str(found)
        elif found.vector is not None:
            vectors[i] = found.vector
    places = [schema.PLACE_OF[column] for column in chosen]
    frame = pd.DataFrame(vectors[:, places], index=pd.Index(names, name="file"), columns=chosen)
    frame.attrs |= {"schema": schema.HASH, "engine": engine, "errors": wrong}
    return frame


class FeatureExtractor(TransformerMixin, BaseEstimator):
    """Sounds to features, as the first step of a scikit-learn pipeline.

    X of `transform`: files (paths), or arrays of samples, int16 or float in [-1, 1], at `rate` Hz.

    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> model = make_pipeline(FeatureExtractor(engine="device"), LogisticRegression())
    """

    def __init__(self, engine="reference", columns=None, rate=schema.SAMPLE_RATE, jobs=1):
        self.engine = engine
        self.columns = columns
        self.rate = rate
        self.jobs = jobs

    def fit(self, X, y=None) -> FeatureExtractor:
        """Learns nothing."""
        self.n_features_out_ = len(self.get_feature_names_out())
        return self

    def transform(self, X) -> pd.DataFrame:
        """float32 (n, columns), in schema order or as `columns` says. UserError for what cannot be
        measured."""
        sounds: list[Any] = list(X)
        if all(isinstance(sound, str | Path) for sound in sounds):
            return features(sounds, engine=self.engine, columns=self.columns, jobs=self.jobs)
        rows = [
            measure(np.asarray(sound), engine=self.engine, rate=self.rate).vector
            for sound in sounds
        ]
        frame = pd.DataFrame(np.array(rows, np.float32), columns=list(schema.COLUMNS))
        return frame[list(self.get_feature_names_out())]

    def get_feature_names_out(self, input_features=None) -> np.ndarray:
        """The columns' names."""
        return np.array(schema.COLUMNS if self.columns is None else self.columns, object)

    def __sklearn_is_fitted__(self) -> bool:
        return True
