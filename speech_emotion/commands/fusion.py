"""Voice and face put together: weights fitted on labelled recordings, tables scored with them.

Two tables, one of each channel, a row per sentence: place, begin, end (seconds on one clock), and a column of
probabilities per label. What overlaps in time and place by half of the shorter is one moment; what has no
partner keeps its own answer. For `fit`, the voice's table also says person and emotion.
"""

import argparse
from pathlib import Path

from speech_emotion import cli
from speech_emotion.errors import UserError

EXAMPLES = """examples:
  python -m fusion score voice.csv face.csv --out fused.csv
  python -m fusion fit voice.csv face.csv --out fusion.json
  python -m fusion score voice.csv face.csv --weights fusion.json
"""
LEAST_PAIRS = 30
"""Below that, weights are not fitted."""
LEAST_PEOPLE = 3


def parse_arguments():
    parser = cli.Parser(
        description=__doc__, epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    what = parser.add_subparsers(dest="what", required=True, metavar="fit|score")
    fit = what.add_parser("fit", help="weights from labelled recordings, scored on people left out")
    score = what.add_parser("score", help="a table of fused answers, and what they are worth")
    for each in (fit, score):
        each.add_argument("voice", type=Path, metavar="voice.csv")
        each.add_argument("face", type=Path, metavar="face.csv")
    fit.add_argument("--out", type=Path, default=Path("fusion.json"), metavar="FILE",
                     help="default: fusion.json")  # fmt: skip
    score.add_argument("--out", type=Path, metavar="FILE", help="write the fused answers there")
    score.add_argument("--weights", type=Path, metavar="FILE",
                       help="of `fit` (default: weights that are the same for both)")  # fmt: skip
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    for path in (arguments.voice, arguments.face):
        if not path.exists():
            raise UserError(f"{path}: no such file; see python -m fusion --help")
    # imported when asked for: --help and a wrong argument need no numpy
    from speech_emotion.fusion import tables

    voice, face = tables.read(arguments.voice), tables.read(arguments.face)
    pairs = tables.paired(voice, face)
    alone = int((~pairs.paired).sum())
    print(
        f"{int(pairs.paired.sum())} of {len(voice)} sentences have a face; {alone} keep the voice's answer, "
        f"and {len(pairs.lonely)} faces belong to no sentence"
    )
    left_out = (set(voice.labels) ^ set(face.labels)) - set(pairs.labels)
    if left_out:
        how = "; calm counts as neutral" if "calm" in left_out and "neutral" in pairs.labels else ""
        print(
            f"labels that one channel does not know are left out: {', '.join(sorted(left_out))}{how}"
        )
    return (fit if arguments.what == "fit" else score)(arguments, voice, pairs)


def score(arguments, voice, pairs):
    from speech_emotion import fusion
    from speech_emotion.fusion import tables, weights_file

    weights = weights_file.read(arguments.weights) if arguments.weights else fusion.DEFAULT
    print(f"weights: voice {weights.voice:g}, face {weights.face:g}")
    fused = pairs.fused(weights)
    both = pairs.paired
    apart = fusion.disagreement(pairs.voice[both], pairs.face[pairs.face_rows[both]])
    truth = _truth(voice, pairs)
    if both.any():
        same = pairs.voice[both].argmax(axis=1) == pairs.face[pairs.face_rows[both]].argmax(axis=1)
        print(
            f"the channels agree on {same.mean():.1%} of the pairs; mean distance {apart.mean():.2f}"
        )
        if truth is not None and same.any() and not same.all():
            right = (fused.argmax(axis=1) == truth)[both]
            print(
                f"where they agree the answer is right in {right[same].mean():.1%}, else in "
                f"{right[~same].mean():.1%}"
            )
    if truth is not None:
        _print_scores(truth, pairs, {"both": fused})
    if arguments.out:
        tables.write(arguments.out, voice, pairs, fused)
        print(f"{arguments.out}: written")
    return 0


def fit(arguments, voice, pairs):
    """Weights for all that is there; what is printed of their worth is of people left out."""
    import numpy as np

    from speech_emotion import fusion
    from speech_emotion.fusion import weights_file

    truth, people = _truth(voice, pairs), voice.facts["person"]
    for name in ("person", "emotion"):
        if not voice.facts[name].all():
            raise UserError(
                f"{arguments.voice}: fit needs a column {name!r} with a value in every row"
            )
    usable = pairs.paired & (truth >= 0)
    if not (truth >= 0).all():
        print(f"{int((truth < 0).sum())} rows are of emotions that are no label of both; left out")
    found = sorted(set(people[usable].tolist()))
    if usable.sum() < LEAST_PAIRS or len(found) < LEAST_PEOPLE:
        raise UserError(
            f"{arguments.voice}: {int(usable.sum())} labelled pairs of {len(found)} people; at least "
            f"{LEAST_PAIRS} of {LEAST_PEOPLE} are needed, and without them `score` takes equal weights"
        )
    rows = np.flatnonzero(usable)
    heard, seen, y = pairs.voice[rows], pairs.face[pairs.face_rows[rows]], truth[rows]
    fused = np.empty_like(heard)
    for person in found:
        mine = people[rows] == person
        weights = fusion.fitted(heard[~mine], seen[~mine], y[~mine])
        fused[mine] = fusion.fuse(heard[mine], seen[mine], weights)
    equal = fusion.fuse(heard, seen)
    weights = fusion.fitted(heard, seen, y)
    print(f"each of {len(found)} people by weights of the others:")
    _print_scores(truth, pairs, {"both": fused, "both, equal weights": equal}, rows)
    print(f"weights of all {len(rows)} pairs: voice {weights.voice:g}, face {weights.face:g}")
    weights_file.write(
        arguments.out, weights,
        {"labels": list(pairs.labels), "pairs": len(rows), "people": len(found)},
    )  # fmt: skip
    print(
        f"{arguments.out}: written; for a sketch: -DSER_FUSION_VOICE={weights.voice:.4f}f "
        f"-DSER_FUSION_FACE={weights.face:.4f}f"
    )
    return 0


def _truth(voice, pairs):
    """(n,) numbers of labels, -1 for what is none; None where the table does not say."""
    import numpy as np

    emotions = voice.facts["emotion"]
    if not emotions.any():
        return None
    numbers = {label: number for number, label in enumerate(pairs.labels)}
    if "calm" not in numbers and "neutral" in numbers:
        numbers["calm"] = numbers["neutral"]
    return np.array([numbers.get(emotion, -1) for emotion in emotions.tolist()])


def _print_scores(truth, pairs, answers, rows=None):
    """UAR and calibration error of each channel and of both, on the same rows: those that have a face."""
    import numpy as np

    from speech_emotion.training.scores import calibration_error, uar

    if rows is None:
        rows = np.flatnonzero(pairs.paired & (truth >= 0))
        answers = {name: each[rows] for name, each in answers.items()}
    if not len(rows):
        print("no labelled pair to score")
        return
    table = {"voice": pairs.voice[rows], "face": pairs.face[pairs.face_rows[rows]], **answers}
    for name, each in table.items():
        guess = each.argmax(axis=1)
        error = calibration_error(each.max(axis=1), guess == truth[rows])
        print(f"{name:20s} UAR {uar(truth[rows], guess):.3f}   calibration error {error:.3f}")


def run() -> None:
    """The command: `main`, with its exit codes."""
    cli.run(main)
