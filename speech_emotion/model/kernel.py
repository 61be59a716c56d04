"""The students' teacher as a model by itself: for a computer, since it keeps every voice that taught it."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from speech_emotion.model.distillation import Teacher, alike


class KernelRidge(ClassifierMixin, BaseEstimator):
    """`distillation.Teacher`, of at most `rows` voices drawn at random; those of a clip weigh as much as one.

    Takes columns that are standardised, roughly at least. fit learns `clips_` (rows, columns), the voices,
    standardised by `centre_` and `spread_` (columns,); `dual_` (rows, labels), what each says for each label;
    `usual_` (labels,), the labels' shares; `sharpness_` (1,), of the softmax: all float32.
    """

    def __init__(self, *, ridge=0.2, rows=9000, random_state=None):
        self.ridge = ridge
        self.rows = rows
        self.random_state = random_state

    def fit(self, X, y, sample_weight=None, groups=None, sources=None, voices=None):
        """groups, sources, voices: as of `distillation.DistilledNetwork`."""
        X, y = validate_data(self, X, y, dtype=np.float32)
        self.classes_, places = np.unique(y, return_inverse=True)
        sources = np.arange(len(X)) if sources is None else np.asarray(sources)
        groups = sources if groups is None else np.asarray(groups)
        weights = (
            np.ones(len(X)) if sample_weight is None else sample_weight / np.mean(sample_weight)
        )
        families = alike(sources if voices is None else np.asarray(voices))
        heard = np.concatenate([family[0] for family in families])
        drawn = np.random.default_rng(self.random_state).permutation(heard)
        rows = np.sort(drawn[: self.rows])
        _, clip, versions = np.unique(sources[rows], return_inverse=True, return_counts=True)
        Y = np.eye(len(self.classes_), dtype=np.float32)[places[rows]]
        made = Teacher(self.ridge).fit(X[rows], Y, groups[rows], weights[rows] / versions[clip])

        def kept(values):
            return np.ascontiguousarray(values, np.float32)

        self.clips_, self.dual_, self.usual_ = kept(made._X), kept(made._dual), kept(made._mean)
        self.centre_, self.spread_ = kept(made._centre), kept(made._spread)
        self.sharpness_ = kept([made.sharpness_])
        self.teacher_ = self.teacher()
        return self

    def teacher(self) -> Teacher:
        """The teacher that these numbers are."""
        made = Teacher(self.ridge)
        made._X, made._squares = self.clips_, np.einsum("ij,ij->i", self.clips_, self.clips_)
        made._centre, made._spread = self.centre_, self.spread_
        made._dual, made._mean = self.dual_, self.usual_
        made.sharpness_ = self.sharpness_[0]
        return made

    def predict_proba(self, X):
        """(n, labels) float32."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float32, reset=False)
        return self.teacher_.probabilities(X)

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]
