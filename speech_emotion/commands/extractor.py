"""The feature vectors of sound files, as CSV on stdout, and from Python:

    from extractor import extract, schema
    vector = extract("clip.wav")                   # float32, in the order of schema.COLUMNS
    dict(zip(schema.COLUMNS, vector))["hnr_mean"]

The clip: mono, 16 kHz, 16-bit; other files are resampled and their channels averaged. What each column is,
with its unit and definition: --schema. A bad clip is one line on stderr; the others are still measured,
and the exit code is 2 at the end.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from speech_emotion import cli
from speech_emotion.commands import mistakes
from speech_emotion.errors import UserError
from speech_emotion.features import engines, schema

if TYPE_CHECKING:
    import numpy as np

__all__ = ["extract", "schema"]

EXAMPLES = """examples:
  python extractor.py clip.wav
  python extractor.py recordings/*.wav --engine device > features.csv
  python extractor.py clip.wav --json | python -m json.tool
  python extractor.py --schema | less
"""


def extract(
    sound: str | Path | np.ndarray, *, engine: str = "reference", rate: int = schema.SAMPLE_RATE
) -> np.ndarray:
    """The feature vector of a file, or of samples at `rate` Hz (int16, or float in [-1, 1]; (n,) or
    (n, channels)). engine: "reference" (librosa and Praat) or "device" (the chip's C code).

    Returns float32 (columns,), in the order of schema.COLUMNS, always finite. Raises UserError for what
    cannot be measured.
    """
    from speech_emotion.features.measuring import measure

    vector = measure(sound, engine=engine, rate=rate).vector
    assert vector is not None  # only what asks for speech alone is left without one
    return vector


def parse_arguments():
    parser = cli.Parser(
        usage="%(prog)s [options] CLIP [CLIP ...]",
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add = parser.add_argument
    add("clips", nargs="*", metavar="CLIP", help="sound files")
    add("--engine", choices=engines.NAMES, default="reference",
        help="reference: librosa and Praat; device: the chip's own C code (default: reference)")  # fmt: skip
    add("--json", action="store_true", help='an object per line: {"file", "seconds", "features"}')
    add("--schema", action="store_true", help="print the schema as JSON, and nothing else")
    add("--jobs", type=int, default=1, metavar="N", help="processes, -1 for all cores (default: 1)")
    add("--seed", type=int, metavar="N", help="every command takes it; here nothing is random")
    arguments = parser.parse_intermixed_args()
    if not arguments.clips and not arguments.schema:
        parser.error("name sound files, or --schema")
    return arguments


def main():
    arguments = parse_arguments()
    if arguments.schema:
        about = {"hash": schema.HASH, "columns": schema.COLUMNS, **schema.describe()}
        print(json.dumps(about, indent=1))
        return 0
    if arguments.jobs == 0:
        raise UserError("--jobs 0: give a number of processes, or -1 for all cores")
    clips, said = mistakes.clips(arguments.clips)
    for line in said:
        print(f"note: {line}", file=sys.stderr)
    from speech_emotion.features.measuring import measure_all  # --help needs nothing of it

    write = write_json if arguments.json else csv_writer()
    bad = 0
    results = measure_all(clips, engine=arguments.engine, jobs=arguments.jobs)
    if len(clips) > 1:
        results = cli.progress(results, total=len(clips), what="extract")
    for clip, found in zip(clips, results, strict=True):
        if isinstance(found, UserError):
            bad += 1
            tqdm.write(f"error: {found}", file=sys.stderr)
            continue
        for remark in found.remarks:
            tqdm.write(f"note: {clip}: {remark}", file=sys.stderr)
        if found.silence:
            tqdm.write(f"note: {clip}: nobody seems to speak: {found.silence}", file=sys.stderr)
        with tqdm.external_write_mode():  # the bar steps aside
            write(clip, found)
    return 2 if bad else 0


def write_json(clip, found):
    features = dict(zip(schema.COLUMNS, found.vector.tolist(), strict=True))
    print(json.dumps({"file": clip, "seconds": found.seconds, "features": features}))


def csv_writer():
    """Writes the header, returns what writes a row. Digits: the fewest that give back the same float32."""
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(("file", "seconds", *schema.COLUMNS))
    return lambda clip, found: table.writerow((clip, found.seconds, *map(str, found.vector)))


def run() -> None:
    """The command: `main`, with its exit codes."""
    cli.run(main)
