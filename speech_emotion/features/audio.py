"""The clip: what both engines hear, sample for sample.

Any file libsndfile reads goes in; out comes int16, mono, 16 kHz, cut to whole hops. DC is blocked as
the chip does it. Loudness is left as it is: it is a cue, and the chip has no
future to normalise by.
"""

import stat
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numba import njit

from speech_emotion.errors import UserError
from speech_emotion.features.schema import CLIP_REMAINDER, DC_SHIFT, HOP, MIN_SAMPLES, SAMPLE_RATE

FULL_SCALE = 32768.0
LEAST_RATE = (
    4000  # Hz; below, a file holds no speech, and a damaged header's 1 Hz is hours of sound
)


def read(path: str | Path) -> np.ndarray:
    """The samples of a sound file as the chip's microphone would deliver them.

    Returns int16, shape (n,), at SAMPLE_RATE, channels averaged, resampled by soxr (HQ) where the
    file's rate differs, rounded to nearest and clipped. Raises UserError for what is not a sound,
    is truncated, holds no samples, holds NaN or Inf, or is sampled below LEAST_RATE.
    """
    path = Path(path)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise UserError(f"{path}: is a directory; name a sound file")
        if not stat.S_ISREG(mode):  # a pipe would make the program wait for ever
            raise UserError(f"{path}: not a regular file; name a sound file")
        cut_short = _is_truncated(path)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    try:
        with soundfile.SoundFile(path) as file:
            promised = file.frames
            # int16 files keep their very samples; everything else keeps its precision
            dtype = "int16" if file.subtype == "PCM_16" else "float64"
            samples, rate = file.read(dtype=dtype, always_2d=True), file.samplerate
    except soundfile.LibsndfileError as error:
        # without the prefix, which repeats the path
        raise UserError(
            f"{path}: not a sound file that libsndfile reads ({error.error_string})"
        ) from None
    except UnicodeEncodeError:
        raise UserError(f"{path}: its name is not UTF-8; rename it") from None
    except (OSError, RuntimeError, ValueError, MemoryError) as error:
        # MemoryError: a damaged header promises hours of sound
        raise UserError(f"{path}: cannot be read ({error})") from None
    if len(samples) == 0:
        raise UserError(f"{path}: holds no samples; record it again")
    if rate < LEAST_RATE:
        raise UserError(f"{path}: sampled at {rate} Hz; speech needs {LEAST_RATE} Hz or more")
    if len(samples) < promised or cut_short:
        raise UserError(f"{path}: truncated, {len(samples)} samples left; fetch or record it again")
    return from_samples(samples, rate, name=str(path))


def _is_truncated(path: Path) -> bool:
    """Whether a RIFF WAVE promises more data than the file holds (libsndfile reads on, silently)."""
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] != b"RIFF" or head[8:] != b"WAVE":
            return False
        size = path.stat().st_size
        while len(chunk := file.read(8)) == 8:
            length = int.from_bytes(chunk[4:], "little")
            if chunk[:4] == b"data":
                # 0 and 2^32-1 are what a stream writes when it does not know the length yet
                return length not in (0, 0xFFFFFFFF) and file.tell() + length > size
            file.seek(length + length % 2, 1)
    return False


def from_samples(samples: np.ndarray, rate: int, *, name: str = "samples") -> np.ndarray:
    """Sound in memory as the chip's microphone would deliver it.

    samples: int16, or float in [-1, 1]; shape (n,) or (n, channels). rate: Hz. Returns int16 (m,).
    """
    samples = np.asarray(samples)
    if samples.dtype == np.int16:
        if rate == SAMPLE_RATE and (samples.ndim == 1 or samples.shape[1] == 1):
            return samples.reshape(-1)
        samples = samples / FULL_SCALE
    if not np.isfinite(samples).all():
        raise UserError(f"{name}: holds NaN or Inf samples; export it again")
    mono = samples.mean(axis=1) if samples.ndim == 2 else samples
    if rate != SAMPLE_RATE:
        mono = soxr.resample(mono, rate, SAMPLE_RATE, quality="HQ")
    return np.clip(np.rint(mono * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)


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
    return not block_dc(samples).any()
