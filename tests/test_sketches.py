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
WITHOUT_WIFI = ("ESP32H2", "ESP32P4")
SHIFT = 13

pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return harness.generated(tmp_path_factory.mktemp("sketches"))


@pytest.mark.parametrize(
    "board, compiler",
    [
        (board, compiler)
        for board in harness.BOARDS
        for compiler in COMPILERS
        if compiler == "g++" or board in ("ESP32", "ESP32C3")
    ],
)
def test_compiles_without_a_warning(board, compiler, folder):
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
        if sketch == "Networked" and board in WITHOUT_WIFI:
            continue
        for more in ([], ["-DPLOTTER=1", "-DRGB_BUILTIN=48"], ["-DRGB_BUILTIN=8", "-DCOLOUR=0"]):
            done = subprocess.run(
                [*command, "-std=c++17", "-fno-exceptions", "-fno-rtti", *WARNINGS, "-fsyntax-only",
                 *harness.esp32(board), *more, f"-I{harness.STAND_IN}",
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
    assert {"setup", "loop"} <= {found[2] for found in functions} and len(functions) >= 5
    declarations = "".join(f"{found[1]};\n" for found in functions)
    first = functions[0].start()
    made = tmp_path / "sketch.cpp"
    made.write_text('#include "Arduino.h"\n' + text[:first] + declarations + text[first:])
    command = ["g++", "-std=c++17", "-fsyntax-only", *harness.esp32("ESP32"), "-Wno-unused"]
    command += [
        f"-I{harness.STAND_IN}",
        f"-I{folder / 'src'}",
        f"-I{folder / 'examples' / sketch}",
        made,
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def understood(folder, sketch, *defines):
    """What g++ says of a sketch with these defines; "" when it compiles."""
    done = subprocess.run(
        ["g++", "-std=c++17", "-fsyntax-only", f"-I{harness.STAND_IN}", f"-I{folder / 'src'}",
         "-include", "Arduino.h", *defines, "-x", "c++",
         folder / "examples" / sketch / f"{sketch}.ino"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert bool(done.returncode) == ("error" in done.stderr)
    return done.stderr if done.returncode else ""


REFUSED = {  # of the ESP32 family unless said otherwise -> words of the sentence
    ("Microphone", *harness.esp32("ESP32C61")): "MICROPHONE_SCK, MICROPHONE_WS, MICROPHONE_SD",
    ("Microphone", *harness.esp32("ESP32C3"), "-DMICROPHONE_PDM=1"): "cannot read a PDM microphone",
    ("Microphone", *harness.esp32("ESP32S2"), "-DMICROPHONE_PDM=1"): "cannot read a PDM microphone",
    ("Microphone", *harness.esp32("ESP32"), "-DMICROPHONE_PDM=1"): "MICROPHONE_CLOCK",
    ("Microphone", "-DARDUINO_ARCH_RP2040=1"): "MicrophonePDM",
    ("Networked", *harness.esp32("ESP32H2")): "no Wi-Fi",
}


@pytest.mark.parametrize("what", REFUSED, ids=" ".join)
def test_what_a_chip_cannot_do_is_refused_in_a_sentence(what, folder):
    said = understood(folder, *what)
    assert REFUSED[what] in said.split("error", 1)[1].splitlines()[0]


def test_an_unknown_chip_works_with_pins_of_ones_own(folder):
    pins = ("-DMICROPHONE_SCK=1", "-DMICROPHONE_WS=2", "-DMICROPHONE_SD=3")
    assert understood(folder, "Microphone", *harness.esp32("ESP32C61"), *pins) == ""
    pins = ("-DMICROPHONE_PDM=1", "-DMICROPHONE_CLOCK=1", "-DMICROPHONE_DATA=2")
    assert understood(folder, "Microphone", *harness.esp32("ESP32P4"), *pins) == ""


BOARDS_WITH_PDM = {  # the core's macro of the board -> chip, clock and data of its microphone
    "XIAO_ESP32S3": ("ESP32S3", 42, 41),
    "M5STACK_STICKC": ("ESP32", 0, 34),
    "M5STACK_STICKC_PLUS": ("ESP32", 0, 34),
    "M5STACK_STICKC_PLUS2": ("ESP32", 0, 34),
    "M5STACK_CORE2": ("ESP32", 0, 34),
    "M5STACK_ATOM": ("ESP32", 33, 23),
    "M5STACK_CARDPUTER": ("ESP32S3", 43, 46),
}


@pytest.mark.parametrize("board", BOARDS_WITH_PDM)
def test_a_board_with_a_pdm_microphone_uses_it(board, folder):
    chip, clock, data = BOARDS_WITH_PDM[board]
    defines = (*harness.esp32(chip), f"-DARDUINO_{board}=1")
    assert understood(folder, "Microphone", *defines) == ""
    text = subprocess.run(
        ["g++", "-E", "-dM", f"-I{harness.STAND_IN}", *defines, "-x", "c++",
         folder / "examples" / "Microphone" / "Board.h"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert f"#define MICROPHONE_CLOCK {clock}\n" in text.replace(" /*", "\n")
    assert f"#define MICROPHONE_DATA {data}\n" in text
    button = re.search(r"#define BOOT_BUTTON (\S+)", text)[1]
    assert button not in (str(clock), str(data))  # a pin has one use
    plain = understood(folder, "Microphone", *defines, "-DMICROPHONE_PDM=0")
    assert plain == ""  # an INMP441 instead


# --- each sketch's folder as a project --------------------------------------------------------


@pytest.mark.parametrize("sketch", SKETCHES)
def test_a_sketch_is_a_project_of_platformio_and_esp_idf_too(sketch, folder):
    place = folder / "examples" / sketch
    ini = (place / "platformio.ini").read_text()
    chips = {board.lower() for board in harness.BOARDS}
    assert chips | {"xiao_esp32s3_sense"} == set(re.findall(r"^\[env:(\w+)\]", ini, re.M))
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
    board = (folder / "examples" / "Microphone" / "Board.h").read_text()
    esp32, others = (
        dict(re.findall(r"#define MICROPHONE_(SCK|WS|SD) (\d+)", part))
        for part in board.split("#if CONFIG_IDF_TARGET_ESP32\n", 1)[1].split("#elif")[:2]
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
    first, *reports = [
        each for each in map(json.loads, lines) if "no sound" not in each.get("error", "")
    ]
    assert first == {"model": "voice", "quality": "not recorded"}  # what the model is worth
    assert len(reports) == 2 and all(report["listening"] for report in reports)
    assert reports[0]["dbfs"] == pytest.approx(20 * np.log10(8 / 32768), abs=1.5)
    assert reports[0]["noise_dbfs"] < -65 and reports[0]["overruns"] == 0


@pytest.mark.parametrize("stage", [0, 1, 2])
def test_a_port_that_does_not_start_gives_back_what_it_took_and_starts_later(
    stage, microphone, talk
):
    """No channel free; its mode refused, so that it stays and never ran; its pins refused, so that it runs.
    The stand-in's chip has one port, and refuses wrong use of the driver."""
    data = harness.slots(talk, shift=SHIFT)
    lines, log = run(microphone, data, I2S_REFUSE=3, I2S_STAGE=stage)
    assert log.count("i2s ") == 4 and "wrong use" not in log
    troubles = [json.loads(line) for line in lines if "error" in line]
    assert len(troubles) == 3 and all("did not start" in each["error"] for each in troubles)
    assert len(decisions(lines)) == 2


def test_what_the_ports_dma_overwrites_is_counted(microphone, talk):
    """Three buffers of 240 frames, within the first sentence: 5 blocks, rounded up."""
    lines, _ = run(microphone, harness.slots(talk, shift=SHIFT), I2S_OVERFLOW=180)
    first, second = decisions(lines)
    assert first["lost"] == first["overruns"] == second["overruns"] == 5
    assert second["lost"] == 0


def test_a_slow_chip_rests_before_the_watchdog_bites(folder, talk):
    """An ESP32-C3 takes 70 ms a hop, also for the 20 at the start of a sentence: the idle task must run
    within 5 s."""
    program = harness.build(
        folder, "Microphone", folder.parent / "slow", "-DNEWEST=1.0f", board="ESP32C3"
    )
    data = harness.slots(talk, shift=SHIFT)
    lines, log = run(program, data, HOP_US=70000, RESTS=1)
    assert len(decisions(lines)) == 2
    awake = int(re.search(r"awake (\d+) ms", log)[1])
    assert 500 < awake < 2500


@pytest.mark.parametrize("clock", [2**32 * 1000, 2**32], ids=["milliseconds", "microseconds"])
@pytest.mark.parametrize("before_ms", [500, 2600, 5000])
def test_a_clock_that_starts_again_changes_nothing(microphone, talk, clock, before_ms):
    """After 71 minutes micros(), after 49.7 days millis(); before, within and after the first sentence."""
    data = harness.slots(talk, shift=SHIFT)
    whole = decisions(run(microphone, data)[0])
    # the computer is faster than sound: hops take their time by the clock
    found = decisions(run(microphone, data, CLOCK_US=clock - 1000 * before_ms, HOP_US=10000)[0])
    for each in (*whole, *found):
        assert each.pop("response_us") < 1_000_000
    assert found == whole


def test_a_sentence_of_49_days_ago_counts_no_more(folder, talk):
    """The clock has just come round to where it was when the last sentence ended; the silence between was
    told of."""
    program = harness.build(folder, "Microphone", folder.parent / "old", "-DNEWEST=0.25f")
    quiet = np.concatenate([talk[: 16000 * 4], room(14), talk[16000 * 4 :]])
    data = harness.slots(quiet, shift=SHIFT)
    plain = decisions(run(program, data)[0])
    # by the clock, the second sentence comes 49.7 days after the first
    old = decisions(run(program, data, SILENCE_US=(2**32 * 1000 + 5_000_000) // 2)[0])
    alone = decisions(run(program, harness.slots(talk[16000 * 4 - 8000 :], shift=SHIFT))[0])
    assert plain[1]["probabilities"] != old[1]["probabilities"]
    assert old[1]["probabilities"] == pytest.approx(alone[-1]["probabilities"], abs=0.05)


FAULTY = {  # the sound's slots, left and right -> words of the line
    "silent": (lambda sound: (0 * sound, 0 * sound), "silent"),
    "stuck": (lambda sound: (0 * sound - 7, 0 * sound - 7), "stuck"),
    "wrong slot": (lambda sound: (0 * sound, sound << SHIFT), "L/R pin"),
    "clipped": (lambda sound: (sound * 40 << SHIFT, 0 * sound), "clipped"),
    "offset": (lambda sound: ((sound << SHIFT) - 2**31 // 6, 0 * sound), "offset"),
}


@pytest.mark.parametrize("name", FAULTY)
def test_a_faulty_microphone_has_a_line_that_says_so(name, microphone):
    slots, words = FAULTY[name]
    pair = slots(np.concatenate([room(1, seed=3) for _ in range(12)]).astype(np.int64) * 4)
    data = np.stack([np.clip(each, -(2**31), 2**31 - 1) for each in pair], axis=1).astype("<i4")
    if name == "clipped":
        data[:, 0] = np.where(np.arange(len(data)) % 800 < 400, 2**31 - 1, -(2**31))
    lines, _ = run(microphone, data.tobytes())
    said = [json.loads(line)["error"] for line in lines if "error" in line]
    said = [each for each in said if "no sound" not in each]
    assert said and all(words in each for each in said)
    assert len(said) <= 4  # not with every block


@pytest.mark.parametrize("share", [-0.2, -0.1, 0.1])
def test_a_microphone_with_an_offset_is_answered_like_one_without(share, microphone, talk):
    """Whole sentences, as loud, nothing clipped."""
    plain = decisions(run(microphone, harness.slots(talk, shift=SHIFT))[0])
    slots = np.frombuffer(harness.slots(talk, shift=SHIFT), "<i4").astype(np.int64)
    shifted = np.clip(slots + round(share * 2**31), -(2**31), 2**31 - 1).astype("<i4")
    found = decisions(run(microphone, shifted.tobytes())[0])
    assert len(found) == 2
    for a, b in zip(plain, found, strict=True):
        assert b["clipped"] == 0 and abs(a["seconds"] - b["seconds"]) <= 0.05
        assert abs(a["dbfs"] - b["dbfs"]) < 0.5


def test_a_pdm_microphone_of_the_esp32_family_is_heard(folder, talk):
    program = harness.build(
        folder, "Microphone", folder.parent / "pdm", "-DNEWEST=1.0f", "-DARDUINO_XIAO_ESP32S3=1",
        "-DMICROPHONE_SHIFT=16", board="ESP32S3",
    )  # fmt: skip
    lines, log = run(program, talk.astype("<i2").tobytes(), I2S_CHUNK=101)
    assert "pdm pins 42 41" in log and re.search(r"i2s \d 16000 16 1", log)
    assert len(decisions(lines)) == 2


def test_a_queue_in_psram_waits_until_there_is_some(folder, talk):
    program = harness.build(
        folder, "Microphone", folder.parent / "psram", "-DBOARD_HAS_PSRAM=1", "-DNEWEST=1.0f",
        board="ESP32S2",
    )  # fmt: skip
    data = harness.slots(talk, shift=SHIFT)
    assert len(decisions(run(program, data)[0])) == 2
    lines, _ = run(program, data, NO_PSRAM=2)
    assert sum("PSRAM" in line for line in lines) == 2 and len(decisions(lines)) == 2


def test_a_port_that_delivers_nothing_is_told(microphone):
    lines, _ = run(microphone, harness.slots(room(1), shift=SHIFT), I2S_DRY=30)
    assert lines[1:] and all("no sound" in json.loads(line)["error"] for line in lines[1:])


# --- MicrophonePDM, and other chips than Espressif's -------------------------------------------

OTHERS = {  # board -> what its core defines
    "Nano 33 BLE Sense": ("-DARDUINO_ARCH_MBED", "-DARDUINO_ARCH_NRF52840", "-D__ARM_FP=4"),
    "XIAO nRF52840 Sense": ("-DNRF52840_XXAA", "-D__ARM_FP=4", "-DF_CPU=64000000"),
    "Nano RP2040 Connect": ("-DARDUINO_ARCH_MBED", "-DARDUINO_ARCH_RP2040", "-DF_CPU=125000000L"),
    "Pico 2": ("-DPICO_RP2350", "-DARDUINO_ARCH_RP2040", "-D__ARM_FP=4", "-DF_CPU=150000000L"),
}  # fmt: skip


@pytest.mark.parametrize("board", OTHERS)
@pytest.mark.parametrize("sketch", ["MicrophonePDM", "Benchmark"])
def test_other_boards_compile_without_a_warning(sketch, board, folder):
    pdm = f"-I{harness.STAND_IN / 'pdm'}"
    assert understood(folder, sketch, pdm, *WARNINGS, *OTHERS[board]) == ""


def test_a_board_for_another_sketch_is_told_so(folder):
    pdm = f"-I{harness.STAND_IN / 'pdm'}"
    said = understood(folder, "MicrophonePDM", pdm, *harness.esp32("ESP32"))
    assert "take the sketch Microphone" in said
    assert "KB of memory" in understood(folder, "MicrophonePDM", pdm, "-DARDUINO_ARCH_AVR=1")
    assert "-DCHIP" in understood(folder, "Benchmark", "-DARDUINO_ARCH_STM32=1")
    own = ('-DCHIP="mine"', "-DCPU_MHZ=170")
    assert understood(folder, "Benchmark", "-DARDUINO_ARCH_STM32=1", *own) == ""


def test_the_architectures_are_those_that_the_sketches_are_for(folder):
    said = re.search(r"^architectures=(.*)$", (folder / "library.properties").read_text(), re.M)[1]
    assert {"esp32", "mbed_nano", "nrf52", "rp2040"} <= set(said.split(","))
    assert "*" not in said and "avr" not in said


@pytest.fixture(scope="module")
def pdm(folder):
    return harness.build_pdm(
        folder,
        folder.parent / "pdm_board",
        "-DNEWEST=1.0f",
        "-D__ARM_FP=4",
        "-DMICROPHONE_SHIFT=16",
    )


def test_a_boards_own_pdm_microphone_is_heard_as_an_i2s_one(pdm, microphone, talk):
    """Sample for sample: the answers are those of the sketch Microphone."""
    lines, log = run(pdm, talk.astype("<i2").tobytes())
    assert "pdm 1 16000" in log and "stopped" not in log
    found, expected = (
        decisions(each) for each in (lines, run(microphone, harness.slots(talk, shift=SHIFT))[0])
    )
    for each in (*found, *expected):
        del each["response_us"]
    assert len(found) == 2 and found == expected


def test_what_does_not_fit_is_counted_and_the_microphone_never_stops(pdm, talk):
    """A burst of 48 buffers while the recogniser is busy, of which 32 fit: the library would stop if one
    were not read, so all are."""
    lines, log = run(pdm, talk.astype("<i2").tobytes(), PDM_BURST=100)
    first, second = decisions(lines)
    assert "stopped" not in log
    assert first["lost"] == first["overruns"] and second["lost"] == 0
    assert first["lost"] in (26, 27)  # 16 buffers, and what was still in the ring; rounded up


def test_a_pdm_microphone_that_fails_is_tried_again(pdm, talk):
    data = talk.astype("<i2").tobytes()
    lines, log = run(pdm, data, PDM_REFUSE=2)
    assert log.count("pdm 1") == 3 and len(decisions(lines)) == 2
    assert sum("did not start" in line for line in lines) == 2
    lines, log = run(pdm, data, PDM_DRY=3)
    assert len(decisions(lines)) == 2 and any("started again" in line for line in lines)


def test_a_pdm_microphone_that_is_silent_is_told(pdm):
    lines, _ = run(pdm, bytes(2 * 16000 * 8))
    assert any("the microphone is silent" in line for line in lines)


def test_the_pdm_sketch_outlives_its_clock(pdm, talk):
    data = talk.astype("<i2").tobytes()
    whole = decisions(run(pdm, data)[0])
    for clock in (2**32 * 1000, 2**32):
        for before in (500_000, 2_600_000, 5_000_000):
            assert decisions(run(pdm, data, CLOCK_US=clock - before)[0]) == whole


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
