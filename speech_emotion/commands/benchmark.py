"""How fast both engines are, over the same clips, in one run on one core.

Prints seconds of processor time, times real time, and the ratio. Bars: device at least 15 times the
reference engine and 500 times real time. Never part of a test: a busy machine is not a broken program.
"""

import argparse
from pathlib import Path

from speech_emotion import cli
from speech_emotion.errors import UserError


def parse_arguments():
    parser = cli.Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--corpora", type=Path, metavar="DIR",
        help="default: $SER_CORPORA, or the Kaggle set's folder; without any, synthetic speech")  # fmt: skip
    add("--clips", type=int, default=60, metavar="N", help="default: 60")
    add("--seed", type=int, default=0, help="of the choice of clips (default: 0)")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    if arguments.clips < 1:
        raise UserError(f"--clips {arguments.clips}: must be 1 or more")
    from speech_emotion.corpora.places import existing_folder

    root = existing_folder(arguments.corpora)
    # imported when asked for: --help and a wrong argument need neither Praat nor librosa
    from speech_emotion.checks import benchmark

    print("\n".join(benchmark.lines(root, arguments.clips, arguments.seed)))


def run() -> None:
    """The command: `main`, with its exit codes."""
    cli.run(main)
