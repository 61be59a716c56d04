"""A network that serves a voice from its first sentence to its hundredth: taught with histories of every
length.

The teacher hears each training clip several times: once of a voice that nobody knows, and as often as there
are views of one that is known, each time with other sentences known before. It is kernel regression on
landmarks, so that ten thousand clips and their copies cost no more memory than a thousand. The students are
shown the same, and crossings of it, with fresh histories every time.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, blas, cho_factor, cho_solve

from speech_emotion.errors import UserError
from speech_emotion.model import profile
from speech_emotion.model.distillation import (
    TOO_MUCH_ALIKE,
    Apart,
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
_FEW = 1500  # of the landmarks, on which it is chosen: many fits
_BLOCK = 2048
_MANY = 4000
"""Clips beyond which the students' steps grow only as the root of their number: of 3,200 clips, half of the
steps did nearly as well (docs/history/choices.md)."""


class LandmarkTeacher:
    """Kernel ridge regression of one-hot labels whose solution is a sum of kernels at some of the rows,
    drawn at random (subset of regressors, the Nyström approximation: Smola & Schölkopf 2000; Williams &
    Seeger 2001).

    Kernel, standardisation and softmax as of `distillation.Teacher`. Its sharpness is chosen on speakers left
    out and on rooms left out, which weigh alike: who hears the model has a voice and a room of his own.
    """

    def __init__(self, ridge: float, landmarks: int):
        self.ridge = ridge
        self.landmarks = landmarks

    def fit(self, views, Y, groups, rooms, weights, random) -> "LandmarkTeacher":
        """views: list of (n, columns) float32, the same n clips each; Y: (n, classes) float32 one-hot;
        groups: (n,) speakers; rooms: (n,), such as corpora; weights: one (n,) per view."""
        count = sum(map(len, views))
        self._centre = sum(view.sum(axis=0, dtype=np.float64) for view in views) / count
        squares = sum((view.astype(np.float64) ** 2).sum(axis=0) for view in views) / count
        spread = np.sqrt(np.maximum(squares - self._centre**2, 0))
        self._centre = self._centre.astype(np.float32)
        self._spread = np.maximum(spread, 1e-6).astype(np.float32)
        total = sum(map(np.sum, weights))
        self._mean = (sum(w @ Y for w in weights) / total).astype(np.float32)
        which, row = np.divmod(random.permutation(count)[: self.landmarks], len(Y))
        self._marks = self._scaled(np.stack([views[v][r] for v, r in zip(which, row, strict=True)]))
        self._squares = np.einsum("ij,ij->i", self._marks, self._marks)
        among = self._kernel_of(self._marks)
        weights = [w.astype(np.float32) for w in weights]
        cells = _cells(groups, rooms, random)

        few = min(_FEW, len(among))
        # columns first, so that the products need no copies; of the symmetric ones the upper triangle
        products = np.zeros(among.shape, np.float32, order="F")
        targets = np.zeros((len(among), Y.shape[1]), np.float32)
        for cell in cells:
            cell.products = np.zeros((few, few), np.float32, order="F")
            for view, w in zip(views, weights, strict=True):
                for rows in _blocks(cell.rows):
                    heavy = self._kernel(view[rows])
                    root = np.sqrt(w[rows, None])
                    heavy *= root
                    products = blas.ssyrk(1, heavy.T, 1, products, overwrite_c=1)
                    cell.products = blas.ssyrk(1, heavy[:, :few].T, 1, cell.products, overwrite_c=1)
                    cell.targets += heavy.T @ (root * (Y[rows] - self._mean))
            targets += cell.targets
        self._dual = self._solved(products, targets, among)
        self.sharpness_ = self._calibrated(views, Y, weights, cells, among[:few, :few])
        return self

    def _calibrated(self, views, Y, weights, cells, among):
        """The sharpness of least log loss on who and what was left out, of a teacher with few landmarks."""
        losses = np.zeros(len(_SHARPNESS))
        few = len(among)
        products = sum(cell.products for cell in cells)
        targets = sum(cell.targets[:few] for cell in cells)
        for kind in ("fold", "room"):
            for name in sorted({getattr(cell, kind) for cell in cells}):
                out = [cell for cell in cells if getattr(cell, kind) == name]
                if len(out) == len(cells):
                    continue  # nobody else to learn from
                dual = self._solved(
                    products - sum(cell.products for cell in out),
                    targets - sum(cell.targets[:few] for cell in out),
                    among,
                )
                for view, w in zip(views, weights, strict=True):
                    for rows in _blocks(np.concatenate([cell.rows for cell in out])):
                        scores = self._kernel(view[rows], few) @ dual + self._mean
                        losses += _losses(scores, Y[rows].argmax(axis=1), w[rows])
        if not losses.any():
            return float(np.sqrt(_SHARPNESS[0] * _SHARPNESS[-1]))
        return float(_SHARPNESS[np.argmin(losses)])

    def probabilities(self, X: np.ndarray) -> np.ndarray:
        """(n, classes) float32."""
        scores = [self._kernel(block) @ self._dual for block in _blocks(X)]
        return softmax(np.float32(self.sharpness_) * (np.concatenate(scores) + self._mean))

    def _solved(self, products, targets, among):
        """products: its upper triangle counts. Sums in single precision may be off by more than what is added
        to the diagonal, so that there is no solution: then more is."""
        for share in (1e-5, 1e-4, 1e-3, 1e-2):
            a = np.add(products, self.ridge * among, dtype=np.float64)
            a[np.diag_indices(len(a))] += share * np.trace(a) / len(a)
            try:
                factor = cho_factor(a, lower=False, overwrite_a=True, check_finite=False)
            except LinAlgError:
                continue
            dual = cho_solve(factor, targets.astype(np.float64), check_finite=False)
            return dual.astype(np.float32)
        raise UserError(TOO_MUCH_ALIKE)

    def _scaled(self, X):
        return (X - self._centre) / self._spread

    def _kernel(self, X, marks=None):
        """(n, landmarks) float32, of the first `marks`."""
        return self._kernel_of(self._scaled(X), marks)

    def _kernel_of(self, Z, marks=None):
        kernel = 2 * Z @ self._marks[:marks].T
        kernel -= np.einsum("ij,ij->i", Z, Z)[:, None]
        kernel -= self._squares[:marks]
        kernel /= np.float32(Z.shape[1])
        return np.exp(kernel, out=kernel)


@dataclass
class _Cell:
    """Training rows of one fold of speakers in one room, and what they add to the teacher's equations."""

    fold: int
    room: str
    rows: np.ndarray
    products: np.ndarray | float = 0.0
    targets: np.ndarray | float = 0.0


def _cells(groups, rooms, random):
    people = random.permutation(np.unique(groups))
    fold_of = {who: place % _FOLDS for place, who in enumerate(people.tolist())}
    fold = np.array([fold_of[who] for who in groups.tolist()])
    return [
        _Cell(j, room, np.flatnonzero((fold == j) & (rooms == room)))
        for room in np.unique(rooms)
        for j in np.unique(fold[rooms == room])
    ]


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
    DistilledNetwork. apart: places of columns that `without` of the members do not hear, nor does a teacher
    of their own: what these columns promise at home they need not keep in another room.
    """

    def __init__(self, hidden_layer_sizes=(56, 32), *, members=4, ridge=0.2, crossings=6, epochs=132,
                 views=3, unknown=0.25, landmarks=4500, toil=2.0, apart=(), without=0,
                 random_state=None):  # fmt: skip
        super().__init__(
            hidden_layer_sizes, members=members, ridge=ridge, crossings=crossings, epochs=epochs,
            random_state=random_state,
        )  # fmt: skip
        self.views = views
        self.unknown = unknown
        self.landmarks = landmarks
        self.toil = toil
        self.apart = apart
        self.without = without

    def fit(self, X, y, sample_weight=None, groups=None, sources=None, voices=None, kinds=None,
            rooms=None):  # fmt: skip
        """X: (n, columns) float32, standardised, of whole steps, not clipped. groups, sources, voices: as of
        DistilledNetwork. kinds: (n,) of a copy its kind, of a clip "". rooms: (n,), such as corpora. Without
        groups, all rows are of one voice, without rooms in one room; of a table without copies the others may
        be left out."""
        y, count = np.asarray(y), len(y)
        random = np.random.default_rng(self.random_state)
        self.classes_, places = np.unique(y, return_inverse=True)
        self.n_features_in_ = X.shape[1]
        Y = np.eye(len(self.classes_), dtype=np.float32)[places]
        sources = np.arange(count) if sources is None else np.asarray(sources)
        voices = sources if voices is None else np.asarray(voices)
        groups = np.zeros(count, int) if groups is None else np.asarray(groups)
        kinds = np.full(count, "") if kinds is None else np.asarray(kinds)
        rooms = np.zeros(count, int) if rooms is None else np.asarray(rooms)
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
        views = [unknown[heard], *(known.draw(random, heard) for _ in range(self.views))]
        parts = [share * self.unknown] + [share * (1 - self.unknown) / self.views] * self.views
        others = np.setdiff1d(np.arange(X.shape[1]), self.apart)
        without = self.without if 0 < len(others) < X.shape[1] else 0
        teaching = []
        for columns in (None, others)[: 1 + (without > 0)]:
            teacher = LandmarkTeacher(self.ridge, self.landmarks).fit(
                [_part(view, columns) for view in views],
                Y[heard],
                groups[heard],
                rooms[heard],
                parts,
                random,
            )
            teaching.append((teacher, columns))
        self.sharpness_ = teaching[0][0].sharpness_

        clips = len(set(sources.tolist()))
        counted = min(clips, (clips * _MANY) ** 0.5)
        work = int(self.toil * self.epochs * (1 + self.crossings) * counted)
        lessons, targets = self._views_taught(unknown, known, families, teaching, random)
        epochs = max(1, round(work / len(lessons)))
        students, losses = trained_together(
            lessons, targets[0], self.hidden_layer_sizes, self.members, epochs, random,
            Apart(without, self.apart, targets[1]) if without else None,
        )  # fmt: skip
        some = random.permutation(len(lessons))[:8000]
        joined, biases = side_by_side(students)
        self.network_ = Int8Network.of(joined, biases, lessons[some], self.classes_)
        self.network_.loss_curve_ = losses
        return self

    def _views_taught(self, unknown, known, families, teaching, random):
        """What the students are shown, half of it of known voices, and what each teacher would have them
        answer. teaching: teachers, and which columns they hear."""
        count = 2 * (1 + self.crossings) * sum(len(rows) for family in families for rows in family)
        steps = np.empty((count, unknown.shape[1]), np.int16)  # much memory: filled in place
        targets = [np.empty((count, len(self.classes_)), np.float32) for _ in teaching]
        end = 0
        for crossing in range(1 + self.crossings):
            for view in (unknown, known.draw(random)):
                for family in families:
                    voices = len(family[0])
                    if crossing:
                        other, mask = partners(voices, view.shape[1], random)
                    for number, rows in enumerate(family):
                        shown = (
                            np.where(mask, view[rows][other], view[rows])
                            if crossing
                            else view[rows]
                        )
                        if not number:
                            answers = [
                                t.probabilities(_part(shown, columns)) for t, columns in teaching
                            ]
                        place = slice(end, end := end + voices)
                        steps[place] = np.rint(shown / profile.UNIT)
                        for mine, each in zip(targets, answers, strict=True):
                            mine[place] = each
        return _Lessons(steps), targets


class _Lessons:
    """Inputs that are kept as the whole steps they are, in half the memory, and handed out in float32."""

    def __init__(self, steps: np.ndarray):
        self._steps = steps
        self.shape = steps.shape

    def __len__(self) -> int:
        return len(self._steps)

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        return self._steps[rows] * profile.UNIT


def _part(X, columns):
    return X if columns is None else np.ascontiguousarray(X[:, columns])
