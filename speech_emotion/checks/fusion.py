"""What voice and face are worth together: nested fits over the folds of RAVDESS, fused and scored."""

import csv
import hashlib
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from speech_emotion import fusion, resources
from speech_emotion.errors import CheckFailed, UserError
from speech_emotion.files import replacing
from speech_emotion.fusion import pairing
from speech_emotion.model.profile import knows_voices
from speech_emotion.training.candidates import SHIPPED
from speech_emotion.training.scores import calibration_error, uar

FOLDS = (
    (2, 5, 14, 15, 16), (3, 6, 7, 13, 18), (10, 11, 12, 19, 20), (8, 17, 21, 23, 24), (1, 4, 9, 22),
)  # fmt: skip
"""Actors, as published with the action units."""
HISTORIES = ("10 mostly neutral", "10 mixed")
LEAST_UAR, LEAST_GAIN, MOST_ECE, LEAST_REFUSED = 0.79, 0.10, 0.05, 0.99
_RESAMPLES = 1000
_PARTS = ("acquaintance", "distillation", "estimators", "histories", "profile")


@dataclass(frozen=True)
class Nested:
    """Answers of a channel, (n, labels) each. tested: every row by the model that was not trained on its
    fold. inside[k]: the rows of the other folds, each by a model trained on neither its fold nor fold k; NaN
    for the rows of fold k."""

    tested: np.ndarray
    inside: list[np.ndarray]


def measured(arguments) -> None:
    """Prints what each voice and the face are worth.

    Raises CheckFailed where a bar is missed.
    """
    arguments.kept.mkdir(parents=True, exist_ok=True)
    failed = []
    for seed in range(42, 42 + arguments.seeds):
        study = Study(arguments, seed)
        face = study.face()
        for name in arguments.voices:
            for condition, voice in study.voice(name).items():
                found = study.fused(voice, face)
                print(f"\nseed {seed}, {name}, {condition}:")
                print(found.text())
                if name == SHIPPED and seed == 42:
                    failed += found.failures()
        failed += refused(study)
    if failed:
        raise CheckFailed("; ".join(failed))


class Study:
    """The rows of RAVDESS that have a face, and the fits over its folds. Fits are kept in files."""

    def __init__(self, arguments, seed):
        from speech_emotion.dataset import table
        from speech_emotion.training import labels
        from speech_emotion.training.candidates import CANDIDATES, union
        from speech_emotion.training.experiment import Experiment
        from speech_emotion.training.fitting import Recipe
        from speech_emotion.training.protocols import Splitter, sounds_of

        data = table.read(arguments.features)
        data = data.rows(data.clips["corpus"].to_numpy(str) == "ravdess")
        if not len(data):
            raise UserError(f"{arguments.features}: holds no clip of RAVDESS; make it with one")
        data, y, _ = labels.relabel(data, "eight")
        units = read_units(arguments.faces)
        self.arguments, self.seed, self.data, self.y = arguments, seed, data, y
        self.names = np.unique(y)
        stems = [Path(path.partition("#")[0]).stem for path in data.clips["path"]]
        missing = [stem for stem in stems if stem[3:] not in units]
        if missing:
            raise UserError(
                f"{arguments.faces}: no action units of {missing[0]}; is it the whole file?"
            )
        self.units = np.array([units[stem[3:]] for stem in stems], np.float32)
        self.splitter = Splitter(data.clips, y, sounds_of(data.vectors))
        self.rows = self.splitter.originals
        actors = np.array([int(stem[-2:]) for stem in stems])
        self.actors = actors[self.rows]
        self.fold = np.array([_fold_of(actor) for actor in actors.tolist()])
        used = union(list(CANDIDATES.values()))
        self._recipe = lambda name: Recipe.of(CANDIDATES[name], used, seed)
        self._experiment = Experiment(
            data, used, y, self.splitter, self.splitter.random(), {}, seed, arguments.jobs
        )

    @property
    def truth(self) -> np.ndarray:
        return self.y[self.rows]

    def voice(self, name: str) -> dict[str, Nested]:
        """By what was heard of the voice before."""
        heard = {}
        if knows_voices(self._recipe(name).pipeline):
            histories = self._experiment.histories()
            heard = {condition: histories[condition] for condition in HISTORIES}
        tasks = self._tasks(name)
        return self._nested(
            self.data.vectors, tasks, ["nothing heard before", *heard],
            lambda missing: self._experiment.fitted(
                [(key, self._recipe(name), fold) for key, fold in missing], name, list(heard.values())
            ),
        )  # fmt: skip

    def face(self) -> Nested:
        """Of the action units: `face_answers`, fitted anew each time, since it takes seconds."""
        shape = (len(self.rows), len(self.names))
        tested, inside = np.full(shape, np.nan), [np.full(shape, np.nan) for _ in FOLDS]
        place = self._places()
        for (_, out), fold in self._tasks("face"):
            train = np.intersect1d(
                fold.train, self.rows
            )  # copies of a sound have no face of their own
            answers = face_answers(
                self.units[train], self.y[train], self.units[fold.test], self.seed
            )
            where = self.fold[fold.test]
            if len(out) == 1:
                tested[place[fold.test]] = answers
            for k, other in (out, out[::-1]) if len(out) == 2 else ():
                mine = where == other
                inside[k][place[fold.test[mine]]] = answers[mine]
        return Nested(tested, inside)

    def _places(self):
        place = np.full(len(self.y), -1)
        place[self.rows] = np.arange(len(self.rows))
        return place

    def _tasks(self, name):
        """By which folds are left out, one or two: what is trained and what is tested."""
        fold = self.fold[self.rows]
        tasks = []
        for count in (1, 2):
            for out in combinations(range(len(FOLDS)), count):
                test = self.rows[np.isin(fold, out)]
                train = self.rows[~np.isin(fold, out)]
                tasks.append(((name, out), self.splitter.fold(train, test)))
        return tasks

    def _nested(self, inputs, tasks, conditions, fitted):
        kept = {key: self._kept(inputs, key, fold) for key, fold in tasks}
        missing = [(key, fold) for key, fold in tasks if not kept[key].exists()]
        for key, _, answers in fitted(missing) if missing else []:
            with replacing(kept[key], "wb") as file:
                np.savez_compressed(file, *answers)
        place = self._places()
        shape = (len(self.rows), len(self.names))
        tested = {c: np.full(shape, np.nan) for c in conditions}
        inside = {c: [np.full(shape, np.nan) for _ in FOLDS] for c in conditions}
        for (name, out), fold in tasks:
            with np.load(kept[name, out]) as arrays:
                answers = [arrays[f"arr_{i}"] for i in range(len(conditions))]
            where = self.fold[fold.test]
            for condition, each in zip(conditions, answers, strict=True):
                if len(out) == 1:
                    tested[condition][place[fold.test]] = each
                    continue
                for k, other in (out, out[::-1]):  # fold k is tested; the weights see `other`
                    mine = where == other
                    inside[condition][k][place[fold.test[mine]]] = each[mine]
        return {c: Nested(tested[c], inside[c]) for c in conditions}

    def _kept(self, inputs, key, fold):
        """Changes with the inputs, the rows, the model and the code that fits it."""
        digest = hashlib.sha256(f"{key[0]}|{self.seed}|{inputs.shape}".encode())
        for array in (inputs, fold.train, fold.test):
            digest.update(np.ascontiguousarray(array).tobytes() + b"|")
        package = Path(resources.__file__).parent
        for part in _PARTS:
            digest.update((package / "model" / f"{part}.py").read_bytes())
        return self.arguments.kept / f"{digest.hexdigest()[:24]}.npz"

    def fused(self, voice: Nested, face: Nested) -> "Found":
        """Both channels, each fold by weights of the others."""
        truth = np.searchsorted(self.names, self.truth)
        both = np.empty_like(voice.tested, np.float32)
        weights = []
        fold = self.fold[self.rows]
        for k in range(len(FOLDS)):
            known, mine = fold != k, fold == k
            weights.append(
                fusion.fitted(voice.inside[k][known], face.inside[k][known], truth[known])
            )
            both[mine] = fusion.fuse(voice.tested[mine], face.tested[mine], weights[-1])
        equal = fusion.fuse(voice.tested, face.tested)
        answers = {"voice": voice.tested, "face": face.tested, "both": both, "equal weights": equal}
        return Found(truth, self.actors, answers, weights)


@dataclass(frozen=True)
class Found:
    """truth: (n,) numbers; actors: (n,); answers: by name (n, labels)."""

    truth: np.ndarray
    actors: np.ndarray
    answers: dict[str, np.ndarray]
    weights: list[fusion.Weights]

    def uar(self, name: str) -> float:
        return uar(self.truth, self.answers[name].argmax(axis=1))

    def error(self, name: str) -> float:
        answers = self.answers[name]
        return calibration_error(answers.max(axis=1), answers.argmax(axis=1) == self.truth)

    def intervals(self, seed: int = 0) -> dict[str, tuple[float, float]]:
        """95 % over actors drawn with replacement: of each answer's UAR, and of the `gain`, both against the
        better channel of the very actors drawn."""
        people = np.unique(self.actors)
        drawn = np.random.default_rng(seed).multinomial(
            len(people), np.full(len(people), 1 / len(people)), _RESAMPLES
        )
        recalls = {name: self._resampled(name, people, drawn) for name in self.answers}
        recalls["gain"] = recalls["both"] - np.maximum(recalls["voice"], recalls["face"])
        return {
            name: (float(low), float(high))
            for name, (low, high) in (
                (name, np.quantile(each, [0.025, 0.975])) for name, each in recalls.items()
            )
        }

    def _resampled(self, name, people, drawn):
        right = self.answers[name].argmax(axis=1) == self.truth
        labels = np.unique(self.truth)
        hits = np.array(
            [
                [(right & (self.truth == y) & (self.actors == a)).sum() for y in labels]
                for a in people
            ]
        )
        all_ = np.array(
            [[((self.truth == y) & (self.actors == a)).sum() for y in labels] for a in people]
        )
        return ((drawn @ hits) / np.maximum(drawn @ all_, 1)).mean(axis=1)

    @property
    def gain(self) -> float:
        return self.uar("both") - max(self.uar("voice"), self.uar("face"))

    def text(self) -> str:
        intervals = self.intervals()
        lines = []
        for name in self.answers:
            low, high = intervals[name]
            lines.append(
                f"  {name:14s} UAR {self.uar(name):.3f} ({low:.3f} to {high:.3f})   "
                f"calibration error {self.error(name):.3f}"
            )
        low, high = intervals["gain"]
        lines.append(f"  gain over the better channel {self.gain:.3f} ({low:.3f} to {high:.3f})")
        voice, face = ([getattr(w, c) for w in self.weights] for c in fusion.CHANNELS)
        lines.append(
            f"  weights: voice {min(voice):.2f} to {max(voice):.2f}, face {min(face):.2f} to {max(face):.2f}"
        )
        same = self.answers["voice"].argmax(axis=1) == self.answers["face"].argmax(axis=1)
        right = self.answers["both"].argmax(axis=1) == self.truth
        lines.append(
            f"  the channels agree on {same.mean():.1%} and are then right in {right[same].mean():.1%}, else "
            f"in {right[~same].mean():.1%}"
        )
        return "\n".join(lines)

    def failures(self) -> list[str]:
        low, error = self.intervals()["gain"][0], self.error("both")
        bars = (
            (self.uar("both") >= LEAST_UAR, f"UAR {self.uar('both'):.3f} is below {LEAST_UAR}"),
            (low >= LEAST_GAIN, f"the gain's lower bound {low:.3f} is below {LEAST_GAIN}"),
            (error <= MOST_ECE, f"calibration error {error:.3f} is above {MOST_ECE}"),
        )  # fmt: skip
        return [text for held, text in bars if not held]


def refused(study: Study) -> list[str]:
    """Each actor's sentences are laid on a clock, one after another, with pauses; the faces on a clock that
    is off by some tenths of a second. Then every sentence is offered another one's face of the same actor.
    What this can show: that a face at its own time is not taken for another's. What no pairing can: a face
    of another moment under the right time."""
    random = np.random.default_rng(study.seed)
    seconds = study.data.clips["seconds"].to_numpy(float)[study.rows]
    pauses = random.uniform(0.3, 3.0, len(seconds))
    begins = np.empty(len(seconds))
    for actor in np.unique(study.actors):
        mine = study.actors == actor
        begins[mine] = np.cumsum(seconds[mine] + pauses[mine]) - seconds[mine]
    voice = np.stack([begins, begins + seconds], axis=1)
    face = voice + random.normal(0, 0.2, len(seconds))[:, None]
    order = random.permutation(len(seconds))  # how they arrive
    places = study.actors.astype(str)
    found = pairing.pairs((places, places[order]), voice, face[order])
    made = found != pairing.NOBODY
    right = int((order[found[made]] == np.flatnonzero(made)).sum())
    offered, taken = 0, 0
    for row in range(len(seconds)):
        others = np.flatnonzero(
            (study.actors == study.actors[row]) & (np.arange(len(seconds)) != row)
        )
        one = pairing.pairs(
            (places[[row]], places[others[:1]]), voice[[row]], face[[random.choice(others)]]
        )
        offered, taken = offered + 1, taken + int(one[0] != pairing.NOBODY)
    share = 1 - taken / offered
    print(
        f"\npairing, {len(seconds)} sentences of {len(np.unique(study.actors))} actors: {int(made.sum())} "
        f"pairs made, {right} of them right; of {offered} faces of another sentence of the same actor "
        f"{share:.2%} refused"
    )
    for off in (0.5, 1.0, 2.0, 5.0):
        late = pairing.pairs((places, places), voice, voice + off)
        own = int((late == np.arange(len(late))).sum())
        wrong = int((late != pairing.NOBODY).sum()) - own
        print(f"  faces {off:g} s late: {own} right, {wrong} wrong, the others alone")
    return [] if share >= LEAST_REFUSED else [f"{share:.2%} of shuffled faces refused"]


def face_answers(units, labels, tested, seed) -> np.ndarray:
    """(n, labels): logistic regression on the roots of the action units, which are skewed, and extremely
    randomised trees, as their log-linear mean."""
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    linear = make_pipeline(
        FunctionTransformer(np.sqrt), StandardScaler(), LogisticRegression(C=0.05, max_iter=500)
    )
    trees = ExtraTreesClassifier(300, max_features=0.3, random_state=seed)
    answers = [model.fit(units, labels).predict_proba(tested) for model in (linear, trees)]
    return fusion.fused_terms(answers, (0.5, 0.5))


def read_units(path: Path) -> dict[str, list[float]]:
    """By the name of the sentence without its first field (of video or sound): 35 action units."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file, delimiter=";"))
        names = [name for name in rows[0] if name.startswith("AU")]
        return {row["name"][3:]: [float(row[name]) for name in names] for row in rows}
    except (OSError, ValueError, KeyError, IndexError, TypeError, csv.Error) as error:
        raise UserError(f"{path}: no table of action units ({type(error).__name__})") from None


def _fold_of(actor):
    for number, actors in enumerate(FOLDS):
        if actor in actors:
            return number
    raise UserError(f"actor {actor}: in none of the published folds")
