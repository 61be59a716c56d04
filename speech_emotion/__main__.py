"""`speech-emotion COMMAND ...`, also `python -m speech_emotion COMMAND ...`: every command under one name."""

import sys
from importlib import import_module

from speech_emotion import __version__

COMMANDS = {
    "record": ("commands.record", "from a board's or this computer's microphone -> recordings"),
    "dataset-generator": ("commands.dataset_generator", "clips -> dataset/features.csv"),
    "extractor": ("commands.extractor", "the features of single sounds"),
    "train": ("commands.train", "features.csv -> models/ and reports/"),
    "predictor": ("commands.predictor", "clips and a model -> emotions"),
    "codegen": ("commands.codegen", "a model -> a verified Arduino library, a web page"),
    "measure": ("commands.measure", "time and memory on emulated chips, or on a board"),
    "central": ("commands.central", "a network of devices: broker, central service, page"),
    "fusion": ("commands.fusion", "voice and face: weights fitted, tables of both scored"),
    "face": ("commands.face", "folders of faces -> a model, its card, its C"),
    "camera": ("commands.camera", "a camera or videos -> emotions of faces"),
    "robustness": (
        "commands.robustness",
        "a saved model under noise, low level, cheap microphones",
    ),
    "parity": ("commands.parity", "how near the chip's features come to librosa and Praat"),
    "benchmark": ("commands.benchmark", "how fast the two engines are"),
    "accuracy": ("commands.accuracy", "the page of accuracies: every protocol, seeds, histories"),
    "study": ("commands.study", "what each choice of the recipe is worth, in nested folds"),
    "compare": ("commands.compare", "a forest's export beside emlearn, m2cgen and micromlgen"),
    "fusion-check": ("commands.fusion_check", "what voice and face are worth together, on RAVDESS"),
    "encoder": ("commands.encoder", "teaches the frozen encoder anew: how its weights were made"),
    "hostile-models": ("commands.hostile_models", "thousands of damaged model files, opened"),
}
"""Name: (module below this package, what it does)."""


def usage() -> str:
    rows = "\n".join(f"  {name:18} {about}" for name, (_, about) in COMMANDS.items())
    return (
        f"speech-emotion {__version__}: from recordings to a microcontroller that recognises emotion\n\n"
        f"usage: speech-emotion COMMAND [options]\n\n{rows}\n\n"
        "speech-emotion COMMAND --help tells more."
    )


def main() -> None:
    name = sys.argv[1].replace("_", "-") if len(sys.argv) > 1 else "--help"
    if name in ("--help", "-h"):
        print(usage())
        sys.exit(0)
    if name == "--version":
        print(__version__)
        sys.exit(0)
    if name not in COMMANDS:
        print(f"error: {name}: no such command; there are {', '.join(COMMANDS)}", file=sys.stderr)
        sys.exit(2)
    sys.argv = [f"speech-emotion {name}", *sys.argv[2:]]
    import_module(f"speech_emotion.{COMMANDS[name][0]}").run()


if __name__ == "__main__":
    main()
