"""How good the shipped models are: one page, reports/accuracy.md, stamped with commit and schema.

Every model is fitted under the protocols that say something of a new voice, over several seeds, and scored
on the clips that were held out; of models that learn to know a voice, also as it becomes known. Hours of
work, kept fold by fold in a folder: the same command goes on where it stopped, and a page of what is there
so far can be had. One seed is done before the next; of each the protocols in the order named, of each the
models in the order named.
"""

from pathlib import Path

from speech_emotion import cli
from speech_emotion.commands import mistakes
from speech_emotion.errors import UserError
from speech_emotion.training.candidates import CANDIDATES, SHIPPED

NAMES = ("voice_224_encoder", "voice_112_encoder", "voice_224", "student_224", SHIPPED)
PROTOCOLS = {
    "speaker": "five folds by speaker: nothing of a tested speaker was trained on",
    "corpus": "each corpus tested by a model that was trained on the others: a room never heard",
    "nested": "five folds by speaker, each answered by the model that was best in three folds by speaker "
    "inside its training speakers: nothing of a tested speaker trained or chose anything",
    "seed": "a random 70/30 split, as others publish it: the same speakers on both sides, so it flatters",
}


def parse_arguments():
    parser = cli.Parser(description=__doc__)
    add = parser.add_argument
    add("features", nargs="?", type=Path, default=Path("dataset/features.csv"), metavar="features.csv",
        help="default: dataset/features.csv")  # fmt: skip
    add("--unheard", nargs="+", type=Path, default=[], metavar="features.csv",
        help="tables of other corpora, which are tested and never trained on")  # fmt: skip
    add("--folds", type=Path, metavar="folds.csv",
        help="also in folds that others publish, eight labels, each corpus by itself: a CSV of corpus, clip "
        "and test_fold, such as EmoBox's")  # fmt: skip
    add("--models", nargs="+", default=NAMES, choices=CANDIDATES, metavar="NAME",
        help=f"default: {', '.join(NAMES)}")  # fmt: skip
    add("--protocols", nargs="+", default=list(PROTOCOLS), choices=PROTOCOLS, metavar="NAME",
        help=f"of {', '.join(PROTOCOLS)}, in the order wanted (default: all)")  # fmt: skip
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
    mistakes.counts(arguments)
    arguments.features = mistakes.table(arguments.features)
    arguments.unheard = [mistakes.table(path) for path in arguments.unheard]
    if arguments.folds and not arguments.folds.is_file():
        raise UserError(f"--folds {arguments.folds}: no such file")
    # imported when asked for: --help needs no pandas
    from speech_emotion.checks import accuracy

    accuracy.write(arguments, PROTOCOLS)


def run() -> None:
    """The command: `main`, with its exit codes."""
    cli.run(main)
