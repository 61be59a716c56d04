"""Fixtures every test file may use."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def corpora_dir() -> Path:
    """The folder of real clips: environment variable SER_CORPORA, else ../shared/corpora."""
    folder = Path(os.environ.get("SER_CORPORA") or REPOSITORY.parent / "shared" / "corpora")
    if not folder.is_dir():
        pytest.skip(f"no real clips at {folder}; set SER_CORPORA to their folder")
    return folder
