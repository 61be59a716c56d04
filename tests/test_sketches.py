"""The example sketches: they compile for each family of boards against declarations of the Arduino-ESP32 API
(tests/c/arduino, stand-ins from its documentation), and do on this computer what they are for."""

import json
import os
import re
import shutil
import subprocess

import numpy as np
import pytest
import sketch_harness as harness
from conftest import REPOSITORY

from speech_emotion.codegen import clips, library
from speech_emotion.errors import UserError
from speech_emotion.model.compiled import Library

WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wdouble-promotion", "-Werror")
COMPILERS = {  # the two last have the chips' types: uint32_t is unsigned long there
    "g++": ["g++"],
    "clang++": ["clang++"],
    "riscv64-unknown-elf-g++": [
        "riscv64-unknown-elf-g++", "--specs=picolibc.specs", "-march=rv32imc", "-mabi=ilp32",
    ],
    "xtensa-lx106-elf-g++": ["xtensa-lx106-elf-g++"],
}  # fmt: skip
SKETCHES = ("Benchmark", "Microphone", "Networked", "Recorder")
SHIFT = 13

pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return harness.generated(tmp_path_factory.mktemp("sketches"))


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("board", harness.BOARDS)
def test_compiles_without_a_warning(compiler, board, folder):
    command = COMPILERS[compiler]
    if shutil.which(command[0]) is None:
        pytest.skip(f"no {command[0]} here")
    bare = subprocess.run(
        [*command, "-fsyntax-only", "-x", "c++", "-"],
        input="#include <string.h>",
        text=True,
        capture_output=True,
    )
    if bare.returncode:
        pytest.skip(f"{command[0]} has no C library here")
    for sketch in SKETCHES:
        for more in ([], ["-DPLOTTER=1", "-DRGB_BUILTIN=48"], ["-DRGB_BUILTIN=8", "-DCOLOUR=0"]):
            done = subprocess.run(
                [*command, "-std=c++17", "-fno-exceptions", "-fno-rtti", *WARNINGS, "-fsyntax-only",
                 f"-DCONFIG_IDF_TARGET_{board}=1", *more, f"-I{harness.STAND_IN}",
                 f"-I{folder / 'src'}", "-include", "Arduino.h", "-x", "c++",
                 folder / "examples" / sketch / f"{sketch}.ino"],
                capture_output=True, text=True,
            )  # fmt: skip
            assert done.returncode == 0 and not done.stderr, done.stderr


@pytest.mark.parametrize("sketch", SKETCHES)
def test_compiles_as_the_arduino_ide_makes_it(sketch, folder, tmp_path):
    """It includes Arduino.h and puts a declaration of every function before the first one: types that they
    mention must be known there."""
    text = (folder / "examples" / sketch / f"{sketch}.ino").read_text()
    functions = list(re.finditer(r"^((?:static )?[\w:]+ \*?(\w+)\([^;{}]*?\))\s*\{", text, re.M))
    assert {"setup", "loop"} <= {found[2] for found in functions} and len(functions) > 5
    declarations = "".join(f"{found[1]};\n" for found in functions)
    first = functions[0].start()
    made = tmp_path / "sketch.cpp"
    made.write_text('#include "Arduino.h"\n' + text[:first] + declarations + text[first:])
    command = ["g++", "-std=c++17", "-fsyntax-only", "-DCONFIG_IDF_TARGET_ESP32=1", "-Wno-unused"]
    command += [
        f"-I{harness.STAND_IN}",
        f"-I{folder / 'src'}",
        f"-I{folder / 'examples' / sketch}",
        made,
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_board_without_pins_is_told_to_choose_some(folder):
    command = ["g++", "-std=c++17", "-fsyntax-only", f"-I{harness.STAND_IN}", f"-I{folder / 'src'}"]
    command += ["-include", "Arduino.h", "-DCONFIG_IDF_TARGET_ESP32C6=1", "-x", "c++"]
    sketch = folder / "examples" / "Microphone" / "Microphone.ino"
    refused = subprocess.run([*command, sketch], capture_output=True, text=True)
    assert refused.returncode and "MICROPHONE_SCK" in refused.stderr
    pins = ["-DMICROPHONE_SCK=1", "-DMICROPHONE_WS=2", "-DMICROPHONE_SD=3"]
    subprocess.run([*command[:-2], *pins, *command[-2:], sketch], check=True)


# --- each sketch's folder as a project --------------------------------------------------------


@pytest.mark.parametrize("sketch", SKETCHES)
def test_a_sketch_is_a_project_of_platformio_and_esp_idf_too(sketch, folder):
    place = folder / "examples" / sketch
    ini = (place / "platformio.ini").read_text()
    assert {"esp32", "esp32s3", "esp32c3"} == set(re.findall(r"^\[env:(\w+)\]", ini, re.M))
    assert f"{folder.name}=symlink://../.." in ini
    assert f"project({sketch})" in (place / "CMakeLists.txt").read_text()
    main = (place / "main" / "main.cpp").read_text()
    assert f'#include "../{sketch}.ino"' in main
    for path in place.rglob("*"):
        if path.is_file():
            assert "$sketch" not in path.read_text() and "$name" not in path.read_text(), path


def test_the_library_says_where_it_is_at_home(folder):
    assert f"url={library.URL}\n" in (folder / "library.properties").read_text()
    assert json.loads((folder / "library.json").read_text())["homepage"] == library.URL
    assert library.check_url("https://example.org/mine") == "https://example.org/mine"
    for wrong in ("example.org", "https://", "https://x y", "https://x\nname=other"):
        with pytest.raises(UserError, match="--url"):
            library.check_url(wrong)


def test_every_place_that_names_the_pins_names_the_same(folder):
    sketch = (folder / "examples" / "Microphone" / "Microphone.ino").read_text()
    hearing = (folder / "examples" / "Microphone" / "Hearing.h").read_text()
    esp32, others = (
        dict(re.findall(r"#define MICROPHONE_(SCK|WS|SD) (\d+)", part))
        for part in hearing.split("CONFIG_IDF_TARGET_ESP32\n", 1)[1].split("#elif", 1)
    )
    assert esp32.keys() == others.keys() == {"SCK", "WS", "SD"}
    drawing = (REPOSITORY / "docs" / "wiring.svg").read_text()
    guide = (REPOSITORY / "docs" / "getting_started.md").read_text()
    readme = (folder / "README.md").read_text()
    for pin, first in esp32.items():
        assert f"GPIO {first} ({others[pin]})" in drawing
        for text in (guide, readme):
            assert re.search(rf"^\| {pin}\b.*GPIO {first} \| GPIO {others[pin]}", text, re.M)
        assert re.search(rf"^ \* +{pin} +GPIO {first} +GPIO {others[pin]}", sketch, re.M)


# --- Microphone -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def microphone(folder):
    return harness.build(folder, "Microphone", folder.parent / "microphone", "-DNEWEST=1.0f")


def run(program, data=b"", **environment):
    done = subprocess.run(
        [program], input=data, capture_output=True, timeout=60,
        env=os.environ | {name: str(value) for name, value in environment.items()},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.decode().splitlines(), done.stderr.decode()


def decisions(lines):
    return [found for found in map(json.loads, lines) if "emotion" in found]


def room(seconds, seed=0):
    return np.random.default_rng(seed).normal(0, 8, int(16000 * seconds)).round().astype(np.int16)


@pytest.fixture(scope="module")
def talk():
    """Two utterances in a room, and a click."""
    click = np.full(40, 9000, np.int16)
    first, second = clips.samples(clips.CLIPS[0]), clips.samples(clips.CLIPS[2])
    return np.concatenate([room(1), first, room(1.5), click, room(1), second, room(2)])


def test_microphone_says_what_the_library_says(microphone, talk, folder):
    """Each line is the library's answer to the very samples between the gate's opening and closing."""
    lines, log = run(microphone, harness.slots(talk, shift=SHIFT))
    assert "pins 26 25 -1 33" in log and "i2s 0 16000 32 2" in log
    found = decisions(lines)
    assert len(found) == 2
    opened = Library(folder)
    for decision, onset in zip(found, (16000, 16000 * 3.5 + 32080 + 40), strict=True):
        assert decision["clipped"] == decision["lost"] == decision["overruns"] == 0
        said, length = list(decision["probabilities"].values()), decision["seconds"]
        answers = [
            opened.answer(talk[160 * start : 160 * (start + round(100 * length + 0.5))])
            for start in range(int(onset) // 160 - 20, int(onset) // 160)
        ]
        same = [x for x in answers if np.abs(x.probabilities - said).max() < 0.0006]
        assert same and abs(same[0].seconds - length) < 0.011
        assert decision["uncertain"] == (decision["confidence"] < opened.threshold)
        assert -40 < decision["dbfs"] < -10


@pytest.mark.parametrize("chunk", [1001, 37, 4])
def test_partial_reads_change_nothing(chunk, microphone, talk):
    data = harness.slots(talk, shift=SHIFT)
    whole = decisions(run(microphone, data)[0])
    parts = decisions(run(microphone, data, I2S_CHUNK=chunk)[0])
    for found in (*whole, *parts):
        del found["response_us"]
    assert parts == whole


def test_a_recogniser_that_is_too_slow_loses_blocks_and_says_so(microphone, talk):
    """It sleeps in the middle of the first utterance until the queue has overflowed."""
    lines, _ = run(microphone, harness.slots(talk, shift=SHIFT), STALL=200)
    first, second = decisions(lines)
    assert first["lost"] == first["overruns"] == second["overruns"] == 3
    assert second["lost"] == 0


def test_the_tasks_share_nothing_unguarded(folder, talk):
    try:
        program = harness.build(
            folder, "Microphone", folder.parent / "tsan", "-fsanitize=thread", "-g"
        )
    except subprocess.CalledProcessError:
        pytest.skip("no thread sanitizer here")
    done = subprocess.run(
        [program],
        input=harness.slots(talk[: 16000 * 5], shift=SHIFT),
        capture_output=True,
        timeout=120,
    )
    if b"FATAL: ThreadSanitizer" in done.stderr:
        pytest.skip("the thread sanitizer does not run here")
    assert len(decisions(done.stdout.decode().splitlines())) == 1
    assert b"WARNING: ThreadSanitizer" not in done.stderr, done.stderr.decode()


def test_right_slot_gain_and_plotter_by_switches(folder, talk):
    program = harness.build(
        folder, "Microphone", folder.parent / "plotter", "-DPLOTTER=1", "-DNEWEST=1.0f",
        "-DMICROPHONE_SLOT=SER_CAPTURE_RIGHT", "-DMICROPHONE_SHIFT=11", "-DRGB_BUILTIN=48",
        board="ESP32C3",
    )  # fmt: skip
    lines, log = run(
        program, harness.slots(room(len(talk) / 16000 + 1)[: len(talk)], talk, shift=11)
    )
    assert "pins 4 5 -1 6" in log and log.count("led ") == 2
    labels = Library(folder).labels
    assert len(lines) == 2
    for line in lines:
        pairs = dict(part.split(":") for part in line.split(","))
        assert list(pairs) == [*labels, "uncertain", "lost"]
        assert sum(float(pairs[label]) for label in labels) == pytest.approx(1, abs=0.005)


def test_silence_is_reported_with_its_level(microphone):
    lines, _ = run(microphone, harness.slots(room(12), shift=SHIFT))
    # a slow computer may yet say that the sound has ended
    reports = [each for each in map(json.loads, lines) if "no sound" not in each.get("error", "")]
    assert len(reports) == 2 and all(report["listening"] for report in reports)
    assert reports[0]["dbfs"] == pytest.approx(20 * np.log10(8 / 32768), abs=1.5)
    assert reports[0]["noise_dbfs"] < -65 and reports[0]["overruns"] == 0


def test_a_port_that_does_not_start_is_tried_again(microphone):
    lines, log = run(microphone, harness.slots(room(1), shift=SHIFT), I2S_REFUSE=2)
    assert log.count("i2s ") == 3
    assert len(lines) == 2 and all("did not start" in json.loads(line)["error"] for line in lines)


def test_a_port_that_delivers_nothing_is_told(microphone):
    lines, _ = run(microphone, harness.slots(room(1), shift=SHIFT), I2S_DRY=30)
    assert lines and all("no sound" in json.loads(line)["error"] for line in lines)


def test_smoothing(folder, talk, microphone):
    program = harness.build(folder, "Microphone", folder.parent / "smooth", "-DNEWEST=0.25f")
    data = harness.slots(talk, shift=SHIFT)
    plain, smooth = (decisions(run(each, data)[0]) for each in (microphone, program))
    for label in plain[0]["probabilities"]:
        first, second = (decision["probabilities"][label] for decision in plain)
        assert smooth[0]["probabilities"][label] == first
        expected = first + 0.25 * (second - first)
        assert smooth[1]["probabilities"][label] == pytest.approx(expected, abs=2e-3)


# --- Benchmark --------------------------------------------------------------------------------


def test_benchmark_makes_the_sounds_that_python_makes(folder, tmp_path):
    program = tmp_path / "sounds"
    source = tmp_path / "sounds.cpp"
    source.write_text(
        '#include <stdio.h>\n#include "clips.h"\n'
        "int main() { for (const Clip &clip : clips) { Synthesis s; synthesis_begin(&s, &clip);\n"
        "for (uint32_t i = 0; i < clip.samples; i++) { int16_t x = synthesis_sample(&s);"
        " fwrite(&x, 2, 1, stdout); } } }\n"
    )
    if shutil.which("g++") is None:
        pytest.skip("no g++ here")
    place = folder / "examples" / "Benchmark"
    subprocess.run(["g++", "-std=c++17", "-fsanitize=undefined", "-fno-sanitize-recover",
                    f"-I{place}", source, "-o", program], check=True)  # fmt: skip
    made = subprocess.run([program], capture_output=True, check=True).stdout
    expected = np.concatenate([clips.samples(clip) for clip in clips.CLIPS])
    assert np.array_equal(np.frombuffer(made, np.int16), expected)
    assert (
        1000 < np.abs(expected).max() < 32767 and len(expected) % 160 == 80 * len(clips.CLIPS) % 160
    )
