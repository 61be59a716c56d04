"""What a generated library takes on the chip, judged against a budget.

Builds the complete firmware path, features and model, for the ESP32, the ESP32-C3 and the ESP32-P4, and runs it
on emulated cores: instructions are counted exactly, times are estimated from them. Exit code 1 when the upper
estimate is over the budget, or when two machines give different answers.
"""

import argparse
import tempfile
from pathlib import Path

from common import cli
from common.errors import CheckFailed, UserError

EXAMPLES = """examples:
  python -m measure build/EmotionRecognition
  python -m measure build/EmotionRecognition --target esp32 --profile
  python -m measure embedded --profile --target esp32     the extractor alone, no model
"""


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="python -m measure", description=__doc__, epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add = parser.add_argument
    add("library", type=Path, nargs="?", default=Path("build/EmotionRecognition"), metavar="DIR",
        help="what python -m codegen wrote (default: build/EmotionRecognition)")  # fmt: skip
    add("--target", nargs="+", choices=("esp32", "esp32c3", "esp32p4"), metavar="CHIP",
        help="esp32, esp32c3, esp32p4 (default: all)")  # fmt: skip
    add("--clips", nargs="+", type=Path, default=[], metavar="FILE", help="sounds to run it on")
    add("--corpora", type=Path, metavar="DIR",
        help="or take some clips from here (default: $SER_CORPORA, or where dataset_generator.py looks)")  # fmt: skip
    add("--profile", action="store_true", help="where the instructions go, function by function")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    # imported when asked for: --help needs nothing
    from codegen.__main__ import corpora_folder
    from measure import clips, firmware, profile, toolchain

    chosen = clips.choose(arguments.clips, corpora_folder(arguments))
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        library = arguments.library
        if (library / "src" / "ser_extractor.c").is_file() and not (
            library / "src" / "ser_model.c"
        ).is_file():
            library = firmware.extractor_alone(folder / "library")
        host = firmware.build(toolchain.HOST, library, folder / "host")
        expected = firmware.execute(host, chosen.sounds.values(), count=False)
        for name in arguments.target or toolchain.TARGETS:
            target = toolchain.TARGETS[name]
            target.check()
            built = firmware.build(target, library, folder / name)
            run = firmware.execute(built, chosen.sounds.values())
            if run.answers != expected.answers:
                raise CheckFailed(f"{name}: its answers are not this computer's")
            if arguments.profile:
                print(profile.text(name, run, chosen))


if __name__ == "__main__":
    cli.run(main)
