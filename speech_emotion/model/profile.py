"""Knowing the voice: a running reference of the columns, between extractor and model.

A model that was trained elsewhere meets one person in one room. What that voice usually sounds like, column
by column, is learnt from its sentences as they come, whatever their emotion, and taken off the next one.
All of it is integer arithmetic, so that Python, the chip and the page keep the same profile to the last
bit.

Columns are counted in *steps*, STEPS per standard deviation of the training clips. A profile holds for each
column a reference r, the running mean, and a spread e, the running mean deviation from it, both int16; and
how many sentences it knows, n. With no history, r = 0 and e is the training voices' own.

    adapted    clip((q - r) * e0 / e, TOP)            what the model sees of a sentence q
    r        <- r + (q - r) / (min(n + 1, MEMORY) + PRIOR)
    e        <- e + (|q - c| - e) / (min(n + 1, MEMORY) + SPREAD_PRIOR)      from the third sentence on

PRIOR is so many sentences of the training voices' mean (0) that the profile starts with, so one sentence
does not turn the reference over; c is r without them. MEMORY makes the means forget: later sentences never
count less than one in MEMORY. Divisions round to the nearest whole number, halves away from zero.

Feature normalisation per speaker is old (Furui 1981, cepstral mean subtraction; Busso et al. 2013 for
emotion); what is ours is that the model is trained for every length of acquaintance, and that it runs on
the chip.
"""

from __future__ import annotations

import hashlib

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

STEPS = 1638
"""Steps of a column per standard deviation: 2.5 deviations are TOP steps."""
TOP = 4095
"""What the model sees ends here: 12 bits and sign, an int8 layer's input."""
FAR = 16383
"""And what a profile learns from here: 14 bits and sign, ten standard deviations."""
PRIOR = 6
SPREAD_PRIOR = 20
MEMORY = 64
SPREAD_FROM = 2
"""Sentences that must be known before deviations from their mean are learnt."""
LEAST_SPREAD = 50
MOST_KNOWN = 65535
STRANGE_SHARE, STRANGE_PER, STRANGE_SENTENCES, STRANGE_FROM, STRANGE_FOR_GOOD = 4, 5, 3, 5, 10
"""A sentence does not fit if its squares against the profile are more than 4/5 of those without it. After
three in a row somebody else speaks, and after ten he is the one to be known: the profile begins anew. Asked
once five sentences are known."""
C_NUMBERS = {
    "SER_PROFILE_TOP": TOP,
    "SER_PROFILE_FAR": FAR,
    "SER_PROFILE_PRIOR": PRIOR,
    "SER_PROFILE_SPREAD_PRIOR": SPREAD_PRIOR,
    "SER_PROFILE_SPREAD_FROM": SPREAD_FROM,
    "SER_PROFILE_LEAST_SPREAD": LEAST_SPREAD,
    "SER_PROFILE_MEMORY": MEMORY,
    "SER_STRANGE_SHARE": STRANGE_SHARE,
    "SER_STRANGE_PER": STRANGE_PER,
    "SER_STRANGE_SENTENCES": STRANGE_SENTENCES,
    "SER_STRANGE_FROM": STRANGE_FROM,
    "SER_STRANGE_FOR_GOOD": STRANGE_FOR_GOOD,
}
"""What the C code calls them."""
UNIT = np.float32(2.5 / TOP)
"""Standard deviations per step, as the model's input is scaled."""


def divided(a: np.ndarray, b: np.ndarray | int) -> np.ndarray:
    """a / b in whole numbers, halves away from zero. b > 0; integers of any shapes that broadcast."""
    return np.sign(a) * ((np.abs(a) + b // 2) // b)


class VoiceScaler(TransformerMixin, BaseEstimator):
    """Standardise columns in whole steps, and take off what a voice usually sounds like.

    fit learns `mean_` and `inverse_` (1 / standard deviation; 0 for a constant column), float32 (columns,),
    and `spread_`, int16 (columns,): the mean deviation within a training voice, in steps. transform:
    float32 (n, columns) -> float32 (n, columns) in [-2.5, 2.5], for a voice that is not known; `adapted`
    for one that is.
    """

    def fit(self, X, y=None, groups=None):
        """groups: (n,) speakers; without them the rows count as one voice's."""
        X = validate_data(self, X, dtype=np.float64)
        deviation = X.std(axis=0)
        constant = deviation <= 1e-7 * np.abs(X).max(axis=0)
        self.mean_ = X.mean(axis=0).astype(np.float32)
        self.inverse_ = np.where(constant, 0, 1 / np.where(constant, 1, deviation)).astype(
            np.float32
        )
        self.spread_ = usual_spread(self.steps(X.astype(np.float32)), groups)
        return self

    def fit_transform(self, X, y=None, groups=None):
        """Not clipped, (n, columns) float32 within 10 standard deviations: what comes behind in a pipeline is
        taught with histories, and a reference is of what was heard, not of what was clipped."""
        return self.fit(X, y, groups).steps(np.asarray(X, np.float32)).astype(np.float32) * UNIT

    def steps(self, X: np.ndarray) -> np.ndarray:
        """X: float32 (n, columns). Returns int32 (n, columns) in [-FAR, FAR], halves to even; in single
        precision as on the chip: one subtraction, two multiplications."""
        scaled = (X - self.mean_) * self.inverse_ * np.float32(STEPS)
        return np.clip(np.rint(scaled), -FAR, FAR).astype(np.int32)

    def transform(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float32, reset=False)
        return as_input(self.steps(X))

    def profile(self) -> Profile:
        """Of nobody yet."""
        return Profile(self.spread_)


MANY = 5
"""A training voice tells of deviations within a voice if it has more rows than this."""
LEAST_USUAL = 100


def usual_spread(steps: np.ndarray, groups: np.ndarray | None = None) -> np.ndarray:
    """The mean deviation within a voice, int16 (columns,), of rows of steps, (n, columns). groups: (n,)
    speakers; without them all rows count as one voice's."""
    groups = np.zeros(len(steps)) if groups is None else np.asarray(groups)
    voices = [np.flatnonzero(groups == each) for each in np.unique(groups)]
    voices = [rows for rows in voices if len(rows) > MANY] or [np.arange(len(steps))]
    spread = [np.abs(steps[rows] - steps[rows].mean(axis=0)).mean(axis=0) for rows in voices]
    return np.clip(np.mean(spread, axis=0), LEAST_USUAL, FAR).astype(np.int16)


def as_input(steps: np.ndarray) -> np.ndarray:
    """Steps as what the model sees: float32 in [-2.5, 2.5]."""
    return np.clip(steps, -TOP, TOP).astype(np.float32) * UNIT


def adapted(steps, reference, spread, usual) -> np.ndarray:
    """What the model sees of sentences. All int32 (..., columns); usual: (columns,). Within TOP."""
    return np.clip(divided((steps - reference) * usual, spread), -TOP, TOP)


def learned(steps, reference, spread, known) -> tuple[np.ndarray, np.ndarray]:
    """Reference and spread after a sentence each. int32 (..., columns); known: (..., 1), before it."""
    share = np.minimum(known + 1, MEMORY)
    own = reference + divided(reference * PRIOR, np.maximum(known, 1))
    away = np.minimum(np.abs(steps - own), FAR)
    grown = np.maximum(spread + divided(away - spread, share + SPREAD_PRIOR), LEAST_SPREAD)
    return (
        reference + divided(steps - reference, share + PRIOR),
        np.where(known >= SPREAD_FROM, grown, spread),
    )


class Profile:
    """One voice, as far as it is known.

    usual: int16 (columns,), the training voices' spread (`VoiceScaler.spread_`). reference, spread: int32
    (columns,), within int16; known: how many sentences it has learnt from.
    """

    def __init__(self, usual: np.ndarray):
        self.usual = np.asarray(usual, np.int32)
        self.forget()

    def forget(self) -> None:
        """Back to nobody."""
        self.reference = np.zeros(len(self.usual), np.int32)
        self.spread = self.usual.copy()
        self.known = 0
        self.strange = 0

    @property
    def stands_on(self) -> int:
        """Sentences that an answer stands on: 0 while nobody is known, or somebody else speaks."""
        return 0 if self.strange >= STRANGE_SENTENCES else self.known

    def adapted(self, steps: np.ndarray) -> np.ndarray:
        """What the model sees of a sentence. steps: int32 (..., columns). Returns the same shape."""
        if not self.stands_on:
            return np.clip(steps, -TOP, TOP)
        return adapted(steps, self.reference, self.spread, self.usual)

    def learn(self, steps: np.ndarray) -> bool:
        """Take in a sentence; or, if it does not fit, count it. steps: int32 (columns,). Returns whether it
        was learnt from."""
        if self.known >= STRANGE_FROM and self._is_stranger(steps):
            self.strange = min(self.strange + 1, MOST_KNOWN)
            if self.strange >= STRANGE_FOR_GOOD:
                self.forget()
            elif self.strange >= STRANGE_SENTENCES:
                return False
        else:
            self.strange = 0
        known = np.array([self.known])
        self.reference, self.spread = learned(steps, self.reference, self.spread, known)
        self.known = min(self.known + 1, MOST_KNOWN)
        return True

    def _is_stranger(self, steps):
        seen = adapted(steps, self.reference, self.spread, self.usual).astype(np.int64)
        unknown = np.clip(steps, -TOP, TOP).astype(np.int64)
        return (seen @ seen) * STRANGE_PER > (unknown @ unknown) * STRANGE_SHARE

    def to_json(self, identity: str) -> dict:
        """What `--voice FILE` keeps. identity: of the model (`identity`)."""
        return {
            "model": identity, "known": self.known, "strange": self.strange,
            "reference": self.reference.tolist(), "spread": self.spread.tolist(),
        }  # fmt: skip

    @classmethod
    def from_json(cls, kept: object, usual: np.ndarray, identity: str) -> Profile | None:
        """The profile kept; None if it is not one, was damaged, or is another model's."""
        profile = cls(usual)
        if not isinstance(kept, dict) or kept.get("model") != identity:
            return None
        known, strange = kept.get("known"), kept.get("strange")
        for number in (known, strange):
            if type(number) is not int or not 0 <= number <= MOST_KNOWN:
                return None
        for name, least in (("reference", -FAR), ("spread", LEAST_SPREAD)):
            values = kept.get(name)
            if not isinstance(values, list) or len(values) != len(profile.usual):
                return None
            if not all(type(value) is int and least <= value <= FAR for value in values):
                return None
            setattr(profile, name, np.array(values, np.int32))
        profile.known, profile.strange = int(known or 0), int(strange or 0)
        return profile


def identity(columns: list[str], mean: np.ndarray, inverse: np.ndarray, usual: np.ndarray) -> str:
    """16 hex digits that name what a profile's numbers mean: columns and their scale."""
    digest = hashlib.sha256("\n".join(columns).encode())
    for array, kind in ((mean, "<f4"), (inverse, "<f4"), (usual, "<i2")):
        digest.update(np.ascontiguousarray(array, kind).tobytes())
    return digest.hexdigest()[:16]


def knows_voices(pipeline) -> bool:
    """Whether a fitted pipeline answers against a voice profile."""
    # `sequence` hands what the scaler gives to the classifier, so nothing may stand between them
    return len(pipeline) == 2 and isinstance(pipeline[0], VoiceScaler)


def sequence(pipeline, X: np.ndarray, profile: Profile) -> tuple[np.ndarray, np.ndarray]:
    """Sentences of one voice in the order heard, each answered against the profile and then learnt into it.

    X: float32 (n, columns of the model). Returns probabilities, float32 (n, labels), and how many sentences
    each answer stands on, (n,)."""
    answers, known = [], []
    for steps in pipeline[0].steps(X):
        known.append(profile.stands_on)
        answers.append(pipeline[-1].predict_proba(as_input(profile.adapted(steps)[None]))[0])
        profile.learn(steps)
    return np.array(answers), np.array(known)


def after(usual: np.ndarray, steps: np.ndarray, heard: list[np.ndarray]) -> tuple:
    """Many profiles at once: what each is after its history. usual: (columns,); steps: int32 (n, columns);
    heard: per profile, row numbers of steps in the order heard. Returns reference and spread, int32
    (profiles, columns)."""
    reference = np.zeros((len(heard), steps.shape[1]), np.int32)
    spread = np.tile(np.asarray(usual, np.int32), (len(heard), 1))
    lengths = np.array([len(each) for each in heard])
    for now in range(lengths.max(initial=0)):
        on = np.flatnonzero(lengths > now)
        sentence = steps[[heard[i][now] for i in on]]
        known = np.full((len(on), 1), now)
        reference[on], spread[on] = learned(sentence, reference[on], spread[on], known)
    return reference, spread
