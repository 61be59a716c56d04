#!/usr/bin/env python3
"""From features.csv to models/<name>.joblib and reports/: every model scored under every honest protocol.

Each model is fitted many times, under the protocols of DESIGN.md, and once more on the training part of
--split: that one is saved, and the score printed beside it is its own, on the clips held out from it.
"""

import argparse
from pathlib import Path

import joblib
import numpy as np
from sklearn.inspection import permutation_importance
from sklearn.metrics import f1_score

from common import cli
from common.errors import UserError
from common.files import writable_folder
from features import schema, table
from training import labels, persistence, plots, report
from training.candidates import CANDIDATES
from training.fitting import BALANCES, Recipe, fit, fit_folds
from training.protocols import Splitter
from training.scores import Outcome, macro_f1
from training.size import parameter_bytes

EXAMPLES = """examples:
  python train.py dataset/features.csv
  python train.py dataset/features.csv --models mlp_64 forest --labels eight
  python train.py dataset/features.csv --split speaker --balance weights
"""


def parse_arguments():
    models = "\n".join(f"  {c.name:13s} {c.about}" for c in CANDIDATES.values())
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=f"models:\n{models}\n\n{EXAMPLES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add = parser.add_argument
    add("features", nargs="?", type=Path, default=Path("dataset/features.csv"), metavar="features.csv",
        help="default: dataset/features.csv")  # fmt: skip
    add(
        "--models",
        nargs="+",
        default=list(CANDIDATES),
        metavar="NAME",
        help="default: all, see below",
    )
    add("--labels", default="auto", metavar="SET",
        help="seven (calm counts as neutral), eight, csv (as they are), or labels joined by commas "
        "(default: seven where the table holds these emotions, else csv)")  # fmt: skip
    add("--split", choices=("random", "speaker"), default="random",
        help="what the saved models are scored on: 30 %% of the clips, as others publish, or 30 %% of the "
        "speakers (default: random)")  # fmt: skip
    add("--balance", choices=BALANCES, default="none",
        help="classes of unequal size: weigh them alike, repeat clips of the rarer, or take them as they are "
        "(default: none)")  # fmt: skip
    add("--search", action="store_true",
        help="search each model's settings exhaustively, in folds by speaker inside the training rows "
        "(about 20 times longer)")  # fmt: skip
    add("--out", type=Path, default=Path("models"), metavar="DIR", help="default: models")
    add("--reports", type=Path, default=Path("reports"), metavar="DIR", help="default: reports")
    add("--jobs", type=int, default=-1, metavar="N", help="processes (default: one per core)")
    add("--seed", type=int, default=42, help="of folds and models (default: 42)")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    unknown = [name for name in arguments.models if name not in CANDIDATES]
    if unknown:
        raise UserError(f"--models {unknown[0]}: no such model; there are {', '.join(CANDIDATES)}")
    features = table.read(arguments.features)
    features, y, label_set = labels.relabel(features, arguments.labels)
    models, reports = writable_folder(arguments.out), writable_folder(arguments.reports)
    splitter = Splitter(features.clips, y)
    split = splitter.random() if arguments.split == "random" else splitter.speaker(arguments.seed)
    _need_classes(y[split.train])
    recipes = {name: _recipe(CANDIDATES[name], arguments) for name in arguments.models}
    data = (features.vectors, y, splitter.speakers)

    protocols = splitter.protocols(arguments.seed)
    outcomes = score(recipes, protocols, data, splitter, arguments.jobs)
    chosen = choose(recipes, split, data, splitter, arguments)
    held_out, fitted = save(recipes, split, data, splitter, features, label_set, models, arguments)

    study = report.Study(
        features, sorted(set(y)), label_set, arguments.balance, arguments.split, protocols, outcomes,
        held_out, {name: parameter_bytes(pipeline) for name, pipeline in fitted.items()}, chosen,
    )  # fmt: skip
    pictures = draw(study, recipes, fitted, split, data, splitter, reports, arguments)
    report.write(study, reports, pictures)

    print(study.overview().to_string())
    if study.is_synthetic:
        print(report.SYNTHETIC_WARNING)
    print(f"best to flash: {models / chosen}.joblib; all scores and plots: {reports / 'report.md'}")


def _recipe(candidate, arguments):
    grid = candidate.grid if arguments.search else {}
    return Recipe(candidate.make(arguments.seed), arguments.balance, arguments.seed, grid)


def _need_classes(y):
    if len(set(y)) < 2:
        raise UserError(f"the training part holds one class only ({y[0]}); more clips are needed")


def score(recipes, protocols, data, splitter, jobs):
    """Every model under every protocol: outcomes[model][protocol], every tested row once."""
    tasks = [
        ((name, protocol.name), recipe, fold)
        for name, recipe in recipes.items()
        for protocol in protocols
        for fold in protocol.folds
    ]
    parts = {}
    for key, fold, predicted in fit_folds(tasks, *data, jobs=jobs, what="score"):
        parts.setdefault(key, []).append((fold.test, predicted))
    outcomes = {name: {} for name in recipes}
    for (name, protocol), results in parts.items():
        rows = np.concatenate([test for test, _ in results])
        predicted = np.concatenate([answer for _, answer in results])
        outcomes[name][protocol] = Outcome(rows, data[1][rows], predicted, splitter.corpora[rows])
    return outcomes


def choose(recipes, split, data, splitter, arguments):
    """The exportable model with the best macro F1 over folds by speaker inside the training part."""
    exportable = [name for name in recipes if CANDIDATES[name].exportable]
    if len(exportable) <= 1:
        return (exportable or list(recipes))[0]
    originals = np.intersect1d(split.train, splitter.originals)
    folds = splitter.by_speaker(originals, arguments.seed, folds=3)
    if not folds:
        return exportable[0]
    tasks = [(name, recipes[name], fold) for name in exportable for fold in folds]
    scores = {name: [] for name in exportable}
    for name, fold, predicted in fit_folds(tasks, *data, jobs=arguments.jobs, what="choose"):
        scores[name].append(macro_f1(data[1][fold.test], predicted))
    return max(exportable, key=lambda name: np.mean(scores[name]))


def save(recipes, split, data, splitter, features, label_set, folder, arguments):
    """Fit each model on the training part, score it on the rest, write model and JSON."""
    X, y, speakers = data
    calls = (
        joblib.delayed(fit)(recipe, X[split.train], y[split.train], speakers[split.train])
        for recipe in recipes.values()
    )
    results = joblib.Parallel(n_jobs=arguments.jobs, return_as="generator")(calls)
    outcomes, fitted = {}, {}
    for name, pipeline in zip(
        recipes, cli.progress(results, total=len(recipes), what="save", unit="model"), strict=True
    ):
        predicted = pipeline.predict(X[split.test])
        outcome = Outcome(split.test, y[split.test], predicted, splitter.corpora[split.test])
        fitted[name], outcomes[name] = pipeline, outcome
        info = {
            "name": name,
            "about": CANDIDATES[name].about,
            "labels": pipeline.classes_.tolist(),
            "label_set": label_set,
            "columns": list(schema.COLUMNS),
            "engine": features.info["engine"],
            "corpora": sorted(set(features.clips["corpus"])),
            "split": arguments.split,
            "balance": arguments.balance,
            "seed": arguments.seed,
            "trained_on": len(split.train),
            "scores": outcome.summary(),
            "held_out": features.clips["path"].to_numpy()[split.test].tolist(),
        }
        persistence.save(pipeline, folder / f"{name}.joblib", info)
    return outcomes, fitted


def draw(study, recipes, fitted, split, data, splitter, folder, arguments):
    """All plots; returns their file names in the order of the report."""
    X, y, _ = data
    names = []

    def keep(figure, name):
        names.append(plots.save(figure, folder / name).name)

    for model, outcomes in study.outcomes.items():
        shown = {name: outcomes[name] for name in ("seed", "speaker") if name in outcomes}
        keep(plots.confusion(shown, model), f"confusion_{model}.png")
    scored = "speaker" if all("speaker" in o for o in study.outcomes.values()) else "seed"
    points = {
        n: (study.bytes[n], o[scored].summary()["macro_f1"]) for n, o in study.outcomes.items()
    }
    keep(
        plots.score_against_bytes(points, "KB of parameters (estimate)"), "score_against_bytes.png"
    )
    curves = {n: p[-1].loss_curve_ for n, p in fitted.items() if hasattr(p[-1], "loss_curve_")}
    if curves:
        keep(plots.loss_curves(curves), "loss_curve.png")

    best, chosen = fitted[study.chosen], study.chosen
    groups, columns = importance(best, X[split.test], y[split.test], arguments)
    keep(plots.importance(groups, columns, f"{chosen}: what it listens to"), "importance.png")
    curve = learning_curve(recipes[chosen], split, data, splitter, arguments)
    if curve:
        title = f"{chosen}: would more clips help?"
        keep(plots.learning_curve(*curve, title), "learning_curve.png")
    return names


def learning_curve(recipe, split, data, splitter, arguments):
    """Macro F1 on unseen speakers for growing parts of the training rows: sizes (k,), scores (k, folds)."""
    random = np.random.default_rng(arguments.seed)
    originals = np.intersect1d(split.train, splitter.originals)
    tasks = []
    for fold in splitter.by_speaker(originals, arguments.seed, folds=3):
        shuffled = random.permutation(np.intersect1d(fold.train, originals))
        for share in (0.1, 0.25, 0.5, 0.75, 1.0):
            part = np.sort(shuffled[: max(int(share * len(shuffled)), 2)])
            if len(set(data[1][part])) > 1:
                tasks.append((share, recipe, splitter.fold(part, fold.test)))
    sizes, scores = {}, {}
    for share, fold, predicted in fit_folds(tasks, *data, jobs=arguments.jobs, what="learn"):
        sizes[share] = len(fold.train)
        scores.setdefault(share, []).append(macro_f1(data[1][fold.test], predicted))
    whole = {share: values for share, values in scores.items() if len(values) == 3}
    if not whole:
        return None
    return np.array([sizes[share] for share in whole]), np.array(list(whole.values()))


def importance(pipeline, X, y, arguments, repeats=5):
    """Macro F1 lost when a group of columns, and when one column, is shuffled over the held-out clips."""
    random = np.random.default_rng(arguments.seed)
    whole = f1_score(y, pipeline.predict(X), average="macro")
    groups = {}
    for group in schema.GROUPS:
        mine = [i for i, column in enumerate(schema.COLUMNS) if schema.GROUP_OF[column] == group]
        groups[group] = np.empty(repeats)
        for repeat in range(repeats):
            shuffled = X.copy()
            shuffled[:, mine] = X[random.permutation(len(X))][:, mine]
            groups[group][repeat] = whole - f1_score(y, pipeline.predict(shuffled), average="macro")
    result = permutation_importance(
        pipeline,
        X,
        y,
        scoring="f1_macro",
        n_repeats=repeats,
        random_state=arguments.seed,
        n_jobs=arguments.jobs,
    )
    return groups, dict(zip(schema.COLUMNS, result.importances, strict=True))


if __name__ == "__main__":
    cli.run(main)
