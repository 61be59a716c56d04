"""The clip: what both engines hear, sample for sample.

Any sound file goes in; out comes int16, mono, 16 kHz, cut to whole hops. DC is blocked as the chip does it.
Loudness is left as it is: it is a cue, and the chip has no future to normalise by.
"""

import stat
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soxr
from numba import njit

from speech_emotion.errors import UserError
from speech_emotion.features import decoding, length
from speech_emotion.features.schema import CLIP_REMAINDER, DC_SHIFT, HOP, MIN_SAMPLES, SAMPLE_RATE

FULL_SCALE = 32768.0
LEAST_RATE = 4000  # Hz; below, a file holds no speech, and a damaged header's 1 Hz is hours of it
MOST_RATE = 768000  # Hz; the most that recorders have, and a damaged header's 4 GHz is a click
FARTHEST = 8.0
"""A float sample beyond this many times full scale is no loud sound: the file counts in other units."""
MOST_LIMITED = 0.01  # of the samples; beyond, little is left of the wave's form
CANCELLED = (
    1e-3  # of the channels' power, less of which their average has where they oppose each other
)


class Sound(NamedTuple):
    """samples: int16 (n,) at SAMPLE_RATE. limited: how many of them were beyond full scale. remarks: what was
    found out about the file on the way, in words."""

    samples: np.ndarray
    limited: int = 0
    remarks: tuple[str, ...] = ()


def hear(path: str | Path) -> Sound:
    """The samples of a sound file as the chip's microphone would deliver them, and what became of them.

    Channels are averaged, without those that hold nothing; other rates are resampled by soxr (HQ); the result
    is rounded to nearest and limited to 16 bits. A float file that holds whole numbers up to 32768 is taken
    for what it is, 16-bit samples. Memory: of the result, 1.9 MB a minute, and a block.

    Raises UserError for what is no sound, is damaged or cut short, holds no samples, NaN or Inf, other units
    than full scale or much beyond it, is sampled below LEAST_RATE or longer than any engine takes.
    """
    path = Path(path)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise UserError(f"{path}: is a directory; name a sound file")
        if not stat.S_ISREG(mode):  # a pipe would make the program wait for ever
            raise UserError(f"{path}: not a regular file; name a sound file")
        opened = decoding.open_sound(path)
        sound = _converted(opened.decoder, name=str(path))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    return sound._replace(remarks=(*opened.remarks, *sound.remarks))


def read(path: str | Path) -> np.ndarray:
    """`hear`, the samples alone."""
    return hear(path).samples


def from_samples(samples: np.ndarray, rate: int, *, name: str = "samples") -> np.ndarray:
    """Sound in memory as the chip's microphone would deliver it; the same as from a file that holds it.

    samples: int16, or float in [-1, 1]; shape (n,) or (n, channels). rate: Hz. Returns int16 (m,).
    """
    return _converted(_Array(np.asarray(samples), rate), name=name).samples


class _Array:
    """Samples in memory as a decoder gives them."""

    scaled = False

    def __init__(self, samples, rate):
        self._samples = samples[:, None] if samples.ndim == 1 else samples
        self.rate, self.channels = rate, self._samples.shape[1]
        self.whole = samples.dtype == np.int16

    def blocks(self):
        size = max(1, decoding.BLOCK // self.channels)
        for start in range(0, len(self._samples), size):
            block = self._samples[start : start + size]
            yield block if self.whole else block.astype(np.float64, copy=False)


def _converted(decoder: decoding.Decoder, *, name: str) -> Sound:
    """A decoder's samples as the chip would have them."""
    if not LEAST_RATE <= decoder.rate <= MOST_RATE:
        raise UserError(
            f"{name}: sampled at {decoder.rate} Hz; speech needs {LEAST_RATE} Hz or more"
        )
    if decoder.whole and decoder.channels == 1 and decoder.rate == SAMPLE_RATE:
        samples = _joined((block[:, 0] for block in decoder.blocks()), name)
        if len(samples) == 0:
            raise UserError(f"{name}: holds no samples; record it again")
        return Sound(samples)
    scale, remarks = FULL_SCALE, list[str]()
    if not decoder.whole and not decoder.scaled:
        scale, remarks = _scale(decoder.blocks(), name)
    elif decoder.whole:
        scale = 1.0
    heard = _heard(decoder)
    if len(heard) < decoder.channels:
        told = ", ".join(str(i + 1) for i in range(decoder.channels) if i not in heard)
        remarks.append(f"channel {told} holds nothing: left out of the average")
    mixer = _Mixer(decoder, heard, scale, name)
    samples = _joined(mixer.blocks(), name)
    mixer.check()
    if mixer.limited:
        remarks.append(f"{mixer.limited} of {len(samples)} samples limited to full scale")
    return Sound(samples, mixer.limited, tuple(remarks))


def _joined(blocks: Iterable[np.ndarray], name: str) -> np.ndarray:
    """int16 (n,) of all blocks; UserError where they are longer than any engine takes."""
    longest = max(length.LONGEST.values())
    found, count = [], 0
    for block in blocks:
        found.append(block)
        count += len(block)
        if count > longest * SAMPLE_RATE:
            raise UserError(
                f"{name}: longer than {length.text(longest)}, which is no clip; cut it into sentences"
            )
    return np.concatenate(found) if found else np.zeros(0, np.int16)


def _scale(blocks, name) -> tuple[float, list[str]]:
    """What a float file's samples are to be multiplied by to be 16-bit ones, and what is to be said of it."""
    peak, whole, beyond, count = 0.0, True, 0, 0
    for block in blocks:
        if not np.isfinite(block).all():
            raise UserError(f"{name}: holds NaN or Inf samples; export it again")
        size = np.abs(block)
        peak = max(peak, float(size.max(initial=0.0)))
        beyond += int((size > 1).sum())
        count += size.size
        whole = whole and bool((block == np.rint(block)).all())
    if peak <= 1:
        return FULL_SCALE, []
    if whole and peak <= FULL_SCALE:
        return 1.0, [f"its float samples are whole numbers up to {peak:.0f}: taken as 16-bit"]
    if peak > FARTHEST:
        raise UserError(
            f"{name}: its float samples reach {peak:.6g}, where 1 is full scale; divide them by what full "
            "scale is in it and export it again"
        )
    if beyond > MOST_LIMITED * count:
        raise UserError(
            f"{name}: {beyond / count:.1%} of its samples are beyond full scale, up to {peak:.3g} times; "
            f"export it {20 * np.log10(peak):.0f} dB lower"
        )
    return FULL_SCALE, []


def _heard(decoder) -> list[int]:
    """The channels that hold anything but one value; all, where none does."""
    if decoder.channels == 1:
        return [0]
    first, heard = None, np.zeros(decoder.channels, bool)
    for block in decoder.blocks():
        if first is None:
            first = block[:1].copy()
        heard |= (block != first).any(axis=0)
        if heard.all():
            break
    return np.flatnonzero(heard).tolist() or list(range(decoder.channels))


class _Mixer:
    """From a decoder's blocks to int16 blocks of one channel at SAMPLE_RATE."""

    def __init__(self, decoder, heard, scale, name):
        self._decoder, self._heard, self._scale, self._name = decoder, heard, scale, name
        self.limited = self._count = 0
        self._power = self._mixed_power = 0.0

    def blocks(self):
        resampler = None
        if self._decoder.rate != SAMPLE_RATE:
            resampler = soxr.ResampleStream(
                self._decoder.rate, SAMPLE_RATE, 1, dtype="float64", quality="HQ"
            )
        for block in self._decoder.blocks():
            self._count += len(block)
            mono = self._mono(block)
            yield self._limit(resampler.resample_chunk(mono) if resampler else mono)
        if resampler:
            yield self._limit(resampler.resample_chunk(np.zeros(0), last=True))

    def _mono(self, block):
        # as a share of full scale: 16-bit numbers, too, are resampled as such
        if self._scale == 1.0:
            block = block / FULL_SCALE
        elif not np.isfinite(block).all():
            raise UserError(f"{self._name}: holds NaN or Inf samples; export it again")
        if block.shape[1] == 1:
            return block[:, 0]
        if len(self._heard) < block.shape[1]:
            block = block[:, self._heard]
        mono = block.mean(axis=1)
        self._power += float(np.mean(block**2) * len(mono))
        self._mixed_power += float(mono @ mono)
        return mono

    def _limit(self, mono):
        rounded = np.rint(mono * FULL_SCALE)
        limited = np.clip(rounded, -FULL_SCALE, FULL_SCALE - 1)
        self.limited += int((np.abs(rounded) > FULL_SCALE).sum())  # 1.0 itself is the 32767 it was
        return limited.astype(np.int16)

    def check(self):
        """UserError where there was nothing to mix, or the channels are each other's opposite."""
        if self._count == 0:
            raise UserError(f"{self._name}: holds no samples; record it again")
        if self._mixed_power < CANCELLED * self._power:
            raise UserError(
                f"{self._name}: its channels cancel each other out (opposite polarity); export one of them"
            )


def cut(samples: np.ndarray, *, name: str = "samples") -> np.ndarray:
    """Cut at its end to n = 80 (mod 160) samples. Raises UserError when too short for one intensity frame."""
    if len(samples) < MIN_SAMPLES:
        raise UserError(
            f"{name}: too short, {len(samples) / SAMPLE_RATE:.3f} s; "
            f"at least {MIN_SAMPLES / SAMPLE_RATE} s are needed"
        )
    n = len(samples) - (len(samples) - CLIP_REMAINDER) % HOP
    return np.ascontiguousarray(samples[:n])


@njit(cache=True)
def block_dc(samples):
    """A one-pole DC blocker in integers, so that every machine gives the same samples.

    samples: int16 (n,). Returns int16 (n,). The estimate starts at the first sample and leaks
    2^-DC_SHIFT of the difference per sample; the result saturates instead of wrapping.
    """
    out = np.empty(len(samples), np.int16)
    if len(samples) == 0:
        return out
    level = np.int32(samples[0]) << DC_SHIFT
    half = np.int32(1) << (DC_SHIFT - 1)
    for i in range(len(samples)):
        difference = np.int32(samples[i]) - ((level + half) >> DC_SHIFT)
        level += difference
        out[i] = min(max(difference, -32768), 32767)  # type: ignore[assignment] # numba makes integers of it
    return out


def load(path: str | Path) -> np.ndarray:
    """`read` then `cut`: a file as both engines are given it. int16, shape (n,), n = 80 (mod 160).

    Each engine blocks DC itself, in the same integers.
    """
    return cut(read(path), name=str(path))


def is_silent(samples: np.ndarray) -> bool:
    """Nothing but DC: no engine has anything to measure."""
    # the estimate of DC starts at the first sample, and leaves it where another one comes
    return not (samples != samples[:1]).any()
