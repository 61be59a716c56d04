"""How fast the two engines are: processor time over the same clips, in one run on one core."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from threadpoolctl import threadpool_limits

from speech_emotion.checks.parity import choose
from speech_emotion.corpora import synthetic
from speech_emotion.features import audio, engines
from speech_emotion.features.schema import SAMPLE_RATE

LEAST_RATIO, LEAST_REAL_TIME = 15, 500


def lines(root: Path | None, count: int, seed: int) -> Iterator[str]:
    """What was measured over `count` clips below `root` (None: synthetic speech), as lines of text."""
    with tempfile.TemporaryDirectory() as made:
        if root is None:
            yield "SYNTHETIC speech; --corpora DIR measures real clips"
            root = Path(made)
            synthetic.write(root, speakers=2)
        clips = [audio.load(clip.path) for clip in choose(root, count, seed)]
    sound = sum(map(len, clips)) / SAMPLE_RATE
    spent = {}
    with threadpool_limits(1):
        for name, passes in (("reference", 1), ("device", 5)):
            engine = engines.get(name)
            engine(clips[0])  # libraries load and compile on first use
            spent[name] = seconds_per_pass(engine, clips, passes)
            yield (
                f"{name:<9} {spent[name]:8.3f} s for {sound:.0f} s of sound in {len(clips)} clips: "
                f"{sound / spent[name]:.0f} times real time"
            )
    yield (
        f"device is {spent['reference'] / spent['device']:.0f} times as fast as reference "
        f"(bar: {LEAST_RATIO}), {sound / spent['device']:.0f} times real time (bar: {LEAST_REAL_TIME})"
    )


def seconds_per_pass(engine: engines.Engine, clips: list, passes: int) -> float:
    """Processor time of one pass over the clips, the fastest of `passes` (the least disturbed)."""
    spent = []
    for _ in range(passes):
        start = time.process_time()
        for samples in clips:
            engine(samples)
        spent.append(time.process_time() - start)
    return min(spent)
