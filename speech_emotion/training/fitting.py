"""Fitting a pipeline with the classes balanced or not, and running many fits on all cores."""

import itertools
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import joblib
import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import has_fit_parameter
from threadpoolctl import threadpool_limits

from speech_emotion import cli, parallel
from speech_emotion.model.distillation import DistilledNetwork
from speech_emotion.model.profile import knows_voices
from speech_emotion.training import acquaintance, candidates
from speech_emotion.training.candidates import Candidate
from speech_emotion.training.protocols import Fold


@dataclass(frozen=True)
class Recipe:
    """An unfitted pipeline and how to fit it. `grid`: searched exhaustively, by speaker, when not empty and
    when there are speakers to search by. `places`: which of the columns of X it takes, None for all."""

    pipeline: Pipeline
    balance: str
    seed: int
    grid: dict[str, list] = field(default_factory=dict)
    places: tuple[int, ...] | None = None

    @classmethod
    def of(
        cls,
        candidate: Candidate,
        used: list[str],
        seed: int,
        *,
        balance: str = "none",
        search: bool = False,
        groups: list[str] | None = None,
    ) -> "Recipe":
        """A candidate's, where the columns `used` are taken. groups: as of `candidates.columns`."""
        grid = candidate.grid if search else {}
        taken = candidates.places(candidate, used, groups)
        return cls(candidate.pipeline(seed, groups), balance, seed, grid, taken)

    def taken(self, X: np.ndarray) -> np.ndarray:
        """The columns that it takes, (n, columns)."""
        return X if self.places is None else np.ascontiguousarray(X[:, self.places])


Inside = Callable[[np.ndarray], list[Fold]]
"""Gives folds by speaker inside training rows: what a search may try its settings on."""


class Examples(NamedTuple):
    """What is known of the rows of a table. X: (n, columns) float32; the others (n,): labels, speakers,
    which clip a row is of, and (numbers too) which rows are one voice, copies through noise or a line; of a
    copy its kind, of a clip ""; what a row counts in training, None where all count alike; and rooms, which
    is to say corpora, None where there is one."""

    X: np.ndarray
    y: np.ndarray
    speakers: np.ndarray
    sources: np.ndarray
    voices: np.ndarray
    kinds: np.ndarray
    weights: np.ndarray | None = None
    rooms: np.ndarray | None = None

    def at(self, rows: np.ndarray) -> "Examples":
        first = Examples(*(each[rows] for each in self[:-2]))
        weights = None if self.weights is None else self.weights[rows]
        return first._replace(
            weights=weights, rooms=None if self.rooms is None else self.rooms[rows]
        )


def fit(recipe: Recipe, examples: Examples, inside: Sequence[Fold] = ()) -> Pipeline:
    """A fitted clone of the recipe's pipeline. Of one voice, the clip comes before its copies. inside: folds
    over the examples' places, to search the recipe's grid in; without any it keeps its own settings.

    balance `weights` weighs each class alike in the last step, `sampling` repeats clips of the rarer
    classes until all are as many, `none` takes the clips as they are. One thread, so that sums are split,
    and the model comes out, the same on every number of cores. A model that was only trained with the help
    of a larger one stands in the result by itself.
    """
    pipeline = clone(recipe.pipeline)
    extra = {}
    if recipe.balance == "weights":
        extra["model__sample_weight"] = compute_sample_weight("balanced", examples.y)
    elif recipe.balance == "sampling":
        rows = oversampled(examples.y, recipe.seed)
        inside = [
            Fold(*(np.flatnonzero(np.isin(rows, part)) for part in (fold.train, fold.test)))
            for fold in inside
        ]
        # a clip taken a second time is a second clip, and no copy of the first
        times = np.arange(len(rows)) - np.searchsorted(rows, rows)
        beyond = 1 + max(examples.sources.max(), examples.voices.max())
        examples = examples.at(rows)
        examples = examples._replace(
            sources=examples.sources + times * beyond, voices=examples.voices + times * beyond
        )
    X, y, speakers, sources, voices, kinds, weights, rooms = examples
    if weights is not None:
        extra["model__sample_weight"] = weights * extra.get("model__sample_weight", 1.0)
    told = {
        "groups": speakers, "sources": sources, "voices": voices, "kinds": kinds, "rooms": rooms
    }  # fmt: skip
    for step, estimator in (pipeline.steps[0], pipeline.steps[-1]):
        for name, values in told.items():
            if has_fit_parameter(estimator, name):
                extra[f"{step}__{name}"] = values
    with threadpool_limits(1), warnings.catch_warnings():
        # the number of epochs is the recipe's choice; that the loss could still fall is no news
        warnings.simplefilter("ignore", ConvergenceWarning)
        if not (recipe.grid and inside):
            return for_the_chip(pipeline.fit(X, y, **extra))
        folds = [(fold.train, fold.test) for fold in inside]
        search = GridSearchCV(pipeline, recipe.grid, cv=folds, scoring="f1_macro")
        return for_the_chip(search.fit(X, y, **extra).best_estimator_)


def for_the_chip(pipeline: Pipeline) -> Pipeline:
    """A fitted pipeline without what only its training needed: of a distilled network, the network."""
    name, model = pipeline.steps[-1]
    if isinstance(model, DistilledNetwork):
        pipeline.steps[-1] = (name, model.network_)
    return pipeline


def oversampled(y: np.ndarray, seed: int) -> np.ndarray:
    """Row numbers in which every class is as frequent as the most frequent one."""
    random = check_random_state(seed)
    labels, counts = np.unique(y, return_counts=True)
    extra = [
        random.choice(np.flatnonzero(y == label), counts.max() - count)
        for label, count in zip(labels, counts, strict=True)
    ]
    return np.sort(np.concatenate([np.arange(len(y)), *extra]))


def fit_all(
    recipes: dict[str, Recipe], examples: Examples, rows: np.ndarray, *, inside: Inside, jobs: int
) -> dict[str, Pipeline]:
    """Each recipe fitted to the same rows, on all cores."""
    calls = (
        joblib.delayed(_fit)(r, examples, rows, _folds(r, rows, inside)) for r in recipes.values()
    )
    results = parallel.spread(calls, jobs=jobs)
    results = cli.progress(results, total=len(recipes), what="fit", unit="model")
    return dict(zip(recipes, results, strict=True))


def fit_folds(
    tasks: Iterable[tuple[object, Recipe, Fold]],
    examples: Examples,
    *,
    inside: Inside,
    jobs: int,
    what: str,
    heard: Sequence[list[np.ndarray]] = (),
):
    """Fit and test many (name, recipe, fold) on all cores. Yields (name, fold, answers), in the order of the
    tasks; answers: probabilities of the fold's test rows, (n, labels) in the order of `np.unique(y)`, 0 for
    a label that the fold does not train; and of a model that knows voices the same again for each of
    `heard`, which name for every row of the table those heard before it."""
    tasks = list(tasks)
    calls = (
        joblib.delayed(_fit_and_test)(
            recipe, examples, fold, _folds(recipe, fold.train, inside), [examples.X], heard
        )
        for _, recipe, fold in tasks
    )
    results = parallel.spread(calls, jobs=jobs)
    results = cli.progress(results, total=len(tasks), what=what, unit="fit")
    for (name, _, fold), answers in zip(tasks, results, strict=True):
        yield name, fold, answers


def fit_and_test(
    recipe: Recipe,
    examples: Examples,
    folds: list[Fold],
    tests: list[np.ndarray],
    *,
    inside: Inside,
    jobs: int,
    heard: Sequence[list[np.ndarray]] = (),
    rows: np.ndarray | None = None,
) -> list[list[np.ndarray]]:
    """One recipe fitted to each fold, and its probabilities (as `fit_folds`') for the fold's test rows of
    each of `tests`: [fold][test], and after these, of a model that knows voices, for each of `heard` those of
    each test again. rows: those of the table, in order, that the tests have, (rows, columns) each; default
    all."""
    calls = (
        joblib.delayed(_fit_and_test)(
            recipe, examples, fold, _folds(recipe, fold.train, inside), tests, heard, rows
        )
        for fold in folds
    )
    results = parallel.spread(calls, jobs=jobs)
    return list(cli.progress(results, total=len(folds), what="robustness", unit="fit"))


def _folds(recipe, rows, inside):
    """Where a recipe is searched when it is fitted to these rows."""
    return inside(rows) if recipe.grid else []


def _fit(recipe, examples, rows, folds):
    mine = examples.at(rows)
    mine = mine._replace(X=recipe.taken(mine.X))
    return fit(recipe, mine, [fold.within(rows) for fold in folds])


def _fit_and_test(recipe, examples, fold, folds, tests, heard=(), rows=None):
    fitted = _fit(recipe, examples, fold.train, folds)
    labels = np.unique(examples.y)

    def taken(test, those):
        return recipe.taken(test[those if rows is None else np.searchsorted(rows, those)])

    with threadpool_limits(1):
        found = [probabilities(fitted, taken(test, fold.test), labels) for test in tests]
        if knows_voices(fitted):
            for before, test in itertools.product(heard, tests):
                parts = [fold.test, *(before[row] for row in fold.test)]
                needed, places = np.unique(np.concatenate(parts), return_inverse=True)
                tested, *mine = np.split(places, np.cumsum([len(part) for part in parts[:-1]]))
                answers = acquaintance.probabilities(fitted, taken(test, needed), tested, mine)
                found.append(_named(answers, fitted.classes_, labels))
        return found


def probabilities(pipeline: Pipeline, X: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(n, labels) float64, in the order of `labels`; 0 for a label that the pipeline does not know."""
    return _named(pipeline.predict_proba(X), pipeline.classes_, labels)


def _named(answers, classes, labels):
    result = np.zeros((len(answers), len(labels)))
    result[:, np.searchsorted(labels, classes)] = answers
    return result
