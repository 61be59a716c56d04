"""What a generated library takes on the chip, judged against a budget.

Builds the complete firmware path, features and model, for chips with and without floating-point unit, and
runs it on emulated cores: instructions are counted exactly, times are estimated from them. Exit code 1 when
an upper estimate is over the budget, or when two machines give different answers. With --port, a real board
that runs the library's Benchmark sketch is read instead, and judged in the same way.
"""

import argparse
import tempfile
from pathlib import Path

from speech_emotion import cli
from speech_emotion.commands import mistakes, steps
from speech_emotion.errors import UserError
from speech_emotion.measure.chips import CHIPS
from speech_emotion.training.candidates import SHIPPED

EXAMPLES = """examples:
  python -m measure build/EmotionRecognition
  python -m measure build/EmotionRecognition --target esp32 --profile
  python -m measure build/EmotionRecognition --port /dev/ttyUSB0     a board with examples/Benchmark
  python -m measure embedded --target esp32 --profile     the extractor alone, without a model
"""
LIBRARY = Path("build/EmotionRecognition")


def parse_arguments():
    parser = cli.Parser(
        description=__doc__, epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add = parser.add_argument
    add("library", type=Path, nargs="?", default=LIBRARY, metavar="DIR",
        help=f"what python -m codegen wrote (default: {LIBRARY})")  # fmt: skip
    add("--target", nargs="+", choices=CHIPS, default=list(CHIPS), metavar="CHIP",
        help=f"of {', '.join(CHIPS)} (default: all)")  # fmt: skip
    add("--port", metavar="PORT", help="a board's serial port, such as /dev/ttyUSB0 or COM3")
    add("--clips", nargs="+", type=Path, default=[], metavar="FILE", help="sounds to run it on")
    add("--corpora", type=Path, metavar="DIR",
        help="or take some clips from here (default: $SER_CORPORA, or where dataset_generator.py looks; "
        "without any, a synthetic voice)")  # fmt: skip
    add("--or-reference", type=Path, metavar="FILE",
        help="where no emulator is installed, say so and show this table, such as "
        "docs/footprint.md")  # fmt: skip
    add("--profile", action="store_true", help="where the instructions go, function by function")
    add("--flash-kb", type=float, default=256, metavar="K", help="budget (default: 256)")
    add("--ram-kb", type=float, default=256, metavar="K", help="budget (default: 256)")
    add("--response-ms", type=float, default=50, metavar="T",
        help="budget, last sample in to label out (default: 50)")  # fmt: skip
    add("--out", type=Path, default=Path("reports"), metavar="DIR",
        help="for footprint.md and footprint.json, or board.json (default: reports)")  # fmt: skip
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    for option in ("flash_kb", "ram_kb", "response_ms"):
        if not getattr(arguments, option) > 0:
            name = option.replace("_", "-")
            raise UserError(f"--{name} {getattr(arguments, option):g}: must be more than 0")
    if not arguments.library.is_dir():
        raise UserError(
            f"{arguments.library}: no such folder; name a library that python -m codegen wrote"
        )
    if not any(
        (arguments.library / "src" / name).is_file() for name in ("ser_model.c", "ser_extractor.c")
    ):
        raise UserError(
            f"{arguments.library}: no src/ser_model.c in it; name a folder that python -m codegen wrote"
        )
    mistakes.corpora(arguments.corpora)
    # imported when asked for: --help needs nothing
    from speech_emotion.corpora import places
    from speech_emotion.files import writable_folder
    from speech_emotion.measure import clips, firmware, report
    from speech_emotion.model.compiled import sources

    budget = report.Budget(arguments.flash_kb, arguments.ram_kb, arguments.response_ms)
    folder = arguments.library / "src"
    alone = (folder / "ser_extractor.c").is_file() and not (folder / "ser_model.c").is_file()
    if not alone:
        sources(arguments.library)  # or a UserError
    writable_folder(arguments.out)
    if arguments.port is not None:
        return read_board(arguments, budget)
    chosen = clips.choose(arguments.clips, places.existing_folder(arguments.corpora))
    with tempfile.TemporaryDirectory() as scratch:
        library = arguments.library
        if alone:
            library = firmware.extractor_alone(Path(scratch) / "library")
        found, missing = emulate(arguments, library, chosen)
    if not found and arguments.or_reference is not None:
        return show_reference(arguments.or_reference, missing)
    if not found:
        raise UserError("; ".join(missing))
    notes = [
        f"Run on {chosen.about}; the response, ser_finish, is that of the worst. The answers were the same "
        "on all of these and on this computer, bit for bit.",
        "RAM is this library's own: the recogniser's state and result, the stack, as painted or as the "
        "frames add up, whichever is more, and what every hop runs and reads where that is copied to RAM, so "
        "as not to wait for the flash: by itself on RP2040, RP2350 and (tables alone) nRF52840, on an ESP32 "
        "by codegen's --hot-in-ram. Flash is its code, tables and model, without the C library's few "
        "functions. Not included: FreeRTOS, drivers and the program around it; interrupts, cold caches.",
        *missing,
    ]
    print(report.text(found, budget))
    print(f"run on {chosen.about}")
    print("wrote", *report.write(arguments.out, found, budget, notes))
    steps.show("measure", library=arguments.library)
    return int(any(figures.over(budget) for figures in found))


def show_reference(path, missing):
    """Where nothing can be measured here: the one line that changes it, and the table that is committed."""
    packages = sorted(
        {word for line in missing for word in line.partition("apt-get install ")[2].split()}
    )
    print(f"chip timing skipped; on Debian or Ubuntu: sudo apt-get install {' '.join(packages)}")
    try:
        table = [
            line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("|")
        ]
    except OSError as error:
        raise UserError(f"--or-reference {path}: cannot be read ({error.strerror})") from None
    print(
        f"REFERENCE TABLE ({path}), measured by the authors on the model {SHIPPED}, not on yours:"
    )
    print("\n".join(table))
    return 0


def read_board(arguments, budget):
    """The board's figures instead; its answers must be those of the library."""
    from speech_emotion.measure import board, report

    if arguments.profile or arguments.clips:
        raise UserError(
            "--profile, --clips: a board has its own clips and no profile; leave them out"
        )
    print(f"reading {arguments.port}, up to {board.PATIENCE:.0f} s a line ...", flush=True)
    measured = board.read_board(arguments.port)
    board.compare(measured, arguments.library)
    found = [board.figures(measured)]
    print(report.text(found, budget))
    print(f"{found[0].name}: {found[0].basis}; its answers equal this computer's")
    print(board.text(measured))
    print("wrote", board.write(measured, arguments.out))
    return int(any(figures.over(budget) for figures in found))


def emulate(arguments, library, chosen):
    """Figures of the targets whose tools are installed, and what the others lack."""
    from speech_emotion.measure import emulated, profile
    from speech_emotion.measure.toolchain import MissingTool

    expected = emulated.answers(library, chosen)
    found, missing = [], []
    for name in cli.progress(arguments.target, what="measure", unit="chip"):
        try:
            figures, counted = emulated.measure(name, library, chosen, expected)
        except MissingTool as error:
            missing.append(f"{name}: not measured: {error}")
            if arguments.or_reference is None:
                print(missing[-1], flush=True)
            continue
        found.append(figures)
        if arguments.profile:
            print(profile.text(figures.name, counted), flush=True)
    return found, missing


def run() -> None:
    """The command: `main`, with its exit codes."""
    cli.run(main)
