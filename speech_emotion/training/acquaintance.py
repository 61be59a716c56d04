"""How well a voice is known when it is tested: no history, the first sentence, three, ten, forty.

A history is of other clips of the tested speaker, who is in no training row; what he felt in them is not
told to the model. Each condition has the same histories for every model.
"""

import numpy as np

from speech_emotion.model import histories, profile

MIXED, NEUTRAL, ORDER = "mixed", "mostly neutral", "recording order"
CONDITIONS: dict[str, tuple[int, str]] = {
    "1 mostly neutral": (1, NEUTRAL),
    "3 mostly neutral": (3, NEUTRAL),
    "10 mostly neutral": (10, NEUTRAL),
    "10 mixed": (10, MIXED),
    "10 in recording order": (10, ORDER),
    "40 mostly neutral": (40, NEUTRAL),
    "40 mixed": (40, MIXED),
}
"""Name: how many sentences were heard before, and which. Mostly neutral: eight of ten."""
NONE = "none"
"""No history: as every model is tested."""


def heard(condition: str, speakers, labels, paths, *, seed: int) -> list[np.ndarray]:
    """For each clip the numbers of those heard before it, in their order. speakers, labels, paths: (n,)."""
    length, kind = CONDITIONS[condition]
    if kind == ORDER:
        return _before(speakers, paths, length)
    mood = histories.NEUTRAL if kind == NEUTRAL else histories.MIXED
    random = np.random.default_rng([seed, length, kind == NEUTRAL])
    lengths, moods = np.full(len(speakers), length), np.full(len(speakers), mood)
    return histories.drawn(speakers, labels, lengths, moods, random)


def _before(speakers, paths, length):
    """The clips before each in the order of their names; before the first ones, the last."""
    found: list[np.ndarray] = [np.empty(0, int)] * len(speakers)
    for speaker in np.unique(speakers):
        rows = np.flatnonzero(speakers == speaker)
        rows = rows[np.argsort(paths[rows], kind="stable")]
        for place, row in enumerate(rows):
            before = rows[(place - np.arange(min(length, len(rows) - 1), 0, -1)) % len(rows)]
            found[row] = before
    return found


def probabilities(
    pipeline, X: np.ndarray, rows: np.ndarray, before: list[np.ndarray]
) -> np.ndarray:
    """(rows, labels): answers to these rows of X, each given against its history. X: (n, columns) float32;
    before: per row, numbers of rows of X in the order heard."""
    scaler, model = pipeline[0], pipeline[-1]
    steps = scaler.steps(X)
    reference, spread = profile.after(scaler.spread_, steps, before)
    seen = profile.adapted(steps[rows], reference, spread, scaler.spread_.astype(np.int32))
    return model.predict_proba(profile.as_input(seen))
