"""What an encoder is taught on: sentences, and copies of them in other rooms, as the chip sees them."""

import multiprocessing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import scipy.signal

from speech_emotion import cli
from speech_emotion.errors import UserError
from speech_emotion.features import audio, device, encoder, reference, schema
from speech_emotion.features.encoder_weights import TOGETHER

SUFFIXES = (".wav", ".flac", ".opus", ".ogg", ".mp3", ".m4a")
FEWEST = 100  # sentences; good ones come of thousands
TELEPHONE = (300, 3400)  # Hz
_KNOTS = np.array([0, 200, 500, 1000, 2000, 4000, 8000])  # Hz, of a frequency response


@dataclass(frozen=True)
class Sentence:
    """samples: int16 (n,); inputs: of each version, the clip itself first, int8 (frames, 2 MELS) at 50 Hz;
    speech: of each, which frames of 25 Hz hold speech, bool."""

    samples: np.ndarray
    inputs: list[np.ndarray]
    speech: list[np.ndarray]


def read(folder: Path, copies: int, memory: int, jobs: int) -> list[Sentence]:
    """Every sound file below a folder, in the order of names. UserError where there are too few."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if len(paths) < FEWEST:
        raise UserError(f"{folder}: {len(paths)} sound files; at least {FEWEST} are needed")
    device.build()  # once, not in every process
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        found = pool.imap(audio.load, paths, chunksize=20)
        clips = list(cli.progress(found, total=len(paths), what="read", unit="clip"))
    # a pool of its own, whose processes have the clips from the start: they are not sent with each
    with multiprocessing.get_context("fork").Pool(jobs, _share, (clips,)) as pool:
        found = pool.imap(
            partial(_hear, copies=copies, memory=memory), range(len(clips)), chunksize=20
        )
        heard = list(cli.progress(found, total=len(clips), what="copies", unit="clip"))
    kept = [each for each in heard if each.speech[0].any()]
    if len(kept) < len(heard):
        mute = next(
            path for path, each in zip(paths, heard, strict=True) if not each.speech[0].any()
        )
        print(f"{len(heard) - len(kept)} files without speech were left out, {mute} first")
    if len(kept) < FEWEST:
        raise UserError(f"{folder}: {len(kept)} files with speech; at least {FEWEST} are needed")
    return kept


_clips: list[np.ndarray] = []
"""Of a process that makes copies: all that were read."""


def _share(clips):
    _clips[:] = clips


def _hear(i, copies, memory):
    random = np.random.default_rng(i)
    versions = [_clips[i]]
    for _ in range(copies):
        others = [_clips[random.integers(len(_clips))] for _ in range(4)]
        versions.append(spoil(_clips[i], random, others))
    heard = [_seen(samples, memory) for samples in versions]
    return Sentence(_clips[i], [x for x, _ in heard], [speech for _, speech in heard])


def _seen(samples, memory):
    hops = 2 * TOGETHER  # of a frame of 25 Hz
    levels = device.mel_levels(samples)
    speech = reference.speech_frames(audio.block_dc(samples))[: len(levels)]
    whole = len(levels) // hops * hops
    inputs = encoder.inputs(levels[:whole], memory).astype(np.int8)
    return inputs.reshape(-1, TOGETHER * schema.MELS), speech[:whole][hops - 1 :: hops]


def spoil(samples: np.ndarray, random: np.random.Generator, others: list[np.ndarray]) -> np.ndarray:
    """The clip through another microphone, in noise (white, pink, or other people, 5 to 30 dB below it), up
    to 30 dB softer: int16 (n,)."""
    x = samples.astype(float)
    if random.random() < 0.7:
        x = _through(x, random)
    if random.random() < 0.15:
        band = scipy.signal.butter(4, TELEPHONE, "bandpass", fs=schema.SAMPLE_RATE, output="sos")
        x = scipy.signal.sosfilt(band, x)
    if random.random() < 0.7:
        power = np.sqrt((x**2).mean())
        noise = _noise(len(x), random, others)
        noise /= np.sqrt((noise**2).mean()) + 1e-9
        x = x + noise * power * 10 ** (-random.uniform(5, 30) / 20)
    x *= 10 ** (random.uniform(-30, 0) / 20) / max(1, np.abs(x).max() / 32000)
    return np.clip(np.rint(x), -32768, 32767).astype(np.int16)


def _through(x, random):
    """A frequency response that wanders by 3 dB from knot to knot, and tilts by 2 dB an octave or so."""
    spectrum = np.fft.rfft(x)
    gain = np.cumsum(random.normal(0, 3, len(_KNOTS)))
    gain -= gain.mean()
    gain += random.normal(0, 2) * np.log2(np.maximum(_KNOTS, 100) / 1000)
    frequency = np.linspace(0, schema.SAMPLE_RATE / 2, len(spectrum))
    return np.fft.irfft(spectrum * 10 ** (np.interp(frequency, _KNOTS, gain) / 20), len(x))


def _noise(count, random, others):
    kind = random.integers(3)
    if kind == 0:
        return random.normal(size=count)
    if kind == 1:
        spectrum = np.fft.rfft(random.normal(size=count))
        return np.fft.irfft(spectrum / np.sqrt(np.arange(len(spectrum)) + 1), count)
    noise = np.zeros(count)
    for other in others:
        voice = np.resize(np.roll(other, random.integers(len(other))), count).astype(float)
        noise += voice / (np.sqrt((voice**2).mean()) + 1)
    return noise
