"""The package that `pip install` makes: what is in it, and that it works in any folder, whatever is there."""

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

import pytest
from conftest import REPOSITORY

import speech_emotion
from speech_emotion.__main__ import COMMANDS
from speech_emotion.corpora import synthetic

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("hatchling") is None,
    reason="no hatchling here, which builds the package; pip install -r requirements.txt",
)
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
OFFLINE = (
    "--quiet",
    "--disable-pip-version-check",
    "--no-index",
    "--no-deps",
    "--no-build-isolation",
)
NAMES_OF_A_USER = (
    "checks", "cli", "codegen", "commands", "common", "corpora", "dataset", "dataset_generator", "embedded",
    "errors", "extractor", "features", "files", "generate", "measure", "message", "model", "native",
    "prediction", "predictor", "resources", "train", "training",
)  # fmt: skip
"""What a user may well call a file or a folder of his own: once ours, and what our packages are called."""


def build(kind: str, source: Path, out: Path) -> Path:
    """The sdist or the wheel of a source folder."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", out], cwd=source, check=True,
        capture_output=True,
    )  # fmt: skip
    (made,) = out.iterdir()
    return made


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    return build("wheel", REPOSITORY, tmp_path_factory.mktemp("wheel"))


def sources(folder: str) -> set[str]:
    """The files of a folder, as far as they are kept."""
    found = (REPOSITORY / folder).rglob("*")
    return {
        path.relative_to(REPOSITORY).as_posix()
        for path in found
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }


def test_the_wheel_holds_the_package_and_the_c_code_and_nothing_else(wheel):
    wanted = sources("speech_emotion")
    wanted |= {
        f"speech_emotion/{name}" for name in sources("embedded/src") | sources("embedded/host")
    }
    found = {name for name in names_in(wheel) if ".dist-info/" not in name}
    assert found == wanted


def test_the_sdist_builds_the_same_wheel(wheel, tmp_path):
    made = build("sdist", REPOSITORY, tmp_path / "sdist")
    shutil.unpack_archive(made, tmp_path)
    (source,) = (path for path in tmp_path.iterdir() if path.name != "sdist")
    again = build("wheel", source, tmp_path / "wheel")
    with zipfile.ZipFile(again) as ours, zipfile.ZipFile(wheel) as theirs:
        assert {i.filename: i.CRC for i in ours.infolist()} == {
            i.filename: i.CRC for i in theirs.infolist()
        }
    assert (source / "tests" / "conftest.py").is_file()


# --- installed ---------------------------------------------------------------------------------


class Installed:
    """The package in an environment of its own; the libraries below it are those of these tests."""

    def __init__(self, folder: Path, *how: str):
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        self.programs = folder / "bin"
        below = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
        self.environment = os.environ | {"PYTHONPATH": os.pathsep.join(sorted(below))}
        subprocess.run(
            [sys.executable, "-m", "pip", "--python", self.programs / "python", "install", *OFFLINE, *how],
            cwd=REPOSITORY, check=True, env=self.environment,
        )  # fmt: skip

    def run(self, program: str, *arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess:
        """A program of the environment, from a folder."""
        return subprocess.run(
            [self.programs / program, *arguments], cwd=cwd, capture_output=True, text=True,
            env=self.environment,
        )  # fmt: skip


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Installed:
    return Installed(tmp_path_factory.mktemp("installed"), str(wheel))


@pytest.fixture
def busy_folder(tmp_path) -> Path:
    """A folder in which every everyday name is taken, and what bears it fails when it is loaded."""
    for name in NAMES_OF_A_USER:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(
            "raise SystemExit('a user' + chr(39) + 's own')"
        )
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a user' + chr(39) + 's own')")
    return tmp_path


def test_every_command_is_installed_under_its_name(installed, busy_folder):
    scripts = {f"speech-emotion-{name}" for name in COMMANDS} & set(PROJECT["scripts"])
    assert scripts | {"speech-emotion"} == set(PROJECT["scripts"])
    for script in PROJECT["scripts"]:
        done = installed.run(script, "--help", cwd=busy_folder)
        assert done.returncode == 0 and "usage: " in done.stdout, done.stderr
    done = installed.run("speech-emotion", "--version", cwd=busy_folder)
    assert done.stdout.strip() == speech_emotion.__version__


def test_the_package_itself_is_what_is_used_and_not_this_checkout(installed, tmp_path):
    code = "from speech_emotion import resources; print(resources.__file__, resources.EMBEDDED)"
    done = installed.run("python", "-c", code, cwd=tmp_path)
    package, embedded = map(Path, done.stdout.split())
    assert installed.programs.parent in package.parents
    assert (
        embedded == package.parent / "embedded" and (embedded / "src" / "ser_extractor.h").is_file()
    )


@pytest.mark.parametrize("start", [("speech-emotion",), ("python", "-m", "speech_emotion")])
def test_a_users_own_names_do_not_get_in_the_way(start, installed, busy_folder):
    clip = busy_folder / "clip.wav"
    (made, *_) = synthetic.write(busy_folder / "made", speakers=1, sentences=1)
    made.path.rename(clip)
    done = installed.run(*start, "extractor", clip, "--engine", "device", cwd=busy_folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("file,seconds,rms_mean,")


def test_an_editable_install_shows_the_package_and_not_what_lies_beside_it(tmp_path):
    editable = Installed(tmp_path / "environment", "--editable", ".")
    done = editable.run("speech-emotion", "--version", cwd=tmp_path)
    assert done.stdout.strip() == speech_emotion.__version__, done.stderr
    for name in ("train", "measure", "codegen", "tests"):
        done = editable.run("python", "-c", f"import {name}", cwd=tmp_path)
        assert f"No module named '{name}'" in done.stderr


@pytest.mark.slow
def test_the_whole_way_from_another_folder(installed, busy_folder):
    """Clips to features to a model to an answer to a library to its answer, installed commands only."""
    synthetic.write(busy_folder / "speech", speakers=4, sentences=3)
    clip = busy_folder / "speech" / "f1" / "f1_kettle_angry.wav"
    for command, *arguments in (
        ("dataset-generator", "--corpora", "speech", "--engine", "device"),
        ("train", "--models", "forest_small", "--jobs", "1"),
        ("predictor", clip, "models/model.joblib"),
        ("codegen", "models/model.joblib", "--corpora", "speech", "--out", "build/Voice"),
        ("predictor", clip, "build/Voice"),
    ):
        done = installed.run(f"speech-emotion-{command}", *arguments, cwd=busy_folder)
        assert done.returncode == 0, (command, done.stderr)
        if command == "predictor":
            assert done.stdout.startswith(f"{clip}: ")
