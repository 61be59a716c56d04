"""The Makefile finds a Python by itself."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="no make here")


def _make(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    tools = folder / "bin"
    for tool in ("make", "sh", "touch"):
        (tools / tool).symlink_to(shutil.which(tool))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    needed = re.search(r"^\$\(READY\): (.+)$", makefile, re.M)[1].split()
    for name in ("Makefile", *needed):
        shutil.copy(ROOT / name, folder)
    return subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
        check=False,
    )


def _stub(path: Path, text: str) -> None:
    path.write_text(f"#!{shutil.which('sh')}\n{text}\n")
    path.chmod(0o755)


def test_a_stub_of_a_version_manager_is_passed_over(tmp_path):
    (tmp_path / "bin").mkdir()
    _stub(tmp_path / "bin" / "python3", "echo 'command not found' >&2; exit 127")
    _stub(tmp_path / "bin" / "python3.13", "exit 127")
    _stub(tmp_path / "bin" / "python3.12", f'exec "{sys.executable}" "$@"')
    done = _make(tmp_path, "-n", "test")
    assert done.returncode == 0, done.stderr
    assert f'"{tmp_path}/bin/python3.12" -m venv' in done.stdout


def test_without_any_python_it_says_so_in_one_line(tmp_path):
    (tmp_path / "bin").mkdir()
    done = _make(tmp_path, "test")
    assert done.returncode == 2
    assert done.stdout.startswith("error: no Python 3.11 to 3.13")
    assert len(done.stdout.splitlines()) == 1
    assert not (tmp_path / ".venv").exists()
