"""How good the shipped models are: one page, reports/accuracy.md, stamped with commit and schema.

Every model is fitted under the protocols that say something of a new voice, over several seeds, and scored
on the clips that were held out; of models that learn to know a voice, also as it becomes known. Hours of
work, kept fold by fold in a folder: the same command goes on where it stopped, and a page of what is there
so far can be had.
"""

import argparse
import hashlib
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd

from speech_emotion import __version__, cli, resources
from speech_emotion.dataset import table
from speech_emotion.features import schema
from speech_emotion.files import replacing
from speech_emotion.training import acquaintance, labels
from speech_emotion.training.candidates import CANDIDATES, columns
from speech_emotion.training.experiment import UNSEEN, Experiment
from speech_emotion.training.fitting import Recipe
from speech_emotion.training.protocols import Splitter, sounds_of
from speech_emotion.training.report import markdown

NAMES = ("voice_224", "student_224")
ABOUT = {
    "seed": "a random 70/30 split, as others publish it: the same speakers on both sides, so it flatters",
    "speaker": "five folds by speaker: nothing of a tested speaker was trained on",
    "corpus": "each corpus tested by a model that was trained on the others: a room never heard",
}
INTRODUCTION = """# How good is it?

Written by `python -m speech_emotion.checks.accuracy`; do not edit. {stamp}

Acted speech. UAR is the mean of the classes' recalls; chance is 1 / {labels} = {chance:.2f}. In brackets:
95 % bootstrap intervals over speakers, of the first seed. {seeds} Two networks that differ by their seed
alone differ by about 0.01. Settings and columns were chosen over the project's life on these very clips:
expect others to score somewhat lower. """


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="python -m speech_emotion.checks.accuracy", description=__doc__
    )
    add = parser.add_argument
    add("features", nargs="?", type=Path, default=Path("dataset/features.csv"), metavar="features.csv",
        help="default: dataset/features.csv")  # fmt: skip
    add("--models", nargs="+", default=NAMES, choices=CANDIDATES, metavar="NAME",
        help=f"default: {', '.join(NAMES)}")  # fmt: skip
    add("--protocols", nargs="+", default=list(ABOUT), choices=ABOUT, metavar="NAME",
        help=f"of {', '.join(ABOUT)} (default: all)")  # fmt: skip
    add("--seeds", type=int, default=3, metavar="N", help="42, 43 ... (default: 3)")
    add("--kept", type=Path, default=Path("reports/accuracy"), metavar="DIR",
        help="where finished folds are kept (default: reports/accuracy)")  # fmt: skip
    add("--so-far", action="store_true", help="fit nothing: write the page of what is kept")
    add("--out", type=Path, default=Path("reports/accuracy.md"), metavar="FILE",
        help="default: reports/accuracy.md")  # fmt: skip
    add("--jobs", type=int, default=-1, metavar="N", help="processes (default: one per core)")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    data, y, _ = labels.relabel(table.read(arguments.features), "seven")
    arguments.kept.mkdir(parents=True, exist_ok=True)
    found: dict[tuple[str, str, str], list] = {}
    for seed in range(42, 42 + arguments.seeds):
        for name, protocol, outcome in scored(data, y, seed, arguments):
            for condition, each in outcome.items():
                found.setdefault((name, protocol, condition), []).append(each)
    with replacing(arguments.out) as file:
        file.write(page(data, y, found, arguments))
    print(f"{arguments.out}: written")


def scored(data, y, seed, arguments):
    """(model, protocol, {condition: Outcome}) of every protocol whose folds are all there."""
    splitter = Splitter(data.clips, y, sounds_of(data.vectors))
    recipes = {n: Recipe(CANDIDATES[n].make(seed), "none", seed) for n in arguments.models}
    experiment = Experiment(
        data, columns(), y, splitter, splitter.random(), recipes, seed, arguments.jobs
    )
    heard = experiment.histories()
    protocols = [p for p in splitter.protocols(seed) if p.name in arguments.protocols]
    protocols.sort(key=lambda p: arguments.protocols.index(p.name))
    tasks = [
        (name, protocol.name, fold)
        for protocol in protocols
        for name in arguments.models
        for fold in protocol.folds
    ]
    kept = {i: arguments.kept / f"{_key(data, task, seed)}.npz" for i, task in enumerate(tasks)}
    missing = [i for i in kept if not kept[i].exists()]
    if missing and not arguments.so_far:
        wanted = [(i, recipes[tasks[i][0]], tasks[i][2]) for i in missing]
        for i, _, answers in experiment.fitted(wanted, f"seed {seed}", list(heard.values())):
            with replacing(kept[i], "wb") as file:
                np.savez_compressed(file, *answers)
    for protocol in protocols:
        for name in arguments.models:
            mine = [i for i, task in enumerate(tasks) if task[:2] == (name, protocol.name)]
            if all(kept[i].exists() for i in mine):
                yield name, protocol.name, _outcomes(experiment, protocol, [kept[i] for i in mine])


def _outcomes(experiment, protocol, paths):
    """By condition: none, and what else the folds hold."""
    parts: dict[str, list] = {}
    for path in paths:
        with np.load(path) as arrays:
            answers = [arrays[name] for name in sorted(arrays.files, key=lambda n: int(n[4:]))]
        names = (acquaintance.NONE, *acquaintance.CONDITIONS)
        for condition, each in zip(names, answers, strict=False):
            parts.setdefault(condition, []).append(each)
    rows = np.concatenate([fold.test for fold in protocol.folds])
    return {
        condition: experiment.outcome(rows, np.concatenate(each))
        for condition, each in parts.items()
        if condition == acquaintance.NONE or protocol.name in UNSEEN
    }


def _key(data, task, seed):
    """Names a fold's answers: changes with the table, the rows, the model and the code that fits it."""
    name, protocol, fold = task
    digest = hashlib.sha256(f"{name}|{protocol}|{seed}|{schema.HASH}".encode())
    digest.update(data.vectors.tobytes())
    digest.update(np.asarray(fold.train).tobytes() + b"|" + np.asarray(fold.test).tobytes())
    package = Path(resources.__file__).parent
    for part in ("acquaintance", "distillation", "estimators", "histories", "profile"):
        digest.update((package / "model" / f"{part}.py").read_bytes())
    return digest.hexdigest()[:24]


def page(data, y, found, arguments) -> str:
    clips = data.clips[data.clips["augmentation"] == ""]
    kinds = sorted(set(data.clips["augmentation"]) - {""})
    counts = clips.groupby("corpus").agg(clips=("path", "size"), speakers=("speaker", "nunique"))
    seeds = max(map(len, found.values()), default=0)
    parts = [
        INTRODUCTION.format(
            stamp=stamp(data), labels=len(set(y)), chance=1 / len(set(y)),
            seeds="One seed." if seeds == 1 else f"Means of {seeds} seeds, and their spread.",
        ),
        "## On what\n",
        markdown(counts, "corpus"),
        f"Copies in training: {', '.join(kinds) or 'none'}. Tested are clips as recorded.\n",
    ]  # fmt: skip
    for protocol, about in ABOUT.items():
        rows = {
            _row_name(found, name, condition): _scores(each, protocol)
            for (name, p, condition), each in found.items()
            if p == protocol
        }
        if rows:
            parts += [f"## {protocol}\n", f"{about[0].upper()}{about[1:]}.\n"]
            parts.append(markdown(pd.DataFrame.from_dict(rows, orient="index"), "model"))
    return "\n".join(parts)


def _row_name(found, name, condition):
    knows = any(n == name and c != acquaintance.NONE for n, _, c in found)
    if not knows:
        return name
    return f"{name}, {'nothing' if condition == acquaintance.NONE else condition} heard before"


def _scores(outcomes, protocol):
    """A row of the table: mean over seeds, its spread, and the interval of the first."""
    summaries = pd.DataFrame([outcome.summary() for outcome in outcomes])
    intervals = outcomes[0].intervals() if protocol in UNSEEN else {}
    row = {}
    for score in map(str, summaries.columns):
        if not (score.startswith("uar") or score in ("weighted_f1", "macro_f1", "ece")):
            continue
        text = f"{summaries[score].mean():.3f}"
        if len(summaries) > 1:
            text += f" ± {summaries[score].std(ddof=1):.3f}"
        if score in intervals:
            text += " ({:.3f} to {:.3f})".format(*intervals[score])
        name = score.replace("weighted_f1", "weighted F1").replace("macro_f1", "macro F1")
        row[
            name.replace("uar_", "UAR ").replace("uar", "UAR").replace("ece", "calibration error")
        ] = text
    return row


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


def run() -> None:
    """The command: `main`, with its exit codes."""
    cli.run(main)


if __name__ == "__main__":
    run()
