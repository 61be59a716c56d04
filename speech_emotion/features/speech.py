"""Whether anybody speaks in a clip: by level, as the board's gate hears (ser_listen), and by voicing.

A model knows emotions only, and tells one of anything: of hum, of a click, of an empty room. The board asks
its gate first; here a whole clip is known, and one look at it replaces the gate's waiting for the room. Sums
of whole numbers all through: the page's twin (codegen/web/speech.js) decides the same, to the last bit.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from speech_emotion.features.audio import FULL_SCALE
from speech_emotion.features.schema import HOP

# As ser_listen_init has them: the gate never opens below this power, for fewer blocks in a row, or for an
# utterance of fewer
MINIMUM = 33**2  # squared int16 steps: -60 dBFS
CONFIRM = 3  # hops
SHORTEST = 20  # hops: 200 ms
VARIES = 4.0  # 6 dB, as the gate closes: what varies by more speaks, in whatever voice
# Speech has gaps and stresses: hardly a clip of the corpora varies by less than 6 dB. The level is that of
# four hops, some periods of mains hum, which beats within one
SMOOTH = 4  # hops
LOUD, QUIET = 0.95, 0.10  # of the hops are below these two levels
STEADY = 2.0  # their ratio, 3 dB, below which nothing speaks
# Voicing: normalised autocorrelation of 40 ms at 4 kHz, of some of the frames that begin every 20 ms
DECIMATE = 4
WINDOW, STEP = 160, 80  # samples at 4 kHz
LAGS = (7, 53)  # 75 to 571 Hz
VOICED = 0.7  # of a frame that is voiced
# Of the loud frames that must be voiced: where either the level varies by less than VARIES, or that of high
# frequencies by less than STEADY; and where both do, as short pieces of rumble may seem to have 0.18.
VOICED_SHARE = 0.15
RUMBLE_SHARE = 0.25
LOUD_FRAMES = 1e-3  # of the loudest frame's power: within 30 dB
MOST_FRAMES = 32  # that are looked at, evenly spaced among the loud ones
TONE = 0.994  # what half of the loud frames of a tone or hum have, and no voice
OCTAVE = 0.85  # of the highest peak: the first such one is the period's
WANDER = 0.03  # by how much, at least, the period of a vowel does that is held very evenly
WANDER_SHARE = 0.75  # of the frames that must be voiced to say so

SETTINGS = {
    name: value
    for name, value in list(globals().items())
    if name.isupper()
    and isinstance(value, int | float | tuple)
    and name not in ("HOP", "FULL_SCALE")
}
"""All of these by name, for the page."""


NOTHING = -80.0
"""dBFS of the loudest hop, below which a recording holds nothing but its last bits."""


def loudest(samples: np.ndarray) -> float:
    """The level of the loudest hop in dB re full scale, about the mean; -inf for digital silence."""
    with np.errstate(divide="ignore"):
        return float(10 * np.log10(hop_powers(samples)[0].max() / HOP**2 / FULL_SCALE**2))


def level(samples: np.ndarray) -> float:
    """The level of the speech in a clip in dB re full scale, as the board prints it (`dbfs`): the mean power
    of the hops that are 6 dB above the room; -inf for digital silence. samples: int16 (n,) at SAMPLE_RATE."""
    powers = hop_powers(samples)[0]
    if not len(powers) or not powers.any():
        return float("-inf")
    room = np.sort(powers)[int(QUIET * (len(powers) - 1))]
    heard = powers[powers > VARIES * room] if (powers > VARIES * room).any() else powers
    return float(10 * np.log10(heard.mean() / HOP**2 / FULL_SCALE**2))


def clipped(samples: np.ndarray) -> int:
    """How many samples stand at the ends of int16, where a recorder cuts off what is louder."""
    return int((np.abs(samples.astype(np.int32)) >= FULL_SCALE - 1).sum())


def absent(samples: np.ndarray) -> str:
    """Why nobody speaks in a clip, in words; empty where somebody does, or may.

    samples: int16 (n,) at SAMPLE_RATE. A whisper, which has no voice, is told from noise by its level's ups
    and downs.
    """
    powers, high_powers = hop_powers(samples)
    if not powers.any():
        return "digital silence"
    if powers.max() <= MINIMUM * HOP**2:
        return f"its loudest 10 ms are at {loudest(samples):.0f} dBFS, and the board's gate opens at -60"
    active = _active(powers)
    if active < SHORTEST:
        return f"{active / 100:.2f} s of it are loud, and a word takes {SHORTEST / 100} s"
    voice = voicing(samples)
    if voice.periodic >= TONE:
        return "a tone or hum, too regular for a voice"
    spread, high_spread = _spread(powers), _spread(high_powers)
    steady = spread < STEADY and voice.wander < WANDER
    # a whisper's level varies, and that of its high frequencies; noise's neither
    needed = (RUMBLE_SHARE, VOICED_SHARE, 0)[int(spread >= VARIES) + int(high_spread >= STEADY)]
    if steady or voice.share < needed:
        return f"a steady sound without a voice, its level within {10 * np.log10(spread):.1f} dB"
    return ""


@njit(cache=True, fastmath={"reassoc"})
def hop_powers(x):
    """HOP^2 times the mean of squares about the mean, of each hop, and of each hop's steps from sample to
    sample, in which the rumble of wind and traffic is weak. x: int16 (n,). Returns two float64 (n // HOP,),
    whole numbers."""
    hops = len(x) // HOP
    powers, high = np.zeros(hops), np.zeros(hops)
    for k in range(hops):
        total = squares = step_squares = 0.0
        last = float(x[max(k * HOP - 1, 0)])
        before = last
        for i in range(k * HOP, (k + 1) * HOP):
            value = float(x[i])
            total += value
            squares += value * value
            step_squares += (value - last) * (value - last)
            last = value
        powers[k] = HOP * squares - total * total
        high[k] = HOP * step_squares - (last - before) * (last - before)
    return powers, high


def _active(powers) -> int:
    """Hops that are loud enough for the gate, at least CONFIRM in a row."""
    loud = np.concatenate([[False], powers > MINIMUM * HOP**2, [False]])
    edges = np.flatnonzero(loud[1:] != loud[:-1])
    runs = edges[1::2] - edges[::2]
    return int(runs[runs >= CONFIRM].sum())


def _spread(powers) -> float:
    """The ratio of the two levels below which LOUD and QUIET of the clip are; each level at least 1."""
    smooth = np.sort(np.convolve(powers, np.ones(SMOOTH), "valid"))
    last = len(smooth) - 1
    return max(smooth[int(LOUD * last)], 1.0) / max(smooth[int(QUIET * last)], 1.0)


class Voicing(NamedTuple):
    """Of some loud frames: the share that is voiced; the periodicity of the median one; and how far the
    periods of the voiced ones are apart, the middle half of them over the median one."""

    share: float
    periodic: float
    wander: float


def voicing(samples: np.ndarray) -> Voicing:
    """Looks at up to MOST_FRAMES of the frames within LOUD_FRAMES of the loudest."""
    low = decimated(samples)
    energies = frame_energies(low)
    if len(energies) == 0:
        return Voicing(0.0, 0.0, 0.0)
    loud = np.flatnonzero(energies >= LOUD_FRAMES * energies.max())
    count = min(len(loud), MOST_FRAMES)
    chosen = loud[np.arange(count) * len(loud) // count]
    found = np.array([_peak(low, frame * STEP) for frame in chosen])
    peaks, periods = np.sort(found[:, 0]), np.sort(found[found[:, 0] >= VOICED, 1])
    wander = 0.0
    if len(periods) >= WANDER_SHARE * count:
        first, middle, third = (periods[len(periods) * k // 4] for k in (1, 2, 3))
        wander = (third - first) / middle
    return Voicing(float(np.mean(peaks >= VOICED)), float(peaks[count // 2]), float(wander))


def _peak(low, start) -> tuple[float, float]:
    """A frame's highest peak, and its period in samples, by a parabola; 0 and 0 where there is no peak."""
    best, lag, before, value, after = periodicity(low, start)
    bend = before - 2 * value + after
    return best, lag + (0.5 * (before - after) / bend if bend < 0 else 0.0)


@njit(cache=True)
def decimated(samples):
    """Sums of DECIMATE samples: float64 (n // DECIMATE,), whole numbers up to 2^17 in size."""
    sums = np.empty(len(samples) // DECIMATE)
    for i in range(len(sums)):
        total = 0
        for k in range(i * DECIMATE, (i + 1) * DECIMATE):
            total += samples[k]
        sums[i] = total
    return sums


# the sums are of whole numbers below 2^53: in any order the same
@njit(cache=True, fastmath={"reassoc"})
def frame_energies(low):
    """Of each frame of WINDOW samples, every STEP: WINDOW times its energy about the mean, float64 (frames,).

    low: from `decimated`.
    """
    energies = np.zeros(max(0, (len(low) - WINDOW - LAGS[1] - 1) // STEP + 1))
    for k in range(len(energies)):
        total = squares = 0.0
        for i in range(k * STEP, k * STEP + WINDOW):
            total += low[i]
            squares += low[i] * low[i]
        energies[k] = WINDOW * squares - total * total
    return energies


@njit(cache=True, fastmath={"reassoc"})
def periodicity(low, start):
    """Of the frame that begins at `start`: the highest peak of its normalised autocorrelation at LAGS; the
    first lag of a peak that is about as high, as twice a period is one as well; and the autocorrelation
    before, at and after it. All 0 where there is no peak. low: from `decimated`."""
    total = squares = 0.0
    for i in range(start, start + WINDOW):
        total += low[i]
        squares += low[i] * low[i]
    energy = WINDOW * squares - total * total
    at_lag = np.zeros(LAGS[1] + 2)
    # the sums of the window that is shifted follow from those of the one before
    shifted, shifted_squares = total, squares
    for lag in range(1, LAGS[1] + 2):
        old, new = low[start + lag - 1], low[start + lag + WINDOW - 1]
        shifted += new - old
        shifted_squares += new * new - old * old
        if lag >= LAGS[0] - 1:
            product = 0.0
            for i in range(start, start + WINDOW):
                product += low[i] * low[i + lag]
            product = WINDOW * product - total * shifted
            scale = np.sqrt(energy * (WINDOW * shifted_squares - shifted * shifted))
            at_lag[lag] = product / scale if scale > 0 else 0.0
    best = 0.0
    for lag in range(LAGS[0], LAGS[1] + 1):
        value = at_lag[lag]
        if value > best and value >= at_lag[lag - 1] and value >= at_lag[lag + 1]:
            best = value
    for lag in range(LAGS[0], LAGS[1] + 1):
        before, value, after = at_lag[lag - 1], at_lag[lag], at_lag[lag + 1]
        if value > 0 and value >= OCTAVE * best and value >= before and value >= after:
            return best, lag, before, value, after
    return 0.0, 0, 0.0, 0.0, 0.0
