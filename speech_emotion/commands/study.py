"""What each choice is worth: part of docs/history/choices.md, by `python -m speech_emotion study`.

Variants of the model are compared in nested folds: inside the training speakers of each outer fold they
compete in folds by speaker, and only the winner is scored on the outer test speakers, so that this score is
nobody's choice. Every variant's own outer scores are shown beside, for people; and the feature groups, left
out one at a time from the teacher, which needs no seed. Minutes to an hour; rerunnable.
"""

from pathlib import Path

from speech_emotion import cli
from speech_emotion.commands import mistakes
from speech_emotion.training.candidates import CANDIDATES, SHIPPED

NAMES = (SHIPPED, "student_56", "mlp_64", "forest")


def parse_arguments():
    parser = cli.Parser(description=__doc__)
    add = parser.add_argument
    add("features", nargs="?", type=Path, default=Path("dataset/features.csv"), metavar="features.csv",
        help="default: dataset/features.csv")  # fmt: skip
    add("--models", nargs="+", default=NAMES, choices=CANDIDATES, metavar="NAME",
        help=f"variants (default: {', '.join(NAMES)})")  # fmt: skip
    add("--seeds", type=int, default=3, metavar="N", help="of networks and splits (default: 3)")
    add("--out", type=Path, default=Path("docs/history/choices.md"), metavar="FILE",
        help="its last part is replaced (default: docs/history/choices.md)")  # fmt: skip
    add("--jobs", type=int, default=-1, metavar="N", help="processes (default: one per core)")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    mistakes.counts(arguments)
    arguments.features = mistakes.table(arguments.features)
    # imported when asked for: --help needs no pandas
    from speech_emotion.checks import study

    study.write(arguments)


def run() -> None:
    """The command: `main`, with its exit codes."""
    cli.run(main)
