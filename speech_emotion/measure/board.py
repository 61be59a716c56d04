"""A real board over serial: the lines of the Benchmark sketch, checked, as figures.

The sketch prints a start line, a line per clip and an end line, each a JSON object with the format's version
and a check sum, and repeats the whole. Whatever else comes down the wire, such as boot messages, halves of
lines and noise, is passed over; a board that starts anew is listened to anew.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from speech_emotion.codegen import clips
from speech_emotion.errors import CheckFailed, UserError
from speech_emotion.files import replacing
from speech_emotion.measure.chips import Range
from speech_emotion.measure.report import Figures
from speech_emotion.model.compiled import Library

BAUD = 115200
PATIENCE = 120.0
"""Seconds without a line of the benchmark. A chip without floats in hardware takes most of a minute."""
ATTEMPTS = 5
"""How often a run is begun again, because the board started anew or a line was damaged."""
EXACT = 1e-6
"""Largest difference of a probability: the chip's bits are this computer's, and six decimals are sent."""

_LONGEST = 4096  # bytes of a line; more without a line end is noise
_OPENING = b'{"ser_benchmark": '


@dataclass(frozen=True)
class Measurement:
    """The objects of one complete run, as the sketch printed them. Times are microseconds."""

    start: dict
    clips: list[dict]
    end: dict


class Port(Protocol):
    """What is needed of serial.Serial: up to `size` bytes, fewer or none when its time-out is over."""

    def read(self, size: int) -> bytes: ...


def read_board(name: str, *, patience: float = PATIENCE) -> Measurement:
    """Wait for the benchmark on a serial port and return its next complete run.

    name: /dev/ttyUSB0, COM3 ... UserError: no such port, no benchmark within `patience` seconds, another
    version of it, the board was unplugged.
    """
    with _open(name) as port:
        return read(port, name, patience=patience)


@contextmanager
def _open(name):
    try:
        import serial
    except ImportError:
        raise UserError("--port: needs pyserial; install it: pip install pyserial") from None
    try:
        port = serial.Serial(name, BAUD, timeout=0.2)
    except (OSError, ValueError) as error:  # serial.SerialException is an OSError
        reason = getattr(error, "strerror", None) or str(error).split(": ")[-1]
        raise UserError(
            f"--port {name}: cannot be opened ({reason}); is the board plugged in?"
        ) from None
    with port:
        yield port


def read(port: Port, name: str, *, patience: float = PATIENCE) -> Measurement:
    """As read_board, from an open port."""
    start: dict | None = None
    found: list[dict] = []
    attempts = 0
    for line in _lines(port, name, patience):
        event = line.get("event")
        if event == "start":
            start, found, attempts = line, [], attempts + 1
            if attempts > ATTEMPTS:
                raise UserError(
                    f"--port {name}: begun {ATTEMPTS} times without a complete run; is the cable loose, the "
                    "supply weak?"
                )
        elif event == "clip" and start is not None:
            found.append(line)
        elif event == "end" and start is not None and len(found) == start["clips"]:
            return Measurement(start, found, line)
        elif event == "end":
            start = None  # lines are missing: the next run
    raise AssertionError("unreachable: _lines ends by raising")


def _lines(port, name, patience) -> Iterator[dict]:
    """The benchmark's objects. Ends only by raising."""
    waiting, latest = b"", time.monotonic()
    while True:
        try:
            waiting += port.read(_LONGEST)
        except OSError:
            raise UserError(
                f"--port {name}: the board is gone; plug it in and start again"
            ) from None
        *whole, waiting = waiting.split(b"\n")
        waiting = waiting[-_LONGEST:]
        for raw in whole:
            line = parse(raw)
            if line is None:
                continue
            latest = time.monotonic()
            if line["ser_benchmark"] != clips.VERSION:
                raise UserError(
                    f"--port {name}: the board runs version {line['ser_benchmark']} of the benchmark, this "
                    f"program reads version {clips.VERSION}; flash the Benchmark of a library generated anew"
                )
            yield line
        if time.monotonic() - latest > patience:
            raise UserError(
                f"--port {name}: no line of the benchmark for {patience:.0f} s; flash the library's "
                f"examples/Benchmark, and let no other program use the port"
            )


def parse(raw: bytes) -> dict | None:
    """A line as an object; None where it is none of the benchmark's, or damaged."""
    begin, check = raw.find(_OPENING), raw.rfind(b', "check": ')
    if begin < 0 or check < begin:
        return None
    try:
        line = json.loads(raw[begin:].decode("ascii"))
    except ValueError:
        return None
    return line if line.get("check") == checksum(raw[begin:check]) else None


def checksum(text: bytes) -> int:
    """Fletcher-32 of single bytes: both sums mod 65535 (Fletcher 1982)."""
    low = high = 0
    for byte in text:
        low = (low + byte) % 65535
        high = (high + low) % 65535
    return high << 16 | low


# --- what was measured ------------------------------------------------------------------------


def compare(measured: Measurement, folder: Path) -> None:
    """CheckFailed unless the board's answers are those of the library in `folder` on this computer."""
    library = Library(folder)
    if measured.start["model"] != library.name:
        raise UserError(
            f"the board runs the model '{measured.start['model']}', {folder} is '{library.name}'; name the "
            "folder that was flashed"
        )
    known = {clip.name: clip for clip in clips.CLIPS}
    for line in measured.clips:
        here = library.answer(clips.samples(known[line["clip"]]))
        there = np.array([line["probabilities"][label] for label in library.labels])
        difference = float(np.abs(there - here.probabilities).max())
        if line["label"] != here.label or line["speech"] != here.speech or difference > EXACT:
            raise CheckFailed(
                f"'{line['clip']}': {line['label']} on the board, {here.label} on this computer, "
                f"probabilities differ by {difference:.2g}; flash the Benchmark of this very library"
            )


def figures(measured: Measurement) -> Figures:
    """As measure.report prints them. Times: shortest, median, longest; share: over the clips."""
    start, end = measured.start, measured.end
    milliseconds = [end["response_us"][which] / 1000 for which in ("min", "median", "max")]
    shares = [line["busy_us_per_second"] / 1e6 for line in measured.clips]
    worst = end["worst_hop_us"] / 1000
    return Figures(
        target=start["chip"].lower(),
        name=f"{start['chip']} {start['cpu_mhz']} MHz",
        basis=f"measured on that board (revision {start['chip_revision']}) with the Benchmark sketch; "
        f"times are shortest / median / longest of {end['response_us']['count']} answers",
        response_ms=Range(*milliseconds),
        realtime_share=Range(min(shares), end["busy_us_per_second"] / 1e6, max(shares)),
        worst_hop_ms=Range(worst, worst, worst),
        ram_static=start["state_bytes"],
        stack_peak=end["stack_bytes"] - end["stack_free_min"],
        tools={
            "Arduino-ESP32": start["core"],
            "ESP-IDF": start["idf"],
            "GCC": start["compiler"],
        },
    )


def write(measured: Measurement, folder: Path) -> Path:
    """board.json in a folder: every line as it came."""
    path = folder / "board.json"
    with replacing(path) as file:
        file.write(json.dumps(asdict(measured), indent=2) + "\n")
    return path


def text(measured: Measurement) -> str:
    """What the common table has no place for: each clip, and the heap."""
    end = measured.end
    rows = [("", "min", "median", "p99", "max", "share", "answer")]
    for line in (*measured.clips, end | {"clip": "all", "label": ""}):
        times = line["response_us"]
        rows.append((
            line["clip"], *(f"{times[which] / 1000:.2f}" for which in ("min", "median", "p99", "max")),
            f"{line['busy_us_per_second'] / 1e4:.1f} %", line["label"],
        ))  # fmt: skip
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        f"  {row[0]:<{widths[0]}}"
        + "".join(f"  {cell:>{width}}" for cell, width in zip(row[1:-1], widths[1:-1], strict=True))
        + f"  {row[-1]}"
        for row in rows
    ]
    return "\n".join([
        "response on the board, ms, and share of real time:",
        *(line.rstrip() for line in lines),
        f"heap free {end['heap_free']:,} B, least {end['heap_free_min']:,}, largest block "
        f"{end['heap_largest_block']:,}; stack of the task {end['stack_bytes']:,} B, least free "
        f"{end['stack_free_min']:,}",
    ])  # fmt: skip
