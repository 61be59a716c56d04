"""One training run: the clips, the labels, the splits and the recipes, and the questions asked of them."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.inspection import permutation_importance
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from speech_emotion.dataset.table import FeatureTable
from speech_emotion.errors import UserError
from speech_emotion.features import schema
from speech_emotion.training import acquaintance, robustness
from speech_emotion.training.fitting import (
    Examples,
    Recipe,
    fit_all,
    fit_and_test,
    fit_folds,
    probabilities,
)
from speech_emotion.training.protocols import Fold, Protocol, Splitter
from speech_emotion.training.scores import Outcome, macro_f1

INNER_FOLDS = 3
UNSEEN = ("speaker", "corpus")
"""Protocols in which a tested speaker is in no training row, so that he may be got to know."""
_SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)  # of the learning curve
_REPEATS = 5  # of each shuffling


@dataclass(frozen=True)
class Experiment:
    """labels: (rows of the table,); columns: those that models take, in schema order, of which a recipe may
    take a part (`Recipe.places`); split: what the saved models are trained on and scored on."""

    table: FeatureTable
    columns: list[str]
    labels: np.ndarray
    splitter: Splitter
    split: Fold
    recipes: dict[str, Recipe]
    seed: int
    jobs: int
    weights: np.ndarray | None = None  # (rows of the table,): what each counts in training

    def __post_init__(self):
        trained = set(self.labels[self.split.train])
        if len(trained) < 2:
            raise UserError(f"the training part holds one class only ({trained.pop()}); add clips")

    @cached_property
    def X(self) -> np.ndarray:
        """The features that models take: (rows of the table, columns) float32."""
        places = schema.places_of(self.columns)
        return np.ascontiguousarray(self.table.vectors[:, places])

    def columns_of(self, name: str) -> list[str]:
        """Those that a model takes."""
        places = self.recipes[name].places
        return self.columns if places is None else [self.columns[place] for place in places]

    def score(self, protocols: list[Protocol]) -> dict[str, dict[str, Outcome]]:
        """Every model under every protocol: outcomes[model][protocol], every tested row once. Of models
        that know voices, where no tested speaker was trained on, also outcomes[model][f"{protocol},
        {condition}"] for each of `acquaintance.CONDITIONS`."""
        tasks = [
            ((name, protocol.name), recipe, fold)
            for name, recipe in self.recipes.items()
            for protocol in protocols
            for fold in protocol.folds
        ]
        outcomes: dict[str, dict[str, Outcome]] = {name: {} for name in self.recipes}
        for (name, protocol), outcome in self._outcomes(tasks, "score", self.histories()).items():
            if "," not in protocol or protocol.partition(",")[0] in UNSEEN:
                outcomes[name][protocol] = outcome
        return outcomes

    def histories(self) -> dict[str, list[np.ndarray]]:
        """The histories of every row of the table, by condition; a copy has none."""
        rows = self.splitter.originals
        found = {}
        for condition in acquaintance.CONDITIONS:
            before = acquaintance.heard(
                condition, self.splitter.speakers[rows], self.labels[rows],
                self.table.clips["path"].to_numpy(str)[rows], seed=self.seed,
            )  # fmt: skip
            of_all = [np.empty(0, int)] * len(self.labels)
            for row, each in zip(rows, before, strict=True):
                of_all[row] = rows[each]
            found[condition] = of_all
        return found

    def score_inside(self) -> dict[str, Outcome]:
        """Every model in folds by speaker inside the training rows of the split: what may choose among
        them, and set their thresholds. Empty where there is one speaker."""
        folds = self._inside(self.split.train)
        tasks = [(name, self.recipes[name], fold) for name in self.recipes for fold in folds]
        return self._outcomes(tasks, "choose")

    def fit(self) -> dict[str, Pipeline]:
        """Each recipe fitted to the training rows of the split."""
        return fit_all(
            self.recipes, self._examples, self.split.train, inside=self._inside, jobs=self.jobs
        )

    def fit_to_all(self) -> dict[str, Pipeline]:
        """Each recipe fitted to every row: to be flashed, and never to be scored."""
        everything = self.splitter.fold(self.splitter.originals, np.empty(0, int)).train
        return fit_all(
            self.recipes, self._examples, everything, inside=self._inside, jobs=self.jobs
        )

    def degraded(self, name: str, protocols: list[Protocol], root: Path) -> dict[str, Outcome]:
        """A model in folds by speaker, tested on the clips below `root` as robustness.CONDITIONS spoil them;
        of one that knows voices also `robustness.known` of each. Empty where there is one speaker."""
        folds = [fold for p in protocols if p.name == "speaker" for fold in p.folds]
        if not folds:
            return {}
        rows = self.splitter.originals
        measured = robustness.measure(self.table.clips.iloc[rows], root, jobs=self.jobs)
        places = schema.places_of(self.columns)
        spoiled = [np.ascontiguousarray(vectors[:, places]) for vectors in measured.values()]
        parts = fit_and_test(
            self.recipes[name], self._examples, folds, spoiled, inside=self._inside, jobs=self.jobs,
            heard=[self.histories()[robustness.KNOWN]], rows=rows,
        )  # fmt: skip
        tested = np.concatenate([fold.test for fold in folds])
        answers = (np.concatenate(each) for each in zip(*parts, strict=True))
        conditions = [*measured, *map(robustness.known, measured)]
        return {
            condition: self.outcome(tested, each)
            for condition, each in zip(conditions, answers, strict=False)
        }

    def held_out(self, name: str, pipeline: Pipeline) -> Outcome:
        """A fitted model's answers on the rows held out from it."""
        rows = self.split.test
        X = self.recipes[name].taken(self.X[rows])
        return self.outcome(rows, probabilities(pipeline, X, self._label_names))

    def held_out_paths(self) -> list[str]:
        return self.table.clips["path"].to_numpy()[self.split.test].tolist()

    def learning_curve(self, name: str) -> tuple[np.ndarray, np.ndarray] | None:
        """Macro F1 on unseen speakers for growing parts of the training rows.

        Returns clips (k,) and scores (k, folds); None when there are too few clips or speakers for it.
        """
        random = np.random.default_rng(self.seed)
        tasks = []
        for fold in self._inside(self.split.train):
            shuffled = random.permutation(np.intersect1d(fold.train, self.splitter.originals))
            for share in _SHARES:
                part = np.sort(shuffled[: round(share * len(shuffled))])
                counts = np.unique(self.labels[part], return_counts=True)[1]
                if len(counts) > 1 and counts.min() >= 3:
                    tasks.append((share, self.recipes[name], self.splitter.fold(part, fold.test)))
        sizes: dict[float, int] = {}
        scores: dict[float, list[float]] = {}
        for share, fold, (answers, *_) in self.fitted(tasks, "learn"):
            sizes[share] = len(fold.train)
            predicted = self.outcome(fold.test, answers).predicted
            scores.setdefault(share, []).append(macro_f1(self.labels[fold.test], predicted))
        folds = max(map(len, scores.values()), default=0)
        whole = [share for share in sorted(scores) if len(scores[share]) == folds]
        if len(whole) < 2:
            return None
        return np.array([sizes[s] for s in whole]), np.array([scores[s] for s in whole])

    def epoch_curves(self) -> tuple[str, list[int], list[float], list[float]] | None:
        """How the first plain network learns: its name, epochs, and macro F1 on the rows trained on and on
        speakers left out of them, after each of some epochs. None where there is no such network, or no
        speaker to spare."""
        name = next((n for n, r in self.recipes.items() if _learns_by_epochs(r.pipeline)), None)
        folds = self._inside(self.split.train)
        if name is None or not folds:
            return None
        fold, recipe = folds[0], self.recipes[name]
        pipeline = clone(recipe.pipeline)
        *before, (_, network) = pipeline.steps
        X, y = recipe.taken(self.X[fold.train]), self.labels[fold.train]
        T, t = recipe.taken(self.X[fold.test]), self.labels[fold.test]
        for _, step in before:
            X = step.fit_transform(X)
            T = step.transform(T)
        learner = MLPClassifier(**network.get_params())
        marks = sorted({*range(1, 11), *range(10, network.max_iter + 1, 5)})
        epochs, trained, tested = list[int](), list[float](), list[float]()
        with threadpool_limits(1):
            for epoch in range(1, network.max_iter + 1):
                learner.partial_fit(X, y, classes=np.unique(y))
                if epoch in marks:
                    epochs.append(epoch)
                    trained.append(macro_f1(y, learner.predict(X)))
                    tested.append(macro_f1(t, learner.predict(T)))
        return name, epochs, trained, tested

    def importance(
        self, name: str, pipeline: Pipeline
    ) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Macro F1 lost on the held-out rows when the values of a group, and of a column, are shuffled.

        Permutation importance (Breiman 2001). Columns of a group stand in for each other, so a single one
        seldom costs much; the group tells. Returns (repeats,) by group and by column.
        """
        X = self.recipes[name].taken(self.X[self.split.test])
        y, taken = self.labels[self.split.test], self.columns_of(name)
        random = np.random.default_rng(self.seed)
        whole = macro_f1(y, pipeline.predict(X))
        groups = {}
        for group in schema.groups_of(taken):
            mine = [i for i, column in enumerate(taken) if schema.GROUP_OF[column] == group]
            losses = []
            for _ in range(_REPEATS):
                shuffled = X.copy()
                shuffled[:, mine] = X[random.permutation(len(X))][:, mine]
                losses.append(whole - macro_f1(y, pipeline.predict(shuffled)))
            groups[group] = np.array(losses)
        columns = permutation_importance(
            pipeline, X, y, scoring="f1_macro", n_repeats=_REPEATS, random_state=self.seed,
            n_jobs=self.jobs,
        )  # fmt: skip
        return groups, dict(zip(taken, columns.importances, strict=True))

    def _inside(self, train):
        """Folds by speaker inside training rows."""
        originals = np.intersect1d(train, self.splitter.originals)
        return self.splitter.by_speaker(originals, self.seed, folds=INNER_FOLDS)

    def fitted(self, tasks, what, heard=()):
        """As of `fit_folds`; but without histories a fold that was fitted before is not fitted again, and
        comes before the others."""
        missing = []
        for name, recipe, fold in tasks:
            if not heard and (kept := self._answered.get(_key(recipe, fold))):
                yield name, fold, kept[1]
            else:
                missing.append((name, recipe, fold))
        if not missing:
            return
        found = fit_folds(
            missing, self._examples, inside=self._inside, jobs=self.jobs, what=what, heard=heard
        )
        for (_, recipe, _), (name, fold, answers) in zip(missing, found, strict=True):
            if not heard:
                self._answered[_key(recipe, fold)] = recipe, answers
            yield name, fold, answers

    @cached_property
    def _answered(self):
        """By `_key`: the recipe, which must live as long as what names it does, and its answers."""
        return {}

    @property
    def _examples(self):
        split = self.splitter
        return Examples(
            self.X,
            self.labels,
            split.people,
            split.sources,
            split.voices,
            split.kinds,
            self.weights,
            split.corpora,
        )

    def _outcomes(self, tasks, what, heard=None):
        """The answers to each key's folds, together. heard: histories by condition, whose answers have the
        key (model, "protocol, condition")."""
        heard = heard or {}
        parts: dict[tuple, list] = {}
        for key, fold, (answers, *known) in self.fitted(tasks, what, list(heard.values())):
            parts.setdefault(key, []).append((fold.test, answers))
            for condition, each in zip(heard, known, strict=False):
                name, protocol = key
                parts.setdefault((name, f"{protocol}, {condition}"), []).append((fold.test, each))
        return {
            key: self.outcome(*(np.concatenate(part) for part in zip(*results, strict=True)))
            for key, results in parts.items()
        }

    @property
    def _label_names(self):
        return np.unique(self.labels)

    def outcome(self, rows, answers):
        clips, split = self.table.clips.iloc[rows], self.splitter
        return Outcome(
            rows, self.labels[rows], answers, self._label_names, split.corpora[rows],
            split.speakers[rows], clips["sex"].to_numpy(str),
        )  # fmt: skip


def _key(recipe, fold):
    return id(recipe), fold.train.tobytes(), fold.test.tobytes()


def _learns_by_epochs(pipeline) -> bool:
    return isinstance(pipeline[-1], MLPClassifier) and pipeline[-1].solver == "adam"


def choose(inside: dict[str, Outcome], sizes: dict[str, int]) -> str:
    """The model of the best macro F1, the smaller of equals. sizes: bytes of those that may be chosen."""
    scores = {name: inside[name].summary()["macro_f1"] for name in sizes if name in inside}
    return min(scores or sizes, key=lambda name: (-scores.get(name, 0), sizes[name]))
