"""One training run, and its questions: fits, searches, curves, against answers worked out by hand."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from speech_emotion.dataset.table import CLIP_COLUMNS, FeatureTable
from speech_emotion.errors import UserError
from speech_emotion.features import schema
from speech_emotion.model.profile import VoiceScaler
from speech_emotion.training import fitting, labels, robustness
from speech_emotion.training.experiment import Experiment
from speech_emotion.training.fitting import Examples, Recipe
from speech_emotion.training.protocols import Fold, Splitter

COLUMNS = [c for c in schema.COLUMNS if schema.GROUP_OF[c] in ("energy", "zcr")]


class Memory(ClassifierMixin, BaseEstimator):
    """Answers with the label of the nearest row that it was fitted to; notes each fit."""

    fits: list = []  # noqa: RUF012 of all instances: a clone's too

    def __init__(self, noise=0.0):
        self.noise = noise

    def fit(self, X, y, sample_weight=None, sources=None, voices=None, groups=None):
        self.classes_, self._X, self._y = np.unique(y), X, y
        self.fits.append({"X": X, "y": y, "weights": sample_weight, "sources": sources,
                          "voices": voices, "groups": groups, "noise": self.noise})  # fmt: skip
        return self

    def predict_proba(self, X):
        nearest = np.argmin(((X[:, None] - self._X) ** 2).sum(axis=2), axis=1)
        found = (self._y[nearest][:, None] == self.classes_).astype(float)
        turned = np.arange(len(X)) < self.noise * len(X)
        found[turned] = found[turned][:, ::-1]
        return found

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


@pytest.fixture(autouse=True)
def nothing_fitted():
    Memory.fits.clear()


def make(
    *, speakers=6, takes=5, seed=0, grid=None, balance="none", emotions=("angry", "sad"), sexes="fm"
):
    """Emotions shift the first columns by their number; every clip has a copy through noise."""
    random = np.random.default_rng(seed)
    rows, vectors = [], []
    for speaker in range(speakers):
        for number, emotion in enumerate(emotions):
            for take in range(takes):
                path = f"{speaker}_{emotion}_{take}.wav"
                row = dict.fromkeys(CLIP_COLUMNS, "") | {
                    "path": path, "corpus": "c", "speaker": str(speaker), "emotion": emotion,
                    "sex": sexes[speaker % len(sexes)],
                }  # fmt: skip
                vector = random.standard_normal(len(schema.COLUMNS)).astype(np.float32) * 0.1
                vector[: len(COLUMNS) + 40] += 3 * number
                rows += [
                    row,
                    row | {"path": f"{path}#noise", "augmentation": "noise", "source": path},
                ]
                vectors += [vector, vector + np.float32(0.01)]
    clips = pd.DataFrame(rows)
    table = FeatureTable(clips, np.array(vectors), list(schema.COLUMNS), {})
    y = clips["emotion"].to_numpy(str)
    splitter = Splitter(clips, y, np.arange(len(clips)))
    recipe = Recipe(Pipeline([("model", Memory())]), balance, 0, grid or {})
    return Experiment(table, COLUMNS, y, splitter, splitter.random(), {"memory": recipe}, 0, 1)


def test_models_take_their_columns_in_the_order_of_the_schema():
    run = make()
    places = [schema.COLUMNS.index(column) for column in COLUMNS]
    np.testing.assert_array_equal(run.X, run.table.vectors[:, places])
    run.fit()
    np.testing.assert_array_equal(Memory.fits[0]["X"], run.X[run.split.train])


def test_a_training_part_of_one_class_is_refused_by_its_name():
    run = make()
    one = np.flatnonzero(run.labels == "sad")
    with pytest.raises(UserError, match=r"one class only \(sad\)"):
        Experiment(run.table, COLUMNS, run.labels, run.splitter, Fold(one, one[:1]), {}, 0, 1)
    two = np.append(one, np.flatnonzero(run.labels == "angry")[:1])
    Experiment(run.table, COLUMNS, run.labels, run.splitter, Fold(two, one[:1]), {}, 0, 1)


def test_an_outcome_has_each_tested_rows_own_facts():
    run = make()
    outcome = run.score(run.splitter.protocols(0))["memory"]["speaker"]
    assert sorted(outcome.rows) == run.splitter.originals.tolist()
    clips = run.table.clips.iloc[outcome.rows]
    assert outcome.truth.tolist() == clips["emotion"].tolist() == outcome.predicted.tolist()
    assert outcome.speakers.tolist() == ("c/" + clips["speaker"]).tolist()
    assert outcome.sexes.tolist() == clips["sex"].tolist() and set(outcome.corpora) == {"c"}
    assert outcome.labels.tolist() == ["angry", "sad"]


def test_held_out_answers_and_paths_are_those_of_the_split():
    run = make()
    outcome = run.held_out("memory", run.fit()["memory"])
    assert outcome.rows.tolist() == run.split.test.tolist()
    assert run.held_out_paths() == run.table.clips["path"][run.split.test].tolist()


def test_the_choice_is_made_in_three_folds_inside_the_training_rows():
    run = make()
    outcome = run.score_inside()["memory"]
    assert len(Memory.fits) == 3
    assert sorted(outcome.rows) == np.intersect1d(run.split.train, run.splitter.originals).tolist()
    assert make(speakers=1).score_inside() == {}


def test_the_learning_curve_is_of_growing_shares_of_the_training_clips_each_with_its_copies():
    run = make(speakers=8, takes=20)
    sizes, scores = run.learning_curve("memory")
    assert scores.shape == (5, 3) and (scores == 1).all()
    folds = run.splitter.by_speaker(
        np.intersect1d(run.split.train, run.splitter.originals), 0, folds=3
    )
    expected = [
        [2 * round(share * len(f.train) / 2) for share in (0.1, 0.25, 0.5, 0.75, 1)] for f in folds
    ]
    assert [len(fit["y"]) for fit in Memory.fits] == [n for fold in expected for n in fold]
    assert sizes.tolist() == expected[-1]
    # the smaller part is within the larger
    rows = [set(map(tuple, fit["X"])) for fit in Memory.fits[:5]]
    assert all(smaller < larger for smaller, larger in pairwise(rows))


def test_what_was_fitted_to_choose_by_is_not_fitted_again_for_the_end_of_the_learning_curve():
    run = make(speakers=8, takes=20)
    chosen_by = run.score_inside()["memory"]
    _, scores = run.learning_curve("memory")
    assert len(Memory.fits) == 3 + 4 * 3 and scores.shape == (5, 3)
    again = run.score_inside()["memory"]
    assert len(Memory.fits) == 3 + 4 * 3
    order, other = np.argsort(again.rows), np.argsort(chosen_by.rows)
    assert again.predicted[order].tolist() == chosen_by.predicted[other].tolist()
    # another recipe's, or with histories, are
    list(run.fitted([("", run.recipes["memory"], run._inside(run.split.train)[0])], "score", [[]]))
    assert len(Memory.fits) == 3 + 4 * 3 + 1


def test_a_learning_curve_needs_three_clips_of_each_class_and_two_sizes():
    # of about 16 training clips, 3 of each class are there in the half of them or more
    sizes, _ = make(speakers=4, takes=4).learning_curve("memory")
    assert 2 <= len(sizes) < 5
    assert make(speakers=3, takes=1).learning_curve("memory") is None
    assert make(speakers=1).learning_curve("memory") is None


def test_what_a_model_does_not_look_at_costs_nothing_to_shuffle():
    run = make()
    only_zcr = np.array([schema.GROUP_OF[c] == "zcr" for c in COLUMNS])
    model = LogisticRegression(C=100).fit(run.X[run.split.train], run.labels[run.split.train])
    model.coef_[:, ~only_zcr] = 0
    model.intercept_[:] = -1.5 * model.coef_.sum()
    groups, columns = run.importance("memory", Pipeline([("model", model)]))
    assert list(groups) == ["energy", "zcr"] and list(columns) == COLUMNS
    assert all(len(losses) == 5 for losses in (*groups.values(), *columns.values()))
    assert (groups["energy"] == 0).all() and groups["zcr"].mean() > 0.3
    # of twenty or so shuffled clips of two classes about half are right
    assert groups["zcr"].mean() == pytest.approx(0.5, abs=0.2)


def test_degraded_clips_are_tested_by_models_fitted_to_the_clips_as_recorded(monkeypatch):
    run = make()
    asked = []

    def measure(clips, root, **_):
        asked.append(clips["path"].tolist())
        vectors = run.table.vectors[run.splitter.originals]
        return {"as recorded": vectors, "spoilt": 3 - vectors}

    monkeypatch.setattr(robustness, "measure", measure)
    found = run.degraded("memory", run.splitter.protocols(0), None)
    assert asked == [run.table.clips["path"][run.splitter.originals].tolist()]
    assert found["as recorded"].summary()["uar"] == 1 and found["spoilt"].summary()["uar"] == 0
    speaker = run.score(run.splitter.protocols(0))["memory"]["speaker"]
    for outcome in found.values():
        np.testing.assert_array_equal(outcome.rows, speaker.rows)
    alone = make(speakers=1)
    assert alone.degraded("memory", alone.splitter.protocols(0), None) == {}


def test_who_knows_the_voice_has_heard_it_through_the_same_room(monkeypatch):
    """A room that adds the same to every clip: it turns one emotion into the other for who hears a voice
    the first time, and next to nothing for who has heard it there before."""
    run = make()
    run.recipes["memory"] = Recipe(
        Pipeline([("scale", VoiceScaler()), ("model", Memory())]), "none", 0
    )
    vectors = run.table.vectors[run.splitter.originals]
    rooms = {"as recorded": vectors, "room": vectors + np.float32(2)}
    monkeypatch.setattr(robustness, "measure", lambda *_, **__: rooms)
    found = run.degraded("memory", run.splitter.protocols(0), None)
    known = {name: robustness.known(name) for name in rooms}
    assert list(found) == [*rooms, *known.values()]
    uar = {name: outcome.summary()["uar"] for name, outcome in found.items()}
    assert uar["as recorded"] == uar[known["as recorded"]] == uar[known["room"]] == 1
    assert uar["room"] == 0.5
    rows = robustness.table(found)
    assert list(rows.index) == list(rooms)
    assert rows["points lost"].tolist() == ["0.0", "50.0"]
    assert rows["points lost, ten known"].tolist() == ["0.0", "0.0"]


# ---- fitting --------------------------------------------------------------------------------------


def examples(y, speakers=None):
    n = len(y)
    X = np.arange(n, dtype=np.float32)[:, None]
    speakers = np.zeros(n, int) if speakers is None else np.asarray(speakers)
    sounds = np.arange(n) // 2
    return Examples(X, np.array(y), speakers, 4 * sounds, sounds, np.full(n, ""))


def test_weights_make_classes_weigh_alike_and_none_leaves_them():
    y = ["a"] * 6 + ["b"] * 2
    fitting.fit(Recipe(Pipeline([("model", Memory())]), "weights", 0), examples(y))
    fitting.fit(Recipe(Pipeline([("model", Memory())]), "none", 0), examples(y))
    weighed, plain = Memory.fits
    np.testing.assert_allclose(weighed["weights"], [8 / 12] * 6 + [2] * 2)
    assert plain["weights"] is None and plain["y"].tolist() == y


def test_a_clip_taken_twice_is_a_second_clip_and_its_copies_are_the_seconds():
    y = ["a"] * 12 + ["b"] * 4
    fitting.fit(Recipe(Pipeline([("model", Memory())]), "sampling", 3), examples(y))
    (fit,) = Memory.fits
    assert (fit["y"] == "b").sum() == (fit["y"] == "a").sum() == 12
    rows = fit["X"][:, 0].astype(int)
    times = [(rows[:place] == row).sum() for place, row in enumerate(rows)]
    for key in ("sources", "voices"):
        # rows are of one clip exactly when they were, and are taken as often
        told = {}
        for row, time, number in zip(rows, times, fit[key], strict=True):
            assert told.setdefault((row // 2, time), number) == number
        assert len(set(told.values())) == len(told)
        assert np.issubdtype(fit[key].dtype, np.integer)


def test_a_search_keeps_what_is_best_on_speakers_it_did_not_hear():
    run = make(grid={"model__noise": [0.5, 0.0, 1.0]})
    pipeline = run.fit()["memory"]
    assert pipeline[-1].noise == 0
    # three settings in three folds, and once more the best
    assert len(Memory.fits) == 10
    speakers = [set(fit["groups"]) for fit in Memory.fits]
    assert all(len(each) < len(speakers[-1]) for each in speakers[:-1])


def test_a_search_under_sampling_tries_every_repeated_clip_on_one_side():
    run = make(grid={"model__noise": [0.0, 0.5]}, balance="sampling")
    few = np.flatnonzero((run.labels == "sad") & (np.arange(len(run.labels)) % 4 == 0))
    split = Fold(np.setdiff1d(run.split.train, few), run.split.test)
    run = Experiment(run.table, COLUMNS, run.labels, run.splitter, split, run.recipes, 0, 1)
    run.fit()
    whole = set(map(tuple, Memory.fits[-1]["X"]))
    for fit in Memory.fits[:-1]:
        left_out = whole - set(map(tuple, fit["X"]))
        assert left_out and len(set(map(tuple, fit["X"]))) < len(fit["X"])


def test_a_label_that_a_fold_does_not_train_has_probability_0():
    model = Pipeline([("model", Memory().fit(np.eye(2), np.array(["a", "c"])))])
    found = fitting.probabilities(model, np.eye(2), np.array(["a", "b", "c"]))
    np.testing.assert_array_equal(found, [[1, 0, 0], [0, 0, 1]])


# ---- labels ---------------------------------------------------------------------------------------


def table_of(emotions):
    clips = pd.DataFrame([dict.fromkeys(CLIP_COLUMNS, "") | {"emotion": e} for e in emotions])
    return FeatureTable(clips, np.zeros((len(emotions), 3), np.float32), [], {})


@pytest.mark.parametrize(
    ("emotions", "name", "found", "sentence"),
    [
        (["calm", "sad", "angry"], "auto", ["neutral", "sad", "angry"],
         "seven labels, calm counted as neutral"),
        (["calm", "sad", "angry"], "eight", ["calm", "sad", "angry"], "eight labels, calm kept"),
        (["bored", "sad"], "auto", ["bored", "sad"], "the labels of the table"),
        (["bored", "sad", "calm"], "csv", ["bored", "sad", "calm"], "the labels of the table"),
        (["bored", "sad", "fear", "bored"], "seven", ["sad", "fear"],
         "seven labels, calm counted as neutral; 2 clips left out (bored)"),
        (["sad", "zeal", "fear", "bored"], "seven", ["sad", "fear"],
         "seven labels, calm counted as neutral; 2 clips left out (bored, zeal)"),
        (["bored", "sad", "fear"], "fear,bored", ["bored", "fear"],
         "the labels fear,bored; 1 clips left out (sad)"),
    ],
)  # fmt: skip
def test_a_label_set_says_what_it_did(emotions, name, found, sentence):
    kept, y, said = labels.relabel(table_of(emotions), name)
    assert y.tolist() == found and said == sentence and len(kept) == len(found)


def test_two_classes_are_enough_and_one_is_not():
    labels.relabel(table_of(["sad", "angry"]), "seven")
    with pytest.raises(UserError, match="only one class is left"):
        labels.relabel(table_of(["neutral", "calm"]), "seven")
