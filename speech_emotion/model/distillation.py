"""A small network that learns from a large teacher: what the chip cannot hold, it can still imitate.

The teacher is kernel ridge regression, which keeps every training clip and is the more accurate for it. It
labels the training clips, and as many made-up ones as one likes, with probabilities; one int8 network
learns those (Hinton, Vinyals & Dean 2015). A copy that sounds like another voice teaches the teacher too,
which would otherwise know few speakers. Of a copy through noise or a line the student is told what the
teacher said of the clip it was made from: so it learns what they must not change. Only that network is kept.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.linalg import block_diag, lapack
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import GroupKFold
from sklearn.utils.validation import check_is_fitted, validate_data

from speech_emotion.errors import UserError
from speech_emotion.model.estimators import Int8Network

LEAST_STEPS = 3000
TOO_MUCH_ALIKE = "the training clips are too much alike to learn from; add others"
_FOLDS = 10  # of speakers, for the teacher's temperature
_SHARPNESS = np.geomspace(1, 12, 30)


class Teacher:
    """Kernel ridge regression of the labels, one-hot and centred, with a Gaussian kernel on columns that are
    standardised by the rows it is fitted to.

    The kernel is exp(-d^2 / columns), d the distance of two clips: columns are standardised, so d^2 is about
    twice their number, and the kernel bends little more than a quadratic.
    Scores become probabilities by a softmax whose sharpness is chosen on speakers left out; leaving some
    out of ridge regression takes no second fit (e.g. Pahikkala et al. 2006).
    """

    def __init__(self, ridge: float):
        self.ridge = ridge

    def fit(
        self, X: np.ndarray, Y: np.ndarray, groups: np.ndarray, weights: np.ndarray
    ) -> "Teacher":
        """X: (n, columns) float32; Y: (n, classes) float32 one-hot; groups: (n,) speakers; weights: (n,), 1
        for a row that counts as a whole clip."""
        self._mean, self._centre = Y.mean(axis=0), X.mean(axis=0)
        self._spread = np.maximum(X.std(axis=0), np.float32(1e-6))
        self._X = (X - self._centre) / self._spread
        self._squares = np.einsum("ij,ij->i", self._X, self._X)
        kernel = self._kernel(X)
        # rows that weigh very much have a ridge so small that rounding would hide it
        ridge = np.maximum(self.ridge / weights, len(X) * np.finfo(np.float32).eps)
        kernel[np.diag_indices(len(X))] += ridge.astype(np.float32)
        factor, failed = lapack.spotrf(kernel, lower=1, overwrite_a=1)
        if failed:
            raise UserError(TOO_MUCH_ALIKE)
        inverse, _ = lapack.spotri(factor, lower=1, overwrite_c=1)
        inverse = np.tril(inverse) + np.tril(inverse, -1).T
        self._dual = inverse @ (Y - self._mean)
        self.sharpness_ = self._calibrated(inverse, Y, groups)
        return self

    def probabilities(self, X: np.ndarray) -> np.ndarray:
        """(n, classes) float32."""
        blocks = np.array_split(X, max(1, len(X) // 2048))
        scores = np.concatenate([self._kernel(block) @ self._dual for block in blocks])
        return softmax(self.sharpness_ * (scores + self._mean))

    def _kernel(self, X):
        X = (X - self._centre) / self._spread
        squares = np.einsum("ij,ij->i", X, X)[:, None] + self._squares
        return np.exp((2 * X @ self._X.T - squares) / np.float32(X.shape[1]))

    def _calibrated(self, inverse, Y, groups):
        """The sharpness with the least log loss on groups left out."""
        folds = min(_FOLDS, len(set(groups)))
        if folds < 2:
            return float(np.sqrt(_SHARPNESS[0] * _SHARPNESS[-1]))
        left_out = np.empty_like(Y)
        for _, b in GroupKFold(folds).split(Y, groups=groups):
            left_out[b] = Y[b] - np.linalg.solve(inverse[np.ix_(b, b)], self._dual[b])
        truth = Y.argmax(axis=1)[:, None]
        losses = [
            -np.log(np.take_along_axis(softmax(s * left_out), truth, 1) + 1e-9).mean()
            for s in _SHARPNESS
        ]
        return float(_SHARPNESS[np.argmin(losses)])


class DistilledNetwork(ClassifierMixin, BaseEstimator):
    """Fits a Teacher and then `network_`, an Int8Network that imitates it: that one goes to the chip.

    The student is shown each voice and `crossings` times as many made up from two voices, every column from
    either (the teacher answers to any input): it has more to learn from than there are clips, and where
    clips are sparse it learns the teacher's smoothness. It is shown each voice's copies too, crossed in the
    same columns as their voices. At most `teacher_rows` voices, drawn at random, teach; those of one clip
    weigh as much as one. Takes columns that are standardised, roughly at least.

    `members` students of these hidden layers learn apart, each from crossings of its own, and answer
    together, by the mean of their scores (bagging without the bootstrap): side by side they are one network,
    whose inner weights from one member to another are zero.
    """

    def __init__(self, hidden_layer_sizes=(56, 32), *, members=4, ridge=0.2, crossings=6, epochs=132,
                 teacher_rows=9000, random_state=None):  # fmt: skip
        self.hidden_layer_sizes = hidden_layer_sizes
        self.members = members
        self.ridge = ridge
        self.crossings = crossings
        self.epochs = epochs
        self.teacher_rows = teacher_rows
        self.random_state = random_state

    def fit(self, X, y, sample_weight=None, groups=None, sources=None, voices=None):
        """groups: (n,) speakers, for the calibration; without them every clip counts as one. sources: (n,)
        which clip a row is of. voices: (n,) which rows are the same voice saying the same, to be answered
        alike; the first of them is what the teacher hears. Without it, all rows of a clip."""
        X, y = validate_data(self, X, y, dtype=np.float32)
        random = np.random.default_rng(self.random_state)
        self.classes_, places = np.unique(y, return_inverse=True)
        Y = np.eye(len(self.classes_), dtype=np.float32)[places]
        sources = np.arange(len(X)) if sources is None else np.asarray(sources)
        voices = sources if voices is None else np.asarray(voices)
        groups = sources if groups is None else np.asarray(groups)
        weights = (
            np.ones(len(X)) if sample_weight is None else sample_weight / np.mean(sample_weight)
        )
        families = alike(voices)
        heard = np.concatenate([family[0] for family in families])
        rows = np.sort(random.permutation(heard)[: self.teacher_rows])
        _, clip, versions = np.unique(sources[rows], return_inverse=True, return_counts=True)
        teacher = Teacher(self.ridge).fit(
            X[rows], Y[rows], groups[rows], weights[rows] / versions[clip]
        )
        self.sharpness_ = teacher.sharpness_

        work = self.epochs * (1 + self.crossings) * len(set(sources.tolist()))
        students = []
        for _ in range(self.members):
            inputs, targets = self._lessons(X, families, teacher, random)
            # as much work however many copies there are: a student drilled for longer learns them by heart
            epochs = work // len(inputs)
            students.append(trained(inputs, targets, self.hidden_layer_sizes, epochs, random))
            del inputs, targets  # the next member's take as much memory
        weights, biases = side_by_side([network for network, _ in students])
        self.network_ = Int8Network.of(weights, biases, X, self.classes_)
        self.network_.loss_curve_ = np.mean([losses for _, losses in students], axis=0).tolist()
        return self

    def _lessons(self, X, families, teacher, random):
        """What the student is shown of the families of `alike`, and the probabilities it is to answer."""
        count = (1 + self.crossings) * sum(len(rows) for family in families for rows in family)
        inputs = np.empty((count, X.shape[1]), np.float32)  # much memory: filled in place
        targets = np.empty((count, len(self.classes_)), np.float32)
        end = 0
        for family in families:
            voices = len(family[0])
            for crossing in range(1 + self.crossings):
                if crossing:
                    other, mask = partners(voices, X.shape[1], random)
                start = end
                for rows in family:
                    place = slice(end, end := end + voices)
                    inputs[place] = np.where(mask, X[rows][other], X[rows]) if crossing else X[rows]
                answers = teacher.probabilities(inputs[start : start + voices])
                targets[start:end] = np.tile(answers, (len(family), 1))
        return inputs, targets

    def predict_proba(self, X):
        """(n, classes) float32, the network's."""
        check_is_fitted(self)
        return self.network_.predict_proba(X)

    def predict(self, X):
        check_is_fitted(self)
        return self.network_.predict(X)


def alike(voices: np.ndarray) -> list[list[np.ndarray]]:
    """Row numbers by family: voices of as many rows. A family is a list of row numbers, (voices,) each: of
    the voices' first rows, of their second, and so on, voices in the order of their first rows."""
    rows_of: dict[int, list[int]] = {}
    for row, voice in enumerate(voices.tolist()):
        rows_of.setdefault(voice, []).append(row)
    by_size: dict[int, list[list[int]]] = {}
    for rows in rows_of.values():
        by_size.setdefault(len(rows), []).append(rows)
    return [list(np.array(by_size[size]).T) for size in sorted(by_size)]


def partners(rows: int, columns: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """For each row another one, (rows,), and which columns to take of it, up to half: (rows, columns)."""
    share = random.random((rows, 1), dtype=np.float32) / 2
    return random.permutation(rows), random.random((rows, columns), dtype=np.float32) < share


def side_by_side(networks: list[tuple]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The network whose scores are the mean of these networks' scores; each is (weights, biases), as
    `trained` gives them, and all have layers of the same sizes."""
    *hidden_weights, last_weights = zip(*(weights for weights, _ in networks), strict=True)
    *hidden_biases, last_biases = zip(*(biases for _, biases in networks), strict=True)
    joined = [np.hstack(hidden_weights[0]), *(block_diag(*each) for each in hidden_weights[1:])]
    share = np.float32(len(networks))
    return (
        [*joined, np.vstack(last_weights) / share],
        [*map(np.concatenate, hidden_biases), np.sum(last_biases, axis=0) / share],
    )


def trained(inputs, targets, hidden, epochs, random, *, rate=2e-3, batch=128):
    """A relu network fitted to probabilities by Adam (Kingma & Ba 2015), its rate falling along a cosine.

    inputs: (n, columns) float32; targets: (n, classes) float32, rows that sum to 1 (scikit-learn's network
    takes labels only). Few rows are shown more than `epochs` times, for LEAST_STEPS steps.
    Returns ((weights, biases), loss per epoch), a (inputs, outputs) and an (outputs,) float32 array per
    layer.
    """
    sizes = [inputs.shape[1], *hidden, targets.shape[1]]
    weights, biases = [], []
    for a, b in pairwise(sizes):
        weights.append(_drawn(a, b, random))
        biases.append(np.zeros(b, np.float32))

    def gradients(rows):
        return _gradients(weights, biases, inputs[rows], targets[rows])

    losses = _descended(weights + biases, gradients, len(inputs), epochs, random, rate, batch)
    return (weights, biases), losses


class Apart(NamedTuple):
    """The last `members` of networks that learn together: they hear none of `columns`, places of inputs, and
    are fitted to `targets` of their own."""

    members: int
    columns: Sequence[int]
    targets: np.ndarray


def trained_together(inputs, targets, hidden, members, epochs, random, apart: Apart | None = None,
                     *, rate=2.8e-3, batch=256):  # fmt: skip
    """As many networks as `trained` would fit one after the other, which differ by where they start: all of
    them learn from the same batch at once, in a few large products instead of many small ones.

    inputs: as of `trained`, or whatever has their shape and gives such rows by their numbers. Returns
    ([(weights, biases) of each], loss per epoch).
    """
    sizes = [inputs.shape[1], *hidden, targets.shape[1]]
    drawing = [random] * members
    if apart is not None:  # the others are drawn as they would be without these
        drawing[-apart.members :] = random.spawn(1) * apart.members
    # (members, inputs, outputs) each but the first, whose inputs all share: (inputs, members * outputs)
    weights = [np.stack([_drawn(a, b, each) for each in drawing]) for a, b in pairwise(sizes)]
    if apart is not None:
        weights[0][np.ix_(range(-apart.members, 0), apart.columns)] = 0
        unheard = np.ix_(apart.columns, range(-apart.members * hidden[0], 0))
    weights[0] = np.ascontiguousarray(weights[0].transpose(1, 0, 2).reshape(sizes[0], -1))
    biases = [np.zeros((members, 1, b), np.float32) for b in sizes[1:]]

    def gradients(rows):
        if apart is None:
            return _gradients_together(weights, biases, inputs[rows], targets[rows])
        each = [targets[rows]] * (members - apart.members) + [apart.targets[rows]] * apart.members
        loss, slopes = _gradients_together(weights, biases, inputs[rows], np.stack(each))
        slopes[0][unheard] = 0
        return loss, slopes

    losses = _descended(weights + biases, gradients, len(inputs), epochs, random, rate, batch)
    weights[0] = weights[0].reshape(sizes[0], members, -1).transpose(1, 0, 2)
    each = [([w[m] for w in weights], [b[m, 0] for b in biases]) for m in range(members)]
    return each, losses


def _drawn(a, b, random):
    reach = np.sqrt(6 / (a + b))  # Glorot & Bengio 2010
    return random.uniform(-reach, reach, (a, b)).astype(np.float32)


def _descended(parameters, gradients, rows, epochs, random, rate, batch):
    """Adam on these arrays, in place; loss per epoch. gradients: row numbers to (loss, arrays alike)."""
    first = [np.zeros_like(p) for p in parameters]
    second = [np.zeros_like(p) for p in parameters]
    some, other = ([np.empty_like(p) for p in parameters] for _ in range(2))
    batches = max(1, rows // batch)
    epochs = max(epochs, LEAST_STEPS // batches)
    losses, step = [], 0
    for _ in range(epochs):
        loss = 0.0
        for part in np.array_split(random.permutation(rows), batches):
            now = rate * (1 + np.cos(np.pi * step / (epochs * batches))) / 2
            step += 1
            error, slopes = gradients(part)
            loss += error * len(part) / rows
            now *= np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
            for p, g, m, v, a, b in zip(
                parameters, slopes, first, second, some, other, strict=True
            ):
                # m += .1 (g - m); v += .001 (g g - v); p -= now m / (sqrt(v) + 1e-8), without new arrays
                m += np.multiply(np.subtract(g, m, out=a), np.float32(0.1), out=a)
                np.subtract(np.multiply(g, g, out=a), v, out=a)
                v += np.multiply(a, np.float32(0.001), out=a)
                np.add(np.sqrt(v, out=a), np.float32(1e-8), out=a)
                np.divide(np.multiply(m, np.float32(now), out=b), a, out=b)
                p -= b
        losses.append(loss)
    return losses


def _gradients(weights, biases, x, targets):
    """Cross-entropy of a batch, and its gradients in the order weights, biases."""
    values = [x]
    for w, b in zip(weights[:-1], biases[:-1], strict=True):
        values.append(np.maximum(values[-1] @ w + b, 0))
    probabilities = softmax(values[-1] @ weights[-1] + biases[-1])
    loss = -float((targets * np.log(probabilities + np.float32(1e-9))).sum() / len(x))
    slope = (probabilities - targets) / np.float32(len(x))
    by_weights: list[np.ndarray] = []
    by_biases: list[np.ndarray] = []
    for layer in reversed(range(len(weights))):
        by_weights.insert(0, values[layer].T @ slope)
        by_biases.insert(0, slope.sum(axis=0))
        if layer:
            slope = (slope @ weights[layer].T) * (values[layer] > 0)
    return loss, by_weights + by_biases


def _gradients_together(weights, biases, x, targets):
    """As `_gradients`, of the networks of `trained_together`: each has its own, the loss is their mean.
    targets: (rows, classes), or (members, rows, classes) where they differ."""
    members, count = len(biases[0]), len(x)
    shared = (x @ weights[0]).reshape(count, members, -1).transpose(1, 0, 2)
    scores = shared + biases[0]
    values = []
    for w, b in zip(weights[1:], biases[1:], strict=True):
        values.append(np.maximum(scores, 0, out=scores))
        scores = np.matmul(scores, w) + b
    scores -= scores.max(axis=2, keepdims=True)
    powers = np.exp(scores, out=scores)
    powers /= powers.sum(axis=2, keepdims=True)
    loss = -float((targets * np.log(powers + np.float32(1e-9))).sum() / (count * members))
    powers -= targets
    slope = np.divide(powers, np.float32(count), out=powers)
    by_weights: list[np.ndarray] = []
    by_biases: list[np.ndarray] = [slope.sum(axis=1, keepdims=True)]
    for layer in reversed(range(1, len(weights))):
        by_weights.insert(0, np.matmul(values[layer - 1].transpose(0, 2, 1), slope))
        slope = np.matmul(slope, weights[layer].transpose(0, 2, 1))
        slope *= values[layer - 1] > 0
        by_biases.insert(0, slope.sum(axis=1, keepdims=True))
    by_weights.insert(0, x.T @ slope.transpose(1, 0, 2).reshape(count, -1))
    return loss, by_weights + by_biases


def softmax(scores: np.ndarray) -> np.ndarray:
    """Rows of scores as probabilities."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
