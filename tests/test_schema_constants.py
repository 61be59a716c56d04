"""Every number of the schema, changed in turn: both engines follow it, or generation says why the C code cannot.

A constant that one engine has typed a second time makes them differ, and so does a number derived from it by
hand. A constant added tomorrow is covered: they are enumerated, and what nothing notices fails.
"""

import csv
import math
import re

import golden
import numpy as np
import pytest
import signals
import variants

from speech_emotion.checks import parity
from speech_emotion.errors import UserError
from speech_emotion.features import device, schema


def constants() -> dict[str, float]:
    """Name and value of every number, those in tuples one by one."""
    found = dict(schema.CONSTANTS)
    for name, value in vars(schema).items():
        if name.isupper() and isinstance(value, tuple):
            found |= dict(numbers(name, value))
    return found


def numbers(name, value):
    if isinstance(value, tuple):
        for i, each in enumerate(value):
            yield from numbers(f"{name}[{i}]", each)
    elif isinstance(value, int | float):
        yield name, value


def others(value: float) -> list[float]:
    """Values to try in its place. The last ones are for floors that nothing comes near to."""
    if value == 0:
        return [1.0, 10.0, 60.0] if isinstance(value, float) else [1, 2]
    if isinstance(value, int):
        near = [value + round(share * value) for share in (0.25, -0.25, 0.1, -0.1, 1, -0.5)]
        near += [value + 1, value - 1, value + 2, value - 2]
        return [other for other in dict.fromkeys(near) if other != value]
    return [float(f"{value * factor:.6g}") for factor in (2, 0.5, 1.25, 0.8, 10, 0.1, 1e3, 1e6, 1e24)]


def faded(samples, fade=800):
    edge = np.sin(np.linspace(0, np.pi / 2, fade)) ** 2
    return samples * np.concatenate([edge, np.ones(len(samples) - 2 * fade), edge[::-1]])


def sounds():
    """Voices, loud and soft, over a little noise, with a breath and a pause between: about a second and a half
    each. int16."""
    made = {}
    for i, (period, glide, wobble) in enumerate(((90, 3, 2), (110, 1, 2), (120, 2, 4))):
        loud = signals.voice(11000, period=period, glide=glide, wobble=wobble, seed=3 + i)
        soft = signals.voice(7000, period=period + 30, glide=-glide, wobble=wobble, seed=13 + i) / 6
        breath, pause = signals.noise(4000, 300, seed=23 + i), np.zeros(1500)
        sound = np.concatenate([*map(faded, (loud, breath, soft)), pause])
        sound += signals.noise(len(sound), 3, seed=33 + i) * (np.arange(len(sound)) < 22000)
        made[f"voice {i}"] = np.rint(sound).astype(np.int16)
    return made


def read_spread() -> dict[str, float]:
    with (golden.DATA / "column_spread.csv").open(encoding="utf-8") as file:
        return {row["column"]: float(row["sigma"]) for row in csv.DictReader(file)}


SPREAD = read_spread()


def sigma(column: str) -> float:
    """A column's spread over real clips; of one that they do not have (a 41st mel band) its family's."""
    stem = re.sub(r"\d+", "#", column)
    alike = [s for name, s in SPREAD.items() if re.sub(r"\d+", "#", name) == stem]
    return SPREAD.get(column) or float(np.median(alike or [1e-9]))


def excess(columns, reference, other) -> dict[str, float]:
    """How far two engines are apart, as a multiple of what parity allows (speech_emotion/checks/parity.py): in
    columns of the exact groups for each sound, in the others for their root mean square, as r would see it."""
    error, found = np.abs(reference - other), {}
    for i, column in enumerate(columns):
        group = schema.GROUP_OF.get(column) or group_of(column)
        spread = sigma(column)
        if group in parity.EXACT_GROUPS:
            scale = np.maximum(spread, np.abs(reference[:, i]))
            found[column] = float((error[:, i] / scale).max() / parity.TOLERANCE)
        else:
            allowed = math.sqrt(2 * (1 - parity.LEAST_R.get(group, 1 - 1e-9))) * spread
            found[column] = float(np.sqrt(np.mean(error[:, i] ** 2)) / allowed)
    return found


def group_of(column):
    stem = re.sub(r"\d+", "#", column)
    return next((g for name, g in schema.GROUP_OF.items() if re.sub(r"\d+", "#", name) == stem), "")
