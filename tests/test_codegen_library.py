"""`python -m codegen` as a command: the folder that Arduino, PlatformIO and ESP-IDF take, the same bytes
every time, clean under every compiler, and nothing left behind where a check fails."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import codegen_models
import numpy as np
import pandas
import pytest
import signals
import soundfile
from conftest import REPOSITORY

from speech_emotion import cli
from speech_emotion.codegen import verify
from speech_emotion.commands import codegen as codegen_command
from speech_emotion.commands import predictor
from speech_emotion.dataset import table
from speech_emotion.errors import CheckFailed
from speech_emotion.features import schema
from speech_emotion.model import persistence
from speech_emotion.model.compiled import Library

WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wdouble-promotion", "-Werror")
COMPILERS = [
    "gcc -std=c99",
    "clang -std=c99",
    "g++ -std=c++17 -x c++",
    "clang++ -std=c++17 -x c++",
    "riscv64-unknown-elf-gcc --specs=picolibc.specs -march=rv32imafc -mabi=ilp32f -std=c99",
    "riscv64-unknown-elf-gcc --specs=picolibc.specs -march=rv32imc -mabi=ilp32 -std=c99",
    "riscv64-unknown-elf-g++ --specs=picolibc.specs -march=rv32imafc -mabi=ilp32f -std=c++17 -x c++",
]
CATEGORIES = {  # Arduino's library specification
    "Display", "Communication", "Signal Input/Output", "Sensors", "Device Control", "Timing",
    "Data Storage", "Data Processing", "Other",
}  # fmt: skip
KINDS = ("forest, small leaves", "float network", "int8 network, 2 layers")

pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer")


def run(module, *arguments):
    """A command in this process: its exit code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [module.__file__, *map(str, arguments)])
        with pytest.raises(SystemExit) as leaving:
            cli.run(module.main)
    return leaving.value.code


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A feature table of voices, and a saved model of each kind, half of the table held out from it."""
    folder = tmp_path_factory.mktemp("world")
    vectors, emotions = codegen_models.voices(160)
    paths = [f"clips/{i}.wav" for i in range(len(vectors))]
    clips = [
        dict.fromkeys(table.CLIP_COLUMNS, "")
        | {"path": p, "emotion": e, "corpus": "x", "speaker": "y", "seconds": "2"}
        for p, e in zip(paths, emotions, strict=True)
    ]
    info = {"schema": schema.HASH, "engine": "device"}
    table.write(folder, zip(clips, vectors, strict=True), lambda: info)
    for kind in KINDS:
        made = codegen_models.KINDS[kind]().fit(vectors[::2], emotions[::2])
        facts = {
            "name": "voice", "labels": made.classes_.tolist(), "columns": codegen_models.COLUMNS,
            "engine": "device", "held_out": paths[1::2], "threshold": 0.3,
            "corpora": ["synthetic"], "scores": {"weighted_f1": 0.5},
        }  # fmt: skip
        persistence.save(made, folder / f"{kind}.joblib", facts)
    return folder


def generate(world, out, kind=KINDS[2], *more):
    return run(
        codegen_command, world / f"{kind}.joblib", "--features", world / "features.csv", "--out", out,
        "--corpora", world, *more,
    )  # fmt: skip


@pytest.fixture(scope="module")
def library(world, tmp_path_factory):
    out = tmp_path_factory.mktemp("build") / "Voice"
    assert generate(world, out) == 0
    return out


def bytes_of(folder):
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


# --- the folder -------------------------------------------------------------------------------


def test_layout_is_arduinos(library):
    """https://arduino.github.io/arduino-cli/latest/library-specification/"""
    lines = (library / "library.properties").read_text().splitlines()
    properties = dict(line.split("=", 1) for line in lines)
    assert set(properties) >= {
        "name", "version", "author", "maintainer", "sentence", "paragraph", "category", "url",
        "architectures",
    }  # fmt: skip
    assert properties["name"] == library.name
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 _.-]{0,62}", properties["name"])
    assert re.fullmatch(r"\d+\.\d+\.\d+", properties["version"])
    assert properties["category"] in CATEGORIES
    assert properties["url"].startswith("https://")
    assert (library / "src" / properties["includes"]).is_file()
    assert {p.suffix for p in (library / "src").iterdir()} == {".c", ".h"}
    for example in (library / "examples").iterdir():
        assert (example / f"{example.name}.ino").is_file()
    assert not (library / "utility").exists()  # would switch the IDE to its old layout


def test_keywords_are_the_apis(library):
    header = "".join(p.read_text() for p in sorted((library / "src").glob("ser*.h")))
    lines = (library / "keywords.txt").read_text().splitlines()
    words = [line.split("\t") for line in lines if line and not line.startswith("#")]
    assert len(words) > 10
    for word, kind in words:
        assert kind in ("KEYWORD1", "KEYWORD2", "LITERAL1")
        assert re.search(rf"\b{word}\b", header), word


def test_platformio_and_esp_idf_find_what_they_need(library):
    described = json.loads((library / "library.json").read_text())
    assert described["name"] == library.name and described["build"]["srcDir"] == "src"
    assert (library / "src" / described["headers"]).is_file()
    cmake = (library / "CMakeLists.txt").read_text()
    assert 'idf_component_register(SRC_DIRS "src" INCLUDE_DIRS "src")' in cmake
    assert "${COMPONENT_LIB}" in cmake
    assert "version:" in (library / "idf_component.yml").read_text()


def test_a_library_trained_on_synthetic_speech_says_so_beside_its_score(library):
    (line,) = [
        x for x in (library / "README.md").read_text().splitlines() if "weighted F1 0.500" in x
    ]
    assert "SYNTHETIC" in line


def test_nothing_is_left_unfilled_and_no_place_of_this_machine_shows(library):
    for path, content in bytes_of(library).items():
        text = content.decode()
        assert "/tmp/" not in text and str(Path(__file__).parents[1]) not in text, path
    readme = (library / "README.md").read_text()
    assert "INMP441" in readme and "| static RAM" in readme and "$" not in readme


def test_licences_travel_with_the_code(library, world, tmp_path):
    assert (library / "LICENSE").read_text() == (REPOSITORY / "LICENSE").read_text()
    assert "Jon Nordby" in (library / "LICENSE-emlearn.md").read_text()
    assert not list((library / "src").glob("eml_*"))  # int8: none of emlearn's headers is needed
    out = tmp_path / "Voice"
    assert generate(world, out, "float network", "--clips", 0) == 0
    headers = {p.name for p in (out / "src").glob("eml_*")}
    assert headers == {"eml_net.h", "eml_net_common.h", "eml_common.h", "eml_log.h"}


def test_zip_holds_the_folder(library):
    with zipfile.ZipFile(f"{library}.zip") as archive:
        assert archive.testzip() is None
        inside = {name: archive.read(name) for name in archive.namelist()}
    assert inside == {f"Voice/{path}": content for path, content in bytes_of(library).items()}


def test_the_same_model_gives_the_same_bytes(library, world, tmp_path):
    out = tmp_path / "elsewhere" / "Voice"
    assert generate(world, out) == 0
    assert bytes_of(out) == bytes_of(library)
    assert Path(f"{out}.zip").read_bytes() == Path(f"{library}.zip").read_bytes()


# --- compilers --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def libraries(library, world, tmp_path_factory):
    found = [library]
    for kind in KINDS[:2]:
        found.append(tmp_path_factory.mktemp("kinds") / "Voice")
        assert generate(world, found[-1], kind, "--clips", 0) == 0
    return found


@pytest.mark.parametrize("compiler", COMPILERS)
def test_compiles_without_a_warning(compiler, libraries, tmp_path):
    command = compiler.split()
    if shutil.which(command[0]) is None:
        pytest.skip(f"no {command[0]} here")
    for folder in libraries:
        files = sorted((folder / "src").glob("*.c")) if folder is libraries[0] else []
        files = files or [folder / "src" / "ser_model.c", folder / "src" / "ser.c"]
        done = subprocess.run(
            [*command, *WARNINGS, "-O2", "-c", f"-I{folder / 'src'}", *map(str, files)],
            capture_output=True, text=True, cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode == 0 and not done.stderr, done.stderr


def test_model_holds_no_globals_that_change_and_needs_nothing_but_memory_functions(
    libraries, tmp_path
):
    """No heap, no double, no printing, no libm, also where emlearn's header is part of it."""
    if shutil.which("riscv64-unknown-elf-gcc") is None:
        pytest.skip("no riscv64-unknown-elf-gcc here")
    for folder in (libraries[0], libraries[1]):
        built = tmp_path / "model.o"
        subprocess.run(
            ["riscv64-unknown-elf-gcc", "--specs=picolibc.specs", "-march=rv32imafc", "-mabi=ilp32f", "-Os",
             f"-I{folder / 'src'}", "-c", folder / "src" / "ser_model.c", "-o", built],
            check=True,
        )  # fmt: skip
        listing = subprocess.run(
            ["riscv64-unknown-elf-nm", built], capture_output=True, text=True, check=True
        ).stdout
        assert re.findall(r"^\S+ [bBdDcCsS] (\S+)$", listing, re.M) == []
        undefined = set(re.findall(r"^ +U (\S+)$", listing, re.M))
        own = {name for name in undefined if name.startswith("ser_")}  # of the library itself
        assert undefined - own <= {"memcpy", "memset", "memmove"}


# --- the command ------------------------------------------------------------------------------


def test_says_what_was_checked(world, tmp_path, capsys):
    assert generate(world, tmp_path / "Voice") == 0
    printed = capsys.readouterr().out
    rows = len(table.read(world / "features.csv"))
    assert f"{verify.RANDOM_ROWS} rows inside and far outside" in printed
    assert f"{rows}, all of the table: labels equal 100 %" in printed
    scores = re.search(r"weighted F1 ([\d.]+) the model, ([\d.]+) in C", printed)
    assert scores[1] == scores[2]
    assert re.search(r"clips +NOT CHECKED: none of the table's clips lies in", printed)


def test_clips_are_checked_where_they_are(world, tmp_path, capsys):
    sounds = tmp_path / "clips"
    sounds.mkdir()
    for i in range(5):
        sound = signals.voice(16080, period=90 + 9 * i, wobble=i)
        soundfile.write(sounds / f"{2 * i + 1}.wav", sound, schema.SAMPLE_RATE)
    out = tmp_path / "Voice"
    assert generate(world, out, KINDS[0], "--corpora", tmp_path) == 0
    printed = capsys.readouterr().out
    assert (
        "5 from sound to label, as predictor.py on the device engine: labels equal 100 %" in printed
    )
    assert "of them held out: 5 rows: weighted F1" in printed


@pytest.mark.parametrize(("others", "said"), [(80, "none of an emotion"), (40, "40 more are of")])
def test_held_out_rows_of_unknown_emotions_are_told(others, said, world, tmp_path, capsys):
    """A table may hold emotions that the model was not trained on: they are no part of a score."""
    for file in world.iterdir():
        shutil.copy(file, tmp_path)
    clips = pandas.read_csv(tmp_path / "features.csv")
    clips.loc[[*range(1, 2 * others, 2)], "emotion"] = "bored"
    clips.to_csv(tmp_path / "features.csv", index=False)
    assert generate(tmp_path, tmp_path / "Voice", KINDS[0], "--clips", 0) == 0
    (line,) = [x for x in capsys.readouterr().out.splitlines() if x.startswith("held out")]
    assert said in line and ("weighted F1" in line) == (others == 40)
    clips["path"] = "elsewhere/" + clips["path"]
    clips.to_csv(tmp_path / "features.csv", index=False)
    assert generate(tmp_path, tmp_path / "Voice", KINDS[0], "--clips", 0) == 0
    assert "none of the model's 80 clips is in the table: no score" in capsys.readouterr().out


@pytest.mark.parametrize("check", ["compiles", "same_tables", "same_answers"])
def test_a_check_that_fails_leaves_no_library_or_the_older_one(
    check, library, world, tmp_path, monkeypatch
):
    def fail(*_):
        raise CheckFailed("something differs")

    monkeypatch.setattr(verify, check, fail)
    out = tmp_path / "Voice"
    assert generate(world, out) == 1
    assert list(tmp_path.iterdir()) == []
    before = bytes_of(library.parent)
    assert generate(world, library, KINDS[0]) == 1
    assert bytes_of(library.parent) == before


def test_a_new_library_takes_the_place_of_the_older(world, tmp_path):
    out = tmp_path / "Voice"
    assert generate(world, out, "float network", "--clips", 0) == 0
    assert (out / "src" / "eml_net.h").is_file()
    assert generate(world, out, KINDS[2], "--clips", 0) == 0
    assert not (out / "src" / "eml_net.h").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["Voice", "Voice.zip"]


def test_the_users_sketches_and_edits_outlive_a_new_library(world, tmp_path, capsys):
    out = tmp_path / "Voice"
    assert generate(world, out, KINDS[2], "--clips", 0) == 0
    mine = {
        "examples/MySketch/MySketch.ino": "void setup() {}",
        ".git/HEAD": "ref: refs/heads/main",
    }
    mine |= {"examples/Microphone/Microphone.ino": "#define MICROPHONE_SCK 1"}
    for path, text in mine.items():
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_text(text)
    capsys.readouterr()
    assert generate(world, out, KINDS[0], "--clips", 0) == 0
    said = capsys.readouterr().out
    assert "kept      yours: .git/, examples/MySketch/\n" in said
    assert "kept      changed since generated: examples/Microphone/Microphone.ino" in said
    assert {path: (out / path).read_text() for path in mine} == mine
    assert Library(out).name == "voice"
    (out / "src" / "ser_model.c").write_text("mine")
    assert generate(world, out, KINDS[0], "--clips", 0) == 2  # before any work
    assert "'src/ser_model.c' in it: changed since it was generated" in capsys.readouterr().err
    assert (out / "src" / "ser_model.c").read_text() == "mine"
    assert generate(world, out, KINDS[0], "--clips", 0, "--force") == 0
    assert "MICROPHONE_SCK 1" not in (out / "examples/Microphone/Microphone.ino").read_text()
    assert (out / "examples/MySketch/MySketch.ino").read_text() == "void setup() {}"


def test_bad_input_is_one_line(world, tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    (tmp_path / "mine" / "model.js").write_text("export default 1;")
    (tmp_path / "Photos.zip").write_text("holiday")
    model = world / f"{KINDS[0]}.joblib"
    for arguments, message in (
        ((tmp_path / "none.joblib",), "no such model"),
        ((model, "--out", tmp_path / "mine"), "no generated library"),
        ((model, "--out", tmp_path / "_x"), "a library's name"),
        ((model, "--out", model / "x"), "cannot be written"),
        ((model, "--clips", "-1"), "--clips -1"),
        ((model, "--out", tmp_path / "aux"), "a library's name"),
        ((model, "--out", tmp_path / "Photos"), "Photos.zip: is there and no generated library"),
        ((model, "--out", tmp_path / "V", "--web", tmp_path / "mine"), "no generated page"),
        ((model, "--out", tmp_path / "V", "--web", tmp_path / "V"), "is also --out"),
        ((model, "--corpora", tmp_path / "gone"), "no such folder"),
        ((model, "--features", tmp_path / "gone.csv"), "no such file"),
    ):
        assert run(codegen_command, *arguments) == 2
        error = capsys.readouterr().err
        assert message in error and error.count("\n") == 1, error
    assert (tmp_path / "Photos.zip").read_text() == "holiday"
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


def test_predictor_answers_with_the_library(library, world, tmp_path, capsys):
    """The same output from model.joblib on the device engine and from the library's C code, to the digit."""
    clips = []
    for i in range(3):
        clips.append(tmp_path / f"{i}.wav")
        soundfile.write(
            clips[-1], signals.voice(16080 + 160 * i, period=80 + 20 * i), schema.SAMPLE_RATE
        )
    model = world / f"{KINDS[2]}.joblib"
    assert run(predictor, *clips, "--json", "--engine", "device", model) == 0
    theirs = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert run(predictor, *clips, "--json", library) == 0
    ours = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert ours == theirs and len(ours) == 3 and "uncertain" in ours[0]
    silent = tmp_path / "silent.wav"
    soundfile.write(silent, np.zeros(16080, np.int16), schema.SAMPLE_RATE)
    assert run(predictor, silent, clips[0], library) == 0
    printed = capsys.readouterr().out
    assert "no speech: digital silence" in printed and printed.count("\n") == 2
    assert run(predictor, clips[0], "--engine", "reference", library) == 2
    assert "leave it out" in capsys.readouterr().err
    assert Library(library).threshold == 0.3


@pytest.mark.corpora
@pytest.mark.slow
def test_five_hundred_real_clips_from_sound_to_label(corpora_dir, tmp_path, capsys):
    clips = codegen_models.real_clips(corpora_dir, 520)
    rows = [
        dict.fromkeys(table.CLIP_COLUMNS, "")
        | {
            "path": str(c.path.relative_to(corpora_dir)),
            "emotion": c.emotion,
            "corpus": c.corpus,
            "speaker": "y",
            "seconds": "2",
        }
        for c in clips
    ]
    vectors, emotions = codegen_models.measured(clips)
    info = {"schema": schema.HASH, "engine": "device"}
    table.write(tmp_path, zip(rows, vectors, strict=True), lambda: info)
    made = codegen_models.KINDS[KINDS[2]]().fit(vectors, emotions)
    facts = {
        "labels": made.classes_.tolist(),
        "columns": codegen_models.COLUMNS,
        "engine": "device",
    }
    persistence.save(made, tmp_path / "m.joblib", facts)
    assert run(
        codegen_command, tmp_path / "m.joblib", "--features", tmp_path / "features.csv",
        "--corpora", corpora_dir, "--clips", 520, "--out", tmp_path / "Voice",
    ) == 0  # fmt: skip
    assert "clips     520 from sound to label" in capsys.readouterr().out
