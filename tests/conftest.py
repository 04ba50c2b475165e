"""Fixtures that every room's tests share."""

import os
from pathlib import Path

import numba  # noqa: F401 - loaded before any verb, which would else set the threads of the whole test process
import numpy as np
import pytest


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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Two processes share the suite file by file (`make test`); the one that takes longest must not come last.
    items.sort(key=lambda item: "workflow" not in item.path.parts)
