"""How fast both engines are, over the same clips, in one run on one core.

    python -m speech_emotion.checks.benchmark --corpora DIR --clips 60

Prints seconds of processor time, times real time, and the ratio. Bars: device at least 15 times the
reference engine and 500 times real time. Never part of a test: a busy machine is not a broken program.
"""

import argparse
import time
from pathlib import Path

from threadpoolctl import threadpool_limits

from speech_emotion import cli
from speech_emotion.checks.parity import choose
from speech_emotion.errors import UserError
from speech_emotion.features import audio, engines
from speech_emotion.features.schema import SAMPLE_RATE

LEAST_RATIO, LEAST_REAL_TIME = 15, 500


def seconds_per_pass(engine, clips, passes: int) -> float:
    """Processor time of one pass over the clips, the fastest of `passes` (the least disturbed)."""
    spent = []
    for _ in range(passes):
        start = time.process_time()
        for samples in clips:
            engine(samples)
        spent.append(time.process_time() - start)
    return min(spent)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add(
        "--corpora",
        type=Path,
        metavar="DIR",
        help="default: $SER_CORPORA, or the Kaggle set's folder",
    )
    add("--clips", type=int, default=60, metavar="N", help="default: 60")
    add("--seed", type=int, default=0, help="of the choice of clips (default: 0)")
    arguments = parser.parse_args()
    if not arguments.corpora.is_dir():
        raise UserError(f"{arguments.corpora}: no such folder; name one that holds corpora")
    chosen = choose(arguments.corpora, arguments.clips, arguments.seed)
    clips = [audio.load(clip.path) for clip in chosen]
    sound = sum(map(len, clips)) / SAMPLE_RATE
    spent = {}
    with threadpool_limits(1):
        for name, passes in (("reference", 1), ("device", 5)):
            engine = engines.get(name)
            engine(clips[0])  # libraries load and compile on first use
            spent[name] = seconds_per_pass(engine, clips, passes)
            print(
                f"{name:<9} {spent[name]:8.3f} s for {sound:.0f} s of sound in {len(clips)} clips: "
                f"{sound / spent[name]:.0f} times real time"
            )
    ratio = spent["reference"] / spent["device"]
    print(f"device is {ratio:.0f} times as fast as reference (bar: {LEAST_RATIO}), "
          f"{sound / spent['device']:.0f} times real time (bar: {LEAST_REAL_TIME})")  # fmt: skip


def run() -> None:
    """The command: `main`, with its exit codes."""
    cli.run(main)


if __name__ == "__main__":
    run()
