"""Estimators of one's own in the same protocols: `train.py --estimator module:object`.

The object is a scikit-learn classifier or pipeline, or a function without arguments, or of a seed, that makes
one. It is scored as every model is, and neither saved nor exported: a model file holds parts of this project
only.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.pipeline import Pipeline

from speech_emotion.errors import UserError
from speech_emotion.model.estimators import ClippedScaler
from speech_emotion.training.candidates import CANDIDATES, Candidate


def candidate(spec: str) -> Candidate:
    """The candidate that `module:object` names, looked for from the current folder on. UserError where it
    cannot be imported, or is no classifier."""
    module, colon, name = spec.partition(":")
    if not (module and colon and name):
        raise UserError(f"--estimator {spec}: give MODULE:OBJECT, such as my_models:make_svm")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, SyntaxError) as error:
        raise UserError(f"--estimator {spec}: cannot be imported ({error})") from None
    called = name.rpartition(".")[2]
    while called in CANDIDATES:
        called += "_"
    make = _maker(spec, found)
    return Candidate(called, f"{spec}, your own", make, exportable=False, by_default=False)


def _maker(spec: str, found: Any) -> Callable[[int], Pipeline]:
    def estimator_of(seed: int) -> Any:
        if not (inspect.isclass(found) or inspect.isroutine(found)):
            return clone(found) if hasattr(found, "get_params") else found
        make: Any = found
        takes_one = inspect.isroutine(found) and inspect.signature(found).parameters
        return make(seed) if takes_one else make()

    def made(seed: int) -> Pipeline:
        try:
            estimator = estimator_of(seed)
        except Exception as error:  # whatever a user's code raises
            raise UserError(f"--estimator {spec}: cannot be made ({error})") from None
        if not all(hasattr(estimator, name) for name in ("fit", "predict", "get_params")):
            raise UserError(f"--estimator {spec}: a {type(estimator).__name__}, no classifier")
        if "random_state" in estimator.get_params(deep=False):
            estimator.set_params(random_state=seed)
        if not hasattr(estimator, "predict_proba"):
            estimator = Certain(estimator)
        if isinstance(estimator, Pipeline):  # its own business, scaling included
            return Pipeline([("model", estimator)])
        return Pipeline([("scale", ClippedScaler()), ("model", estimator)])

    made(0)  # what is wrong with it is wrong before any work
    return made


class Certain(ClassifierMixin, BaseEstimator):
    """A classifier without probabilities, given some: 1 for the label that it names."""

    def __init__(self, estimator):
        self.estimator = estimator

    def fit(self, X, y):
        self.estimator_ = clone(self.estimator).fit(X, y)
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return self.estimator_.predict(X)

    def predict_proba(self, X):
        return (self.predict(X)[:, None] == self.classes_[None]).astype(float)
