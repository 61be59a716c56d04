"""How close the C code is to librosa and Praat: reports/parity.md, one plot per group, one command.

Runs both engines over the same clips, drawn evenly from the corpora found, and holds every column
against its bar. Exit code 1 when a bar is missed.
"""

import argparse
from pathlib import Path

from speech_emotion import cli
from speech_emotion.errors import UserError

EXAMPLES = """examples:
  speech-emotion parity --corpora ~/speech --clips 1000
"""


def parse_arguments():
    parser = cli.Parser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--corpora", type=Path, metavar="DIR",
        help="default: $SER_CORPORA, or the Kaggle set's folder")  # fmt: skip
    add("--clips", type=int, default=1000, metavar="N", help="default: 1000")
    add("--out", type=Path, default=Path("reports"), metavar="DIR", help="default: reports")
    add("--jobs", type=int, default=-1, metavar="N", help="processes (default: one per core)")
    add("--seed", type=int, default=0, help="of the choice of clips (default: 0)")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    if arguments.jobs == 0:
        raise UserError("--jobs 0: give a number of processes, or -1 for all cores")
    if arguments.clips < 1:
        raise UserError(f"--clips {arguments.clips}: must be 1 or more")
    from speech_emotion.corpora.places import folder_of_clips
    from speech_emotion.files import writable_folder

    root, out = folder_of_clips(arguments.corpora), writable_folder(arguments.out)
    # imported when asked for: --help and a wrong argument need neither pandas nor librosa
    from speech_emotion.checks import parity

    clips = parity.choose(root, arguments.clips, arguments.seed)
    bars = parity.write(parity.compare(clips, root, arguments.jobs), out)
    for bar, reached, ok in bars:
        print(f"{'ok    ' if ok else 'MISSED'} {bar}: {reached}")
    print(f"{out / 'parity.md'}")
    parity.require(bars)


def run() -> None:
    """The command: `main`, with its exit codes."""
    cli.run(main)
