"""Which fitted models fit the chip: sizes from compiled code where it can be compiled, else estimated."""

from dataclasses import dataclass

from sklearn.pipeline import Pipeline

from speech_emotion import cli
from speech_emotion.errors import UserError
from speech_emotion.measure import sizes as budget
from speech_emotion.measure.parameters import parameter_bytes
from speech_emotion.training.candidates import CANDIDATES


@dataclass(frozen=True)
class Fit:
    """flash, ram: bytes, counted in a linked program; None where it could not be, `why` says the reason.
    parameters: what the learnt numbers alone take, estimated."""

    parameters: int
    flash: int | None
    ram: int | None
    why: str

    @property
    def bytes(self) -> int:
        """Flash of the whole program where it was measured, else the estimate of the model alone."""
        return self.parameters if self.flash is None else self.flash

    def within(self, flash_kb: float, ram_kb: float) -> bool:
        if self.flash is None or self.ram is None:
            return self.parameters <= flash_kb * 1024
        return self.flash <= flash_kb * 1024 and self.ram <= ram_kb * 1024


def fits(
    pipelines: dict[str, Pipeline], columns: dict[str, list[str]], *, flash_kb: float
) -> dict[str, Fit]:
    """The size of each fitted model with the extractor that its columns need, columns[name].

    A model whose numbers alone leave no room in `flash_kb` is not compiled; nor is one that is no
    candidate for export.
    """
    found = {}
    for name, pipeline in cli.progress(
        pipelines.items(), total=len(pipelines), what="size", unit="model"
    ):
        found[name] = _fit(name, pipeline, columns[name], flash_kb)
    return found


def _fit(name, pipeline, columns, flash_kb):
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
    return Fit(parameters, sizes.flash, sizes.ram, sizes.measured_with)
