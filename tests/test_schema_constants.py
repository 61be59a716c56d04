"""Every number of the schema, changed in turn: both engines follow it, or generation says why the C code
cannot.

A constant that one engine has typed a second time makes them differ, and so does a number derived from it by
hand. A constant added tomorrow is covered: they are enumerated, and what nothing notices fails.
"""

import ast
import csv
import math
import re
import shutil
from functools import cache

import golden
import numpy as np
import pytest
import signals
import variants

from speech_emotion.checks import parity
from speech_emotion.features import schema
from speech_emotion.generate import limits


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
    """Values to try in its place, the last ones for floors that nothing comes near to."""
    if value == 0:
        return [1, 2] if isinstance(value, int) else [1.0, 70.0, 10.0]
    if isinstance(value, int):
        shares = (0.25, -0.25, 0.1, -0.1, 1, -0.5, 3)
        near = [value + round(share * value) for share in shares]
        near += [value + 1, value - 1, value + 2, value - 2]
        return [other for other in dict.fromkeys(near) if other != value]
    return [
        float(f"{value * factor:.6g}") for factor in (2, 0.5, 10, 0.1, 1.25, 0.8, 100, 1e9, 1e24)
    ]


def faded(samples, fade=800):
    edge = np.sin(np.linspace(0, np.pi / 2, fade)) ** 2
    return samples * np.concatenate([edge, np.ones(len(samples) - 2 * fade), edge[::-1]])


def sounds():
    """Voices that glide, loud and soft, over a little noise, with a breath and a pause between: about a
    second and a half each. The last soft one is high. And one voice without a pause. int16."""
    made = {}
    for i, (period, glide, wobble) in enumerate(((60, 9, 2), (150, -8, 2), (100, 6, 4))):
        loud = signals.voice(11000, period=period, glide=glide, wobble=wobble, seed=3 + i)
        high = (period + 30, -glide) if i < 2 else (34, 0)
        soft = (
            signals.voice(
                7000, period=high[0], glide=high[1], wobble=wobble if i < 2 else 1, seed=13 + i
            )
            / 6
        )
        breath, pause = signals.noise(4000, 300, seed=23 + i), np.zeros(1500)
        sound = np.concatenate([*map(faded, (loud, breath, soft)), pause])
        sound += signals.noise(len(sound), 3, seed=33 + i) * (np.arange(len(sound)) < 22000)
        made[f"voice {i}"] = np.rint(sound).astype(np.int16)
    single = faded(signals.voice(8000, period=100, glide=4, wobble=2, seed=8))
    made["no pause"] = np.rint(single + signals.noise(8000, 3, seed=5)).astype(np.int16)
    return made


def read_spread() -> dict[str, float]:
    with (golden.DATA / "column_spread.csv").open(encoding="utf-8") as file:
        return {row["column"]: float(row["sigma"]) for row in csv.DictReader(file)}


SPREAD = read_spread()


@cache
def sigma(column: str) -> float:
    """A column's spread over real clips; of one that they do not have (a 41st mel band) its family's; 0 where
    there is none of the kind."""
    alike = [spread for name, spread in SPREAD.items() if stem(name) == stem(column)]
    return SPREAD.get(column) or float(np.median(alike or [0]))


@cache
def group(column: str) -> str:
    return next((g for name, g in schema.GROUP_OF.items() if stem(name) == stem(column)), "")


def stem(column):
    return re.sub(r"\d+", "#", column)


def excess(columns, reference, other) -> dict[str, float]:
    """How far two engines are apart, as a multiple of what parity allows (speech_emotion/checks/parity.py):
    in columns of the exact groups for each sound, in the others for their root mean square, as r would see
    it. Columns of no group are exact, too."""
    error, found = np.abs(reference - other), {}
    for i, column in enumerate(columns):
        spread = sigma(column) or reference[:, i].std()
        if group(column) in parity.LEAST_R:
            allowed = math.sqrt(2 * (1 - parity.LEAST_R[group(column)])) * spread
            found[column] = float(np.sqrt(np.mean(error[:, i] ** 2)) / allowed)
        else:
            scale = np.maximum(max(spread, 1e-9), np.abs(reference[:, i]))
            found[column] = float((error[:, i] / scale).max() / parity.TOLERANCE)
    return found


def worst(columns, reference, other) -> tuple[float, str]:
    """The largest excess, and the column that has it."""
    found = excess(columns, reference, other)
    return max((value, column) for column, value in found.items())


def follows(found) -> str:
    """What is wrong with a variant, or "": both engines agree, or generation was refused."""
    if found.refused:
        return ""
    if found.failed:
        return found.failed
    times, column = worst(found.columns, found.reference, found.device)
    return f"{column}: {times:.1f} times what parity allows" if times > 1 else ""


def moves(found, base) -> bool:
    """Whether the change is one that either engine would show if the other had not followed."""
    if found.refused or list(found.columns) != list(base.columns):
        return not found.refused
    return worst(base.columns, found.reference, base.device)[0] > 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    return tmp_path_factory.mktemp("constants")


def test_both_engines_follow_every_number_or_generation_is_refused(folder):
    """Values are tried until one is followed by both engines in a way that shows; a number that no accepted
    value of shows must have refused one, by name: nothing is in the schema that nothing hangs on."""
    values = {name: others(value) for name, value in constants().items()}
    open_, wrong, refusals = dict.fromkeys(values, 0), [], dict.fromkeys(values, "")
    base = None
    for tries in (1, 2, 4, 99):  # most are settled by the first
        made = {} if base else {"base": variants.Variant(folder / "base")}
        for name, done in open_.items():
            for value in values[name][done : done + tries]:
                key = f"{name} = {value}"
                made[key] = variants.Variant(folder / re.sub(r"\W", "_", key)).set(name, value)
        found = variants.run(made, sounds(), folder)
        base = base or found.pop("base")
        assert follows(base) == ""
        for key, result in found.items():
            name = key.split(" = ")[0]
            if problem := follows(result):
                wrong.append(f"{key}: {problem}")
            if result.refused:
                constant = name.split("[")[0]
                if f"{constant} = " not in result.refused:
                    wrong.append(f"{key}: refused without its name: {result.refused}")
                refusals[name] = result.refused
            elif moves(result, base):
                open_.pop(name, None)
        open_ = {name: done + tries for name, done in open_.items()}
    wrong += [f"{name}: nothing hangs on it" for name in open_ if not refusals[name]]
    assert wrong == []
    print("\n".join(f"refused: {refusals[name]}" for name in open_))
    # the rest is followed by both engines; these are what an algorithm fixes
    assert set(open_) <= FIXED


FIXED = {"FRAME", "HNR_FRAMES_PER_WINDOW", "MELS", "PITCH_CANDIDATES"}
"""What the C code cannot follow (the transform's size, the bands that the encoder was taught on, the one
number that is a span and a lag in HNR), and what shows in no column: of so many candidates one too few or too
many is never the best."""

RETYPED = {
    "SEMITONE_REFERENCE = 110": ("ser_contour.c", "SER_PITCH_LOG_ZERO", "7.3219281f"),
    "ROLLOFF = 0.7": ("ser_spectrum.c", "SER_ROLLOFF_SHARE", "3650722202U"),
    "CLEAR_STRENGTH = 0.75": ("ser_pitch.c", "SER_CLEAR_STRENGTH_SCORE", "629146"),
    "HNR_SILENCE = 0.2": ("ser_hnr.c", "SER_HNR_SILENCE_SHIFT", "12"),
}


def test_a_number_typed_again_in_c_is_found(folder):
    """As a hand would type it: today's value, in one place, while the schema says another."""
    made = {}
    for i, (change, (file, name, typed)) in enumerate(RETYPED.items()):
        constant, value = change.split(" = ")
        made[change] = variants.Variant(folder / f"retyped{i}").set(
            constant, ast.literal_eval(value)
        )
        made[change].edit(f"embedded/src/{file}", name, typed)
    found = variants.run(made, sounds(), folder)
    for change, result in found.items():
        assert result.refused == "" and "times what parity allows" in follows(result), change


def test_the_pitch_floor_of_another_voice_is_refused_with_a_reason(folder):
    """60 Hz: its longest period does not fit the transform."""
    made = {"60": variants.Variant(folder / "floor60").set("PITCH_FLOOR", 60)}
    (found,) = variants.run(made, sounds(), folder).values()
    assert "PITCH_FLOOR = 60" in found.refused and "266 samples" in found.refused


def test_every_number_has_a_range_that_says_why():
    assert set(limits.RANGES) == set(schema.CONSTANTS)
    assert all(why for *_, why in limits.RANGES.values())
