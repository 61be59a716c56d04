"""A real board over serial: the lines of the Benchmark sketch, checked, as figures.

The sketch prints a start line, a line per clip and an end line, each a JSON object with the format's version
and a check sum, and repeats the whole. Whatever else comes down the wire, such as boot messages, halves of
lines and noise, is passed over; a board that starts anew is listened to anew. A check sum is no proof that a
figure is possible: a whole run is held against a schema before anything is made of it.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Protocol, TypeVar

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import from_json

from speech_emotion.codegen import clips
from speech_emotion.errors import CheckFailed, UserError, shown
from speech_emotion.files import replacing
from speech_emotion.measure.chips import Range
from speech_emotion.measure.report import Figures
from speech_emotion.model.compiled import Library
from speech_emotion.model.facts import complaint

BAUD = 115200
PATIENCE = 120.0
"""Seconds without a line of the benchmark. A chip without floats in hardware takes most of a minute."""
ENOUGH = 1800.0
"""Seconds of listening altogether: twice the slowest run, for one that is joined in the middle."""
MOST_LINES = 10_000
"""Of the benchmark: a board prints a line in some seconds, so these are none of a board."""
ATTEMPTS = 5
"""How often a run is begun again, because the board started anew or a line was damaged."""
EXACT = 1e-6
"""Largest difference of a probability: the chip's bits are this computer's, and six decimals are sent."""

_LONGEST = 16384  # bytes of a line, with 30 labels of 100 bytes; more without a line end is noise
_OPENING = b'{"ser_benchmark": '
_EVENTS = ("start", "clip", "end")


# --- what a board may say ---------------------------------------------------------------------


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("not printable")
    return text


def _is_a_clip(name: str) -> str:
    if name not in _CLIPS:
        raise ValueError("no clip of the benchmark")
    return name


_CLIPS = {clip.name: clip for clip in clips.CLIPS}
_Label = Annotated[str, StringConstraints(min_length=1, max_length=200)]
_Text = Annotated[_Label, AfterValidator(_printable)]
_Microseconds = Annotated[int, Field(ge=0, le=600_000_000)]
_Bytes = Annotated[int, Field(ge=0, le=64 * 2**20)]
_Probability = Annotated[float, Field(ge=0, le=1)]


class _Said(BaseModel):
    """No conversion of types, no numbers that are none."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False, frozen=True, extra="ignore")


def _all_or_none(said: BaseModel, *names: str) -> None:
    missing = [name for name in names if getattr(said, name) is None]
    if 0 < len(missing) < len(names):
        raise ValueError(f"'{missing[0]}' is missing")


class Times(_Said):
    """Of `count` answers, microseconds."""

    count: int = Field(ge=1, le=10**6)
    min: _Microseconds
    median: _Microseconds
    p99: _Microseconds
    max: _Microseconds

    @model_validator(mode="after")
    def _ordered(self):
        if not self.min <= self.median <= self.p99 <= self.max:
            raise ValueError("min, median, p99 and max are not in this order")
        return self


class Start(_Said):
    """Revision, core and idf: of the ESP32 family, all three; other boards cannot be asked."""

    model: _Text
    chip: _Text
    chip_revision: int | None = Field(None, ge=0, lt=2**16)
    cpu_mhz: int = Field(ge=1, le=2000)
    core: _Text | None = None
    idf: _Text | None = None
    compiler: _Text
    state_bytes: _Bytes
    clips: int = Field(ge=1, le=1000)

    @model_validator(mode="after")
    def _complete(self):
        _all_or_none(self, "chip_revision", "core", "idf")
        return self


class Clip(_Said):
    """busy_us_per_second: microseconds of work in a second of sound."""

    clip: Annotated[str, AfterValidator(_is_a_clip)]
    label: _Label
    speech: bool
    probabilities: dict[_Label, _Probability] = Field(min_length=2, max_length=256)
    response_us: Times
    busy_us_per_second: _Microseconds
    worst_hop_us: _Microseconds

    @model_validator(mode="after")
    def _whole(self):
        if abs(sum(self.probabilities.values()) - 1) > 1e-3:
            raise ValueError("the probabilities do not add up to 1")
        if self.label not in self.probabilities:
            raise ValueError("the label has no probability")
        return self


class End(_Said):
    """Heap and stack: of the ESP32 family, all of them; other boards cannot be asked."""

    response_us: Times
    busy_us_per_second: _Microseconds
    worst_hop_us: _Microseconds
    heap_free: _Bytes | None = None
    heap_free_min: _Bytes | None = None
    heap_largest_block: _Bytes | None = None
    stack_bytes: _Bytes | None = None
    stack_free_min: _Bytes | None = None

    @model_validator(mode="after")
    def _possible(self):
        _all_or_none(
            self,
            "heap_free",
            "heap_free_min",
            "heap_largest_block",
            "stack_bytes",
            "stack_free_min",
        )
        if (self.stack_free_min or 0) > (self.stack_bytes or 0):
            raise ValueError("more of the stack is free than there is")
        return self


Line = TypeVar("Line", Start, Clip, End)


@dataclass(frozen=True)
class Run:
    """A whole run, every figure possible. Times are microseconds."""

    start: Start
    clips: list[Clip]
    end: End


@dataclass(frozen=True)
class Measurement:
    """The objects of one complete run, as the sketch printed them."""

    start: dict
    clips: list[dict]
    end: dict

    def checked(self) -> Run:
        """The same with its types. UserError, naming the line and the field, where a figure is missing or is
        none that a board can measure."""
        start = _checked(self.start, Start, "start")
        found = [_checked(line, Clip, f"clip {i}") for i, line in enumerate(self.clips, 1)]
        end = _checked(self.end, End, "end")
        if (
            not found
            or len(found) != start.clips
            or len({line.clip for line in found}) < len(found)
        ):
            raise UserError(
                f"the board: {len(found)} lines of clips where {start.clips} different ones were promised; "
                "start it again"
            )
        times, whole = [line.response_us for line in found], end.response_us
        if (whole.count, whole.min, whole.max, end.worst_hop_us) != (
            sum(each.count for each in times),
            min(each.min for each in times),
            max(each.max for each in times),
            max(line.worst_hop_us for line in found),
        ):
            raise UserError(
                "the board: the figures of its line 'end' are not those of its clips; flash the Benchmark "
                "of a library generated anew"
            )
        return Run(start, found, end)


def _checked(line: dict, kind: type[Line], name: str) -> Line:
    try:
        return kind.model_validate(line)
    except ValidationError as error:
        raise UserError(
            f"the board: its line '{name}': {complaint(error)}; flash the Benchmark of a library "
            "generated anew"
        ) from None


# --- listening --------------------------------------------------------------------------------


class Port(Protocol):
    """What is needed of serial.Serial: up to `size` bytes, fewer or none when its time-out is over."""

    def read(self, size: int) -> bytes: ...


def read_board(name: str, *, patience: float = PATIENCE, enough: float = ENOUGH) -> Measurement:
    """Wait for the benchmark on a serial port and return its next complete run.

    name: /dev/ttyUSB0, COM3 ... UserError: no such port, no benchmark within `patience` seconds, no complete
    run within `enough`, another version of it, figures that no board can measure, the board was unplugged.
    """
    with _open(name) as port:
        measured = read(port, name, patience=patience, enough=enough)
    measured.checked()
    return measured


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


def read(
    port: Port, name: str, *, patience: float = PATIENCE, enough: float = ENOUGH
) -> Measurement:
    """As read_board, from an open port, its figures not yet checked."""
    start: dict | None = None
    found: list[dict] = []
    attempts = 0
    for line in _lines(port, name, patience, enough):
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
        elif event == "end" and start is not None and len(found) == start.get("clips"):
            return Measurement(start, found, line)
        elif event == "end":
            start = None  # lines are missing: the next run
    raise AssertionError("unreachable: _lines ends by raising")


def _lines(port, name, patience, enough) -> Iterator[dict]:
    """The benchmark's objects. Ends only by raising."""
    waiting, count = b"", 0
    begun = latest = time.monotonic()
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
            latest, count = time.monotonic(), count + 1
            if line["ser_benchmark"] != clips.VERSION:
                raise UserError(
                    f"--port {name}: the board runs version {shown(line['ser_benchmark'])} of the benchmark, "
                    f"this program reads version {clips.VERSION}; flash the Benchmark of a library generated "
                    "anew"
                )
            yield line
        now = time.monotonic()
        if now - latest > patience:
            raise UserError(
                f"--port {name}: no line of the benchmark for {patience:.0f} s; flash the library's "
                f"examples/Benchmark, and let no other program use the port"
            )
        if now - begun > enough or count > MOST_LINES:
            raise UserError(
                f"--port {name}: {count} lines of the benchmark in {now - begun:.0f} s and no complete run "
                "among them; flash the library's examples/Benchmark anew"
            )


def parse(raw: bytes) -> dict | None:
    """A line as an object, with its version and check sum; None where it is none of the benchmark's, or
    damaged."""
    begin, check = raw.find(_OPENING), raw.rfind(b', "check": ')
    if begin < 0 or check < begin or len(raw) - begin > _LONGEST:
        return None
    try:
        line = from_json(raw[begin:], allow_inf_nan=False)
    except ValueError:  # nested deeper than 200 levels, too
        return None
    if not isinstance(line, dict) or line.get("event") not in _EVENTS:
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
    run, library = measured.checked(), Library(folder)
    if run.start.model != library.name:
        raise UserError(
            f"the board runs the model {shown(run.start.model)}, {folder} is '{library.name}'; name the "
            "folder that was flashed"
        )
    for line in run.clips:
        if list(line.probabilities) != list(library.labels):
            raise UserError(
                f"the board knows {len(line.probabilities)} labels, {shown(line.label)} among them, {folder} "
                "others; name the folder that was flashed"
            )
        here = library.answer(clips.samples(_CLIPS[line.clip]))
        there = np.array(list(line.probabilities.values()))
        difference = float(np.abs(there - here.probabilities).max())
        if line.label != here.label or line.speech != here.speech or difference > EXACT:
            raise CheckFailed(
                f"'{line.clip}': {line.label} on the board, {here.label} on this computer, "
                f"probabilities differ by {difference:.2g}; flash the Benchmark of this very library"
            )


def figures(measured: Measurement) -> Figures:
    """As measure.report prints them. Times: shortest, median, longest; share: over the clips."""
    run = measured.checked()
    start, end = run.start, run.end
    times = end.response_us
    shares = [line.busy_us_per_second / 1e6 for line in run.clips]
    worst = end.worst_hop_us / 1000
    return Figures(
        target=start.chip.lower(),
        name=f"{start.chip} {start.cpu_mhz} MHz",
        basis="measured on that board"
        + (f" (revision {start.chip_revision})" if start.chip_revision is not None else "")
        + " with the Benchmark sketch; "
        f"times are shortest / median / longest of {times.count} answers",
        response_ms=Range(times.min / 1000, times.median / 1000, times.max / 1000),
        realtime_share=Range(min(shares), end.busy_us_per_second / 1e6, max(shares)),
        worst_hop_ms=Range(worst, worst, worst),
        ram_static=start.state_bytes,
        stack_peak=None
        if end.stack_bytes is None or end.stack_free_min is None
        else end.stack_bytes - end.stack_free_min,
        tools={
            name: version
            for name, version in (
                ("Arduino-ESP32", start.core),
                ("ESP-IDF", start.idf),
                ("GCC", start.compiler),
            )
            if version is not None
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
    run = measured.checked()
    end = run.end
    rows: list[tuple[str, ...]] = [("", "min", "median", "p99", "max", "share", "answer")]
    named: list[tuple[str, Clip | End, str]] = [(each.clip, each, each.label) for each in run.clips]
    for name, line, label in [*named, ("all", end, "")]:
        times = line.response_us
        rows.append((
            name, *(f"{us / 1000:.2f}" for us in (times.min, times.median, times.p99, times.max)),
            f"{line.busy_us_per_second / 1e4:.1f} %", label,
        ))  # fmt: skip
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        f"  {row[0]:<{widths[0]}}"
        + "".join(f"  {cell:>{width}}" for cell, width in zip(row[1:-1], widths[1:-1], strict=True))
        + f"  {row[-1]}"
        for row in rows
    ]
    memory = "heap and stack: this board cannot be asked"
    if end.heap_free is not None:
        memory = (
            f"heap free {end.heap_free:,} B, least {end.heap_free_min:,}, largest block "
            f"{end.heap_largest_block:,}; stack of the task {end.stack_bytes:,} B, least free "
            f"{end.stack_free_min:,}"
        )
    return "\n".join([
        "response on the board, ms, and share of real time:",
        *(line.rstrip() for line in lines),
        memory,
    ])  # fmt: skip
