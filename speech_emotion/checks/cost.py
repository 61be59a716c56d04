"""What the extractor costs on an emulated RISC-V chip, by groups of features: state, flash, stack, work.

`python -m speech_emotion.checks.cost` prints it as Markdown, for a chip with an FPU (rv32imafc, the
ESP32-P4's kind), on a synthetic voice. Whole libraries, and the other chips: `python -m measure`.
"""

import argparse
import tempfile
from pathlib import Path

from tabulate import tabulate

from speech_emotion import cli
from speech_emotion.features import schema
from speech_emotion.measure import clips, firmware, toolchain

VOICE = ("pitch", "clear", "voice", "hnr")


def row(without=()) -> tuple[int, int, int, int, int, int]:
    """Bytes of state, flash and stack; instructions per hop, in the worst hop, and of the answer: with some
    groups left out."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        library = firmware.extractor_alone(folder / "library", without)
        built = firmware.build(toolchain.TARGETS["esp32p4"], library, folder / "built")
        sound = clips.synthetic_voice()
        run = firmware.execute(built, [sound])
    hops = [region.instructions for region in run.regions[0] if region.kind == "push"]
    answer = run.regions[0][-1].instructions
    mean = sum(hops) // (len(sound) // schema.HOP)
    return (
        run.state,
        built.code + built.tables,
        max(run.stack, built.frames),
        mean,
        max(hops),
        answer,
    )


def main():
    cli.Parser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    toolchain.TARGETS["esp32p4"].check()
    rows = [("all groups", ()), (f"without {', '.join(VOICE)}", VOICE)]
    rows += [(f"without {group}", (group,)) for group in schema.GROUPS]
    head = (
        "groups", "state, B", "flash, B", "stack, B", "instructions per hop, mean", "worst", "finish",
    )  # fmt: skip
    cells = [
        [name, *(f"{number:,}" for number in row(without))]
        for name, without in cli.progress(rows, what="cost", unit="build")
    ]
    align = ["left", *["right"] * (len(head) - 1)]
    print(tabulate(cells, head, "pipe", colalign=align, disable_numparse=True))


def run() -> None:
    """The command: `main`, with its exit codes."""
    cli.run(main)


if __name__ == "__main__":
    run()
