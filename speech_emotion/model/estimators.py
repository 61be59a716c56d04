"""The steps a model of this project is made of, each one repeatable on the chip to the last bit.

Between the feature vector (float32) and the probabilities a pipeline holds only arithmetic that C can
repeat: scaling with clipping, a few linear combinations summed in one fixed order, a rounding to int16,
and then a forest of integer comparisons with 8-bit leaves, or a small network.
"""

from typing import TYPE_CHECKING

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.utils.validation import check_is_fitted, validate_data

from speech_emotion.chip_math import exp2


class ClippedScaler(TransformerMixin, BaseEstimator):
    """Standardise each column, then clip: one odd clip must not shout down all other columns.

    fit learns `mean_` and `inverse_` (1 / standard deviation; 0 for a constant column), float32 (columns,).
    transform: float32 (n, columns) -> float32 (n, columns) in [-limit, limit], as the chip computes it:
    one subtraction and one multiplication in single precision.
    """

    def __init__(self, limit: float = 2.5):
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


if TYPE_CHECKING:  # what the two mixins below are mixed into
    from sklearn.ensemble import RandomForestClassifier as _Forest
    from sklearn.neural_network import MLPClassifier as _Network
else:
    _Forest = _Network = object


class _SnappedLeaves(_Forest):
    """A forest whose leaves hold probabilities as the bytes that emlearn stores, from the start.

    emlearn (0.23, leaf_bits=8) rounds to 254ths and then spreads 0 ... 254 over 0 ... 255 by truncation:
    every byte but 254 occurs. Probabilities are sums of those bytes over the trees, divided by the sum over
    the classes: integers until the last division, so that Python and C agree whatever the order of the trees.
    """

    LEAF_STEPS = 255

    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        for tree in self.estimators_:
            values = tree.tree_.value  # a view: (nodes, 1, classes), proportions
            steps = np.rint(values * (self.LEAF_STEPS - 1))
            steps[steps == self.LEAF_STEPS - 1] = self.LEAF_STEPS
            values[...] = steps / self.LEAF_STEPS
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


class _ChipNetwork(_Network):
    """A multi-layer perceptron that answers in single precision, in the order in which the chip adds.

    Matrix libraries split sums as they please; here sums run over the inputs in ascending order, and the
    exponential is the chip's, so that probabilities are equal to the last bit, on every machine.
    Hidden layers: relu or identity.
    """

    coefs_: list[np.ndarray]
    intercepts_: list[np.ndarray]
    max_iter: int
    # an optimiser's memory is several times the network, and no part of a saved model
    _TRAINING_ONLY = ("_optimizer", "_random_state", "_best_coefs", "_best_intercepts")

    def fit(self, X, y, sample_weight=None):
        if self.activation not in ("relu", "identity"):
            raise ValueError(f"activation {self.activation!r}: 'relu' or 'identity' expected")
        self._fit_in_two_rates(super().fit, X, y, sample_weight)
        for name in self._TRAINING_ONLY:
            self.__dict__.pop(name, None)
        return self

    def _fit_in_two_rates(self, fit, X, y, sample_weight):
        """The last third of the epochs at a fifth of the rate: the weights settle, and where they settle
        depends less on the seed."""
        given = {
            name: getattr(self, name) for name in ("learning_rate_init", "max_iter", "warm_start")
        }
        settling = self.max_iter // 3
        try:
            self.max_iter, self.warm_start = given["max_iter"] - settling, True
            fit(X, y, sample_weight)
            self.learning_rate_init, self.max_iter = given["learning_rate_init"] / 5, settling
            if settling:
                fit(X, y, sample_weight)  # goes on; the loss curve too
        finally:
            self.__dict__.update(given)

    def predict_proba(self, X):
        """(n, classes) float32."""
        check_is_fitted(self)
        values = validate_data(self, X, dtype=np.float32, reset=False)
        last = len(self.coefs_) - 1
        for layer in range(last + 1):
            values = self._sums(values, layer)
            if layer < last and self.activation == "relu":
                values = np.maximum(values, np.float32(0))
        if values.shape[1] == 1:  # two classes share one output: the other's is 0
            values = np.hstack([np.zeros_like(values), values])
        powers = exp2((values - values.max(axis=1, keepdims=True)) * np.float32(np.log2(np.e)))
        total = np.zeros(len(powers), np.float32)
        for column in powers.T:
            total += column
        return powers / total[:, None]

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class Float32Network(_ChipNetwork, MLPClassifier):
    """scikit-learn's MLPClassifier, its weights stored as float32."""

    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        self.coefs_ = [np.asarray(weights, np.float32) for weights in self.coefs_]
        self.intercepts_ = [np.asarray(biases, np.float32) for biases in self.intercepts_]
        return self

    def _sums(self, values, layer):
        """(n, outputs) float32: weights times inputs, added in ascending order, plus the biases last."""
        weights = self.coefs_[layer]
        sums = np.zeros((len(values), weights.shape[1]), np.float32)
        for column, row in zip(values.T, weights, strict=True):
            sums += column[:, None] * row
        return sums + self.intercepts_[layer]


class Int8Network(_ChipNetwork, MLPClassifier):
    """An MLPClassifier whose weights are stored as int8, a quarter of the flash, and added as integers.

    fit trains in floating point, then snaps. Each output's weights are divided by their largest magnitude
    over 127 (`weights8_`: (inputs, outputs) int8 per layer). A layer's inputs are rounded to 12 bits and
    sign: `steps_` (layers,) float32 per unit; the first layer's reach over the training range, those of
    hidden layers over HEADROOM times what occurred in training. A sum of products is an int32; `factors_`
    (outputs,) float32 per layer turns it back into a number. `coefs_` is what the snapped weights mean.
    """

    INPUT_STEPS = 4095
    HEADROOM = 1.25

    @classmethod
    def of(cls, weights, biases, X, classes):
        """A network with these weights, trained elsewhere, snapped to what the chip stores.

        weights, biases: per layer (inputs, outputs) and (outputs,), relu between; X: (n, columns) float32,
        the training rows; classes: (classes,), as many as the last layer has outputs.
        """
        network = cls(tuple(len(layer) for layer in biases[:-1]))
        network.classes_, network.n_features_in_ = classes, X.shape[1]
        network.coefs_, network.intercepts_ = list(weights), list(biases)
        return network._snap(X)

    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        return self._snap(np.asarray(X, np.float32))

    def _snap(self, values):
        if 255 * self.INPUT_STEPS * max(len(weights) for weights in self.coefs_) >= 2**31:
            raise ValueError("so many inputs that a sum leaves 32 bits")
        self.weights8_, self.factors_, steps = [], [], []
        self.intercepts_ = [np.asarray(biases, np.float32) for biases in self.intercepts_]
        for layer, weights in enumerate(self.coefs_):
            reach = np.abs(values).max() * (self.HEADROOM if layer else 1)
            steps.append(self.INPUT_STEPS / max(reach, 1e-6))
            unit = np.maximum(np.abs(weights).max(axis=0), 1e-12) / 127
            self.weights8_.append(np.rint(weights / unit).astype(np.int8))
            self.factors_.append((unit / steps[-1]).astype(np.float32))
            self.coefs_[layer] = (self.weights8_[-1] * unit).astype(np.float32)
            self.steps_ = np.array(steps, np.float32)
            values = self._sums(values, layer)
            if self.activation == "relu":
                values = np.maximum(values, 0)
        return self

    def _sums(self, values, layer):
        """(n, outputs) float32."""
        steps = np.clip(values * self.steps_[layer], -self.INPUT_STEPS, self.INPUT_STEPS)
        # whole numbers below 2^53: exact in float64, in whatever order the library adds
        sums = np.rint(steps).astype(np.float64) @ self.weights8_[layer].astype(np.float64)
        return sums.astype(np.float32) * self.factors_[layer] + self.intercepts_[layer]
