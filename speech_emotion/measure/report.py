"""The figures of a library on its chips, judged against a budget: as a table, as Markdown, as JSON.

Serves emulated chips and real boards alike; what was not determined is None and shown as a dash.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tabulate import tabulate

from speech_emotion.files import replacing
from speech_emotion.measure.chips import Range


@dataclass(frozen=True)
class Budget:
    """What a library may take. Flash and RAM in KB of 1024 bytes."""

    flash_kb: float = 256
    ram_kb: float = 256
    response_ms: float = 50


@dataclass(frozen=True)
class Figures:
    """One target. basis: how they came about, a sentence. response: last sample in to label out, worst
    clip; share: of real time, while the sound arrives; worst_hop: the longest push of 10 ms. slow: see
    chips.Chip. waiting_*: the upper ones, and what waiting for the flash would add by a model of the chip's
    cache. gate: of a second in which nobody speaks. Bytes: static RAM is the recogniser's state and
    result, and copied of it: code and tables that the chip's start-up copies there. joules_*: of a decision;
    of a day in which nobody speaks, and of one in which somebody always does; and what light sleep would
    save of the first. note: what else a reader of the figures should know, a clause."""

    target: str
    name: str
    basis: str
    response_ms: Range
    realtime_share: Range
    worst_hop_ms: Range | None = None
    waiting_response_ms: float | None = None
    waiting_share: float | None = None
    waiting_hop_ms: float | None = None
    instructions_response: int | None = None
    instructions_per_second: int | None = None
    instructions_hop: int | None = None
    instructions_worst_hop: int | None = None
    instructions_gate: int | None = None
    slow_response: int | None = None
    slow_per_second: int | None = None
    slow_name: str = ""
    ram_static: int | None = None
    ram_copied: int | None = None
    stack_peak: int | None = None
    flash_code: int | None = None
    flash_tables: int | None = None
    flash_model: int | None = None
    joules_decision: Range | None = None
    joules_day_closed: Range | None = None
    joules_day_open: Range | None = None
    joules_day_slept: Range | None = None
    energy_source: str = ""
    note: str = ""
    tools: dict[str, str] = field(default_factory=dict)

    @property
    def ram_total(self) -> int | None:
        return _sum(self.ram_static, self.stack_peak)

    @property
    def flash_total(self) -> int | None:
        return _sum(self.flash_code, self.flash_tables, self.flash_model)

    def over(self, budget: Budget) -> list[str]:
        """What exceeds the budget by the upper figures, in words; empty: within it."""
        found = []
        if self.response_ms.upper > budget.response_ms:
            found.append(f"response {self.response_ms.upper:.1f} ms of {budget.response_ms:g}")
        if self.realtime_share.upper > 1:
            found.append(f"{100 * self.realtime_share.upper:.0f} % of real time")
        for what, have, limit in (
            ("RAM", self.ram_total, budget.ram_kb),
            ("flash", self.flash_total, budget.flash_kb),
        ):
            if have is not None and have > 1024 * limit:
                found.append(f"{what} {have / 1024:.1f} KB of {limit:g}")
        return found


def _sum(*parts):
    return None if None in parts else sum(parts)


# --- how figures are written -------------------------------------------------------------------


def _milliseconds(value):
    return "–" if value is None else " / ".join(_number(x) for x in _triple(value))


def _single(value, factor=1):
    return "–" if value is None else _number(factor * value)


def _percent(value):
    return " / ".join(_number(100 * x) for x in _triple(value)) + " %"


def _triple(value):
    return value.lower, value.nominal, value.upper


def _number(value):
    return f"{value:.1f}" if value >= 9.95 else f"{value:.2f}"


def _count(value):
    return "–" if value is None else f"{value:,}"


def _slow(value, name):
    return f"{value:,} {name}" if name and value is not None else "–"


def _kilobytes(value):
    return "–" if value is None else f"{value / 1024:.1f}"


def _joules(value, unit, factor):
    return (
        "–"
        if value is None
        else " / ".join(_number(factor * x) for x in _triple(value)) + f" {unit}"
    )


def _verdict(figures, budget):
    if over := figures.over(budget):
        return "OVER: " + ", ".join(over)
    if (share := figures.waiting_share) is not None and share > 1:
        return f"within, but {100 * share:.0f} % of real time if it waits"
    return "within"


def rows(budget: Budget) -> list[tuple[str, Callable[[Figures], str]]]:
    """Each line of the table: its name, and how to write it of a target."""
    return [
        (f"response, ms (budget {budget.response_ms:g})", lambda f: _milliseconds(f.response_ms)),
        ("share of real time", lambda f: _percent(f.realtime_share)),
        ("worst hop of 10 ms, ms", lambda f: _milliseconds(f.worst_hop_ms)),
        ("response, if it waits for the flash, ms", lambda f: _single(f.waiting_response_ms)),
        ("share, if it waits, %", lambda f: _single(f.waiting_share, 100)),
        ("worst hop, if it waits, ms", lambda f: _single(f.waiting_hop_ms)),
        ("instructions, response", lambda f: _count(f.instructions_response)),
        ("instructions, second of sound", lambda f: _count(f.instructions_per_second)),
        ("instructions, second of silence", lambda f: _count(f.instructions_gate)),
        ("instructions, mean hop", lambda f: _count(f.instructions_hop)),
        ("instructions, worst hop", lambda f: _count(f.instructions_worst_hop)),
        ("slow operations, response", lambda f: _slow(f.slow_response, f.slow_name)),
        ("slow operations, second", lambda f: _slow(f.slow_per_second, f.slow_name)),
        ("static RAM, KB", lambda f: _kilobytes(f.ram_static)),
        ("of it a hop's code and tables, KB", lambda f: _kilobytes(f.ram_copied)),
        ("peak stack, KB", lambda f: _kilobytes(f.stack_peak)),
        (f"RAM, KB (budget {budget.ram_kb:g})", lambda f: _kilobytes(f.ram_total)),
        ("flash: code, KB", lambda f: _kilobytes(f.flash_code)),
        ("flash: tables, KB", lambda f: _kilobytes(f.flash_tables)),
        ("flash: model, KB", lambda f: _kilobytes(f.flash_model)),
        (f"flash, KB (budget {budget.flash_kb:g})", lambda f: _kilobytes(f.flash_total)),
        ("energy per decision", lambda f: _joules(f.joules_decision, "mJ", 1e3)),
        ("energy per day, nobody speaks", lambda f: _joules(f.joules_day_closed, "kJ", 1e-3)),
        ("energy per day, speech throughout", lambda f: _joules(f.joules_day_open, "kJ", 1e-3)),
        ("light sleep instead would save", lambda f: _joules(f.joules_day_slept, "kJ", 1e-3)),
        ("verdict", lambda f: _verdict(f, budget)),
    ]


LEGEND = "times and energies: lower / nominal / upper, judged by the upper"


def text(found: list[Figures], budget: Budget) -> str:
    """The table for a terminal: one column per target."""
    *cells, verdicts = _cells(found, budget)  # the verdicts are as long as they need to be
    align = ["left", *["right"] * len(found)]
    table = tabulate(cells, _head(found), "plain", colalign=align, disable_numparse=True)
    lines = [f"{f.name}: {verdict}" for f, verdict in zip(found, verdicts[1:], strict=True)]
    lines += [f"{f.name}: {f.note}" for f in found if f.note]
    return "\n".join([table, *lines, LEGEND])


def _head(found):
    return ["", *(f.name for f in found)]


def _cells(found, budget):
    return [[name, *(write(f) for f in found)] for name, write in rows(budget)]


def markdown(found: list[Figures], budget: Budget, notes: list[str]) -> str:
    """The table as reports/footprint.md has it, with what it was made from."""
    lines = [
        "<!-- Generated by `python -m measure`; do not edit. -->",
        "# What the library takes on the chip",
        "",
        tabulate(_cells(found, budget), _head(found), "github", disable_numparse=True),
    ]
    lines += ["", f"{LEGEND[0].upper()}{LEGEND[1:]}.", ""]
    lines += [f"* {f.name}: {f.basis}" for f in found]
    lines += [
        f"* {f.name}, energy: an estimate from {f.energy_source}." for f in found if f.energy_source
    ]
    lines += [f"* {note}" for note in notes]
    lines += [
        f"* {f.name}: " + ", ".join(f"{k} {v}" for k, v in f.tools.items()) + "." for f in found
    ]
    return "\n".join(lines) + "\n"


def as_json(found: list[Figures], budget: Budget) -> list[dict]:
    """One object per target."""

    def triple(value):
        return dict(zip(("lower", "nominal", "upper"), _triple(value), strict=True))

    return [
        {
            "target": f.target,
            "response_ms": triple(f.response_ms),
            "realtime_share": triple(f.realtime_share),
            "worst_hop_ms": triple(f.worst_hop_ms) if f.worst_hop_ms is not None else None,
            "if_it_waits_for_flash": {
                "response_ms": f.waiting_response_ms,
                "realtime_share": f.waiting_share,
                "worst_hop_ms": f.waiting_hop_ms,
            },
            "instructions_response": f.instructions_response,
            "instructions_per_second": f.instructions_per_second,
            "instructions_per_silent_second": f.instructions_gate,
            "ram_static_bytes": f.ram_static,
            "ram_copied_bytes": f.ram_copied,
            "stack_peak_bytes": f.stack_peak,
            "ram_total_bytes": f.ram_total,
            "flash_code_bytes": _sum(f.flash_code, f.flash_tables),
            "flash_model_bytes": f.flash_model,
            "flash_total_bytes": f.flash_total,
            "within_budget": not f.over(budget),
            "tools": f.tools,
        }
        for f in found
    ]


def write(folder: Path, found: list[Figures], budget: Budget, notes: list[str]) -> list[Path]:
    """footprint.md and footprint.json in a folder; whole, or as they were before."""
    pages = {
        "footprint.md": markdown(found, budget, notes),
        "footprint.json": json.dumps(as_json(found, budget), indent=2) + "\n",
    }
    for name, page in pages.items():
        with replacing(folder / name) as file:
            file.write(page)
    return [folder / name for name in pages]
