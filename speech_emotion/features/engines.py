"""The two engines by name. An engine maps a clip (`audio.load`) to a feature vector in schema order."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from speech_emotion.errors import UserError

if TYPE_CHECKING:
    import numpy as np

Engine: TypeAlias = "Callable[[np.ndarray], np.ndarray]"
NAMES = ("reference", "device")


def get(name: str) -> Engine:
    """The engine's extract: int16 (n,) -> float32 (columns,), always finite.

    `reference` is librosa and Praat; `device` is the chip's C code, compiled here, on first use. Raises
    UserError for a name not in NAMES, and where `device` finds no C compiler.
    """
    # imported when asked for: librosa takes seconds to load, and the device engine needs a compiler
    if name == "reference":
        from speech_emotion.features import reference

        return reference.extract
    if name == "device":
        from speech_emotion.features import device

        device.build()
        return device.extract
    raise UserError(f"engine {name}: no such engine; choose one of {', '.join(NAMES)}")
