"""Our export of a forest beside plain emlearn, m2cgen and micromlgen: size, speed, agreement, in one run.

The same forest and the same rows for all, on the emulated ESP32 and ESP32-P4; the table goes into the docs.
Needs the chips' tools (speech_emotion/measure/toolchain.py), and for the others
speech_emotion/checks/compare-requirements.txt: what is not installed is left out, saying so.
"""

from pathlib import Path

from speech_emotion import cli
from speech_emotion.commands import mistakes


def parse_arguments():
    parser = cli.Parser(description=__doc__)
    add = parser.add_argument
    add("model", type=Path, metavar="forest.joblib", help="a forest that train.py wrote")
    add("--features", type=Path, default=Path("dataset/features.csv"), metavar="CSV")
    add("--out", type=Path, default=Path("docs/export_comparison.md"), metavar="FILE")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    mistakes.model(str(arguments.model), library=False)
    arguments.features = mistakes.table(arguments.features)
    # imported when asked for: --help needs no scikit-learn
    from speech_emotion.checks import compare

    compare.write(arguments)


def run() -> None:
    """The command: `main`, with its exit codes."""
    cli.run(main)
