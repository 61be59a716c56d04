"""The device engine: the chip's own C code (embedded/src), compiled for this computer on first use.

In goes a clip (`audio.load`), out comes the vector in schema order, bit for bit what the chip computes.
The library is kept in the user's cache folder under a name made of its sources, compiler and flags, so
an edited source or another compiler never meets a stale one.
"""

import ctypes
import hashlib
import os
import platform
import re
import subprocess
import tempfile
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from speech_emotion import native
from speech_emotion.errors import UserError
from speech_emotion.features import encoder_weights, schema
from speech_emotion.resources import EMBEDDED

WIDE_FLAGS = ("-march=native", "-mno-fma", "-mno-fma4", "-mno-avx512f")
"""For x86-64: wider vectors, the same roundings. Without the fused instructions, as GCC 12 vectorises some
patterns into them even where contraction is off."""


class Result(NamedTuple):
    """What `Extractor.finish` knows of a clip: features is float32 (columns,), in schema order."""

    features: np.ndarray
    seconds: float
    speech: bool


class _Summary(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_float), ("speech", ctypes.c_int))


def extract(samples: np.ndarray) -> np.ndarray:
    """The feature vector of one clip. samples: int16 (n,) from `audio.load`. Returns float32 in the order
    of schema.COLUMNS, always finite."""
    extractor = Extractor()
    extractor.push(samples)
    return extractor.finish().features


class Extractor:
    """The C extractor as a stream: push blocks of any size, finish at any moment, reset for the next clip."""

    def __init__(self):
        self._library = _load()
        self._state = np.empty(self._library.ser_host_state_size(), np.uint8)
        self.reset()

    @property
    def state_bytes(self) -> int:
        """Size of the C state on this computer."""
        return self._state.size

    def push(self, samples: np.ndarray) -> None:
        """The next samples: int16 (n,), 16 kHz."""
        if samples.dtype != np.int16 or samples.ndim != 1:
            raise TypeError(f"int16 of shape (n,) expected, not {samples.dtype} {samples.shape}")
        samples = np.ascontiguousarray(samples)
        self._library.ser_extractor_push(self._address(), samples.ctypes.data, len(samples))

    def finish(self) -> Result:
        """The result for the clip up to here, which may go on."""
        features = np.empty(len(schema.COLUMNS), np.float32)
        summary = _Summary()
        self._library.ser_extractor_finish(
            self._address(), ctypes.byref(summary), features.ctypes.data
        )
        return Result(features, summary.seconds, bool(summary.speech))

    def reset(self) -> None:
        """Forget the clip."""
        self._library.ser_extractor_init(self._address())

    def _address(self):
        return self._state.ctypes.data


class Window:
    """Results on a sliding window of `length` samples, one every half length (see ser_window.h)."""

    def __init__(self, length: int):
        self._library = _load()
        self._state = np.empty(self._library.ser_host_window_size(), np.uint8)
        if self._library.ser_window_init(self._state.ctypes.data, length):
            raise ValueError(f"window of {length} samples: too short")

    def push(self, samples: np.ndarray) -> list[Result]:
        """The next samples, int16 (n,); returns the results of the windows that end among them."""
        samples, results, done = np.ascontiguousarray(samples, np.int16), [], 0
        while done < len(samples):
            done += self._library.ser_window_push(
                self._state.ctypes.data, samples[done:].ctypes.data, len(samples) - done
            )
            features, summary = np.empty(len(schema.COLUMNS), np.float32), _Summary()
            if self._library.ser_window_finish(
                self._state.ctypes.data, ctypes.byref(summary), features.ctypes.data
            ):
                results.append(Result(features, summary.seconds, bool(summary.speech)))
        return results


class Heard(IntEnum):
    """What a hop is to the gate (ser_listen_event)."""

    QUIET = 0
    BEGIN = 1
    SPEECH = 2
    END = 3
    DISCARD = 4


class Gate:
    """The chip's gate on a sound that does not end: hops go in, sentences come out."""

    def __init__(self):
        self._library = _load()
        self._state = np.empty(self._library.ser_host_listen_size(), np.uint8)
        self._library.ser_listen_init(self._state.ctypes.data)
        self._hops: list[np.ndarray] = []

    def push(self, hop: np.ndarray) -> tuple[Heard, np.ndarray | None]:
        """hop: int16 (HOP,). Returns what it is, and at the END of a sentence its samples, int16 (n,)."""
        state = self._state.ctypes.data
        hop = np.array(hop, np.int16)
        if hop.shape != (schema.HOP,):
            raise TypeError(f"int16 of shape ({schema.HOP},) expected, not {hop.shape}")
        heard = Heard(self._library.ser_host_listen(state, hop.ctypes.data))
        self._hops.append(hop)
        if heard is Heard.BEGIN:
            self._hops = self._hops[-self._library.ser_host_listen_kept(state) :]
        elif heard is Heard.END:
            sentence, self._hops = np.concatenate(self._hops), []
            return heard, sentence
        elif heard in (Heard.QUIET, Heard.DISCARD):
            self._hops = self._hops[-_KEPT:]
        return heard, None

    @property
    def dbfs(self) -> float:
        """The level heard, dB re full scale."""
        return float(self._library.ser_host_listen_dbfs(self._state.ctypes.data, 0))

    @property
    def room(self) -> float:
        """The room's level, dB re full scale."""
        return float(self._library.ser_host_listen_dbfs(self._state.ctypes.data, 1))


_KEPT = 20  # hops before the gate opens: SER_LISTEN_KEEP


def sentences(samples: np.ndarray) -> tuple[np.ndarray, int]:
    """Where the chip's gate (ser_listen) hears sentences, as on a board that was switched on with the
    recording: it learns the room for half a second first.

    samples: int16 (n,), 16 kHz. Returns their first hops and the ones after their last, int (sentences, 2);
    and how many sounds were too short to be one. What goes on at the end counts as far as it was heard.
    """
    samples = np.ascontiguousarray(samples, np.int16)
    hops = len(samples) // schema.HOP
    # each takes 20 hops or more
    bounds, discarded = np.zeros((hops // 20 + 1, 2), np.uint32), ctypes.c_uint32()
    count = _load().ser_host_sentences(
        samples.ctypes.data, hops, bounds.ctypes.data, len(bounds), ctypes.byref(discarded)
    )
    return bounds[:count].astype(int), discarded.value


def mel_levels(samples: np.ndarray) -> np.ndarray:
    """The mel levels of a clip as the chip has them: int32 (frames, MELS), dB times 2^14.
    samples: int16 (n,) from `audio.load`."""
    samples = np.ascontiguousarray(samples, np.int16)
    state = np.empty(_load().ser_host_state_size(), np.uint8)
    mel = np.empty((len(samples) // schema.HOP + 1, schema.MELS), np.int32)
    frames = _load().ser_host_mel(
        state.ctypes.data, samples.ctypes.data, len(samples), mel.ctypes.data
    )
    return mel[:frames]


def encoder_units(levels: np.ndarray) -> np.ndarray:
    """What the chip's encoder makes of such levels, (frames, MELS): uint8 (answers, units)."""
    levels = np.ascontiguousarray(levels, np.int32)
    state = np.empty(_load().ser_host_encoder_size(), np.uint8)
    shipped = encoder_weights.shipped()
    units = np.empty((len(levels) // shipped.hops, shipped.units), np.uint8)
    _load().ser_host_encoder(state.ctypes.data, levels.ctypes.data, len(levels), units.ctypes.data)
    return units


def sources() -> list[Path]:
    """The C files of the host library."""
    return [*sorted((EMBEDDED / "src").glob("ser_*.c")), EMBEDDED / "host" / "ser_host.c"]


def build() -> Path:
    """The compiled library's path; compiles it unless the cache holds it.

    Safe while other processes do the same: each writes its own file and renames it into place.
    """
    return _built(tuple(native.compiler()), native.cache_folder())


@cache  # every clip asks, and to name the library takes two calls of the compiler
def _built(command: tuple[str, ...], folder: Path) -> Path:
    processor = _processor(command)
    flags = [*native.FLAGS, *(WIDE_FLAGS if processor else ())]
    target = folder / f"ser-{_fingerprint(command, flags, processor)}{native.SHARED}"
    if target.exists():
        return target
    with native.keeping("extractor", target.parent):
        handle, draft = tempfile.mkstemp(dir=target.parent, suffix=native.SHARED)
    os.close(handle)
    try:
        include = f"-I{EMBEDDED / 'src'}"
        native.run([*command, *flags, "-shared", include, *sources(), "-o", draft, "-lm"])
        os.replace(draft, target)
    except native.Complaint as complaint:
        raise UserError(
            f"engine device: {command[0]} could not compile embedded/src ({complaint.reason}); "
            "set CC to another C99 compiler"
        ) from None
    finally:
        Path(draft).unlink(missing_ok=True)
    return target


def _processor(command):
    """What WIDE_FLAGS mean here, so that computers that share a cache do not share code that only one of
    them can run; empty where they are not for this computer or its compiler."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return ""
    probe = subprocess.run(
        [*command, *WIDE_FLAGS, "-E", "-v", "-x", "c", os.devnull], capture_output=True, text=True
    )
    if probe.returncode:
        return ""
    return " ".join(re.findall(r"(?<= )-m\S+|-target-(?:cpu|feature)\W+\S+", probe.stderr))


def _fingerprint(command, flags, processor):
    """Changes with the sources, the compiler, its version, the flags and the processor."""
    digest = hashlib.sha256()
    version = subprocess.run([*command, "--version"], capture_output=True, text=True).stdout
    digest.update("\0".join([*command, version, *flags, processor]).encode())
    headers = sorted((EMBEDDED / "src").glob("*.h"))
    for path in [*sources(), *headers]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:20]


@cache
def _load():
    library = ctypes.CDLL(str(build()))
    pointer = ctypes.c_void_p
    library.ser_host_state_size.restype = ctypes.c_size_t
    library.ser_host_window_size.restype = ctypes.c_size_t
    library.ser_host_schema_hash.restype = ctypes.c_uint64
    library.ser_extractor_init.argtypes = [pointer]
    library.ser_extractor_push.argtypes = [pointer, pointer, ctypes.c_size_t]
    library.ser_extractor_finish.argtypes = [pointer, pointer, pointer]
    library.ser_host_listen_size.restype = ctypes.c_size_t
    library.ser_host_listen.argtypes = [pointer, pointer]
    library.ser_host_listen_kept.argtypes = [pointer]
    library.ser_host_listen_dbfs.argtypes = [pointer, ctypes.c_int]
    library.ser_host_listen_dbfs.restype = ctypes.c_float
    library.ser_listen_init.argtypes = [pointer]
    library.ser_host_sentences.argtypes = [
        pointer,
        ctypes.c_size_t,
        pointer,
        ctypes.c_size_t,
        pointer,
    ]
    library.ser_host_sentences.restype = ctypes.c_size_t
    if hasattr(library, "ser_host_encoder"):  # a build may leave the encoder out
        library.ser_host_mel.argtypes = [pointer, pointer, ctypes.c_size_t, pointer]
        library.ser_host_mel.restype = ctypes.c_size_t
        library.ser_host_encoder_size.restype = ctypes.c_size_t
        library.ser_host_encoder.argtypes = [pointer, pointer, ctypes.c_size_t, pointer]
        library.ser_host_encoder.restype = ctypes.c_size_t
    library.ser_window_init.argtypes = [pointer, ctypes.c_uint32]
    library.ser_window_push.argtypes = [pointer, pointer, ctypes.c_size_t]
    library.ser_window_push.restype = ctypes.c_size_t
    library.ser_window_finish.argtypes = [pointer, pointer, pointer]
    compiled = f"{library.ser_host_schema_hash():016x}"
    if compiled != schema.HASH:
        raise UserError(
            f"embedded/src/ser_schema.h: schema {compiled}, but features/schema.py is {schema.HASH}; "
            "run python -m speech_emotion.generate"
        )
    return library
