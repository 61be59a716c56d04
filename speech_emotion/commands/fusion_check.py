"""What voice and face are worth together, on people nobody trained on: RAVDESS, eight labels.

The voice is a model of `train.py` on a feature table of RAVDESS; the face is the mean action units of the
same sentences' videos, published with MMEmotionRecognition (CC BY-NC-SA 4.0, for research). Five folds by
actor; the fusion's weights come from training actors only, by models that did not train on them.
No talking video was looked at here: pictures became action units elsewhere.
"""

from pathlib import Path

from speech_emotion import cli
from speech_emotion.commands import mistakes
from speech_emotion.errors import UserError
from speech_emotion.training.candidates import SHIPPED

VOICES = (SHIPPED, "voice_224", "voice_224_encoder")
_FEATURES, _FACES = Path("dataset/features.csv"), Path("ravdess_action_units.csv")


def parse_arguments():
    parser = cli.Parser(description=__doc__)
    add = parser.add_argument
    add("features", nargs="?", type=Path, default=_FEATURES, metavar="features.csv",
        help="a table that holds RAVDESS (default: dataset/features.csv)")  # fmt: skip
    add("--faces", type=Path, default=_FACES, metavar="FILE",
        help="mean action units per video (default: ravdess_action_units.csv)")  # fmt: skip
    add("--voices", nargs="+", default=list(VOICES), choices=VOICES, metavar="NAME",
        help=f"of {', '.join(VOICES)} (default: all)")  # fmt: skip
    add("--seeds", type=int, default=1, metavar="N", help="42, 43 ... (default: 1)")
    add("--kept", type=Path, default=Path("reports/fusion"), metavar="DIR",
        help="where finished fits are kept (default: reports/fusion)")  # fmt: skip
    add("--jobs", type=int, default=-1, metavar="N", help="processes (default: one per core)")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    mistakes.counts(arguments)
    for path in (arguments.features, arguments.faces):
        if not path.is_file() and path not in (_FEATURES, _FACES):
            raise UserError(f"{path}: no such file; speech-emotion fusion-check --help")
    for path in (arguments.features, arguments.faces):
        if not path.is_file():
            print(f"skipped: {path} is not here; nothing was measured")
            return 0
    # imported when asked for: --help needs no numpy
    from speech_emotion.checks import fusion

    fusion.measured(arguments)
    return 0


def run() -> None:
    """The command: `main`, with its exit codes."""
    cli.run(main)
