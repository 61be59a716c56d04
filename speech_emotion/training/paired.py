"""Whether one model is better than another, by what both said of the same clips.

Clips of one speaker are right and wrong together, so speakers are the units: their answers are swapped
between the models (a permutation test of the difference in UAR), and they are drawn again (its interval).
"""

from typing import NamedTuple

import numpy as np

from speech_emotion.training.scores import Outcome

_TIMES = 2000
ENOUGH = 6
"""Speakers; of fewer no permutation test can reach 0.05 (2^-4 and both signs)."""


class Difference(NamedTuple):
    """UAR of the first model less the second's; low, high: its 95 % interval; p: two-sided, under the null
    hypothesis that for any speaker the two might be swapped; only_first, only_second: clips that only one of
    them had right; p_clips: McNemar's exact test on those, which takes clips for independent."""

    uar: float
    low: float
    high: float
    p: float
    only_first: int
    only_second: int
    p_clips: float
    speakers: int


def compare(first: Outcome, second: Outcome, *, seed: int = 0) -> Difference:
    """Both outcomes must be of the same rows. ValueError where they are not."""
    a, b = (np.argsort(each.rows, kind="stable") for each in (first, second))
    if not np.array_equal(first.rows[a], second.rows[b]):
        raise ValueError("the two models were tested on different clips")
    truth = first.truth[a]
    right = np.array([first.predicted[a] == truth, second.predicted[b] == truth], float)
    labels, label = np.unique(truth, return_inverse=True)
    people, person = np.unique(first.speakers[a], return_inverse=True)
    # right answers and clips, by speaker and label
    hits = np.zeros((2, len(people), len(labels)))
    clips = np.zeros((len(people), len(labels)))
    for k in range(2):
        np.add.at(hits[k], (person, label), right[k])
    np.add.at(clips, (person, label), 1)

    def uar(found, of):
        total = of.sum(axis=-2)
        seen = total > 0
        return np.where(seen, found.sum(axis=-2) / np.maximum(total, 1), 0).sum(-1) / seen.sum(-1)

    observed = float(uar(hits[0], clips) - uar(hits[1], clips))
    random = np.random.default_rng(seed)
    swap = random.random((_TIMES, len(people), 1)) < 0.5
    swapped = uar(np.where(swap, hits[1], hits[0]), clips[None]) - uar(
        np.where(swap, hits[0], hits[1]), clips[None]
    )
    p = (1 + int((np.abs(swapped) >= abs(observed) - 1e-12).sum())) / (1 + _TIMES)
    drawn = random.multinomial(len(people), np.full(len(people), 1 / len(people)), _TIMES)[
        ..., None
    ]
    resampled = uar(drawn * hits[0], drawn * clips) - uar(drawn * hits[1], drawn * clips)
    low, high = np.quantile(resampled, [0.025, 0.975])
    only = (
        int(((right[0] == 1) & (right[1] == 0)).sum()),
        int(((right[0] == 0) & (right[1] == 1)).sum()),
    )
    return Difference(observed, float(low), float(high), p, *only, mcnemar(*only), len(people))


def mcnemar(only_first: int, only_second: int) -> float:
    """Two-sided exact p of McNemar's test."""
    from scipy.stats import binomtest

    n = only_first + only_second
    return float(binomtest(only_first, n, 0.5).pvalue) if n else 1.0


def sentence(name: str, other: str, found: Difference) -> str:
    """The comparison in words."""
    if found.speakers < ENOUGH:
        verdict = f"{found.speakers} speakers are too few to tell"
    elif found.p < 0.05:
        verdict = "a difference" if found.low > 0 or found.high < 0 else "hardly a difference"
    else:
        verdict = "no difference shown"
    return (
        f"{name} less {other}: UAR {found.uar:+.3f} (95 %: {found.low:+.3f} to {found.high:+.3f}), p "
        f"{found.p:.3f} by speakers, {found.only_first} clips right that the other had wrong, "
        f"{found.only_second} wrong that it had right: {verdict}"
    )
