"""From features.csv to models/<name>.joblib and reports/: every model scored under every honest protocol.

Each model is fitted many times, under several protocols, and once more on the training part of
--split: that one is saved, and the score printed beside it is its own, on the clips held out from it.
"""

import argparse
from pathlib import Path

from speech_emotion import cli, names, parallel
from speech_emotion.commands import mistakes, steps
from speech_emotion.errors import CheckFailed, UserError
from speech_emotion.features import schema
from speech_emotion.files import writable_folder
from speech_emotion.measure.chips import CHIPS
from speech_emotion.training.candidates import BALANCES, CANDIDATES, columns, default_names, union

EXAMPLES = """examples:
  python train.py dataset/features.csv
  python train.py dataset/features.csv --models mlp_64 forest --labels eight
  python train.py dataset/features.csv --split speaker --balance weights
  python train.py mine/features.csv --add-corpora dataset/features.csv --fit all   # own recordings
"""


def parse_arguments():
    models = "\n".join(f"  {c.name:19s} {c.about}" for c in CANDIDATES.values())
    parser = cli.Parser(
        description=__doc__, epilog=f"models:\n{models}\n\n{EXAMPLES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add = parser.add_argument
    add("features", nargs="?", type=Path, default=Path("dataset/features.csv"), metavar="features.csv",
        help="default: dataset/features.csv")  # fmt: skip
    add(
        "--models",
        nargs="+",
        metavar="NAME",
        help=f"default: {', '.join(default_names(paced=False))}; with --chip those with the encoder too",
    )
    add("--labels", default="auto", metavar="SET",
        help="seven (calm counts as neutral), eight, csv (as they are), or labels joined by commas "
        "(default: seven where the table holds these emotions, else csv)")  # fmt: skip
    add("--estimator", nargs="+", default=[], metavar="MODULE:OBJECT",
        help="also score estimators of your own: a scikit-learn classifier, pipeline, or a function "
        "that makes "
        "one; neither saved nor exported")  # fmt: skip
    add("--groups", nargs="+", metavar="GROUP",
        help=f"train on these descriptors only, of {', '.join(schema.GROUPS)}: the chip computes no others "
        "(default: all but chroma, voice, hnr, fine MFCCs, mean mel levels and relative RMS; "
        "the encoder with models that are named after it)")  # fmt: skip
    add("--split", choices=("random", "speaker"), default="random",
        help="what the saved models are scored on: 30 %% of the clips, as others publish, or 30 %% of the "
        "speakers (default: random)")  # fmt: skip
    add("--fit", choices=("split", "all"), default="split",
        help="what the saved models are trained on: the training part of --split, so that the very model was "
        "scored; or, once its scores are known, every clip (default: split)")  # fmt: skip
    add("--add-corpora", type=Path, metavar="TABLE",
        help="mix in the features.csv of public corpora: their clips of your labels train too, and yours "
        "count as much as all of theirs")  # fmt: skip
    add("--balance", choices=BALANCES, default="none",
        help="classes of unequal size: weigh them alike, repeat clips of the rarer, or take them as they are "
        "(default: none)")  # fmt: skip
    add("--flash-kb", type=float, default=256, metavar="K",
        help="choose only models that fit into so much flash, code included (default: 256)")  # fmt: skip
    add("--ram-kb", type=float, default=256, metavar="K", help="and so much RAM (default: 256)")
    add("--chip", choices=CHIPS, metavar="NAME",
        help=f"and keep up on this chip, of {', '.join(CHIPS)}: instructions are counted in an emulator, as "
        "python -m measure does (default: not counted)")  # fmt: skip
    add("--search", action="store_true",
        help="search each model's settings exhaustively, in folds by speaker inside the training rows "
        "(about 20 times longer)")  # fmt: skip
    add("--robustness", type=Path, metavar="DIR",
        help="also score the chosen model on these clips (the corpora folder) under noise, low level, a "
        "telephone's band and a cheap microphone, in folds by speaker")  # fmt: skip
    add("--out", type=Path, default=Path("models"), metavar="DIR", help="default: models")
    add("--reports", type=Path, default=Path("reports"), metavar="DIR", help="default: reports")
    add("--show", type=Path, metavar="DIR",
        help="also draw a clip of each emotion from this corpora folder: waveform, spectrogram, "
        "MFCCs")  # fmt: skip
    add("--pictures", choices=("png", "svg", "pdf"), default="png",
        help="format of the pictures in the reports; svg and pdf are drawn in lines, for print "
        "(default: png)")  # fmt: skip
    add("--jobs", type=int, default=-1, metavar="N", help="processes (default: one per core)")
    add("--scheduler", metavar="ADDRESS",
        help="fit on a running Dask cluster, e.g. tcp://10.0.0.1:8786, whose scheduler and workers have this "
        "package installed; needs: pip install 'speech-emotion[scheduler]'")  # fmt: skip
    add("--seed", type=int, default=42, help="of folds and models (default: 42)")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    arguments.models = arguments.models or default_names(paced=arguments.chip is not None)
    unknown = [name for name in arguments.models if name not in CANDIDATES]
    if unknown:
        raise UserError(f"--models {unknown[0]}: no such model; there are {', '.join(CANDIDATES)}")
    if arguments.jobs == 0:
        raise UserError("--jobs 0: give a number of processes, or -1 for all cores")
    columns(arguments.groups)  # refuses groups that there are not
    arguments.features = mistakes.table(arguments.features)
    if arguments.add_corpora is not None:
        arguments.add_corpora = mistakes.table(arguments.add_corpora)
    if arguments.chip is not None:
        from speech_emotion.training import budget  # now, as what it needs may be missing

        budget.check(arguments.chip)
    mistakes.corpora(arguments.robustness, option="--robustness")
    mistakes.corpora(arguments.show, option="--show")
    models, reports = writable_folder(arguments.out), writable_folder(arguments.reports)
    with parallel.on_cluster(arguments.scheduler):
        train(arguments, models, reports)
    steps.show("train", features=arguments.features, model=models / "model.joblib")


def train(arguments, models, reports):
    """What the command is for, once its arguments are good."""
    # imported when asked for: --help and a wrong argument need neither pandas nor scikit-learn
    from speech_emotion.dataset import table
    from speech_emotion.model import persistence
    from speech_emotion.training import budget, exports, guests, labels, mixing, plots, report
    from speech_emotion.training.experiment import Experiment, choose
    from speech_emotion.training.protocols import Splitter, sounds_of

    features, weights, mixed = table.read(arguments.features), None, ""
    if arguments.add_corpora is not None:
        features, own, mixed = mixing.mix(features, table.read(arguments.add_corpora))
        print(mixed)
    features, y, label_set = labels.relabel(features, arguments.labels)
    if arguments.add_corpora is not None:
        weights = mixing.weights(features.clips["path"].isin(own).to_numpy())

    splitter = Splitter(features.clips, y, sounds_of(features.vectors))
    twins = splitter.twins()
    for sentence in filter(None, (twins, splitter.recordings())):
        print(sentence)
    split = splitter.random() if arguments.split == "random" else splitter.speaker(arguments.seed)
    named = [CANDIDATES[name] for name in arguments.models]
    named += [guests.candidate(spec) for spec in arguments.estimator]
    own_estimators = {candidate.name: candidate for candidate in named[len(arguments.models) :]}
    used = union(named, arguments.groups)
    recipes = {candidate.name: recipe(candidate, used, arguments) for candidate in named}
    experiment = Experiment(
        features,
        used,
        y,
        splitter,
        split,
        recipes,
        arguments.seed,
        arguments.jobs,
        weights,
    )

    protocols = splitter.protocols(arguments.seed)
    outcomes = experiment.score(protocols)
    inside = experiment.score_inside()
    if arguments.search and not inside:
        print("--search: no speaker of the training part can be left out; nothing was searched")
    pipelines = experiment.fit()
    shipped = experiment.fit_to_all() if arguments.fit == "all" else pipelines
    for name in own_estimators:  # scored, and no more
        del shipped[name]
        pipelines.pop(name, None)
    taken = {name: experiment.columns_of(name) for name in shipped}
    sizes = budget.fits(shipped, taken, flash_kb=arguments.flash_kb, chip=arguments.chip)
    chosen = choose(inside, affordable(sizes, arguments))
    degraded = {}
    if arguments.robustness:
        degraded = experiment.degraded(chosen, protocols, arguments.robustness)
    held_out = {name: experiment.held_out(name, pipeline) for name, pipeline in pipelines.items()}
    for name, pipeline in shipped.items():
        facts = facts_of(name, pipeline, experiment, label_set, held_out[name], arguments)
        facts |= unseen_facts(outcomes[name].get("speaker"))
        if name in inside:
            facts["threshold"] = round(inside[name].threshold(), 4)
        persistence.save(pipeline, models / f"{name}.joblib", facts)
        if name == chosen:
            persistence.save(pipeline, models / "model.joblib", facts)

    study = report.Study(
        features, sorted(set(y)), label_set, arguments.balance, arguments.split, protocols, outcomes,
        held_out, sizes, (arguments.flash_kb, arguments.ram_kb), chosen, degraded, twins,
        arguments.fit, mixed, budget.in_words(arguments.chip) if arguments.chip else "",
    )  # fmt: skip
    exports.write(reports, features.clips, protocols, outcomes)
    pictures = plots.draw(study, experiment, pipelines, reports, arguments.pictures)
    if arguments.show is not None:
        pictures.insert(0, show(features.clips, y, arguments.show, reports, arguments.pictures))
    report.write(study, reports, pictures)
    print(study.overview_text().T.to_string(na_rep="-"))
    print(study.size_table().to_string(na_rep="-"))
    known = study.known_table(chosen)
    if len(known):
        print(f"{chosen}, UAR as a voice becomes known, by sentences heard before:")
        print(known.round(3).to_string(na_rep="-"))
    for line in study.meaning():
        print(names.terminal(line))
    if arguments.fit == "all":
        print(report.FITTED_TO_ALL)
    if study.is_synthetic:
        print(report.SYNTHETIC_WARNING)
    if study.is_studio:
        print(report.STUDIO_WARNING)
    print(f"best exportable: {chosen}, also in {models / 'model.joblib'}")
    if (pace := sizes[chosen].pace) and (warning := pace.warning(chosen, arguments.chip)):
        print(warning)
    print(f"all scores, plots and the model card: {reports / 'report.md'}")


def show(clips, y, root, reports, form):
    """Draws a clip of each emotion; returns the picture's name."""
    from speech_emotion.model import emotions
    from speech_emotion.training import plots

    original = (clips["augmentation"] == "").to_numpy()
    mine = clips[original]
    chosen = emotions.choose(
        mine["path"].tolist(), y[original].tolist(), mine["seconds"].astype(float).tolist()
    )
    return plots.save(emotions.draw(chosen, root), reports / f"emotions.{form}").name


def affordable(sizes, arguments):
    """Bytes of the models that can be exported and fit the budget: only they may be chosen."""
    exportable = [name for name in sizes if CANDIDATES[name].exportable] or list(sizes)
    fitting = [n for n in exportable if sizes[n].within(arguments.flash_kb, arguments.ram_kb)]
    if not fitting and any(sizes[n].pace is not None for n in exportable):
        quickest = min(
            (n for n in exportable if sizes[n].pace is not None), key=lambda n: sizes[n].pace.share
        )
        pace = sizes[quickest].pace
        raise CheckFailed(
            f"no model that fits keeps up on the {arguments.chip}; the quickest, {quickest}, takes "
            f"{100 * pace.share:.0f} % of real time and answers after {pace.response_ms:.0f} ms: fewer "
            "--groups, or another --chip"
        )
    if not fitting:
        smallest = min(exportable, key=lambda name: sizes[name].bytes)
        raise CheckFailed(
            f"no model fits {arguments.flash_kb:g} KB of flash and {arguments.ram_kb:g} KB of RAM; "
            f"the smallest, {smallest}, takes {sizes[smallest].bytes / 1024:.0f} KB of flash: allow more, "
            "or fewer --groups"
        )
    return {name: sizes[name].bytes for name in fitting}


def recipe(candidate, used, arguments):
    """How a candidate is fitted, to its part of the columns used: the settings it comes with, or a search for
    better ones."""
    from speech_emotion.training.fitting import Recipe

    return Recipe.of(
        candidate, used, arguments.seed,
        balance=arguments.balance, search=arguments.search, groups=arguments.groups,
    )  # fmt: skip


def facts_of(name, pipeline, experiment, label_set, held_out, arguments):
    """What the JSON beside a model says of its making; `held_out` names the clips it was scored on."""
    clips = experiment.table.clips
    return {
        "name": name,
        "about": CANDIDATES[name].about,
        "labels": pipeline.classes_.tolist(),
        "label_set": label_set,
        "label_option": arguments.labels,
        "columns": experiment.columns_of(name),
        "engine": experiment.table.info["engine"],
        "corpora": sorted(set(clips["corpus"])),
        "split": arguments.split,
        "balance": arguments.balance,
        "seed": arguments.seed,
        "fit": arguments.fit,
        "trained_on": len(clips) if arguments.fit == "all" else len(experiment.split.train),
        "scores": held_out.summary(),
        "scored_on": len(experiment.split.test),
        "held_out": [] if arguments.fit == "all" else experiment.held_out_paths(),
    }


def unseen_facts(outcome):
    """What the JSON says of speakers that no model of the folds had heard; nothing where there are none."""
    if outcome is None:
        return {}
    return {
        "unseen": outcome.summary(),
        "unseen_clips": len(outcome.truth),
        "unseen_speakers": outcome.people,
        "intervals": {
            score: list(outcome.interval(score, by_speaker=True)) for score in ("macro_f1", "uar")
        },
    }


def run() -> None:
    """The command: `main`, with its exit codes."""
    cli.run(main)
