"""Fixtures every test file may use, and the one way to real clips."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# how long an example takes is no property of the code under test
settings.register_profile("ours", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ours")

REPOSITORY = Path(__file__).resolve().parent.parent
_CLIPS = os.environ.get("SER_CORPORA")


@pytest.fixture(scope="session")
def corpora_dir() -> Path:
    """The folder of real clips: environment variable SER_CORPORA.

    A test that asks for it, itself or through another fixture, carries the marker `corpora` by that."""
    if not _CLIPS:
        pytest.skip("no real clips: set SER_CORPORA to their folder")
    if not Path(_CLIPS).is_dir():
        pytest.fail(f"SER_CORPORA {_CLIPS}: no such folder")
    return Path(_CLIPS).resolve()


_LONG = (
    "schema_constants",
    "schema_slots",
    "users",
    "compiled",
    "dataset_generator",
    "own_data",
    "board",
)
"""Files of few tests and long ones. They start first, lest one process ends with them while others wait."""


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.stem.removeprefix("test_") not in _LONG)
    for item in items:
        if "corpora_dir" in getattr(item, "fixturenames", ()):
            item.add_marker("corpora")
        elif item.get_closest_marker("corpora"):
            raise pytest.UsageError(f"{item.nodeid}: marked `corpora`, but asks for no real clips")


@pytest.fixture(scope="session", autouse=True)
def no_clips_of_this_machine() -> None:
    """What a command finds by itself is the same on every machine: nothing, unless a test hands it over."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SER_CORPORA", raising=False)
        yield
