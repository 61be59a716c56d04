#!/usr/bin/env python3
"""How fast the reference engine is on one core, and what memory the dataset takes per clip.

    python -m speech_emotion.checks.reference_speed [--corpora DIR]

Prints times real time (bar: 30), and the largest memory of dataset_generator.py over few and over many
clips of the same length. It judges nothing: a busy machine is not a broken program.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
from threadpoolctl import threadpool_limits

from speech_emotion import cli
from speech_emotion.corpora import discover, synthetic
from speech_emotion.features import audio, reference
from speech_emotion.features.schema import SAMPLE_RATE

LEAST_REAL_TIME = 30


def speed(paths) -> None:
    """Processor time of files read and measured, one after another, in one thread."""
    reference.extract(audio.load(paths[0]))  # libraries load and compile on first use
    seconds, start = 0.0, time.process_time()
    for path in cli.progress(paths, what="measure"):
        samples = audio.load(path)
        if not audio.is_silent(samples):
            reference.extract(samples)
            seconds += len(samples) / SAMPLE_RATE
    spent = time.process_time() - start
    print(
        f"speed   {seconds:.0f} s of sound in {len(paths)} clips: {spent:.2f} s of processor time, "
        f"{seconds / spent:.0f} times real time on one core (bar: {LEAST_REAL_TIME})"
    )


def memory(source, counts) -> None:
    """Largest resident memory of dataset_generator.py --jobs 1 over so many clips of 0.5 s."""
    samples = audio.read(source)[: SAMPLE_RATE // 2]
    draw = np.random.default_rng(0)
    peaks = []
    for count in counts:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch, "clips", "neutral")
            folder.mkdir(parents=True)
            for i in range(count):  # no two alike
                noise = draw.integers(-9, 10, len(samples))
                clip = np.clip(samples + noise, -32768, 32767).astype(np.int16)
                soundfile.write(folder / f"a_{i:05d}.wav", clip, SAMPLE_RATE)
            command = [sys.executable, "-m", "speech_emotion", "dataset-generator", "--jobs", "1"]
            command += ["--corpora", str(folder.parent)]
            running = subprocess.Popen(
                [*command, "--out", str(Path(scratch, "out"))], stdout=subprocess.DEVNULL
            )
            _, status, usage = os.wait4(running.pid, 0)
            running.returncode = os.waitstatus_to_exitcode(status)
            if running.returncode:
                sys.exit(f"dataset_generator.py ended with exit code {running.returncode}")
        scale = (
            1 if sys.platform == "darwin" else 1024
        )  # ru_maxrss is in bytes there, in KiB elsewhere
        peaks.append(usage.ru_maxrss * scale)
        print(f"memory  {count:5d} clips: {peaks[-1] / 2**20:.1f} MiB at most")
    grown = (peaks[-1] - peaks[0]) / (counts[-1] - counts[0])
    print(f"memory  {grown / 1024:.1f} KiB for each clip more")


def main():
    parser = cli.Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--corpora", type=Path, metavar="DIR", help="clips to measure (default: synthetic speech)")
    add("--clips", type=int, default=80, metavar="N", help="for the speed (default: 80)")
    add("--memory", type=int, nargs=2, default=(50, 500), metavar="N", help="default: 50 500")
    arguments = parser.parse_args()
    scratch = Path(tempfile.mkdtemp())
    try:
        if arguments.corpora is None:
            print("SYNTHETIC speech; --corpora DIR measures real clips")
            clips = synthetic.write(scratch, speakers=2)
        else:
            clips = discover(arguments.corpora).clips
        step = max(1, len(clips) // arguments.clips)
        paths = [clip.path for clip in clips[::step]][: arguments.clips]
        with threadpool_limits(1):
            speed(paths)
        memory(paths[0], arguments.memory)
    finally:
        shutil.rmtree(scratch)


def run() -> None:
    """The command: `main`, with its exit codes."""
    cli.run(main)


if __name__ == "__main__":
    run()
