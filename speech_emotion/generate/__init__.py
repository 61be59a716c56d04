"""Writes the C code's tables and constants from the schema: `python -m speech_emotion.generate`."""

from pathlib import Path

from speech_emotion.generate import limits


def outputs() -> dict[Path, str]:
    """Path and text of every generated file. UserError: the C code cannot follow the schema."""
    limits.check()
    # what follows divides by the schema's numbers
    from speech_emotion.generate import (
        encoder_tables,
        fusion_weights,
        message_tables,
        slots,
        tables,
        voice_tables,
    )

    slots.refuse_unmeasured()
    made = tables.outputs() | slots.outputs() | voice_tables.outputs() | message_tables.outputs()
    return made | encoder_tables.outputs() | fusion_weights.outputs()


def stale() -> list[Path]:
    """The generated files that are not what the schema says now."""
    return [p for p, text in outputs().items() if not p.exists() or p.read_text("utf-8") != text]
