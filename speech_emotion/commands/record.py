"""Records your own clips, sentence by sentence, cut as the board's own gate will cut them.

From the board's microphone, so that a model learns the sound that it will hear: flash the sketch Recorder
of any generated library, then --port. Or from this computer's microphone. What to say stands on the screen;
level, clipping and losses are judged at once, and a bad take is asked for again. Recordings go to
DIR/<emotion>/<speaker>_<take>.wav, 16 kHz, with a line each in DIR/recordings.csv. Ctrl-C ends at any time;
the same command goes on where it stopped.
"""

import argparse
from pathlib import Path

from speech_emotion import cli
from speech_emotion.commands import steps
from speech_emotion.errors import UserError
from speech_emotion.files import writable_folder

EXAMPLES = """examples:
  speech-emotion record --port /dev/ttyUSB0 --labels happy sad neutral --speaker anna
  speech-emotion record --labels happy sad neutral --speaker ben --takes 30      # this computer's microphone
  speech-emotion record --labels happy --speaker anna --continuous 300           # five minutes, cut later
"""


def parse_arguments():
    parser = cli.Parser(
        description=__doc__, epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add = parser.add_argument
    add("--port", metavar="PORT",
        help="the serial port of a board with the sketch Recorder, such as /dev/ttyUSB0 or COM3 "
        "(default: this "
        "computer's microphone)")  # fmt: skip
    add("--microphone", metavar="NAME", help="which of this computer's, by name or number")
    add("--labels", nargs="+", required=True, metavar="LABEL", help="the emotions, in your words")
    add("--speaker", required=True, metavar="NAME", help="who speaks")
    add("--takes", type=int, default=30, metavar="N", help="of each label (default: 30)")
    add("--prompts", type=Path, metavar="FILE",
        help="what to say, a sentence a line (default: six sentences without an emotion of their "
        "own)")  # fmt: skip
    add(
        "--keep-all",
        action="store_true",
        help="keep takes that are quiet, clipped, short or broken, too",
    )
    add("--continuous", type=float, metavar="SECONDS",
        help="one recording of this length of one label, to be cut by dataset_generator.py "
        "--split")  # fmt: skip
    add("--out", type=Path, default=Path("recordings"), metavar="DIR", help="default: recordings")
    add("--seed", type=int, metavar="N", help="every command takes it; here nothing is random")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    if arguments.takes < 1:
        raise UserError(f"--takes {arguments.takes}: give 1 or more")
    if arguments.port and arguments.microphone:
        raise UserError("--port and --microphone: give one of the two")
    if arguments.continuous is not None:
        if not 1 <= arguments.continuous <= 3600:
            raise UserError(f"--continuous {arguments.continuous:g}: give 1 to 3600 seconds")
        if len(arguments.labels) > 1:
            raise UserError("--continuous: is of one label; give one of --labels")
    if len(set(arguments.labels)) < len(arguments.labels):
        raise UserError("--labels: one stands there twice")
    prompts = read_prompts(arguments.prompts)
    # imported when asked for: --help and a wrong argument need nothing that loads slowly
    from speech_emotion.recording import session, takes
    from speech_emotion.recording.sources import Board, Microphone

    takes.check_names(arguments.labels, arguments.speaker)
    source = Board(arguments.port) if arguments.port else Microphone(arguments.microphone)
    kept = takes.Takes(writable_folder(arguments.out))
    print(f"recording from {source.device}", flush=True)
    try:
        if arguments.continuous is not None:
            session.continuous(
                source, kept, arguments.labels[0], arguments.speaker,
                seconds=arguments.continuous, say=say,
            )  # fmt: skip
        else:
            session.guided(
                source, kept, arguments.labels, arguments.speaker, wanted=arguments.takes, say=say,
                prompts=prompts or session.PROMPTS, keep_flawed=arguments.keep_all,
            )  # fmt: skip
    finally:
        say(source.losses() or "nothing was lost on the way")
        counts = ", ".join(
            f"{label} {kept.count(label, arguments.speaker)}" for label in arguments.labels
        )
        say(f"{kept.folder}: of {arguments.speaker} now {counts}")
    cut = " --split" * (arguments.continuous is not None)
    say(
        f"next: python dataset_generator.py --corpora {arguments.out} --engine device --augment{cut}"
    )
    steps.show("record", corpora=arguments.out)


def read_prompts(path):
    """The lines of a file; None without one."""
    if path is None:
        return None
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"--prompts {path}: cannot be read ({error}); name a text file") from None
    lines = [line for line in lines if line]
    if not lines:
        raise UserError(f"--prompts {path}: holds no sentence")
    return lines


def say(text):
    print(text, flush=True)


def run() -> None:
    """The command: `main`, with its exit codes."""
    cli.run(main)
