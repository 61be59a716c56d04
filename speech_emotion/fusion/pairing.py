"""Which face belongs to which sentence: that of the same place which overlaps it by half of the shorter.

What is paired wrongly is worse than either channel alone (docs/face.md), so what does not overlap enough
stays alone. In the network a partner is waited for WAIT_MS, and one that comes later than that, within
REVISE_MS, revises the decision.
"""

import numpy as np

LEAST_OVERLAP = 0.5
WAIT_MS = 500
"""A partner of a sentence is waited for so long, at most."""
REVISE_MS = 30_000
"""A partner that comes later than this changes nothing any more."""
NOBODY = -1


def overlap(a: tuple[float, float], b: tuple[float, float]) -> float:
    """What two intervals (begin, end) share, of the shorter: 0 to 1. An interval without length shares
    nothing."""
    shared = min(a[1], b[1]) - max(a[0], b[0])
    shorter = min(a[1] - a[0], b[1] - b[0])
    return min(1.0, max(0.0, shared) / shorter) if shorter > 0 else 0.0


def pairs(places: tuple[np.ndarray, np.ndarray], voice: np.ndarray, face: np.ndarray) -> np.ndarray:
    """For each sentence the number of its face, or NOBODY. (sentences,) int

    places: of the sentences, (n,), and of the faces, (m,); voice, face: (n, 2), (m, 2) begin and end on one
    clock, in seconds. A face belongs to one sentence at most; where several would do, the longest common time
    comes first.
    """
    found = np.full(len(voice), NOBODY)
    taken = np.zeros(len(face), bool)
    candidates = []
    for place in np.unique(places[0]):
        mine, theirs = (np.flatnonzero(each == place) for each in places)
        theirs = theirs[np.argsort(face[theirs, 0], kind="stable")]
        begins = face[theirs, 0]
        longest = (face[theirs, 1] - begins).max(initial=0)
        for row in mine.tolist():
            begin, end = voice[row].tolist()
            first, last = np.searchsorted(begins, (begin - longest, end))
            for other in theirs[first:last].tolist():
                around = (float(face[other, 0]), float(face[other, 1]))
                if overlap((begin, end), around) >= LEAST_OVERLAP:
                    shared = min(end, around[1]) - max(begin, around[0])
                    candidates.append((-shared, row, other))
    for _, row, other in sorted(candidates):
        if found[row] == NOBODY and not taken[other]:
            found[row], taken[other] = other, True
    return found
