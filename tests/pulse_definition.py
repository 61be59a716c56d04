"""Praat's pulses, and jitter and shimmer of them, in double precision.

What ser_pulses.c and ser_perturbation.c compute in integers.
"""

import numpy as np

from speech_emotion.features import schema
from speech_emotion.generate import layout

_SEARCH = 0.8, 1.25  # of a period
_ALIKE, _ALIKE_EDGE = 0.3, 0.7
_WEAK = 0.0233333  # of the peak
_MARGIN = 1000  # samples of silence around the sound


class Marking:
    """Of a sound with this F0 (Hz per frame, 0 where unvoiced) and peak. Places are in samples."""

    def __init__(self, samples, hz, peak):
        self._padded = np.pad(np.asarray(samples, float), _MARGIN)
        self._frequency, self._weak = np.asarray(hz) / schema.SAMPLE_RATE, _WEAK * peak
        self._centre = layout.of_schema().pitch_centre

    def pulses(self):
        """From the middle of every voiced interval on, to both sides."""
        places: list[float] = []
        edges = np.flatnonzero(np.diff(np.pad(self._frequency > 0, 1).astype(int)))
        for first, end in edges.reshape(-1, 2):
            left, right = (self._centre + schema.HOP * (k - 0.5) - 0.5 for k in (first, end))
            middle = left + schema.HOP * (end - first) // 2
            start = self._start(middle, self._period(middle))
            last = places[-1] if places else -np.inf
            before = list(self._run(start, left, -1, last))
            places += [*before[::-1], start, *self._run(start, right, 1, last)]
        return np.array(places)

    def levels(self, places):
        """log2 of the amplitudes, 0 where there is none: RMS under a Hann window of 0.2 of the periods to
        each side."""
        levels = np.zeros(len(places))
        for i in range(1, len(places) - 1):
            left, right = 0.2 * np.diff(places[i - 1 : i + 2])
            if not (_is_period(5 * left) and _is_period(5 * right)):
                continue
            at = np.arange(_rounded(places[i] - left), _rounded(places[i] + right) + 1)
            distance = (at - places[i]) / np.where(at < places[i], left, right)
            weight = np.where(np.abs(distance) <= 1, 0.5 + 0.5 * np.cos(np.pi * distance), 0)
            rms = np.sqrt(((self._sound(at[0], len(at)) * weight) ** 2).sum() / (weight**2).sum())
            levels[i] = np.log2(rms) if rms > 1 else 0
        return levels

    def _sound(self, low, count):
        return self._padded[low + _MARGIN : low + _MARGIN + count]

    def _period(self, place):
        """F0 is linear between voiced frames; 0 where it is unvoiced."""
        x = (place + 0.5 - self._centre) / schema.HOP
        i = int(np.floor(x))
        a, b = (self._frequency[j] if 0 <= j < len(self._frequency) else 0 for j in (i, i + 1))
        near = a if x - i < 0.5 else b
        frequency = a + (x - i) * (b - a) if a and b else near
        return 1 / frequency if frequency else 0

    def _start(self, middle, period):
        """The largest sample within half a period."""
        low, high = int(np.floor(middle - period / 2)), int(np.ceil(middle + period / 2))
        x = self._sound(low, high - low + 1)
        k = int(np.argmax(np.abs(x)))
        return low + k + (_top(*(np.sign(x[k]) * x[k - 1 : k + 2])) if 0 < k < high - low else 0)

    def _match(self, place, period, side):
        """(place, correlation, peak) of the stretch of a period that is most alike."""
        sample = int(np.floor(place))
        edge = place - sample - period / 2
        low = sample + _rounded(edge)
        length = _rounded(edge + period) - _rounded(edge) + 1
        near, far = (edge + side * part * period for part in _SEARCH)
        start = sample + int(np.floor(min(near, far)))
        count = sample + int(np.ceil(max(near, far))) - start + 1
        x = self._sound(low, length)
        y = self._sound(start, length + count - 1)
        y = np.lib.stride_tricks.sliding_window_view(y, length)
        power = np.sqrt((x @ x) * (y * y).sum(axis=1))
        r = np.divide(y @ x, power, out=np.zeros(count), where=power > 0)
        before = np.concatenate([[0], r[:-1]])
        most = 0 if r[0] <= 0 else -1
        maxima = (r[:-1] >= r[1:]) & (r[:-1] >= before[:-1]) & (r[:-1] > most)
        found = place + start - low - 1.5, -r[0] / 8, 0
        if maxima.any():
            k = int(np.argmax(np.where(maxima, r[:-1], -2)))
            step = _top(before[k], r[k], r[k + 1])
            height = r[k] + (r[k + 1] - before[k]) * step / 4
            found = place + start - low + k + step, height, np.abs(y[k]).max()
        return found if found[1] >= 0 else (place + side * period, -1, 0)

    def _run(self, place, edge, side, last):
        while period := self._period(place):
            place, likeness, peak = self._match(place, period, side)
            beyond = (place - edge) * side > 0
            far = side > 0 or place - last > _SEARCH[0] * period
            if far and likeness > (_ALIKE_EDGE if beyond else _ALIKE) and peak > self._weak:
                yield place
            if beyond:
                return


def _rounded(x):
    return int(np.floor(x + 0.5))


def _top(before, middle, after):
    bend = 2 * middle - before - after
    return (after - before) / bend / 2 if bend > 0 else 0


def _is_period(samples):
    return (samples >= schema.PERIOD_SHORTEST * schema.SAMPLE_RATE) & (
        samples <= schema.PERIOD_LONGEST * schema.SAMPLE_RATE
    )


def perturbation(places, levels):
    """Jitter local, rap, ppq5, shimmer local, dB, apq3, apq5 (Praat's manual, "Voice 2" and "Voice 3")."""
    period = np.diff(places)
    valid = _is_period(period)
    alike = np.zeros(len(period) + 1, bool)  # as the one before
    alike[1:-1] = valid[1:] & valid[:-1] & (_ratio(period) <= schema.PERIOD_FACTOR)
    counted = valid & (alike[:-1] | alike[1:])
    counted[[0, -1]] = valid[[0, -1]]
    # pulse i + 1 lies between periods i and i + 1
    taken = np.flatnonzero(alike[1:-1] & (levels[1:-1] > 0)) + 1
    amplitude, level = 2.0 ** levels[taken], levels[taken]
    similar = np.zeros(len(taken), bool)
    similar[1:] = _is_period(np.diff(places[taken]))
    similar[1:] &= np.abs(np.diff(level)) <= np.log2(schema.AMPLITUDE_FACTOR)
    jitter = [_quotient(period, alike[:-1], points, period[counted]) for points in (2, 3, 5)]
    shimmer = [_quotient(amplitude, similar, points, amplitude[:-1]) for points in (2, 3, 5)]
    decibels = 20 * np.log10(2) * level
    return [*jitter, shimmer[0], _quotient(decibels, similar, 2, np.ones(1)), *shimmer[1:]]


def _ratio(period):
    return np.maximum(period[1:] / period[:-1], period[:-1] / period[1:])


def _quotient(values, alike, points, over):
    """How far values are from the mean of so many around them (of two: from each other), where all of those
    are alike; over a mean."""
    if len(values) < points:
        return schema.UNDEFINED
    together = np.lib.stride_tricks.sliding_window_view(values, points)
    good = np.lib.stride_tricks.sliding_window_view(alike[1:], points - 1).all(axis=1)
    if not good.any() or not len(over):
        return schema.UNDEFINED
    mean = together.mean(axis=1) if points > 2 else together[:, 1]
    return np.abs(together[:, (points - 1) // 2] - mean)[good].mean() / over.mean()
