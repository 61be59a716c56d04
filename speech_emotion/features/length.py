"""How long a clip may be. An emotion is told of a sentence, and every minute costs memory."""

from speech_emotion.errors import UserError

LONGEST = {"reference": 300, "device": 3600}
"""Seconds that each engine takes. librosa and Praat want 100 MB a minute; the C code nothing, but the samples
themselves are 1.9 MB a minute."""


def check(seconds: float, engine: str, *, name: str = "samples") -> None:
    """UserError for a clip that is longer than the engine takes."""
    if seconds > LONGEST[engine]:
        raise UserError(
            f"{name}: {text(seconds)} long; the {engine} engine takes {text(LONGEST[engine])} at most: "
            "cut it into sentences (dataset_generator.py --split does)"
            + ", or use --engine device"
            * (engine != "device")
        )


def text(seconds: float) -> str:
    """A length in words: 12.3 s, 15 min 0 s."""
    whole = round(seconds)
    return f"{seconds:.1f} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"
