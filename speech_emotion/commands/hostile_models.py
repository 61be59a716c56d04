"""Model files and their JSON as an enemy would send them, thousands of them, each opened in a small process.

Honest models of every kind are damaged: byte by byte, as a zip, in an array's header, in its numbers, in the
JSON inside and the JSON beside, which vouches for the rest; pickles that run code, hang or ask for gigabytes
are among them. Each is to be refused in one line, or to be a model that answers and exports. A crash, a stack
trace, more than 512 MB of memory or 5 s of computing, and any attempt to run or to write something is a
failure.

  speech-emotion hostile-models --count 10000 --seed 1
"""

import argparse

from speech_emotion import cli
from speech_emotion.errors import UserError


def main():
    parser = cli.Parser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--count", type=int, default=10_000, metavar="N", help="default: 10000")
    parser.add_argument("--seed", type=int, default=1, help="default: 1")
    arguments = parser.parse_args()
    if arguments.count < 1:
        raise UserError(f"--count {arguments.count}: must be 1 or more")
    # imported when asked for: --help needs no numpy
    from speech_emotion.checks import hostile_models

    hostile_models.measured(arguments.count, arguments.seed)


def run() -> None:
    """The command: `main`, with its exit codes."""
    cli.run(main)
