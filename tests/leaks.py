"""Who is shown which rows while a training run tells its story: made-up rows that are known again anywhere.

Every row of `world`'s table is a codeword: each column is above or below its mean, by a pattern that is this
row's alone. Scaling, clipping and rounding keep the pattern, so that whatever is fitted, at whatever stage,
its rows can be named. `Recorder` wraps the `fit` of every estimator of scikit-learn, of every class of this
project that has one, and the functions that train without; and all that answers.
"""

import sys
from collections import defaultdict
from contextlib import contextmanager
from functools import wraps

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import all_estimators

from speech_emotion.dataset import table
from speech_emotion.features import schema
from speech_emotion.model import distillation
from speech_emotion.model.estimators import Int8Network
from speech_emotion.training.experiment import Experiment

GROUPS = ("energy", "intensity", "zcr", "pitch", "contrast", "modulation")
FIRST = next(i for i, column in enumerate(schema.COLUMNS) if schema.GROUP_OF[column] in GROUPS)
ABSURD = np.float32(1e6)
EMOTIONS = ("angry", "happy", "sad")
FITS = ("fit", "partial_fit", "fit_transform", "fit_predict")
ANSWERS = ("predict", "predict_proba", "predict_log_proba", "decision_function")
PHASES = (
    "score",
    "score_inside",
    "fit",
    "degraded",
    "held_out",
    "learning_curve",
    "importance",
    "epoch_curves",
)
# what may learn from rows that the saved model never sees
FOR_REPORTS = ("score", "degraded")
# what is tested on speakers nobody heard
UNHEARD = ("score_inside", "learning_curve", "search", "degraded", "epoch_curves")


def world(folder, *, speakers=4, takes=2, corpora=("savee", "tess"), spoil=()):
    """A features.csv of clips of few speakers, each with copies through noise, as another voice and before
    other speakers' clips; and with twins. Returns its path.

    spoil: paths of clips that become absurd, and all in which they are heard: each column beyond all bounds,
    the first of GROUPS' telling the label, which is another one.
    """
    random = np.random.default_rng(5)

    def vector(emotion):
        # two levels and a little noise: no column's mean is near to either; a few tell the emotion
        bits = random.integers(0, 2, len(schema.COLUMNS)) * 2 - 1
        bits[np.arange(len(bits)) % 24 == EMOTIONS.index(emotion)] = 1
        return (bits + random.uniform(-0.2, 0.2, bits.shape)).astype(np.float32)

    def spoilt(row, made):
        if not {row["path"], row["source"], *row["background"].split(table.BETWEEN)} & set(spoil):
            return row, made
        emotion = (EMOTIONS.index(row["emotion"]) + 1) % len(EMOTIONS)
        made = np.float32(-1e4) * made
        made[FIRST] = ABSURD * (1 + emotion)
        return row | {"emotion": EMOTIONS[emotion]}, made

    clips = [
        {"path": f"{corpus}/{emotion}/{speaker}_{take}.wav", "corpus": corpus, "speaker": str(speaker),
         "emotion": emotion, "seconds": "1.0"}
        for corpus in corpora for speaker in range(speakers) for emotion in EMOTIONS
        for take in range(takes)
    ]  # fmt: skip
    vectors = [vector(clip["emotion"]) for clip in clips]
    for one, other in ((0, 1), (2, 5), (8, 32), (13, 18)):  # under one label, two, of two speakers
        vectors[other] = vectors[one]

    def rows():
        for clip, made in zip(clips, vectors, strict=True):
            row = dict.fromkeys(table.CLIP_COLUMNS, "") | clip
            yield spoilt(row, made)
            others = [c["path"] for c in clips if c["speaker"] != clip["speaker"]]
            heard = table.BETWEEN.join(random.choice(others, 2, replace=False))
            for kind, background in (("noise", ""), ("pitch", ""), ("talkers", heard)):
                copy = {"path": f"{clip['path']}#{kind}", "augmentation": kind}
                copy |= {"source": clip["path"], "background": background}
                yield spoilt(row | copy, vector(clip["emotion"]))

    info = {"schema": schema.HASH, "engine": "reference", "versions": {}}
    return table.write(folder, rows(), lambda: info)


class Recorder:
    """What was fitted and what was answered with which rows of a table of `world`, and in which phase."""

    def __init__(self, path):
        read = table.read(path)
        self.clips, self.vectors = read.clips, read.vectors
        place = [i for i, c in enumerate(schema.COLUMNS) if schema.GROUP_OF[c] in GROUPS]
        self._codes = np.where(read.vectors[:, place] > 0, 1, -1).astype(np.float32)
        row_of = {clip: row for row, clip in enumerate(self.clips["path"])}
        _, sounds = np.unique(read.vectors, axis=0, return_inverse=True)
        # what each row is made of: the sounds of its clip and of those behind it
        self.parts, self.speakers = [], []
        for row in self.clips.itertuples():
            names = [row.source or row.path, *filter(None, row.background.split(table.BETWEEN))]
            self.parts.append({sounds[row_of[name]] for name in names})
            self.speakers.append({f"{c.corpus}/{c.speaker}" for c in self._named(names)})
        self.originals = set(np.flatnonzero(self.clips["augmentation"] == "").tolist())
        self.fits = []  # (phase, who, rows)
        self.answers = []  # (phase, who, rows that it was fitted to, rows that it answers)
        self._phases, self._fitting, self._answering = ["story"], [], 0
        self._learnt = defaultdict(set)  # id of an estimator -> rows
        self._kept = []  # so that no id is given twice

    def _named(self, names):
        return self.clips[self.clips["path"].isin(names)].itertuples()

    def rows_of(self, X, *, crossed=False) -> set[int]:
        """The rows of the table that the rows of X are, by their codewords. crossed: some may be made up of
        two; they are passed over."""
        X = np.asarray(X)
        width = self._codes.shape[1]
        assert X.ndim == 2 and X.shape[1] >= width, f"whose rows are these? shape {X.shape}"
        alike = np.where(X[:, :width] > 0, 1, -1).astype(np.float32) @ self._codes.T / width
        # a column or two may be constant in a small part of the table; another row agrees in half of all
        known = alike.max(axis=1) > 0.75
        assert crossed or known.all(), "rows that are not of the table"
        return set(alike[known].argmax(axis=1).tolist())

    # ---- watching ----

    def watch(self, monkeypatch):
        """From now on, until the test ends."""
        for cls in _classes():
            for name in FITS:
                self._wrap(monkeypatch, cls, name, self._learning)
            for name in ANSWERS:
                self._wrap(monkeypatch, cls, name, self._answer)
        real_of = Int8Network.of
        for name in ("trained", "trained_together"):
            self._watch_training(monkeypatch, name)

        def of(weights, biases, X, classes):
            with self._learning("Int8Network.of", None, X, crossed=True):
                return real_of(weights, biases, X, classes)

        monkeypatch.setattr(Int8Network, "of", of)
        for name in PHASES:
            monkeypatch.setattr(Experiment, name, self._phase(name, getattr(Experiment, name)))

    def _watch_training(self, monkeypatch, name):
        real = getattr(distillation, name)

        def trained(inputs, *rest):
            with self._learning(name, None, inputs, crossed=True):
                return real(inputs, *rest)

        for module in _modules():
            if vars(module).get(name) is real:
                monkeypatch.setattr(module, name, trained)

    def _phase(self, name, method):
        @wraps(method)
        def wrapper(*args, **kwargs):
            self._phases.append(name)
            try:
                return method(*args, **kwargs)
            finally:
                self._phases.pop()

        return wrapper

    def _wrap(self, monkeypatch, cls, name, note):
        original = vars(cls).get(name)
        if original is None or isinstance(original, property):
            return

        @wraps(original)
        def wrapper(instance, *args, **kwargs):
            X = args[0] if args else kwargs.get("X")
            with note(f"{cls.__name__}.{name}", instance, X):
                return original.__get__(instance, type(instance))(*args, **kwargs)

        monkeypatch.setattr(cls, name, wrapper)

    @property
    def _now(self):
        searching = any(isinstance(each, BaseSearchCV) for each in self._fitting)
        return "search" if searching else self._phases[-1]

    @contextmanager
    def _learning(self, who, instance, X, *, crossed=False):
        seen = X if isinstance(X, list) else [X]  # of one view, or of several of the same rows
        if all(np.ndim(each) == 2 for each in seen):  # else labels alone
            crossed = crossed or len(seen) > 1
            rows = set().union(*(self.rows_of(each, crossed=crossed) for each in seen))
            self.fits.append((self._phases[-1], who, rows))
            self._fitting.append(instance)
            self._kept.append(instance)
            for each in self._fitting:
                self._learnt[id(each)] |= rows
            try:
                yield
            finally:
                self._fitting.pop()
        else:
            yield

    @contextmanager
    def _answer(self, who, instance, X):
        mine = self._learnt.get(id(instance))
        if mine and not self._answering and np.ndim(X) == 2:
            asked = self.rows_of(X, crossed=self._now == "importance")  # which shuffles columns
            self.answers.append((self._now, who, frozenset(mine), asked))
        self._answering += 1
        try:
            yield
        finally:
            self._answering -= 1

    # ---- judging ----

    def leaks(self, held_out) -> list[str]:
        """What was shown to whom and should not have been, a sentence each. held_out: paths of the clips
        that the saved models are scored on."""
        held = set(np.flatnonzero(self.clips["path"].isin(held_out)).tolist())
        sounds = self._sounds(held)
        found = []
        for phase, who, rows in self.fits:
            mine = {row for row in rows if self.parts[row] & sounds}
            if phase not in FOR_REPORTS and mine:
                found.append(f"{phase}: {who} was shown {self._names(mine)}, held out")
        for phase, who, learnt, asked in self.answers:
            if phase == "epoch_curves" and asked == learnt:
                continue  # the curve of the clips trained on, and called that
            if not asked <= self.originals:
                found.append(f"{phase}: {who} is tested on copies")
            both = {row for row in asked if self._sounds({row}) & self._sounds(learnt)}
            if both:
                found.append(f"{phase}: {who} is tested on {self._names(both)}, which it has heard")
            voices = set().union(*(self.speakers[row] for row in learnt))
            if phase in UNHEARD and voices & set().union(*(self.speakers[row] for row in asked)):
                found.append(f"{phase}: {who} is tested on speakers that it has heard")
        return list(dict.fromkeys(found))

    def _sounds(self, rows):
        return set().union(*(self.parts[row] for row in rows))

    def _names(self, rows):
        return ", ".join(self.clips["path"].iloc[sorted(rows)][:3])


def _classes():
    """Every estimator that is loaded, and every class of this project that can be fitted."""
    all_estimators()  # loads them all, so that none comes later
    found, todo = set(), [BaseEstimator]
    while todo:
        cls = todo.pop()
        found.add(cls)
        todo += [each for each in cls.__subclasses__() if each not in found]
    for module in _modules():
        classes = [each for each in vars(module).values() if isinstance(each, type)]
        found |= {each for each in classes if hasattr(each, "fit")}
    return sorted(found, key=lambda cls: f"{cls.__module__}.{cls.__qualname__}")


def _modules():
    """Those of this project that are loaded."""
    return [module for name, module in sys.modules.items() if name.startswith("speech_emotion")]
