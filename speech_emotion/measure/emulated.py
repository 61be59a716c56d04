"""The figures of a library on an emulated chip."""

import tempfile
from pathlib import Path

from speech_emotion import native
from speech_emotion.errors import CheckFailed
from speech_emotion.features import schema
from speech_emotion.measure import firmware, toolchain
from speech_emotion.measure.chips import CHIPS, VOLTS, Chip, Range
from speech_emotion.measure.clips import Clips
from speech_emotion.measure.firmware import Built, Run
from speech_emotion.measure.report import Figures


def answers(library: Path, clips: Clips) -> list[firmware.Answer]:
    """What this computer says of the clips: every bit of it, the chips must say too."""
    with tempfile.TemporaryDirectory() as folder:
        host = firmware.build(toolchain.HOST, library, Path(folder))
        return firmware.execute(host, clips.sounds.values(), count=False).answers


def measure(
    name: str, library: Path, clips: Clips, expected: list[firmware.Answer]
) -> tuple[Figures, Run]:
    """One target's figures, and the counted run. MissingTool: cannot be built or run here; CheckFailed: it
    answers something else than expected."""
    target, chip = toolchain.TARGETS[name], CHIPS[name]
    target.check()
    with tempfile.TemporaryDirectory() as folder:
        built = firmware.build(target, library, Path(folder))
        run = firmware.execute(built, clips.sounds.values(), cache=chip.cache)
        gate = firmware.gate_per_second(target, library, Path(folder) / "gate")
    check(name, clips, run.answers, expected)
    return figures(name, chip, built, run, clips, gate), run


def check(
    name: str, clips: Clips, found: list[firmware.Answer], expected: list[firmware.Answer]
) -> None:
    """CheckFailed, naming target and clip, where an answer differs in a bit."""
    for clip, mine, theirs in zip(clips.sounds, found, expected, strict=True):
        if mine == theirs:
            continue
        what = "label" if mine.label != theirs.label else "probabilities"
        if mine.features != theirs.features:
            pairs = zip(schema.COLUMNS, mine.features, theirs.features, strict=True)
            column = next(column for column, a, b in pairs if a != b)
            what = (
                f"{what} and feature {column}"
                if mine.label != theirs.label
                else f"feature {column}"
            )
        raise CheckFailed(f"{name}: {what} of {clip} differ from this computer's")


def figures(name: str, chip: Chip, built: Built, run: Run, clips: Clips, gate: int) -> Figures:
    """Counts as estimates of time and energy. gate: instructions per second while nobody speaks."""
    pushes = [region for clip in run.regions for region in clip if region.kind == "push"]
    ends = [region for clip in run.regions for region in clip if region.kind == "finish"]

    def took(region, waits=False):
        """waits: for the flash."""
        return chip.seconds(
            region.instructions,
            region.slow,
            region.misses if waits else 0,
            floats=region.floats,
        )

    def ends_of(how, regions):
        """The sum or the most of what regions take, each end of the ranges by itself."""
        times = zip(*((t.lower, t.nominal, t.upper) for t in map(took, regions)), strict=True)
        return Range(*map(how, times))

    def per_second(regions):
        return ends_of(sum, regions).times(1 / seconds)

    def if_it_waits(how, regions, factor):
        """The sum or the most of what regions take that wait for the flash, times a factor."""
        if chip.cache is None:
            return None
        return factor * how(took(region, waits=True).upper for region in regions)

    seconds = sum(len(sound) for sound in clips.sounds.values()) / schema.SAMPLE_RATE
    answer = max(ends, key=lambda region: took(region).upper)
    hops = sum(len(sound) // schema.HOP for sound in clips.sounds.values())
    return Figures(
        target=name,
        name=chip.name,
        basis=f"instructions executed on {chip.core} in QEMU, counted; times estimated from them at "
        f"{chip.hertz / 1e6:g} MHz with {_factors(chip)}"
        + (f" and, in the upper, {chip.slow_cycles} more for each of the {chip.slow}" if chip.slow else "")
        + _waits(chip, answer.misses, sum(r.misses for r in pushes) / seconds),
        note=_two_factors(chip),
        response_ms=took(answer).times(1e3),
        realtime_share=per_second(pushes),
        worst_hop_ms=ends_of(max, pushes).times(1e3),
        waiting_response_ms=if_it_waits(max, ends, 1e3),
        waiting_share=if_it_waits(sum, pushes, 1 / seconds),
        waiting_hop_ms=if_it_waits(max, pushes, 1e3),
        instructions_response=answer.instructions,
        instructions_per_second=round(sum(r.instructions for r in pushes) / seconds),
        instructions_hop=round(sum(r.instructions for r in pushes) / hops),
        instructions_worst_hop=max(r.instructions for r in pushes),
        slow_response=answer.slow,
        slow_per_second=round(sum(r.slow for r in pushes) / seconds),
        slow_name=chip.slow,
        ram_static=run.state + built.ram,
        ram_copied=built.copied,
        stack_peak=max(run.stack, built.frames),
        flash_code=built.code,
        flash_tables=built.tables,
        flash_model=built.model,
        instructions_gate=gate,
        **_energy(chip, per_second([*pushes, *ends]), chip.seconds(gate, 0), seconds / len(clips.sounds)),
        tools={
            **built.target.versions(),
            "flags": " ".join(toolchain.FLAGS),
            "plug-in by": native.compiler()[0],
        },
    )  # fmt: skip


def _factors(chip):
    """Cycles per instruction, in words."""
    said = f"1 / {chip.nominal:g} / {chip.upper:g} cycles per instruction"
    if chip.integers is None:
        return said
    nominal, upper = chip.integers
    return f"{said}, 1 / {nominal:g} / {upper:g} in hops, which compute hardly any floats"


def _two_factors(chip):
    """That a share and a response are not estimated alike, where they are not."""
    if chip.integers is None:
        return ""
    return (
        f"where hardly any floats are computed, as in a hop, {chip.integers[1]:g} cycles per instruction at "
        f"most, as of published programs in integers; elsewhere {chip.upper:g}"
    )


def _waits(chip, response, second):
    """The sentence on waiting for the flash."""
    if chip.cache is None:
        return ""
    return (
        f"; if it waits, {chip.cache.cycles:g} more for each miss of a model of its cache: {response:,} in "
        f"the response, {second:,.0f} in a second of sound"
    )


DAY = 86400


def _energy(chip, busy, gate, seconds):
    """busy, gate: seconds of work per second of sound, while somebody speaks and while nobody does; seconds:
    of the mean clip. Of a decision: the work alone; of a day: the chip idles when it does not work. slept:
    what a day in which nobody speaks would take less in light sleep, in which the port stands still, too."""
    if chip.busy_ma is None:
        return {}

    def day(share):
        return DAY * VOLTS * (chip.idle_ma + (chip.busy_ma - chip.idle_ma) * min(share, 1)) / 1e3

    def days(*works):
        return Range(
            *(day(sum(getattr(w, end) for w in works)) for end in ("lower", "nominal", "upper"))
        )

    closed = days(gate)
    found = {
        "joules_decision": busy.times(seconds * VOLTS * chip.busy_ma / 1e3),
        "joules_day_closed": closed,
        "joules_day_open": days(gate, busy),
        "energy_source": chip.currents,
    }
    if chip.sleep_ma is not None:
        asleep = DAY * VOLTS * chip.sleep_ma / 1e3
        found["joules_day_slept"] = Range(
            closed.lower - asleep, closed.nominal - asleep, closed.upper - asleep
        )
    return found
