"""What was heard before: histories of a training clip, and how a known voice's sentence looks to the model.

For each clip other sentences of its speaker are drawn as life gives them: few or many, of any emotion or
mostly neutral. Training speakers only, as nothing else is here. The arithmetic is `profile`'s in floating
point, many rows at once, and ends in whole steps, too: equal but for rounding, which is what training
needs.
"""

import numpy as np
from scipy import sparse

from speech_emotion.dataset.copies import is_voice
from speech_emotion.model import profile

LENGTHS = (1, 3, 10, 20, 40)
SHARES = (0.1, 0.2, 0.3, 0.2, 0.2)
"""How many sentences are known, and how often a training view has so many."""
MOOD_SHARE = 0.8
"""Of a history that is mostly one label. The rest, and all of a mixed one, is any."""
NEUTRAL, MIXED = "neutral", ""
"""What most of a training view's history is, each half the time. A quarter of the views with a history that
is mostly one label, whichever, made a teacher no steadier on such histories, and worse on others."""
_SAME_ROOM = 0.5
"""So many copies through noise or a line have a history through the same; of the others' only the voice is
known."""
_GROWTH = 0.8
"""Mean deviation of a normal variable per standard deviation, sqrt(2 / pi)."""


def drawn(
    speakers: np.ndarray, labels: np.ndarray, lengths: np.ndarray, moods: np.ndarray, random
) -> list[np.ndarray]:
    """A history for each row: numbers of other rows of its speaker, in the order heard.

    speakers, labels: (n,); lengths: (n,) sentences wanted, fewer where there are fewer; moods: (n,), the
    label that most of them have, or MIXED. Returns n arrays of int.
    """
    rows_of = {each: np.flatnonzero(speakers == each) for each in np.unique(speakers)}
    found = []
    for row, (speaker, length, mood) in enumerate(zip(speakers, lengths, moods, strict=True)):
        others = rows_of[speaker]
        others = others[others != row]
        length = min(int(length), len(others))
        if mood == MIXED:
            found.append(random.permutation(others)[:length])
            continue
        alike = labels[others] == mood
        same, rest = random.permutation(others[alike]), random.permutation(others[~alike])
        share = min(round(MOOD_SHARE * length), len(same))
        taken = np.concatenate([same[:share], rest[: length - share]])
        taken = np.concatenate([taken, same[share : share + length - len(taken)]])
        found.append(random.permutation(taken))
    return found


class Views:
    """Training rows as a known voice's. All arrays are over the same rows, clips and copies.

    steps: float32 (n, columns), whole numbers (`profile.VoiceScaler.steps`); usual: (columns,), the scaler's
    `spread_`; labels, speakers: (n,); sources: (n,) row number of each row's clip; kinds: (n,), of a copy its
    kind, of a clip "".
    """

    def __init__(self, steps, usual, labels, speakers, sources, kinds):
        self._steps, self._usual = steps, usual.astype(np.float32)
        self._kinds, self._sources = kinds, sources
        self._clips = np.flatnonzero(sources == np.arange(len(sources)))
        self._place = np.full(len(sources), -1)
        self._place[self._clips] = np.arange(len(self._clips))
        self._speakers = speakers[self._clips]
        self._labels = labels[self._clips]
        # per kind of copy: each clip's copy of this kind, or the clip itself
        self._through: dict[str, np.ndarray] = {}
        # a copy that is another voice has no sentences but itself: how such a voice differs is one direction
        self._direction: dict[str, np.ndarray] = {}
        for kind in sorted(set(kinds.tolist()) - {""}):
            rows = np.flatnonzero(kinds == kind)
            if is_voice(kind):
                moved = steps[rows] - steps[sources[rows]]
                _, axes = np.linalg.eigh((moved.T @ moved).astype(np.float64))
                self._direction[kind] = axes[:, -1].astype(np.float32)
                continue
            own = self._clips.copy()
            own[self._place[sources[rows]]] = rows
            self._through[kind] = own

    def draw(self, random: np.random.Generator, rows: np.ndarray | None = None) -> np.ndarray:
        """A fresh history for every clip, which its copies share. rows: those wanted, default all. Returns
        (rows, columns) float32, the model's input."""
        rows = np.arange(len(self._steps)) if rows is None else rows
        count = len(self._clips)
        lengths = random.choice(LENGTHS, count, p=SHARES)
        moods = np.where(random.random(count) < 0.5, NEUTRAL, MIXED)
        heard = drawn(self._speakers, self._labels, lengths, moods, random)
        known = np.array([len(each) for each in heard])
        ends = np.concatenate([[0], np.cumsum(known)])
        each = sparse.csr_matrix(
            (np.ones(ends[-1], np.float32), np.concatenate(heard).astype(int), ends), (count, count)
        )
        means, deviations = self._statistics(each, known, self._clips)
        result = np.empty((len(rows), self._steps.shape[1]), np.float32)
        for kind in sorted(set(self._kinds[rows].tolist())):
            place = np.flatnonzero(self._kinds[rows] == kind)
            mine = rows[place]
            clip = self._place[self._sources[mine]]
            mean, deviation = means[clip], deviations[clip]
            if kind in self._direction:
                axis = self._direction[kind]
                moved = (self._steps[mine] - self._steps[self._sources[mine]]) @ axis
                mean = mean + moved[:, None] * axis
            elif kind:
                there = self._statistics(each, known, self._through[kind])
                same = (random.random(len(mine)) < _SAME_ROOM)[:, None]
                mean = np.where(same, there[0][clip], mean)
                deviation = np.where(same, there[1][clip], deviation)
            result[place] = self._adapted(self._steps[mine], mean, deviation, known[clip])
        return result

    def _statistics(self, each, known, rows):
        """Mean and standard deviation of each history, of these rows in the clips' places."""
        steps, known = self._steps[rows], np.maximum(known, 1)[:, None].astype(np.float32)
        mean = (each @ steps) / known
        square = (each @ (steps * steps)) / known - mean * mean
        return mean, np.sqrt(np.maximum(square, 0) * (known + 1) / np.maximum(known - 1, 1))

    def _adapted(self, steps, mean, deviation, known):
        share = np.minimum(known, profile.MEMORY)[:, None].astype(np.float32)
        reference = mean * share / (share + profile.PRIOR)
        told = np.maximum(share - profile.SPREAD_FROM, 0)
        spread = (profile.SPREAD_PRIOR * self._usual + told * _GROWTH * deviation) / (
            told + profile.SPREAD_PRIOR
        )
        away = (steps - reference) * self._usual / np.maximum(spread, profile.LEAST_SPREAD)
        return np.rint(np.clip(away, -profile.TOP, profile.TOP)) * profile.UNIT
