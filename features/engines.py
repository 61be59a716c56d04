"""The two engines by name. An engine maps a clip (`audio.load`) to a feature vector in schema order."""

from collections.abc import Callable

import numpy as np

from features import reference

Engine = Callable[[np.ndarray], np.ndarray]
NAMES = ("reference",)


def get(name: str) -> Engine:
    """The engine's extract: int16 (n,) -> float32 (columns,)."""
    return {"reference": reference.extract}[name]
