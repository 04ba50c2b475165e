"""Fixtures that every room's tests share."""

import os
import re
from functools import cache
from pathlib import Path

import numba  # noqa: F401 - loaded before any verb, which would else set the threads of the whole test process
import numpy as np
import pytest
from hypothesis import HealthCheck, settings

# No property depends on how fast the machine is, alone or beside other work.
settings.register_profile("blsh", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("blsh")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def corpora_folder() -> Path:
    """The real recordings that a machine may have; a test that needs them skips where they are absent."""
    folder = os.environ.get("BLSH_TEST_CORPORA", "")
    if not folder:
        pytest.skip("BLSH_TEST_CORPORA is not set: no real recordings to test with")
    return Path(folder).resolve()


# The sources of tests that wait, time out or compare times; .ci/run runs them beside other work.
WAITS = re.compile(r"\btests\.waiting\b|\bimport (time|threading|multiprocessing)\b|\bPopen\b|st_mtime|utime|timeout")


@cache
def waits(path: Path) -> bool:
    return WAITS.search(path.read_text(encoding="utf-8")) is not None


@pytest.hookimpl(tryfirst=True)  # before tests are chosen by their marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if waits(item.path):
            item.add_marker(pytest.mark.waits)
    # Two processes share the suite file by file (`make test`); the one that takes longest must not come last.
    items.sort(key=lambda item: "workflow" not in item.path.parts)
