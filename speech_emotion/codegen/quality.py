"""What a new voice may get of a model, out of the facts beside it: what library and page tell before all."""

from typing import NamedTuple


class Quality(NamedTuple):
    """UAR in [0, 1], with its 95 % interval, on speakers that no model of the folds had heard; chance: UAR of
    guessing."""

    uar: float
    low: float
    high: float
    clips: int
    speakers: int
    chance: float


def of_new_voices(facts: dict) -> Quality | None:
    """None where no speaker could be left out."""
    uar = facts.get("unseen", {}).get("uar")
    if uar is None:
        return None
    low, high = facts.get("intervals", {}).get("uar", (uar, uar))
    counts = facts.get("unseen_clips", 0), facts.get("unseen_speakers", 0)
    return Quality(uar, low, high, *counts, chance=1 / len(facts["labels"]))
