"""Columns in words: which belong together, and what a person would call it when they are higher or lower.

The page says "louder than usual" where the model saw forty columns; each column belongs to one aspect.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Aspect:
    """columns: a pattern of their names. raised, lowered: patterns of those that rise, or fall, when there is
    more of it. more, less, other: words for "more than usual", for less, and for neither, only different."""

    columns: str
    raised: str
    lowered: str
    more: str
    less: str
    other: str


_NEVER = r"(?!)"
ASPECTS = (
    Aspect(
        r"(rms|intensity_db)_(mean|min|max)|mel_\d+_mean",
        r"(rms|intensity_db)_(mean|max)",
        _NEVER,
        "louder", "softer", "loudness in some frequency bands",
    ),
    Aspect(
        r"(rms|intensity_db)_(std|skewness|kurtosis|slope|delta_\w+)|mel_\d+_std|modulation_\w+"
        r"|flux_\w+",
        r"(rms|intensity_db)_(std|delta_std)|flux_(mean|std)",
        _NEVER,
        "louder and softer in turns", "more even in loudness", "the course of loudness",
    ),
    Aspect(
        r"(clear_)?f0_(semitones_(mean|min|max)|start|end)",
        r"(clear_)?f0_semitones_(mean|max)",
        _NEVER,
        "a higher voice", "a lower voice", "where pitch begins and ends",
    ),
    Aspect(
        r"(clear_)?f0_(semitones_(std|skewness|kurtosis)|delta_(std|abs)|curvature"
        r"|segment_(std|range_\w+|slope_(std|abs)))",
        r"(clear_)?f0_(semitones_std|delta_(std|abs)|segment_(std|range_\w+))",
        _NEVER,
        "a pitch that moves more", "a flatter pitch", "how pitch moves",
    ),
    Aspect(
        r"(clear_)?f0_(semitones_slope|delta_mean|rising|rise|fall|tilt|segment_slope_mean)",
        r"(clear_)?f0_(semitones_slope|segment_slope_mean|rising)",
        _NEVER,
        "a pitch that rises", "a pitch that falls", "where pitch goes",
    ),
    Aspect(
        r"(clear_)?(voiced_\w+|pause_\w+)",
        r"(clear_)?pause_(mean|max)",
        r"(clear_)?voiced_fraction",
        "more and longer pauses", "fewer pauses", "rhythm",
    ),
    Aspect(
        r"(centroid|bandwidth|rolloff|flatness|low_high_db|zcr)_\w+|relative_mel_\w+",
        r"(centroid|rolloff|zcr)_mean",
        _NEVER,
        "a brighter, sharper sound", "a darker sound", "the balance of low and high frequencies",
    ),
    Aspect(
        r"(jitter|shimmer)_\w+", r"(jitter|shimmer)_\w+", _NEVER,
        "a rougher voice", "a smoother voice", "roughness",
    ),
    Aspect(r"hnr_\w+", r"hnr_mean", _NEVER, "a clearer voice", "a breathier voice", "breathiness"),
    Aspect(
        r"mfcc_\w+|contrast_\w+|chroma_\w+|encoder_\w+", _NEVER, _NEVER, "", "", "the colour of the sound",
    ),
)  # fmt: skip


def aspect_of(column: str) -> Aspect:
    """The one that a column belongs to."""
    [found] = [aspect for aspect in ASPECTS if re.fullmatch(aspect.columns, column)]
    return found


def of_columns(columns: Sequence[str]) -> list[dict]:
    """What the page knows of them: per aspect that has columns, its words, the numbers of its columns, and of
    those that tell more from less, with their sign."""
    found = []
    for aspect in ASPECTS:
        mine = [i for i, column in enumerate(columns) if re.fullmatch(aspect.columns, column)]
        signs = [
            [i, sign]
            for i in mine
            for pattern, sign in ((aspect.raised, 1), (aspect.lowered, -1))
            if re.fullmatch(pattern, columns[i])
        ]
        if mine:
            found.append(
                {
                    "more": aspect.more,
                    "less": aspect.less,
                    "other": aspect.other,
                    "columns": mine,
                    "signs": signs,
                }
            )
    return found
