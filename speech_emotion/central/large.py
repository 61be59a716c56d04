"""The central model: any model of train.py, however large, on the columns that devices send as int16."""

from pathlib import Path

import numpy as np

from speech_emotion.codegen import pipeline, source
from speech_emotion.errors import UserError
from speech_emotion.features import schema
from speech_emotion.message import definition
from speech_emotion.model import persistence


class LargeModel:
    """model: the large one; chip: the one that the devices run, whose columns and scale they send (their
    sketch built with -DSEND_FEATURES=1). UserError where the large one needs columns that the chip lacks."""

    def __init__(self, model: Path, chip: Path):
        self._model, small = persistence.load(model), persistence.load(chip)
        plan = pipeline.plan(small.pipeline, small.info)
        missing = [column for column in self._model.columns if column not in plan.columns]
        if missing:
            raise UserError(
                f"{model}: needs {len(missing)} columns, {missing[0]} among them, that devices with {chip} "
                "do not send; train it on the same columns"
            )
        if len(plan.columns) > definition.COLUMNS_MOST:
            raise UserError(
                f"{chip}: {len(plan.columns)} columns; {definition.COLUMNS_MOST} fit into a message"
            )
        self.columns = source.columns_number(plan.columns, plan.mean, plan.inverse)
        self.threshold = self._model.threshold
        self._mean = np.asarray(plan.mean, np.float32)
        inverse = np.asarray(plan.inverse, np.float32)
        safe = np.where(inverse > 0, inverse, np.float32(1))
        self._spread = np.where(inverse > 0, 1 / safe, np.float32(0))
        self._places = [schema.COLUMNS.index(column) for column in plan.columns]

    def probabilities(self, steps: tuple[int, ...]) -> dict[str, float] | None:
        """Label -> probability for one sentence's columns; None where there are not as many as expected."""
        if len(steps) != len(self._places):
            return None
        vector = np.zeros((1, len(schema.COLUMNS)), np.float32)
        scaled = np.asarray(steps, np.float32) / np.float32(definition.STEPS)
        vector[0, self._places] = self._mean + scaled * self._spread
        row = self._model.probabilities(vector)[0]
        return {label: float(p) for label, p in zip(self._model.labels, row, strict=True)}
