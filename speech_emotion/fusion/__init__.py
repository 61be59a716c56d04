"""Voice and face as one answer: log-linear, two weights; what belongs together is what overlaps in time and
place. Tables in, tables out: `python -m fusion`; for a chip: ser_fusion.h.
"""

from speech_emotion.fusion import pairing
from speech_emotion.fusion.loglinear import (
    CHANNELS,
    DEFAULT,
    Weights,
    disagreement,
    fitted,
    fuse,
    fused_terms,
)

__all__ = [
    "CHANNELS",
    "DEFAULT",
    "Weights",
    "disagreement",
    "fitted",
    "fuse",
    "fused_terms",
    "pairing",
]
