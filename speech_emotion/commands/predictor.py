"""From clips and a model to emotions: one line per clip, or JSON, or a picture.

Any sound file, WAV to what a phone records, any rate, any number of channels; a long recording is answered
sentence by sentence. Where nobody speaks, by level or by voicing, no emotion is told. A bad clip is one line
on stderr; the others are still predicted, and the exit code is 2 at the end.
"""

import argparse
import json
import sys
import warnings
from pathlib import Path

from tqdm import tqdm

from speech_emotion import cli, names
from speech_emotion.commands import mistakes, steps
from speech_emotion.errors import UserError
from speech_emotion.features import engines

EXAMPLES = """examples:
  python predictor.py clip.wav models/mlp_64.joblib
  python predictor.py recordings/*.wav models/mlp_64.joblib --json > answers.jsonl
  python predictor.py clip.wav models/mlp_64.joblib --plot clip.png
  python predictor.py clip.wav build/EmotionRecognition             # the C library itself answers
  python predictor.py *.flac models/mlp_64.joblib --threshold 0.5 --jobs -1

exit codes: 0 every clip was predicted, 2 a clip or the model is bad (one line on stderr for each)
"""


def parse_arguments():
    parser = cli.Parser(
        usage="%(prog)s [options] CLIP [CLIP ...] MODEL",
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add = parser.add_argument
    add("clips", nargs="+", metavar="CLIP", help="sound files")
    add("model", metavar="MODEL",
        help="last: a .joblib that train.py wrote, its .json beside it; or the folder of a library that "
        "python -m codegen wrote, whose C code then answers")  # fmt: skip
    add("--json", action="store_true",
        help='one object per line: {"file", "emotion", "confidence", "probabilities", "seconds", "speech"}, '
        '"uncertain" where there is a threshold, "remarks" on an odd file; where nobody speaks, "speech" is '
        'false, "emotion" and "confidence" are null and "no_speech" says why')  # fmt: skip
    add("--plot", type=Path, metavar="OUT.png",
        help="draw waveform, mel spectrogram, F0, intensity and probabilities (.png, .pdf, .svg); several "
        "clips: OUT-1.png, OUT-2.png, ...")  # fmt: skip
    add("--threshold", type=float, metavar="P",
        help='confidence from 0 to 1 under which the answer is "uncertain" '
        "(default: the model's)")  # fmt: skip
    add("--engine", choices=engines.NAMES,
        help="who measures: librosa and Praat, or the chip's own C code (default: the one that measured the "
        "model's training clips)")  # fmt: skip
    add("--voice", type=Path, metavar="FILE",
        help="whose clips these are, in the order in which they were said: with a model that learns voices, "
        "each is heard against those before it; FILE keeps what is known")  # fmt: skip
    add("--whole", action="store_true",
        help="one answer per file, however long (default: of one longer than 15 s, one per sentence, as the "
        "board's gate cuts them)")  # fmt: skip
    add("--jobs", type=int, default=1, metavar="N", help="processes, -1 for all cores (default: 1)")
    add("--seed", type=int, metavar="N", help="every command takes it; here nothing is random")
    return parser.parse_intermixed_args()


def main():
    arguments = parse_arguments()
    check(arguments)
    # imported when asked for: --help and a wrong argument need neither scikit-learn nor matplotlib
    from speech_emotion.features import sentences
    from speech_emotion.model.recognition import open_model, predict_all
    from speech_emotion.model.voice import open_voice

    model = open_model(arguments.model)
    voice = None if arguments.voice is None else open_voice(arguments.voice, model)
    if voice is not None and voice.remark:
        print(f"note: {voice.remark}", file=sys.stderr)
    clips = arguments.clips
    if not arguments.whole:
        clips, said = sentences.expand(clips)
        for line in said:
            print(f"note: {names.terminal(line)}", file=sys.stderr)
    pictures = picture_paths(arguments.plot, len(clips))
    answers = predict_all(
        clips, model,
        engine=arguments.engine, threshold=arguments.threshold, jobs=arguments.jobs,
        voice=voice,
    )  # fmt: skip
    bad = 0
    if len(clips) > 1:
        answers = cli.progress(answers, total=len(clips), what="predict")
    for answer, clip, picture in zip(answers, clips, pictures, strict=True):
        if isinstance(answer, UserError):
            bad += 1
            tqdm.write(f"error: {names.terminal(str(answer))}", file=sys.stderr)
            continue
        for remark in answer.remarks:
            tqdm.write(f"note: {answer.file}: {remark}", file=sys.stderr)
        text = json.dumps(answer.as_json()) if arguments.json else answer.text()
        tqdm.write(text, file=sys.stdout)
        if picture:
            draw(clip, answer, picture)
    if voice is not None:
        voice.save()
    if not arguments.json:
        steps.show("predict", model=arguments.model)
    return 2 if bad else 0


def check(arguments):
    """What is wrong with the arguments, before any work; the clips of a folder take its place."""
    if arguments.threshold is not None and not 0 <= arguments.threshold <= 1:
        raise UserError(f"--threshold {arguments.threshold}: must be from 0 to 1")
    if arguments.jobs == 0:
        raise UserError("--jobs 0: give a number of processes, or -1 for all cores")
    mistakes.clips_and_model(arguments.clips, arguments.model)
    mistakes.model(arguments.model)
    arguments.clips, said = mistakes.clips(
        arguments.clips, plus="; the model stands last, and once"
    )
    for line in said:
        print(f"note: {names.terminal(line)}", file=sys.stderr)


def picture_paths(path, count):
    """For each clip the picture to draw, or None."""
    if path is None:
        return [None] * count
    from speech_emotion.model import picture as plots

    return plots.paths(path, count)


def draw(clip, answer, picture):
    from speech_emotion.features import sentences
    from speech_emotion.model import picture as plots

    plots.save(plots.draw(sentences.load(clip), answer), picture)


def run() -> None:
    """The command: `main`, with its exit codes."""
    warnings.formatwarning = lambda message, *_, **__: f"warning: {message}\n"
    cli.run(main)
