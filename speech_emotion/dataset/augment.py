"""Augmentation: the sound of a clip's copies (`copies` says which there are).

Babble is of made-up voices, so that a copy holds nothing of another clip. `talkers` is of real ones, of
another speaker's clips (`copies.Others` draws them); the table names them beside the copy, and no copy trains
where one of them is tested (`speech_emotion.training.protocols`).
"""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import parselmouth
import soxr
from parselmouth.praat import call, run
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq
from scipy.signal import butter, fftconvolve, lfilter, sosfilt

from speech_emotion.corpora import synthetic
from speech_emotion.dataset.copies import RANGES, Augmentation, random_for
from speech_emotion.features.audio import FULL_SCALE
from speech_emotion.features.schema import HOP, PITCH_CEILING, PITCH_FLOOR, SAMPLE_RATE

VOICES = 6  # in babble: too many to follow one of them, few enough to swell and ebb
# Long-term average speech spectrum, 12 languages, both sexes (Byrne et al. 1994), dB per third of an octave:
# 63 Hz to 8 kHz, counted from 1 kHz
LTASS_BANDS = np.arange(-12, 10)
LTASS = (38.6, 43.5, 54.4, 57.7, 56.8, 60.2, 60.3, 59.0, 62.1, 62.1, 60.5,
         56.8, 53.7, 53.0, 52.0, 48.7, 48.1, 46.8, 45.6, 44.5, 44.3, 43.7)  # fmt: skip
TELEPHONE_LOW = 300.0  # Hz


def apply(samples: np.ndarray, augmentation: Augmentation, *, seed: int, name: str,
          others: Sequence[np.ndarray] = ()) -> np.ndarray:  # fmt: skip
    """The augmented copy. samples: int16 (n,) at 16 kHz; name: the clip's, for the random draw; others:
    int16 samples of the clips that `Others.behind` named.

    Returns int16 (m,); m differs from n for stretch and speed only.
    """
    rng = random_for(f"{seed}|{name}|{augmentation}")
    value = augmentation.value
    if value is None:
        value = rng.uniform(*RANGES[augmentation.kind])
    x = samples / FULL_SCALE
    heard = ([other / FULL_SCALE for other in others],) if augmentation.others else ()
    y = _KINDS[augmentation.kind](x, value, rng, *heard)
    return np.clip(np.rint(y * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)


def _noise(x, snr, rng):
    return mixed(x, rng.standard_normal(len(x)), snr)


def _babble(x, snr, rng):
    # nobody's voice: another clip's would carry a speaker, and the clip's own its emotion; of several
    # making, each through a microphone of its own, because what is alike in all copies is learnt by heart
    babble = np.zeros(len(x))
    for _ in range(VOICES):
        voice = _murmur(len(x), rng) if rng.random() < 0.5 else _reading(len(x), rng)
        voice = _microphone(voice, 4.0, rng)
        babble += voice / max(voice.std(), 1e-12) * 10 ** (rng.normal(0, 3) / 20)
    return mixed(x, _as_speech_on_average(babble, rng), snr)


def _talking(x, snr, rng, others):
    # as they were recorded: through microphones or tapes of their own they teach less (docs/accuracy.md)
    voices = (others[i % len(others)] for i in range(VOICES))
    return mixed(x, together(voices, len(x), rng), snr)


def together(voices, n: int, rng: np.random.Generator) -> np.ndarray:
    """Voices at one level, each from anywhere in it on and for as long as needed. voices: float (m,) each.
    Returns (n,)."""
    total = np.zeros(n)
    for voice in voices:
        voice = np.roll(voice - voice.mean(), rng.integers(len(voice)))
        total += np.resize(voice, n) / max(voice.std(), 1e-6)
    return total


def _as_speech_on_average(x, rng):
    """x with the long-term spectrum of speech, give or take a decibel or two per octave."""
    spectrum, frequency = _spectrum(x)
    third = np.rint(3 * np.log2(np.maximum(frequency, 60) / 1000)).astype(int)
    bands = np.unique(third)
    power = [np.sum(np.abs(spectrum[third == band]) ** 2) for band in bands]
    wanted = np.interp(bands, LTASS_BANDS, LTASS) + rng.normal(0, 1.5) * bands / 3
    gains = wanted - 10 * np.log10(np.maximum(power, 1e-20))
    return _sound(spectrum, np.interp(third, bands, gains), len(x))


def _spectrum(x):
    """The spectrum and its frequencies, of a length that is quick to transform."""
    n = next_fast_len(len(x), real=True)
    return rfft(x, n), rfftfreq(n, 1 / SAMPLE_RATE)


def _sound(spectrum, decibels, n):
    """The first n samples of a spectrum whose lines are changed by so many decibels."""
    return irfft(spectrum * 10 ** (decibels / 20), next_fast_len(n, real=True))[:n]


def _reading(n, rng):
    """A stretch of what Praat's synthesiser reads, somewhat faster or slower. (n,)"""
    talker = _talkers()[rng.integers(len(_talkers()))]
    place = rng.uniform(0, len(talker)) + rng.uniform(0.85, 1.15) * np.arange(n)
    return np.interp(place % len(talker), np.arange(len(talker)), talker)


@cache
def _talkers():
    """What babble is made of: sentences as Praat's synthesiser speaks them, at one level; (n,) each.

    Those of the synthetic corpus, before it changes them, because they come out the same every time.
    """
    spoken = synthetic._speak_apart(len(synthetic.SPEAKERS)).values()
    voices = [soxr.resample(each, synthetic._ESPEAK_RATE, SAMPLE_RATE) for each in spoken]
    return [voice / np.std(voice) for voice in voices]


def _murmur(n, rng):
    """A voice that says nothing: vowels, hisses and pauses of 80 to 300 ms through three formants. (n,)"""
    voice, tract = rng.uniform(90, 230), rng.uniform(0.85, 1.15)
    parts, length = [], 0
    while length < n:
        m = round(rng.uniform(0.08, 0.3) * SAMPLE_RATE)
        sound = rng.choice(3, p=(0.65, 0.2, 0.15))
        if sound == 0:
            start, end = rng.uniform(0.8, 1.3, 2)
            f0 = voice * np.geomspace(start, end, m)
            # a sawtooth falls by 6 dB per octave, as a voice does at the lips
            part = np.cumsum(f0 / SAMPLE_RATE) % 1 - 0.5
            for low, high, width in ((300, 800, 80), (900, 2300, 120), (2400, 3000, 200)):
                radius = np.exp(-np.pi * width / SAMPLE_RATE)
                angle = 2 * np.pi * tract * rng.uniform(low, high) / SAMPLE_RATE
                poles = (1, -2 * radius * np.cos(angle), radius**2)
                part = lfilter((sum(poles),), poles, part)
        else:
            part = 0.05 * np.diff(rng.standard_normal(m + 1)) * (sound == 1)
        parts.append(part * np.hanning(m) * 10 ** rng.normal(0, 0.2))
        length += m
    return np.concatenate(parts)[:n]


def mixed(x: np.ndarray, noise: np.ndarray, snr: float) -> np.ndarray:
    """x plus the noise at `snr` dB. Both float (n,); silence stays silent."""
    # against the sound without its DC, and by the very power of this draw: the ratio is met exactly
    power = np.mean(noise**2)
    return x + noise * np.sqrt(np.var(x) / power / 10 ** (snr / 10)) if power else x


def _gain(x, decibels, _rng):
    return x * 10 ** (decibels / 20)


def _reverb(x, seconds, rng):
    # Polack's model of a diffuse tail: noise that decays exponentially; the direct sound before it
    n = round(seconds * SAMPLE_RATE)
    tail = rng.standard_normal(n) * 10 ** (-3 * np.arange(n) / n)
    direct = 10 ** (
        rng.uniform(0, 10) / 20
    )  # over the tail: near to, and nearer than, critical distance
    tail /= np.sqrt(np.sum(tail**2))
    y = direct * x + fftconvolve(x, tail)[: len(x)]
    return y * np.sqrt(np.mean(x**2) / max(np.mean(y**2), 1e-20))


def _telephone(x, upper, _rng):
    return sosfilt(butter(4, (TELEPHONE_LOW, upper), "bandpass", fs=SAMPLE_RATE, output="sos"), x)


def _microphone(x, spread, rng):
    # a response drawn per octave and joined smoothly, zero phase
    octaves = np.arange(8)  # 62.5 Hz ... 8 kHz
    gains = spread * rng.standard_normal(len(octaves))
    spectrum, frequency = _spectrum(x)
    octave = np.log2(np.maximum(frequency, 62.5) / 62.5)
    return _sound(spectrum, np.interp(octave, octaves, gains), len(x))


def _manipulated(x, rng, what, change):
    # Praat's overlap-add keeps the periods as they are, where a phase vocoder would smear the jitter
    sound = parselmouth.Sound(x, SAMPLE_RATE)
    manipulation = call(sound, "To Manipulation", HOP / SAMPLE_RATE, PITCH_FLOOR, PITCH_CEILING)
    tier = call(manipulation, f"Extract {what} tier")
    change(tier, sound)
    call([manipulation, tier], f"Replace {what} tier")
    # Praat draws random numbers where it changes voiceless stretches; one script, so that no other
    # thread draws in between
    made = run(
        manipulation,
        f"random_initializeWithSeedUnsafelyButPredictably ({rng.integers(2**31)})\n"
        "Get resynthesis (overlap-add)\n"
        "random_initializeSafelyAndUnpredictably ()",
    )
    return made[0].values[0]


def _stretch(x, factor, rng):
    return _manipulated(x, rng, "duration", lambda tier, _: call(tier, "Add point", 0.0, factor))


def _pitch(x, semitones, rng):
    factor = 2 ** (semitones / 12)
    return _manipulated(
        x, rng, "pitch", lambda t, s: call(t, "Multiply frequencies", s.xmin, s.xmax, factor)
    )


def _speed(x, factor, _rng):
    return soxr.resample(x, SAMPLE_RATE * factor, SAMPLE_RATE)


def _shift(x, seconds, _rng):
    n = round(abs(seconds) * SAMPLE_RATE)
    if seconds >= 0:
        return np.concatenate([np.zeros(n), x])[: len(x)]
    return np.concatenate([x[n:], np.zeros(min(n, len(x)))])


_KINDS: dict[str, Callable[..., np.ndarray]] = {
    "noise": _noise, "babble": _babble, "talkers": _talking, "gain": _gain, "reverb": _reverb,
    "telephone": _telephone, "microphone": _microphone, "stretch": _stretch, "pitch": _pitch,
    "speed": _speed, "shift": _shift,
}  # fmt: skip
