"""A saved model on its held-out clips under noise, at a low level, by telephone, by a cheap microphone.

The chip's own code measures the clips as they would arrive. A model that knows voices is asked twice: with
nothing of the voice heard before, and with ten sentences of it that came the same way. `train.py
--robustness DIR` does the same, in folds by speaker, for the model that it chooses.
"""

from pathlib import Path

from speech_emotion import cli
from speech_emotion.commands import mistakes
from speech_emotion.errors import UserError, shown


def parse_arguments():
    parser = cli.Parser(description=__doc__)
    parser.add_argument("model", type=Path, metavar="MODEL", help="a model.joblib")
    parser.add_argument("--features", type=Path, default=Path("dataset/features.csv"), metavar="CSV",
                        help="the table it was trained on (default: dataset/features.csv)")  # fmt: skip
    parser.add_argument("--corpora", type=Path, required=True, metavar="DIR",
                        help="the folder that the table was made from")  # fmt: skip
    parser.add_argument("--jobs", type=int, default=-1, metavar="N", help="processes")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    mistakes.counts(arguments)
    mistakes.model(str(arguments.model), library=False)
    arguments.features = mistakes.table(arguments.features)
    mistakes.corpora(arguments.corpora)
    # imported when asked for: --help needs nothing
    import numpy as np

    from speech_emotion.dataset import table as tables
    from speech_emotion.model import persistence, profile
    from speech_emotion.training import acquaintance, labels, robustness
    from speech_emotion.training.report import markdown
    from speech_emotion.training.scores import Outcome

    model = persistence.load(arguments.model)
    facts = model.info
    if "label_option" not in facts or "held_out" not in facts:
        raise UserError(
            f"{arguments.model}: its JSON does not say which clips were held out from its training; train it "
            "with train.py"
        )
    if facts.get("fit") == "all":
        raise UserError(
            f"{arguments.model}: was trained on every clip (--fit all), so none is left to test it on; "
            "train it with --fit split"
        )
    features, y, _ = labels.relabel(tables.read(arguments.features), facts["label_option"])
    held_out = features.clips["path"].isin(facts["held_out"]).to_numpy()
    if not held_out.any():
        raise UserError(
            f"{arguments.features}: holds none of the clips that were held out from {arguments.model}; name "
            "the table it was trained on with --features"
        )
    if strangers := set(y[held_out]) - set(model.labels):
        raise UserError(
            f"{arguments.features}: a clip is labelled {shown(min(strangers))}, which {arguments.model} does "
            "not know; name the table it was trained on with --features"
        )
    clips = features.clips[held_out]
    if facts.get("split") != "speaker":
        print("trained with --split random: its held-out clips are of speakers it has heard")
    of_corpus, speakers, sex, paths = (
        clips[name].to_numpy(str) for name in ("corpus", "speaker", "sex", "path")
    )

    def outcome(answers):
        rows = np.flatnonzero(held_out)
        return Outcome(rows, y[rows], answers, np.array(model.labels), of_corpus, speakers, sex)

    people = np.char.add(np.char.add(of_corpus, "/"), speakers)
    before = acquaintance.heard(robustness.KNOWN, people, y[held_out], paths, seed=0)
    knows = profile.knows_voices(model.pipeline)
    if knows:
        fewer = sum(len(each) < acquaintance.CONDITIONS[robustness.KNOWN][0] for each in before)
        print(
            "ten known: after ten other held-out clips of the voice that came the same way, eight of them "
            f"neutral; {fewer} of {len(before)} clips have fewer than ten, and then all are heard"
        )
    outcomes = {}
    measured = robustness.measure(clips, arguments.corpora, jobs=arguments.jobs)
    for condition, vectors in measured.items():
        outcomes[condition] = outcome(model.probabilities(vectors))
        if knows:
            outcomes[robustness.known(condition)] = outcome(
                acquaintance.probabilities(
                    model.pipeline, model.rows(vectors), np.arange(len(clips)), before
                )
            )
    print(markdown(robustness.table(outcomes), facts.get("name", arguments.model.stem)))


def run() -> None:
    """The command: `main`, with its exit codes."""
    cli.run(main)
