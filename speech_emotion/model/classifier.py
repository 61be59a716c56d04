"""A saved model with scikit-learn's face: `load_model(path)`, for those who score it with their own tools."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from speech_emotion.features import schema
from speech_emotion.features.frames import Files, features
from speech_emotion.model import persistence
from speech_emotion.model.compiled import Library
from speech_emotion.model.recognition import open_model


def load_model(path: str | Path) -> Classifier:
    """A `model.joblib` that train.py wrote, or the folder of a generated library, whose C code then answers.

    UserError, in one line, for anything else. A library is compiled and run: open only folders you trust.
    """
    return Classifier(open_model(path))


class Classifier:
    """A fitted model. Takes what `speech_emotion.features` gives, and any DataFrame that has its columns.

    classes_: (labels,); feature_names_in_: (columns,), in schema order; n_features_in_; facts: what is known
    of its making (scores, clips held out, corpora); threshold: confidence under which it says "uncertain".
    """

    _estimator_type = "classifier"

    def __init__(self, model: persistence.Model | Library):
        self._model = model
        self.classes_ = np.array(model.labels)
        if isinstance(model, Library):
            columns, self.facts = list(schema.COLUMNS), {}
        else:
            columns, self.facts = list(model.columns), dict(model.info)
        self.feature_names_in_ = np.array(columns, object)
        self.n_features_in_ = len(columns)
        self.engine, self.threshold = model.engine, model.threshold

    def predict_proba(self, X: pd.DataFrame | np.ndarray) -> np.ndarray:
        """float64 (n, labels). X: a DataFrame that has feature_names_in_, in any order, or an array
        (n, n_features_in_) in theirs. ValueError where columns are missing or a number is not finite."""
        vectors = np.zeros((len(X), len(schema.COLUMNS)), np.float32)
        places = [schema.PLACE_OF[name] for name in self.feature_names_in_]
        if isinstance(X, pd.DataFrame):
            if missing := [name for name in self.feature_names_in_ if name not in X]:
                raise ValueError(f"X lacks {len(missing)} columns of the model, {missing[0]} first")
            X = X[list(self.feature_names_in_)].to_numpy(np.float32)
        X = np.asarray(X, np.float32)
        if X.ndim != 2 or X.shape[1] != self.n_features_in_:
            raise ValueError(f"X of shape {X.shape}; (n, {self.n_features_in_}) expected")
        if not np.isfinite(X).all():
            raise ValueError("X holds numbers that are not finite")
        vectors[:, places] = X
        return np.asarray(self._model.probabilities(vectors), np.float64)

    def predict(self, X: pd.DataFrame | np.ndarray) -> np.ndarray:
        """The most probable label of each row, (n,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def score(self, X: pd.DataFrame | np.ndarray, y: np.ndarray) -> float:
        """Accuracy; what it is worth depends on whom `facts["held_out"]` names."""
        return float((self.predict(X) == np.asarray(y)).mean())

    def predict_files(self, files: Files, *, jobs: int = 1) -> pd.DataFrame:
        """A row per file: emotion, confidence, and the probability of each label; measured by the engine that
        measured the training clips."""
        frame = features(files, engine=self.engine, jobs=jobs)
        answers = self.predict_proba(frame)
        found = pd.DataFrame(answers, index=frame.index, columns=self.classes_)
        found.insert(0, "emotion", self.classes_[answers.argmax(axis=1)])
        found.insert(1, "confidence", answers.max(axis=1))
        return found
