"""Every command answers --help, and what is wrong with its arguments, before anything slow is loaded."""

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY

from speech_emotion.__main__ import COMMANDS
from speech_emotion.commands import steps

SLOW = (
    "emlearn", "joblib", "librosa", "matplotlib", "numba", "numpy", "pandas", "parselmouth", "PIL", "pooch",
    "requests", "scipy", "sklearn", "soundfile", "soxr",
)  # fmt: skip
"""What takes long to load; together they take seconds, on a busy machine many."""
DOORS = {
    "dataset_generator.py": "dataset-generator",
    "extractor.py": "extractor",
    "train.py": "train",
    "predictor.py": "predictor",
    "measure.py": "measure",
    "codegen/__main__.py": "codegen",
    "central/__main__.py": "central",
    "fusion/__main__.py": "fusion",
    "face/__main__.py": "face",
    "camera/__main__.py": "camera",
}
"""What the user started before there was a package, and still may: the command that each is."""
MISTAKES = {
    "dataset-generator": [
        ("--jobs", "0"),
        ("--synthetic", "--corpora", "x"),
        ("--augment", "nois"),
        ("--download", "tes"),
    ],
    "extractor": [("clip.wav", "--jobs", "0"), ("clip.wav", "--engine", "x"), ()],
    "train": [
        ("--models", "forrest"),
        ("--groups", "pich"),
        ("--jobs", "0"),
        ("gone.csv",),
        ("--balance", "x"),
    ],
    "predictor": [("clip.wav", "model.joblib", "--threshold", "2"), ("a", "b", "--jobs", "0")],
    "codegen": [("model.joblib", "--clips", "-1"), ()],
    "measure": [("--flash-kb", "0"), ("--target", "z80")],
    "central": [
        ("--folder", "gone"),
        ("simulate", "--folder", "gone"),
        ("simulate", "--devices", "0"),
        ("simulate", "--clips", "x"),
        ("setup", "--port", "x"),
        ("device", "--folder", "gone"),
        ("serve",),
        ("--model", "large.joblib"),
        ("--weights", "gone.json"),
    ],
    "face": [("train", "gone"), ("train", "gone", "--seeds", "0"), ("export", "gone.joblib"), ()],
    "camera": [
        ("x.mp4", "gone.joblib"),
        ("x.mp4", "m", "--rate", "0"),
        ("x.mp4", "m", "--tables", "t"),
        (),
    ],
    "fusion": [("score", "gone.csv", "gone.csv"), ("fit", "gone.csv", "gone.csv"), ("fit",), ()],
    "robustness": [("model.joblib",), ("model.joblib", "--jobs", "0")],
    "record": [("--labels", "a", "--speaker", "x", "--takes", "0"), ("--labels", "a"), ()],
    "parity": [("--clips", "0"), ("--jobs", "0"), ("--corpora", "gone")],
    "benchmark": [("--clips", "0"), ("--corpora", "gone")],
    "accuracy": [("gone.csv",), ("--seeds", "0"), ("--jobs", "0"), ("--models", "forrest")],
    "study": [("gone.csv",), ("--seeds", "0"), ("--jobs", "0"), ("--models", "forrest")],
    "compare": [("gone.joblib",), ()],
    "fusion-check": [("gone.csv",), ("--seeds", "0"), ("--jobs", "0")],
    "encoder": [
        ("missing", "--teacher", "missing.whl", "--licence", "CC0"),
        (".", "--teacher", ".", "--licence", "CC0", "--units", "42"),
        (),
    ],
    "hostile-models": [("--count", "0")],
}
"""Arguments that must be refused, and are, at once."""


def loaded(
    program: str, arguments: tuple[str, ...], folder: Path
) -> tuple[int, str, str, set[str]]:
    """A program's exit code and output, and which slow modules it had loaded when it ended."""
    how = "path({0!r}" if program.endswith(".py") else "module({0!r}, alter_sys=True"
    code = (
        "import atexit, runpy, sys\n"
        f"atexit.register(lambda: print('LOADED', *(m for m in {SLOW!r} if m in sys.modules)))\n"
        f"sys.argv = {[program, *arguments]!r}\n"
        f"sys.path.insert(0, {str(REPOSITORY)!r})\n"
        f"runpy.run_{how.format(program)}, run_name='__main__')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    said, _, modules = done.stdout.rpartition("LOADED")
    return done.returncode, said, done.stderr, set(modules.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_help_loads_nothing_slow(command, tmp_path):
    code, said, error, modules = loaded("speech_emotion", (command, "--help"), tmp_path)
    assert code == 0, error
    assert said.startswith("usage: ") and not modules


@pytest.mark.parametrize("door", DOORS)
def test_a_door_is_its_command(door, tmp_path):
    code, said, error, modules = loaded(str(REPOSITORY / door), ("--help",), tmp_path)
    assert code == 0, error
    assert not modules
    _, as_command, _, _ = loaded("speech_emotion", (DOORS[door], "--help"), tmp_path)
    options = [word for word in as_command.split() if word.startswith("--")]
    assert options and options == [word for word in said.split() if word.startswith("--")]


@pytest.mark.parametrize(
    ("command", "arguments"), [(name, each) for name in COMMANDS for each in MISTAKES[name]]
)
def test_mistakes_are_answered_before_anything_slow_is_loaded(command, arguments, tmp_path):
    code, _, error, modules = loaded("speech_emotion", (command, *arguments), tmp_path)
    assert code == 2 and not modules
    assert error.startswith(("error: ", "usage: "))
    assert not list(tmp_path.iterdir())


def test_every_argument_mistake_is_one_line():
    """One parser says it for all, also for commands that come later and for those below them."""
    package = REPOSITORY / "speech_emotion"
    texts = {path.name: path.read_text(encoding="utf-8") for path in package.rglob("*.py")}
    assert [name for name, text in texts.items() if "argparse.ArgumentParser" in text] == ["cli.py"]


@pytest.mark.parametrize(
    "called, named",
    [
        (["-m", "central"], "python -m central"),
        (["-m", "face", "train"], "python -m face train"),
        (["-m", "speech_emotion", "face", "train"], "speech-emotion face train"),
        (["-m", "speech_emotion.checks.network"], "python -m speech_emotion.checks.network"),
        (["measure.py"], "measure.py"),
    ],
)
def test_a_mistake_names_the_command_as_it_was_called(called, named):
    done = subprocess.run(
        [sys.executable, *called, "--nonsense"], cwd=REPOSITORY, capture_output=True, text=True
    )
    assert done.returncode == 2 and done.stderr.startswith("error: ")
    assert done.stderr.endswith(f"; {named} --help tells more\n") and done.stderr.count("\n") == 1


def test_the_list_of_commands_is_said_and_a_wrong_one_refused(tmp_path):
    code, said, _, modules = loaded("speech_emotion", (), tmp_path)
    assert code == 0 and not modules and all(name in said for name in COMMANDS)
    code, _, error, modules = loaded("speech_emotion", ("trian",), tmp_path)
    assert code == 2 and not modules and error.startswith("error: trian: no such command")


def test_after_every_step_the_same_page_says_what_comes_next(capsys, monkeypatch):
    pages = {name: steps.page(name, model="m.joblib") for name, *_ in steps.STEPS}
    order = list(pages)
    for i, (name, text) in enumerate(pages.items()):
        lines = text.splitlines()
        assert [line.split()[1] for line in lines if line.startswith("  done")] == [name]
        following = order[i + 1 : i + 2]
        assert [line.split()[1] for line in lines if line.startswith("  next")] == following
        assert "m.joblib" in text and "{" not in text
    steps.show("train")
    assert capsys.readouterr().out == ""  # nobody reads a file's or a pipe's end
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    steps.show("train")
    assert capsys.readouterr().out == steps.page("train") + "\n"
