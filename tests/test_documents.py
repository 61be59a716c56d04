"""What the documents name is there: files, versions; and no folder is named that a stranger does not have."""

import re
import subprocess
from pathlib import Path

import pytest
from conftest import REPOSITORY

import speech_emotion
from speech_emotion.training.candidates import CANDIDATES, SHIPPED

KEPT = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=REPOSITORY,
    capture_output=True, text=True,
).stdout.splitlines()  # fmt: skip
TEXT = {
    ".c",
    ".cff",
    ".cpp",
    ".css",
    ".h",
    ".html",
    ".ino",
    ".js",
    ".md",
    ".py",
    ".toml",
    ".txt",
    ".yaml",
    ".yml",
    "",
}
MADE = re.compile(r"(\.venv|build|dataset|models|reports|demo|dist|downloads)/")
"""Folders that commands make, as documents name them."""

pytestmark = pytest.mark.skipif(
    not KEPT, reason="no git, or no clone: which files are kept is not known"
)


def texts() -> dict[str, str]:
    return {
        name: (REPOSITORY / name).read_text(encoding="utf-8")
        for name in KEPT
        if Path(name).suffix in TEXT and (REPOSITORY / name).is_file()
    }


def test_links_of_documents_lead_to_files_that_are_here():
    missing = []
    for name, text in texts().items():
        if (
            not name.endswith(".md") or "/library/" in name
        ):  # that one is a template of another folder's
            continue
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
            here = (REPOSITORY / name).parent / target
            if not target.startswith(("http:", "https:", "mailto:")) and not here.exists():
                missing.append(f"{name}: {target}")
    assert missing == []


def test_every_document_that_is_cited_is_here():
    """A text in capitals is a document, wherever it is named: in a comment too."""
    documents = {Path(name).name for name in KEPT} | {"LICENSE-emlearn.md"}
    cited = {
        (found, name)
        for name, text in texts().items()
        for found in re.findall(r"\b[A-Z]{3,}[A-Z_-]*(?:-[a-z]+)?\.md\b", text)
    }
    assert {pair for pair in cited if pair[0] not in documents} == set()


def test_nothing_names_a_folder_that_a_stranger_does_not_have():
    own = {"tests/test_documents.py", ".ci/run"}  # the latter: where CI itself keeps real speech
    places = re.compile(r"\.\./shared|\bshared/corpora\b|(?<![\w.$}])/work/")
    assert [name for name, text in texts().items() if name not in own and places.search(text)] == []


def test_files_named_in_the_readme_are_here():
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:[\w.]+/)+[\w.]*)`", text)
    assert named
    missing = [n for n in named if not MADE.match(n) and not (REPOSITORY / n).exists()]
    assert missing == []


def test_the_version_is_one():
    citation = (REPOSITORY / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(r"^version: (.+)$", citation, re.M)[1] == speech_emotion.__version__
    changes = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    assert speech_emotion.__version__ in changes


def test_the_model_that_the_documents_train_is_the_shipped_one():
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert f"python train.py dataset/features.csv --models {SHIPPED} " in readme
    assert f"--models {SHIPPED} " in (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    assert CANDIDATES[SHIPPED].by_default and CANDIDATES[SHIPPED].exportable
