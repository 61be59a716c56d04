"""What is recorded from: a board with the sketch Recorder at a serial port, or a microphone of this computer.

Each is an iterator of hops, int16 (HOP,) at SAMPLE_RATE, and whether it was heard (a lost one is zeros).
"""

import importlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
import serial
import soxr

from speech_emotion.errors import UserError
from speech_emotion.features.schema import HOP, SAMPLE_RATE
from speech_emotion.recording import wire

BAUD = 921600
PATIENCE = 10.0
"""Seconds without a block."""


class Source(Protocol):
    """device: what recordings.csv calls it; rate: at which it records, Hz."""

    device: str
    rate: int

    def hops(self) -> Iterator[tuple[np.ndarray, bool]]: ...

    def losses(self) -> str:
        """What was lost so far, in a sentence; "" where nothing was."""


class Board:
    """A board at a serial port. UserError where the port cannot be opened, or nothing of the sketch comes."""

    rate = SAMPLE_RATE

    def __init__(
        self, port: str, line: Any = None, *, baud: int = BAUD, patience: float = PATIENCE
    ):
        self.device = f"board at {port}, sketch Recorder"
        self.joined = wire.Joined()
        self.decoder = wire.Decoder()
        self._port, self._line, self._patience = port, line, patience
        if line is None:
            try:
                self._line = serial.Serial(port, baud, timeout=0.1)
            except (serial.SerialException, ValueError, OSError) as error:
                raise UserError(
                    f"--port {port}: cannot be opened ({error}); is the board plugged in, and no other "
                    "program reading it?"
                ) from None

    def hops(self) -> Iterator[tuple[np.ndarray, bool]]:
        last = time.monotonic()
        while True:
            try:
                data = self._line.read(max(1, min(self._line.in_waiting, 1 << 16)))
            except (serial.SerialException, OSError) as error:
                raise UserError(f"--port {self._port}: went away ({error})") from None
            for block in self.decoder.feed(data):
                last = time.monotonic()
                yield from self.joined.put(block)
            if time.monotonic() - last > self._patience:
                hint = (
                    "what comes is no sound of the sketch Recorder: flash examples/Recorder of your library"
                    if self.decoder.foreign
                    else "flash examples/Recorder of your library, and reset the board"
                )
                raise UserError(f"--port {self._port}: no sound for {self._patience:g} s; {hint}")

    def losses(self) -> str:
        return self.joined.text()


class Microphone:
    """A microphone of this computer, by sounddevice (PortAudio). name: a part of a device's, or None: the
    default.

    UserError where sounddevice is not installed, or there is no such microphone."""

    def __init__(self, name: str | None = None):
        self._sounddevice = _sounddevice()
        chosen: Any = int(name) if name is not None and name.isdecimal() else name
        try:
            about = self._sounddevice.query_devices(chosen, "input")
        except (ValueError, self._sounddevice.PortAudioError) as error:
            raise UserError(
                f"--microphone {name or 'default'}: {error}; python -m sounddevice lists what there is"
            ) from None
        self._chosen, self.device = chosen, str(about["name"])
        self.rate = SAMPLE_RATE
        try:
            self._sounddevice.check_input_settings(chosen, 1, "int16", None, SAMPLE_RATE)
        except (ValueError, self._sounddevice.PortAudioError):
            self.rate = int(about["default_samplerate"])
        self._overflows = 0

    def hops(self) -> Iterator[tuple[np.ndarray, bool]]:
        resampler = (
            None
            if self.rate == SAMPLE_RATE
            else soxr.ResampleStream(self.rate, SAMPLE_RATE, 1, dtype="int16", quality="HQ")
        )
        block = self.rate // 100
        rest = np.zeros(0, np.int16)
        with self._open(block) as stream:
            while True:
                data, overflowed = stream.read(block)
                self._overflows += bool(overflowed)
                samples = np.frombuffer(bytes(data), np.int16)
                rest = np.concatenate(
                    [rest, resampler.resample_chunk(samples) if resampler else samples]
                )
                while len(rest) >= HOP:
                    yield rest[:HOP].copy(), True
                    rest = rest[HOP:]

    @contextmanager
    def _open(self, block):
        try:
            with self._sounddevice.RawInputStream(
                samplerate=self.rate,
                blocksize=block,
                device=self._chosen,
                channels=1,
                dtype="int16",
            ) as stream:
                yield stream
        except self._sounddevice.PortAudioError as error:
            raise UserError(f"--microphone {self.device}: {error}") from None

    def losses(self) -> str:
        times = self._overflows
        return f"the computer was too slow {times} times: sound is missing there" if times else ""


def _sounddevice():
    try:
        return importlib.import_module("sounddevice")
    except ImportError:
        raise UserError(
            "recording from this computer's microphone needs sounddevice: pip install "
            "'speech-emotion[record]'"
        ) from None
    except OSError:
        raise UserError(
            "sounddevice finds no PortAudio library: on Debian and Ubuntu, apt-get install libportaudio2"
        ) from None
