"""The page of accuracies: which folds are fitted and kept, and what of them is shown."""

import hashlib
import itertools
import subprocess
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from speech_emotion import __version__, resources
from speech_emotion.dataset import table
from speech_emotion.dataset.table import FeatureTable
from speech_emotion.errors import UserError
from speech_emotion.features import schema
from speech_emotion.files import replacing
from speech_emotion.training import acquaintance, labels, published
from speech_emotion.training.candidates import CANDIDATES, union
from speech_emotion.training.experiment import INNER_FOLDS, UNSEEN, Experiment
from speech_emotion.training.fitting import Recipe
from speech_emotion.training.protocols import Fold, Protocol, Splitter, sounds_of
from speech_emotion.training.report import markdown
from speech_emotion.training.scores import Outcome, calibration_error, uar

UNHEARD, NESTED, CHOSEN = "unheard", "nested", "the best inside"
PUBLISHED = "published"
ABOUT_UNHEARD = (
    "corpora that are in no training row, each tested by the models of all folds by speaker"
)
INTRODUCTION = """# How good is it?

Written by `python -m speech_emotion accuracy`; do not edit. {stamp}

UAR is the mean of the recalls of the labels that a corpus has, of answers among all {labels}; chance is one
in as many as it has. In brackets: 95 % bootstrap intervals over speakers (means of the seeds' ends). {seeds}
Two networks that differ by their seed alone differ by about 0.01. Calibration error: expected, ten bins, of
each corpus by itself. Settings and columns were chosen over the project's life on these very clips, but for
the corpora under "{unheard}": expect others to score somewhat lower. "nested", where it was run, takes that
flattery out of the choice among the models shown, and not out of their settings. What was tried, and what
each choice is worth: docs/history/choices.md.
"""


def write(arguments, about: dict[str, str]) -> None:
    """The page of what is fitted, kept and asked for. about: each protocol in words, in the page's order."""
    clips = Clips.read(arguments.features, arguments.unheard)
    arguments.kept.mkdir(parents=True, exist_ok=True)
    studies = {seed: Study(clips, seed, arguments) for seed in _seeds(arguments)}
    others = {}
    if arguments.folds:
        eight = Clips.read(arguments.features, [], "eight").in_folds_of(arguments.folds)
        others = {seed: Study(eight, seed, arguments) for seed in _seeds(arguments)}
        about = {**about, PUBLISHED: eight.protocols(42)[PUBLISHED].about}

    def of(seed, protocol):
        return others[seed] if protocol == PUBLISHED else studies[seed]

    if not arguments.so_far:
        for seed, protocol, name in _in_order(arguments):
            of(seed, protocol).fit(name, protocol)
    found: dict[tuple[str, str, str], list[Outcome]] = {}
    for seed, protocol, name in _in_order(arguments):
        for (part, condition), outcome in of(seed, protocol).outcomes(name, protocol).items():
            found.setdefault((name, part, condition), []).append(outcome)
    for study in studies.values() if NESTED in arguments.protocols else ():
        for outcome in study.chosen(arguments.models):
            found.setdefault((CHOSEN, NESTED, acquaintance.NONE), []).append(outcome)
    with replacing(arguments.out) as file:
        file.write(page(clips, found, list(studies.values()), arguments, about))
    print(f"{arguments.out}: written")


def _seeds(arguments):
    return range(42, 42 + arguments.seeds)


def _protocols(arguments):
    return [*arguments.protocols, *([PUBLISHED] if arguments.folds else [])]


def _in_order(arguments):
    return itertools.product(_seeds(arguments), _protocols(arguments), arguments.models)


@dataclass(frozen=True)
class Clips:
    """The rows of all tables, those never trained on last. trainable: how many are of the first table; the
    splitters are of those and of all rows. published: the one protocol, where its folds are others'."""

    data: FeatureTable
    labels: np.ndarray
    trainable: int
    splitter: Splitter
    all: Splitter
    published: Protocol | None = None

    @classmethod
    def read(cls, path: Path, unheard: list[Path], label_set: str = "seven") -> "Clips":
        tables, ys = [], []
        seen: set[str] = set()
        for each in (path, *unheard):
            data, y, _ = labels.relabel(table.read(each), label_set)
            corpora = set(data.clips["corpus"])
            if both := sorted(corpora & seen):
                raise UserError(
                    f"{each}: {both[0]} is in a table before it too; only corpora that are trained on "
                    "nowhere are unheard"
                )
            seen |= corpora
            tables.append(data)
            ys.append(y)
        joined = FeatureTable(
            pd.concat([each.clips for each in tables], ignore_index=True),
            np.concatenate([each.vectors for each in tables]), tables[0].columns, tables[0].info,
        )  # fmt: skip
        whole = Splitter(joined.clips, np.concatenate(ys), sounds_of(joined.vectors))
        first = Splitter(tables[0].clips, ys[0], sounds_of(tables[0].vectors))
        return cls(joined, np.concatenate(ys), len(ys[0]), first, whole)

    def in_folds_of(self, path: Path) -> "Clips":
        """The same clips, in the folds of a file that others publish."""
        paths = self.data.clips["path"].to_numpy(str)
        folds, said = published.folds(path, self.all, paths)
        about = (
            f"folds that others publish ({path.name}), each corpus trained and tested by itself, all "
            f"{len(set(self.labels))} labels; {said}"
        )
        return replace(self, published=Protocol(PUBLISHED, about, folds))

    def protocols(self, seed: int) -> dict[str, Protocol]:
        """By name. The folds by speaker test the unheard clips too."""
        if self.published:
            return {PUBLISHED: self.published}
        found = {protocol.name: protocol for protocol in self.splitter.protocols(seed)}
        never = self.all.originals[self.all.originals >= self.trainable]
        if "speaker" in found and len(never):
            folds = [
                self.all.fold(
                    np.intersect1d(fold.train, self.all.originals), np.append(fold.test, never)
                )
                for fold in found["speaker"].folds
            ]
            found["speaker"] = Protocol("speaker", found["speaker"].about, folds)
        if "speaker" in found:
            inside = itertools.chain(*self.inside(found["speaker"], seed))
            found[NESTED] = Protocol(NESTED, "inside the folds by speaker", list(inside))
        return found

    def inside(self, speaker: Protocol, seed: int) -> list[list[Fold]]:
        """Of each fold by speaker, the folds by speaker inside its training speakers."""
        return [
            self.all.by_speaker(
                np.intersect1d(fold.train, self.all.originals), seed, folds=INNER_FOLDS
            )
            for fold in speaker.folds
        ]


class Study:
    """One seed: what is to be fitted, and what was found."""

    def __init__(self, clips: Clips, seed: int, arguments):
        self._clips, self._seed, self._kept = clips, seed, arguments.kept
        used = union([CANDIDATES[n] for n in arguments.models])
        self._recipes = {n: Recipe.of(CANDIDATES[n], used, seed) for n in arguments.models}
        self._experiment = Experiment(
            clips.data, used, clips.labels, clips.all, clips.splitter.random(), self._recipes,
            seed, arguments.jobs,
        )  # fmt: skip
        self._protocols = clips.protocols(seed)
        self.candidates: list[str] = []  # of the nested choice
        self.winners: list[str] = []

    def fit(self, name: str, protocol: str) -> None:
        """The folds that are not kept yet."""
        missing = [
            (path, self._recipes[name], fold)
            for path, fold in self._folds(name, protocol)
            if not path.exists()
        ]
        if not missing:
            return
        heard = [] if protocol == NESTED else list(self._experiment.histories().values())
        what = f"{protocol}, {name}, seed {self._seed}"
        for path, _, answers in self._experiment.fitted(missing, what, heard):
            with replacing(path, "wb") as file:
                np.savez_compressed(file, *answers)

    def outcomes(self, name: str, protocol: str) -> dict[tuple[str, str], Outcome]:
        """By protocol, or UNHEARD, and condition: none, and what else the folds hold. Empty unless all folds
        are kept."""
        folds = self._folds(name, protocol)
        if protocol == NESTED or not folds or not all(path.exists() for path, _ in folds):
            return {}
        parts: dict[str, list] = {}
        for path, _ in folds:
            with np.load(path) as arrays:
                answers = [arrays[a] for a in sorted(arrays.files, key=lambda n: int(n[4:]))]
            for condition, each in zip(_CONDITIONS, answers, strict=False):
                parts.setdefault(condition, []).append(each)
        rows = np.concatenate([fold.test for _, fold in folds])
        never = rows >= self._clips.trainable
        found = {}
        for condition, each in parts.items():
            answers = np.concatenate(each)
            for part, mine in ((protocol, ~never), (UNHEARD, never)):
                known = protocol in (*UNSEEN, PUBLISHED)
                if mine.any() and (condition == acquaintance.NONE or known):
                    outcome = self._experiment.outcome(rows[mine], answers[mine])
                    found[part, condition] = outcome
        return found

    def chosen(self, names) -> list[Outcome]:
        """What the winners inside the training speakers of each fold by speaker answer to its tested ones;
        none unless all folds of two models or more are kept, among which the choice then is."""
        whole = {n: [*self._folds(n, NESTED), *self._folds(n, "speaker")] for n in names}
        names = [n for n, folds in whole.items() if folds and all(p.exists() for p, _ in folds)]
        if len(names) < 2:
            return []
        self.candidates = names
        speaker = self._protocols["speaker"]
        counts = [len(folds) for folds in self._clips.inside(speaker, self._seed)]
        ends = np.cumsum(counts)
        rows, answers = [], []
        for place, fold in enumerate(speaker.folds):
            inner = slice(ends[place] - counts[place], ends[place])
            scores = {n: self._macro_f1(self._folds(n, NESTED)[inner]) for n in names}
            winner = max(scores, key=scores.__getitem__)
            self.winners.append(winner)
            path, _ = self._folds(winner, "speaker")[place]
            heard = fold.test < self._clips.trainable
            rows.append(fold.test[heard])
            answers.append(_first(path)[heard])
        return [self._experiment.outcome(np.concatenate(rows), np.concatenate(answers))]

    def _macro_f1(self, folds):
        rows = np.concatenate([fold.test for _, fold in folds])
        answers = np.concatenate([_first(path) for path, _ in folds])
        return self._experiment.outcome(rows, answers).summary()["macro_f1"]

    def _folds(self, name, protocol) -> list[tuple[Path, Fold]]:
        if protocol not in self._protocols:
            return []
        return [
            (self._kept / f"{_key(self._clips.data, (name, protocol, fold), self._seed)}.npz", fold)
            for fold in self._protocols[protocol].folds
        ]


def _first(path: Path) -> np.ndarray:
    """A fold's answers with nothing heard before."""
    with np.load(path) as arrays:
        return arrays[min(arrays.files, key=lambda n: int(n[4:]))]


_CONDITIONS = (acquaintance.NONE, *acquaintance.CONDITIONS)


def _key(data, task, seed):
    """Names a fold's answers: changes with the columns that the model takes, the rows, the model and the code
    that fits it."""
    name, protocol, fold = task
    columns = CANDIDATES[name].columns()
    digest = hashlib.sha256(f"{name}|{protocol}|{seed}|{','.join(columns)}".encode())
    digest.update(np.ascontiguousarray(data.vectors[:, schema.places_of(columns)]).tobytes())
    digest.update(np.asarray(fold.train).tobytes() + b"|" + np.asarray(fold.test).tobytes())
    package = Path(resources.__file__).parent
    for part in ("acquaintance", "distillation", "estimators", "histories", "profile"):
        digest.update((package / "model" / f"{part}.py").read_bytes())
    return digest.hexdigest()[:24]


def page(clips: Clips, found, studies: list[Study], arguments, about) -> str:
    parts = [
        INTRODUCTION.format(
            stamp=stamp(clips.data), labels=len(set(clips.labels)), unheard=UNHEARD,
            seeds=(
                "One seed." if arguments.seeds == 1
                else f"Means of up to {arguments.seeds} seeds, and their spread."
            ),
        ),
        "## On what\n", *_on_what(clips), "## What was run\n", _was_run(found, studies, arguments),
    ]  # fmt: skip
    for protocol, words in {**about, UNHEARD: ABOUT_UNHEARD}.items():
        rows = {
            _row_name(found, name, condition): _scores(each, protocol)
            for (name, p, condition), each in found.items()
            if p == protocol
        }
        if rows:
            parts += [f"## {protocol}\n", f"{words[0].upper()}{words[1:]}.\n"]
            if protocol == NESTED:
                winners = [name for study in studies for name in study.winners]
                among = " and ".join(dict.fromkeys(n for s in studies for n in s.candidates))
                parts.append(f"Chosen among {among}.\n")
                won = ", ".join(f"{name} {count}" for name, count in Counter(winners).most_common())
                parts.append(f"The best was, of {len(winners)} times: {won}.\n")
            parts.append(markdown(pd.DataFrame.from_dict(rows, orient="index"), "model"))
    return "\n".join(parts)


def _on_what(clips):
    originals = clips.data.clips[clips.data.clips["augmentation"] == ""].assign(
        label=clips.labels[clips.all.originals]
    )
    counts = originals.groupby("corpus").agg(
        clips=("path", "size"), speakers=("speaker", "nunique"), labels=("label", "nunique")
    )
    never = set(clips.data.clips["corpus"][clips.trainable :])
    counts["trained on"] = ["no" if corpus in never else "yes" for corpus in counts.index]
    kinds = sorted(set(clips.data.clips["augmentation"]) - {""})
    return (
        markdown(counts, "corpus"),
        f"Copies in training: {', '.join(kinds) or 'none'}. Tested are clips as recorded.\n",
    )


def _was_run(found, studies, arguments):
    """Seeds complete, of those asked for: what is missing is said."""
    rows = {
        name: {
            protocol: f"{_complete(found, studies, name, protocol)} of {arguments.seeds} seeds"
            for protocol in _protocols(arguments)
        }
        for name in arguments.models
    }
    return markdown(pd.DataFrame.from_dict(rows, orient="index"), "model")


def _complete(found, studies, name, protocol):
    if protocol == NESTED:
        return sum(name in study.candidates for study in studies)
    return len(found.get((name, protocol, acquaintance.NONE), []))


def _row_name(found, name, condition):
    knows = any(n == name and c != acquaintance.NONE for n, _, c in found)
    if not knows:
        return name
    return f"{name}, {'nothing' if condition == acquaintance.NONE else condition} heard before"


def _scores(outcomes, protocol):
    """A row of the table: mean over seeds, its spread, and the mean of their intervals."""
    summaries = pd.DataFrame([_summary(outcome, protocol) for outcome in outcomes])
    ends = pd.DataFrame([outcome.intervals() for outcome in outcomes])
    intervals = {
        f"UAR {name[4:]}": np.mean(ends[name].tolist(), axis=0)
        for name in map(str, ends.columns)
        if name.startswith("uar_")
    }
    row = {}
    for score in map(str, summaries.columns):
        row[score] = f"{summaries[score].mean():.3f}"
        if len(summaries) > 1:
            row[score] += f" ± {summaries[score].std(ddof=1):.3f}"
        if score in intervals and protocol != "seed":
            row[score] += " ({:.3f} to {:.3f})".format(*intervals[score])
    return row


def _summary(outcome, protocol):
    whole = outcome.summary()
    found = {"weighted F1": whole["weighted_f1"]} if protocol == "seed" else {}
    corpora = np.unique(outcome.corpora)
    for corpus in corpora:
        found[f"UAR {corpus}"] = whole[f"uar_{corpus}"]
    for corpus in corpora if protocol == UNHEARD else ():
        found[f"UAR {corpus}, asked for its labels only"] = _among_its_own(outcome, corpus)
    correct = outcome.predicted == outcome.truth
    for corpus in corpora:
        mine = outcome.corpora == corpus
        error = calibration_error(outcome.confidence[mine], correct[mine])
        found[f"calibration error {corpus}"] = error
    return found


def _among_its_own(outcome, corpus):
    """UAR where the answer is the most probable of the labels that the corpus has."""
    mine = outcome.corpora == corpus
    own = np.isin(outcome.labels, outcome.truth[mine])
    answers = outcome.labels[own][outcome.probabilities[mine][:, own].argmax(axis=1)]
    return uar(outcome.truth[mine], answers)


def stamp(data) -> str:
    """Which code and which table a page speaks of."""
    asked = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"],
        cwd=resources.EMBEDDED, capture_output=True, text=True,
    )  # fmt: skip
    commit = f"commit {asked.stdout.strip()}" if not asked.returncode else "an installed package"
    return (
        f"Version {__version__}, {commit}, schema {schema.HASH}, features by the "
        f"{data.info['engine']} engine."
    )
