"""ser_fusion_weights.h, from fusion/loglinear.py."""

from pathlib import Path

from speech_emotion.fusion import loglinear
from speech_emotion.resources import EMBEDDED


def outputs() -> dict[Path, str]:
    """Path and text of the generated file."""
    return {EMBEDDED / "src" / "ser_fusion_weights.h": header()}


def header() -> str:
    """The default weights, which a build may set otherwise, and the floor."""
    lines = [
        "/* Generated from fusion/loglinear.py by `python -m speech_emotion.generate`; do not edit. */",
        "#ifndef SER_FUSION_WEIGHTS_H",
        "#define SER_FUSION_WEIGHTS_H",
        "",
    ]
    for channel in loglinear.CHANNELS:
        name = f"SER_FUSION_{channel.upper()}"
        value = getattr(loglinear.DEFAULT, channel)
        lines += [f"#ifndef {name}", f"#define {name} {value}f", "#endif"]
    lines += [f"#define SER_FUSION_FLOOR {loglinear.FLOOR}f", "", "#endif"]
    return "\n".join(lines) + "\n"
