"""The way from recordings to a board as one page, the same after every command: where one is, and what comes
next."""

import sys
from pathlib import Path

from speech_emotion import names

STEPS = (
    ("record", "speech-emotion record --labels happy sad --speaker NAME [--port PORT]", "your own clips"),
    ("table", "python dataset_generator.py --corpora {corpora} --engine device --augment", "clips -> table"),
    ("train", "python train.py {features}", "a model, its scores, its card"),
    ("predict", "python predictor.py CLIP {model}", "a clip -> the emotion"),
    ("export", "python -m codegen {model} --corpora {corpora} --web build/web", "library and page, verified"),
    ("measure", "python -m measure {library}", "time and memory on the chip"),
    ("flash", "Sketch > Include Library > Add .ZIP Library: {library}.zip", "docs/getting_started.md"),
)  # fmt: skip
DEFAULTS = {
    "corpora": "recordings", "features": "dataset/features.csv", "model": "models/model.joblib",
    "library": "build/EmotionRecognition",
}  # fmt: skip


def page(done: str, **places: str | Path) -> str:
    """The steps with a mark at the one that was done. places: of DEFAULTS, those that are known."""
    known = {name: names.terminal(str(place)) for name, place in (DEFAULTS | places).items()}
    lines = ["", "From recordings to a board:"]
    after = False
    for name, command, what in STEPS:
        mark = "done" if name == done else "next" if after else ""
        after = name == done
        lines.append(f"  {mark:4}  {name:8} {command.format(**known)}    # {what}")
    return "\n".join(lines)


def show(done: str, **places: str | Path) -> None:
    """Prints the page where somebody reads: on a terminal."""
    if sys.stdout.isatty():
        print(page(done, **places))
