"""Sketches compiled for this computer against tests/c/arduino, and the sounds to feed them."""

import shutil
import subprocess
from functools import cache
from pathlib import Path

import codegen_models
import numpy as np
import pytest
from codegen_models import COLUMNS

from speech_emotion import native
from speech_emotion.codegen import library, pipeline, source

STAND_IN = Path(__file__).parent / "c" / "arduino"
BOARDS = ("ESP32", "ESP32S3", "ESP32C3", "ESP32S2", "ESP32C6", "ESP32H2", "ESP32P4")


def esp32(board: str) -> tuple[str, ...]:
    """What a build for a chip of the ESP32 family defines."""
    return f"-DCONFIG_IDF_TARGET_{board}=1", "-DARDUINO_ARCH_ESP32=1"


@cache
def generated(
    root: Path, name: str = "Voice", threshold: float = 0.3, columns: int = len(COLUMNS)
) -> Path:
    """A library with a small network in it, written but not verified: other tests do that. columns: it looks
    at the first so many."""
    vectors, emotions = codegen_models.voices(120)
    made = codegen_models.KINDS["int8 network"]().fit(vectors[:, :columns], emotions)
    facts = {"labels": made.classes_.tolist(), "columns": COLUMNS[:columns], "name": "voice"}
    plan = pipeline.plan(made, facts)
    written = source.write(plan, name="voice", threshold=threshold)
    folder = root / name
    library.write(library.contents(plan, written, name=name, sizes="", facts=facts), folder)
    return folder


def build(folder: Path, sketch: str, target: Path, *options: str, board: str = "ESP32") -> Path:
    """The sketch as a program of this computer. options: of the compiler, such as -D."""
    if shutil.which("g++") is None:
        pytest.skip("no g++ here")
    objects = folder.parent / f"{folder.name}.objects"
    if not objects.is_dir():
        objects.mkdir()
        subprocess.run(
            [*native.compiler(), *native.FLAGS, "-c", f"-I{folder / 'src'}",
             *map(str, (folder / "src").glob("*.c"))],
            cwd=objects, check=True,
        )  # fmt: skip
    subprocess.run(
        ["g++", "-std=c++17", "-O1", "-pthread", *esp32(board), *options, "-Wl,--wrap=ser_push",
         f"-I{STAND_IN}", f"-I{folder / 'src'}", "-include", "Arduino.h",
         "-x", "c++", folder / "examples" / sketch / f"{sketch}.ino", *STAND_IN.glob("*.cpp"),
         "-x", "none", *objects.glob("*.o"), "-o", target],
        check=True,
    )  # fmt: skip
    return target


def build_pdm(folder: Path, target: Path, *options: str) -> Path:
    """MicrophonePDM as a program of this computer."""
    objects = folder.parent / f"{folder.name}.objects"
    if not objects.is_dir():
        build(folder, "Microphone", folder.parent / "not-asked-for")
    subprocess.run(
        ["g++", "-std=c++17", "-O1", *options, f"-I{STAND_IN}", f"-I{STAND_IN / 'pdm'}",
         f"-I{folder / 'src'}", "-include", "Arduino.h", "-x", "c++",
         folder / "examples" / "MicrophonePDM" / "MicrophonePDM.ino",
         STAND_IN / "pdm" / "stand_in.cpp", "-x", "none", *objects.glob("*.o"), "-o", target],
        check=True,
    )  # fmt: skip
    return target


def slots(left: np.ndarray, right: np.ndarray | None = None, *, shift: int) -> bytes:
    """What the I2S port delivers for int16 samples: 32-bit slots, little endian, left and right in turn."""
    found = np.zeros((len(left), 2), "<i4")
    found[:, 0] = left.astype(np.int64) << shift
    if right is not None:
        found[:, 1] = right.astype(np.int64) << shift
    return found.tobytes()
