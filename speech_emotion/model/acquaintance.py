"""A network that serves a voice from its first sentence to its hundredth: taught with histories of every
length.

The teacher hears each training clip several times: once of a voice that nobody knows, and as often as there
are views of one that is known, each time with other sentences known before. It is kernel regression on
landmarks, so that ten thousand clips and their copies cost no more memory than a thousand. The students are
shown the same, and crossings of it, with fresh histories every time.
"""

import numpy as np
from scipy.linalg import blas, cho_factor, cho_solve

from speech_emotion.model import profile
from speech_emotion.model.distillation import (
    DistilledNetwork,
    alike,
    partners,
    side_by_side,
    softmax,
    trained_together,
)
from speech_emotion.model.estimators import Int8Network
from speech_emotion.model.histories import Views

_SHARPNESS = np.geomspace(1, 12, 30)
_FOLDS = 3  # of speakers, for the teacher's temperature
_BLOCK = 2048


class LandmarkTeacher:
    """Kernel ridge regression of one-hot labels whose solution is a sum of kernels at some of the rows,
    drawn at random (subset of regressors, the Nyström approximation: Smola & Schölkopf 2000; Williams &
    Seeger 2001).

    Kernel, standardisation and softmax as of `distillation.Teacher`; its sharpness is chosen on speakers
    left out.
    """

    def __init__(self, ridge: float, landmarks: int):
        self.ridge = ridge
        self.landmarks = landmarks

    def fit(self, views, Y, groups, weights, random) -> "LandmarkTeacher":
        """views: list of (n, columns) float32, the same n clips each; Y: (n, classes) float32 one-hot;
        groups: (n,) speakers; weights: one (n,) per view."""
        count = sum(map(len, views))
        self._centre = sum(view.sum(axis=0, dtype=np.float64) for view in views) / count
        squares = sum((view.astype(np.float64) ** 2).sum(axis=0) for view in views) / count
        spread = np.sqrt(np.maximum(squares - self._centre**2, 0))
        self._centre = self._centre.astype(np.float32)
        self._spread = np.maximum(spread, 1e-6).astype(np.float32)
        total = sum(map(np.sum, weights))
        self._mean = (sum(w @ Y for w in weights) / total).astype(np.float32)
        chosen = np.sort(random.permutation(count)[: self.landmarks])
        which, row = np.divmod(chosen, len(Y))
        self._marks = self._scaled(np.stack([views[v][r] for v, r in zip(which, row, strict=True)]))
        self._squares = np.einsum("ij,ij->i", self._marks, self._marks)

        people = np.unique(groups)
        folds = min(_FOLDS, len(people))
        fold_of = dict(
            zip(random.permutation(people).tolist(), np.arange(len(people)) % folds, strict=True)
        )
        fold = np.array([fold_of[group] for group in groups.tolist()])
        parts = [
            (view, w.astype(np.float32), np.flatnonzero(fold == j), j)
            for view, w in zip(views, weights, strict=True)
            for j in range(folds)
        ]
        size = len(self._marks)
        # columns first, so that the products need no copies; of the symmetric ones the upper triangle
        products = [np.zeros((size, size), np.float32, order="F") for _ in range(folds)]
        targets = np.zeros((folds, size, Y.shape[1]), np.float32)
        for view, w, mine, j in parts:
            for rows in _blocks(mine):
                heavy = self._kernel(view[rows])
                root = np.sqrt(w[rows, None])
                heavy *= root
                products[j] = blas.ssyrk(1, heavy.T, 1, products[j], overwrite_c=1)
                targets[j] += heavy.T @ (root * (Y[rows] - self._mean))
        among = self._kernel_of(self._marks)
        whole = np.sum(products, axis=0)
        self._dual = self._solved(whole, targets.sum(axis=0), among)
        self.sharpness_ = float(np.sqrt(_SHARPNESS[0] * _SHARPNESS[-1]))
        if folds > 1:
            duals = []
            for target in targets:
                its = products.pop(0)  # large: let go of one after the other
                others = np.subtract(whole, its, out=its)
                duals.append(self._solved(others, targets.sum(axis=0) - target, among))
            losses = np.zeros(len(_SHARPNESS))
            for view, w, mine, j in parts:
                for rows in _blocks(mine):
                    scores = self._kernel(view[rows]) @ duals[j] + self._mean
                    losses += _losses(scores, Y[rows].argmax(axis=1), w[rows])
            self.sharpness_ = float(_SHARPNESS[np.argmin(losses)])
        return self

    def probabilities(self, X: np.ndarray) -> np.ndarray:
        """(n, classes) float32."""
        scores = [self._kernel(block) @ self._dual for block in _blocks(X)]
        return softmax(np.float32(self.sharpness_) * (np.concatenate(scores) + self._mean))

    def _solved(self, products, targets, among):
        """products: its upper triangle counts."""
        a = np.add(products, self.ridge * among, dtype=np.float64)
        a[np.diag_indices(len(a))] += 1e-5 * np.trace(a) / len(a)
        factor = cho_factor(a, lower=False, overwrite_a=True, check_finite=False)
        return cho_solve(factor, targets.astype(np.float64), check_finite=False).astype(np.float32)

    def _scaled(self, X):
        return (X - self._centre) / self._spread

    def _kernel(self, X):
        return self._kernel_of(self._scaled(X))

    def _kernel_of(self, Z):
        kernel = 2 * Z @ self._marks.T
        kernel -= np.einsum("ij,ij->i", Z, Z)[:, None]
        kernel -= self._squares
        kernel /= np.float32(Z.shape[1])
        return np.exp(kernel, out=kernel)


def _losses(scores, truth, weights):
    """For each of _SHARPNESS the weighted log loss of these rows, summed."""
    place = truth[:, None]
    return [
        -weights @ np.log(np.take_along_axis(softmax(s * scores), place, 1) + 1e-9)[:, 0]
        for s in _SHARPNESS
    ]


def _blocks(rows):
    return np.array_split(rows, max(1, len(rows) // _BLOCK))


class AcquaintedNetwork(DistilledNetwork):
    """A `DistilledNetwork` that is taught with and without histories. Stands behind a `profile.VoiceScaler`,
    whose fit_transform gives it unclipped columns.

    views: how many histories of each clip the teacher hears, beside none; unknown: the share of a clip's
    weight that the view without one has; landmarks: of the teacher; toil: times the steps of a
    DistilledNetwork.
    """

    def __init__(self, hidden_layer_sizes=(56, 32), *, members=4, ridge=0.2, crossings=6, epochs=132,
                 views=3, unknown=0.25, landmarks=4500, toil=2.0, random_state=None):  # fmt: skip
        super().__init__(
            hidden_layer_sizes, members=members, ridge=ridge, crossings=crossings, epochs=epochs,
            random_state=random_state,
        )  # fmt: skip
        self.views = views
        self.unknown = unknown
        self.landmarks = landmarks
        self.toil = toil

    def fit(self, X, y, sample_weight=None, groups=None, sources=None, voices=None, kinds=None):
        """X: (n, columns) float32, standardised, of whole steps, not clipped. groups, sources, voices: as of
        DistilledNetwork. kinds: (n,) of a copy its kind, of a clip "". Without groups, all rows are of one
        voice; of a table without copies the others may be left out."""
        y, count = np.asarray(y), len(y)
        random = np.random.default_rng(self.random_state)
        self.classes_, places = np.unique(y, return_inverse=True)
        self.n_features_in_ = X.shape[1]
        Y = np.eye(len(self.classes_), dtype=np.float32)[places]
        sources = np.arange(count) if sources is None else np.asarray(sources)
        voices = sources if voices is None else np.asarray(voices)
        groups = np.zeros(count, int) if groups is None else np.asarray(groups)
        kinds = np.full(count, "") if kinds is None else np.asarray(kinds)
        weights = (
            np.ones(count) if sample_weight is None else sample_weight / np.mean(sample_weight)
        )

        steps = np.rint(np.asarray(X, np.float32) / profile.UNIT)
        usual = profile.usual_spread(steps, groups)
        place = {source: row for row, source in reversed(list(enumerate(sources.tolist())))}
        clips = np.array([place[source] for source in sources.tolist()])
        known = Views(steps, usual, y, groups, clips, kinds)
        unknown = profile.as_input(steps)

        families = alike(voices)
        heard = np.sort(np.concatenate([family[0] for family in families]))
        _, clip, versions = np.unique(sources[heard], return_inverse=True, return_counts=True)
        share = (weights[heard] / versions[clip]).astype(np.float32)
        teacher = LandmarkTeacher(self.ridge, self.landmarks).fit(
            [unknown[heard], *(known.draw(random, heard) for _ in range(self.views))],
            Y[heard],
            groups[heard],
            [share * self.unknown] + [share * (1 - self.unknown) / self.views] * self.views,
            random,
        )
        self.sharpness_ = teacher.sharpness_

        work = int(self.toil * self.epochs * (1 + self.crossings) * len(set(sources.tolist())))
        inputs, targets = self._views_taught(unknown, known, families, teacher, random)
        epochs = max(1, round(work / len(inputs)))
        students, losses = trained_together(
            inputs, targets, self.hidden_layer_sizes, self.members, epochs, random
        )
        some = random.permutation(len(inputs))[:8000]
        joined, biases = side_by_side(students)
        self.network_ = Int8Network.of(joined, biases, inputs[some], self.classes_)
        self.network_.loss_curve_ = losses
        return self

    def _views_taught(self, unknown, known, families, teacher, random):
        """What the students are shown, half of it of known voices, and what they are to answer."""
        inputs, targets = [], []
        for crossing in range(1 + self.crossings):
            for view in (unknown, known.draw(random)):
                for family in families:
                    count = len(family[0])
                    if crossing:
                        other, mask = partners(count, view.shape[1], random)
                    for number, rows in enumerate(family):
                        shown = (
                            np.where(mask, view[rows][other], view[rows])
                            if crossing
                            else view[rows]
                        )
                        if not number:
                            answers = teacher.probabilities(shown)
                        inputs.append(shown)
                        targets.append(answers)
        return np.concatenate(inputs), np.concatenate(targets)
