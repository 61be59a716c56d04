"""docs/add_a_feature.md, followed to the letter: its diff is applied to a copy, its commands are run there,
and both engines agree on the new columns while every other keeps its bits."""

import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import variants
from test_schema_constants import follows, sounds

from speech_emotion.features import schema

PAGE = (variants.REPOSITORY / "docs" / "add_a_feature.md").read_text(encoding="utf-8")
NEW = tuple(f"prominence_db_{functional}" for functional in schema.MOMENTS)


def block(language, number=0):
    """The text of a fenced block of the page."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.S)[number]


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    """The copy with the page's change, and what its commands said."""
    for program in ("git", "cc"):
        if shutil.which(program) is None:
            pytest.skip(f"no {program}")
    folder = tmp_path_factory.mktemp("feature")
    made = variants.Variant(folder / "copy", whole=True)
    shutil.copy(variants.REPOSITORY / "pyproject.toml", made.folder)
    ignored = shutil.ignore_patterns("__pycache__", "c")
    shutil.copytree(variants.REPOSITORY / "tests", made.folder / "tests", ignore=ignored)
    subprocess.run(
        ["git", "apply", "-"], input=block("diff"), text=True, check=True, cwd=made.folder
    )
    said = []
    for line in block("sh").splitlines():
        command = [sys.executable, *line.split()[1:]]
        done = subprocess.run(command, cwd=made.folder, capture_output=True, text=True)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        said.append(done.stdout)
    return folder, made, said


def test_the_commands_do_what_the_page_says(followed):
    _, _, (generated, tested) = followed
    for name in ("ser_schema.h", "ser_slots.h", "ser_tables.c"):
        assert f"{name} written" in generated
    assert "1 passed" in tested


def test_both_engines_agree_on_the_new_columns_and_the_others_keep_their_bits(followed):
    folder, made, _ = followed
    found = variants.run({"new": made, "old": variants.Variant(folder / "old")}, sounds(), folder)
    old, new = found["old"], found["new"]
    assert follows(new) == ""
    columns = list(new.columns)
    assert tuple(c for c in columns if c not in old.columns) == NEW
    places = [columns.index(column) for column in NEW]
    assert (new.reference[:, places].std(axis=0) > 0).all()
    kept = [i for i in range(len(columns)) if i not in places]
    assert np.array_equal(new.reference[:, kept], old.reference)
    assert np.array_equal(new.device[:, kept], old.device)


def test_without_its_c_code_it_does_not_compile(followed):
    folder, *_ = followed
    made = variants.Variant(folder / "half")
    parts = re.split(r"^(?=--- a/)", block("diff"), flags=re.M)
    half = "".join(part for part in parts if part.startswith("--- a/speech_emotion/"))
    subprocess.run(["git", "apply", "-"], input=half, text=True, check=True, cwd=made.folder)
    (found,) = variants.run({"half": made}, sounds(), folder).values()
    assert "ser_put_frame_spectrum" in found.failed
