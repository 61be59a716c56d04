"""The steps a model of this project is made of, each one repeatable on the chip to the last bit.

Between the feature vector (float32) and the probabilities a pipeline holds only arithmetic that C can
repeat: scaling with clipping, a few linear combinations summed in one fixed order, a rounding to int16,
and then a forest of integer comparisons with 8-bit leaves, or a small network.
"""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.utils.validation import check_is_fitted, validate_data


class ClippedScaler(TransformerMixin, BaseEstimator):
    """Standardise each column, then clip: one odd clip must not shout down all other columns.

    fit learns `mean_` and `inverse_` (1 / standard deviation; 0 for a constant column), float32 (columns,).
    transform: float32 (n, columns) -> float32 (n, columns) in [-limit, limit], as the chip computes it:
    one subtraction and one multiplication in single precision.
    """

    def __init__(self, limit: float = 4.0):
        self.limit = limit

    def fit(self, X, y=None):
        X = validate_data(self, X, dtype=np.float64)
        spread = X.std(axis=0)
        constant = spread <= 1e-7 * np.abs(X).max(axis=0)
        self.mean_ = X.mean(axis=0).astype(np.float32)
        self.inverse_ = np.where(constant, 0, 1 / np.where(constant, 1, spread)).astype(np.float32)
        return self

    def transform(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float32, reset=False)
        limit = np.float32(self.limit)
        return np.clip((X - self.mean_) * self.inverse_, -limit, limit)


class AppendDiscriminants(TransformerMixin, BaseEstimator):
    """Append linear discriminant scores, one per class, to the columns.

    A tree splits on one column at a time and needs many splits for what one slanted cut does; the
    scores give it the slanted cuts. Shrinkage LDA (Ledoit & Wolf 2004 motivates it: more columns than a
    covariance of a few thousand rows can carry).

    fit learns `weights_` (columns, scores) and `bias_` (scores,), float32. transform appends
    bias + sum over columns in ascending order, in single precision: the order is part of the definition,
    because the chip must get the same bits.
    """

    def __init__(self, shrinkage: float = 0.3):
        self.shrinkage = shrinkage

    def fit(self, X, y):
        X, y = validate_data(self, X, y, dtype=np.float64)
        lda = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=self.shrinkage).fit(X, y)
        self.weights_ = np.ascontiguousarray(lda.coef_.T, np.float32)
        self.bias_ = np.asarray(lda.intercept_, np.float32)
        return self

    def transform(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float32, reset=False)
        scores = np.tile(self.bias_, (len(X), 1))
        for column, weights in zip(X.T, self.weights_, strict=True):
            scores += column[:, None] * weights
        return np.hstack([X, scores])


class Int16Quantiser(TransformerMixin, BaseEstimator):
    """Map each column's training range onto int16: the forest is trained on what the chip compares.

    fit learns `offset_` (middle of the range) and `scale_` (steps per unit; 0 for a constant column),
    float32 (columns,). transform: rounds half to even, saturates; returns whole numbers as float32, which
    scikit-learn's trees take, each in [-32767, 32767].
    """

    STEPS = 32767

    def fit(self, X, y=None):
        X = validate_data(self, X, dtype=np.float64)
        low, high = X.min(axis=0), X.max(axis=0)
        half = (high - low) / 2
        self.offset_ = ((low + high) / 2).astype(np.float32)
        self.scale_ = np.where(half > 0, self.STEPS / np.where(half > 0, half, 1), 0).astype(
            np.float32
        )
        return self

    def transform(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float32, reset=False)
        steps = np.rint((X - self.offset_) * self.scale_)
        return np.clip(steps, -self.STEPS, self.STEPS).astype(np.float32)


class _SnappedLeaves:
    """A forest whose leaves hold probabilities in 255ths, as emlearn stores them, from the start.

    Probabilities are sums of those bytes over the trees, divided by the sum over the classes: integers
    until the last division, so that Python and C agree whatever the order of the trees.
    """

    LEAF_STEPS = 255

    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        for tree in self.estimators_:
            values = tree.tree_.value  # a view: (nodes, 1, classes), proportions
            values[...] = np.rint(values * self.LEAF_STEPS) / self.LEAF_STEPS
        return self

    def predict_proba(self, X):
        """(n, classes) float64: leaf bytes summed over the trees, normalised."""
        mean = super().predict_proba(X)
        sums = np.rint(mean * (self.LEAF_STEPS * len(self.estimators_)))
        return sums / sums.sum(axis=1, keepdims=True)


class SnappedRandomForest(_SnappedLeaves, RandomForestClassifier):
    """Breiman's random forest (2001) with leaves as they are stored on the chip."""


class SnappedExtraTrees(_SnappedLeaves, ExtraTreesClassifier):
    """Extremely randomised trees (Geurts, Ernst & Wehenkel 2006), leaves as stored on the chip."""


SAVED_CLASSES = (
    ClippedScaler,
    AppendDiscriminants,
    Int16Quantiser,
    SnappedRandomForest,
    SnappedExtraTrees,
)
"""What a model file may hold of ours (training.persistence)."""
