"""Which fitted models fit the chip: sizes from compiled code where it can be compiled, else estimated; and,
where a chip is named, whether they keep up on it, counted in an emulator."""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from sklearn.pipeline import Pipeline

from speech_emotion import cli
from speech_emotion.errors import UserError
from speech_emotion.measure import clips, emulated, toolchain
from speech_emotion.measure import sizes as budget
from speech_emotion.measure.chips import CHIPS
from speech_emotion.measure.parameters import parameter_bytes
from speech_emotion.measure.report import Budget
from speech_emotion.training.candidates import CANDIDATES


@dataclass(frozen=True)
class Pace:
    """What a chip makes of a model, both upper estimates: its share of real time, and the milliseconds from
    the last sample to the answer. waiting_share: the former if it waits for its flash (measure/chips.py)."""

    share: float
    response_ms: float
    waiting_share: float | None = None

    @property
    def keeps_up(self) -> bool:
        return self.share <= 1 and self.response_ms <= Budget().response_ms

    def warning(self, name: str, chip: str) -> str:
        """Of a model that keeps up only if it does not wait, what to do; else nothing."""
        if self.waiting_share is None or self.waiting_share <= 1:
            return ""
        return (
            f"{name} takes {100 * self.share:.0f} % of real time on the {chip}, and "
            f"{100 * self.waiting_share:.0f} % if it waits for its flash as a model of the cache says: "
            "measure it on your board (examples/Benchmark)"
        )


@dataclass(frozen=True)
class Fit:
    """flash, ram: bytes, counted in a linked program; None where it could not be, `why` says the reason.
    parameters: what the learnt numbers alone take, estimated. pace: on the chip that was named, None without
    one."""

    parameters: int
    flash: int | None
    ram: int | None
    why: str
    pace: Pace | None = None

    @property
    def bytes(self) -> int:
        """Flash of the whole program where it was measured, else the estimate of the model alone."""
        return self.parameters if self.flash is None else self.flash

    def within(self, flash_kb: float, ram_kb: float) -> bool:
        if self.pace is not None and not self.pace.keeps_up:
            return False
        if self.flash is None or self.ram is None:
            return self.parameters <= flash_kb * 1024
        return self.flash <= flash_kb * 1024 and self.ram <= ram_kb * 1024


def check(chip: str) -> None:
    """UserError where what counts on this chip is not installed."""
    try:
        toolchain.TARGETS[chip].check()
    except toolchain.MissingTool as error:
        raise UserError(f"--chip {chip}: {error}; or leave --chip out") from None


def fits(
    pipelines: dict[str, Pipeline],
    columns: dict[str, list[str]],
    *,
    flash_kb: float,
    chip: str | None = None,
) -> dict[str, Fit]:
    """The size of each fitted model with the extractor that its columns need, columns[name], and its pace on
    a chip that is named.

    A model whose numbers alone leave no room in `flash_kb` is not compiled; nor is one that is no
    candidate for export.
    """
    found = {}
    for name, pipeline in cli.progress(
        pipelines.items(), total=len(pipelines), what="size", unit="model"
    ):
        found[name] = _fit(name, pipeline, columns[name], flash_kb, chip)
    return found


def in_words(chip: str) -> str:
    """The chip as a heading has it."""
    return CHIPS[chip].name


def _fit(name, pipeline, columns, flash_kb, chip):
    parameters = parameter_bytes(pipeline)
    if not CANDIDATES[name].exportable:
        return Fit(parameters, None, None, "is not exported")
    if parameters > flash_kb * 1024:
        return Fit(parameters, None, None, "too large by its parameters alone, not compiled")
    info = {"labels": pipeline.classes_.tolist(), "columns": columns}
    try:
        sizes = budget.sizes(pipeline, info)
    except (
        UserError
    ) as error:  # no compiler, or a model that codegen refuses: its reason is the user's to read
        return Fit(parameters, None, None, f"not compiled: {error}")
    fit = Fit(parameters, sizes.flash, sizes.ram, sizes.measured_with)
    if chip is None or not sizes.fits(flash_kb, float("inf")):
        return fit
    return replace(fit, pace=_pace(chip, pipeline, info))


def _pace(chip, pipeline, info):
    sounds = clips.choose([], None)
    with tempfile.TemporaryDirectory() as folder:
        budget.write_sources(pipeline, info, Path(folder))
        expected = emulated.answers(Path(folder), sounds)
        figures, _ = emulated.measure(chip, Path(folder), sounds, expected)
    return Pace(figures.realtime_share.upper, figures.response_ms.upper, figures.waiting_share)
