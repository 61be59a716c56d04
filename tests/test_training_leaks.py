"""No leak passes: nothing that decides the saved model ever sees a row that it is scored on.

Two ways to find out, for the whole story of train.py. `Recorder` names the rows that each fit was shown. And
where no fit is shown anything, as when a model is chosen by the wrong scores: the held-out clips become
absurd, and everything that is saved must stay the same, bit for bit, but for their scores. That both see what
they are for is tested by leaks that a careless change would make, one at a time.
"""

import inspect
import pickle
import sys
import textwrap

import numpy as np
import pytest
from leaks import ABSURD, GROUPS, Recorder, world
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.pipeline import Pipeline

from speech_emotion.commands import train
from speech_emotion.model import distillation, persistence
from speech_emotion.model.acquaintance import AcquaintedNetwork
from speech_emotion.model.distillation import DistilledNetwork
from speech_emotion.model.estimators import ClippedScaler, SnappedRandomForest
from speech_emotion.model.profile import VoiceScaler
from speech_emotion.training import (
    budget,
    candidates,
    experiment,
    fitting,
    plots,
    protocols,
    robustness,
    scores,
)
from speech_emotion.training.candidates import CANDIDATES, Candidate
from speech_emotion.training.experiment import Experiment
from speech_emotion.training.protocols import Splitter

ALL = ("forest_small", "mlp_32", "student_56", "voice_224", "linear")
PICTURES = (
    "confusion",
    "calibration",
    "importance",
    "learning_curve",
    "loss_curves",
    "score_against_bytes",
)


class Gullible(ClassifierMixin, BaseEstimator):
    """Believes what an absurd row tells of its label, and says the first label of any other."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        told = np.where(X[:, 0] > ABSURD / 2, np.rint(X[:, 0] / ABSURD) - 1, 0).astype(int)
        return np.eye(len(self.classes_))[told]

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def small(name, make, grid=None):
    return name, Candidate(name, "", make, grid=grid or {})


SMALL = dict([
    small("forest_small",
          lambda seed: candidates._forest(SnappedRandomForest(2, max_leaf_nodes=6, random_state=seed)),
          {"model__max_features": [0.1, 0.5]}),
    small("mlp_32", lambda seed: candidates._network(seed, 3, alpha=1.0)),
    small("student_56", lambda seed: Pipeline([
        ("scale", ClippedScaler()),
        ("model", DistilledNetwork((3,), members=2, crossings=1, epochs=1, random_state=seed)),
    ])),
    small("voice_224", lambda seed: Pipeline([
        ("scale", VoiceScaler()),
        ("model", AcquaintedNetwork((3,), members=1, crossings=1, epochs=1, views=2, landmarks=20,
                                    random_state=seed)),
    ])),
    small("linear", CANDIDATES["linear"].make, {"model__C": [0.001, 0.01]}),
    small("gullible", lambda seed: Pipeline([("model", Gullible())])),
])  # fmt: skip


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    return world(tmp_path_factory.mktemp("world"))


@pytest.fixture
def story(tmp_path, monkeypatch):
    """Runs train.py's main in this process, with small models and blank pictures; returns what it saved:
    {name: (pipeline, facts)}."""
    for name, candidate in SMALL.items():
        monkeypatch.setitem(CANDIDATES, name, candidate)
    for module, name, value in (
        (distillation, "LEAST_STEPS", 2), (experiment, "_REPEATS", 1), (scores, "_RESAMPLES", 2),
        (plots, "save", lambda figure, path: path), *((plots, name, lambda *_: None) for name in PICTURES),
        (budget, "fits", lambda found, *_, **__: {n: budget.Fit(1000, 1000, 1000, "") for n in found}),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, value)
    saved = {}

    def save(pipeline, path, facts):
        saved[path.stem] = pipeline, facts

    monkeypatch.setattr(persistence, "save", save)

    def run(features, *options):
        saved.clear()
        folders = ("--out", tmp_path, "--reports", tmp_path)
        arguments = (features, "--groups", *GROUPS, "--jobs", 1, *folders, *options)
        monkeypatch.setattr(sys, "argv", ["train.py", *map(str, arguments)])
        train.main()
        return dict(saved)

    return run


@pytest.fixture
def leaks(story, features, monkeypatch):
    """Runs the story and returns the leaks that a `Recorder` found, and the recorder."""
    recorder = Recorder(features)

    def measure(clips, root, **_):
        return dict.fromkeys(robustness.CONDITIONS[:2], recorder.vectors[clips.index])

    monkeypatch.setattr(robustness, "measure", measure)

    def run(*options):
        recorder.watch(monkeypatch)
        saved = story(features, *options)
        return recorder.leaks(saved["model"][1]["held_out"]), recorder

    return run


@pytest.fixture
def differences(story, features, tmp_path):
    """Runs the story twice, the second time with held-out clips that are absurd; returns what differs."""

    def run(*options):
        saved = story(features, *options)
        held_out = saved["model"][1]["held_out"]
        absurd = story(world(tmp_path / "absurd", spoil=held_out), *options)
        found = []
        for name in saved.keys() & absurd.keys() - {"model"}:
            (pipeline, facts), (other, others) = saved[name], absurd[name]
            if pickle.dumps(pipeline) != pickle.dumps(other):
                found.append(f"fit of {name}")
            found += [
                f"{key} of {name}"
                for key in facts
                if key not in ("scores", "intervals", "unseen")  # these are of the held-out clips
                and facts[key] != others[key]
            ]
        chosen, instead = saved["model"][1]["name"], absurd["model"][1]["name"]
        return found + [f"choice: {chosen}, then {instead}"] * (chosen != instead)

    return run


@pytest.mark.parametrize(
    "options",
    [
        ("--models", *ALL, "--robustness", "."),
        ("--models", "forest_small", "linear", "--search", "--balance", "sampling"),
        ("--models", "student_56", "mlp_32", "--split", "speaker", "--balance", "weights"),
    ],
)
def test_no_fit_is_ever_shown_a_row_that_its_model_is_scored_on(leaks, options):
    found, recorder = leaks(*options)
    assert found == []
    # every level was there to be seen
    fitted = {(phase, who) for phase, who, _ in recorder.fits}
    asked = {phase for phase, *_ in recorder.answers}
    assert {"score", "score_inside", "fit", "learning_curve"} <= {phase for phase, _ in fitted}
    assert {"score", "score_inside", "held_out", "learning_curve", "importance"} <= asked
    assert ("degraded" in asked) == ("--robustness" in options)
    assert ("search" in asked) == ("--search" in options)
    steps = {"ClippedScaler.fit"}
    steps |= (
        {"AppendDiscriminants.fit", "Int16Quantiser.fit"} if "forest_small" in options else set()
    )
    steps |= {"Teacher.fit", "trained", "Int8Network.of"} if "student_56" in options else set()
    steps |= (
        {"LandmarkTeacher.fit", "VoiceScaler.fit", "trained_together"}
        if "voice_224" in options
        else set()
    )
    for phase in ("score", "score_inside", "fit"):
        assert {(phase, step) for step in steps} <= fitted


@pytest.mark.parametrize(
    "options",
    [
        ("linear", "gullible", "forest_small", "student_56", "voice_224"),
        ("linear", "gullible", "--search"),
        ("linear", "gullible", "--split", "speaker"),
    ],
)
def test_what_is_saved_does_not_depend_on_the_held_out_clips(differences, options):
    assert differences("--models", *options) == []


def careless(monkeypatch, owner, name, old, new):
    """Changes the source of a function or method as a careless edit would."""
    function = getattr(owner, name)
    source = textwrap.dedent(inspect.getsource(function))
    assert source.count(old) == 1, f"{name} has changed: {old}"
    namespace = dict(function.__globals__)
    exec(compile(source.replace(old, new), f"<careless {name}>", "exec"), namespace)
    monkeypatch.setattr(owner, name, namespace[name])


@pytest.mark.parametrize(
    ("edit", "options", "said"),
    [
        pytest.param(edit, options.split(), said, id=name)
        for name, edit, options, said in (
            ("fitted on all rows",
             (Experiment, "fit", "self.split.train", "np.arange(len(self.labels))"),
             "linear", "fit: ClippedScaler.fit was shown"),
            ("scaler fitted on all rows",
             (fitting, "_fit", "return fit(", "clone(recipe.pipeline[0]).fit(examples.X)\n    return fit("),
             "linear", "score_inside: ClippedScaler.fit was shown"),
            ("teacher taught all rows",
             (fitting, "_fit", "return fit(",
              "DistilledNetwork((3,), epochs=1).fit(examples.X, examples.y)\n    return fit("),
             "linear", "fit: Teacher.fit was shown"),
            ("inner folds over all rows",
             (Experiment, "_inside", "np.intersect1d(train, self.splitter.originals)",
              "self.splitter.originals"),
             "linear", "score_inside: Pipeline.fit was shown"),
            ("inner folds over clips, not speakers",
             (Splitter, "by_speaker", "split.split(rows, labels, people)",
              "split.split(rows, labels, np.arange(len(rows)))"),
             "linear", "score_inside: Pipeline.predict_proba is tested on speakers that it has heard"),
            ("learning curve of all rows",
             (Experiment, "learning_curve", "np.intersect1d(fold.train, self.splitter.originals)",
              "self.splitter.originals"),
             "linear", "learning_curve: Pipeline.fit was shown"),
            ("search tried on rows it learnt",
             (fitting, "fit", "(fold.train, fold.test) for", "(np.arange(len(y)), fold.test) for"),
             "linear --search", "search: Pipeline.predict is tested on"),
            ("search tried on copies",
             (fitting, "fit", "folds = [(fold.train, fold.test) for fold in inside]",
              "folds = 2"),
             "linear --search", "search: Pipeline.predict is tested on copies"),
            ("tested rows trained on",
             (Experiment, "score", "in protocol.folds",
              "in (Fold(np.concatenate([f.train, f.test]), f.test) for f in protocol.folds)"),
             "linear", "score: Pipeline.predict_proba is tested on"),
            ("robustness of a model that heard the clips",
             (Experiment, "degraded", "p.folds]",
              "(Fold(self.splitter.originals, f.test) for f in p.folds)]"),
             "linear --robustness .", "degraded: Pipeline.predict_proba is tested on"),
            ("copies of tested clips",
             (Splitter, "fold", "np.array([parts <= known for parts in self._parts], bool)",
              "np.ones(len(self.copies), bool)"),
             "linear", "fit: ClippedScaler.fit was shown"),
            ("tested clips in the background",
             (Splitter, "fold", "parts <= known for", "bool(parts & known) for"),
             "linear", "fit: ClippedScaler.fit was shown"),
            ("twins",
             (protocols, "sounds_of", "return np.unique(",
              "return np.arange(len(rows)) if 1 else np.unique("),
             "linear", "fit: ClippedScaler.fit was shown"),
        )
    ],
)  # fmt: skip
def test_a_row_that_is_shown_is_seen_and_the_level_named(leaks, monkeypatch, edit, options, said):
    careless(monkeypatch, *edit)
    found, _ = leaks("--models", *options)
    assert any(each.startswith(said) for each in found), found


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        pytest.param(edit, said, id=name)
        for name, edit, said in (
            ("fitted on all rows",
             (Experiment, "fit", "self.split.train", "np.arange(len(self.labels))"), "fit of linear"),
            ("chosen on all clips",
             (train, "train", "choose(inside,",
              'choose({name: by["speaker"] for name, by in outcomes.items()},'),
             "choice: linear, then gullible"),
            ("chosen on the held-out clips",
             (train, "train", "choose(inside,",
              "choose({n: experiment.held_out(n, p) for n, p in pipelines.items()},"),
             "choice: linear, then gullible"),
            ("threshold from the held-out rows",
             (train, "train", "inside[name].threshold()", "held_out[name].threshold()"),
             "threshold of linear"),
            ("threshold from all rows",
             (train, "train", "inside[name].threshold()", 'outcomes[name]["speaker"].threshold()'),
             "threshold of linear"),
        )
    ],
)  # fmt: skip
def test_what_depends_on_the_held_out_clips_is_named(differences, monkeypatch, edit, said):
    careless(monkeypatch, *edit)
    assert said in differences("--models", "linear", "gullible")
