"""What the long tests share. BLSH_LONG=short takes a part of each that fits into minutes."""

import os

import pytest

from tests.long.killing import Reference, make_reference


@pytest.fixture(scope="session")
def is_short() -> bool:
    return os.environ.get("BLSH_LONG") == "short"


@pytest.fixture(scope="session")
def reference(tmp_path_factory) -> Reference:
    """The smallest experiment, run once undisturbed."""
    return make_reference(tmp_path_factory.mktemp("reference") / "work")
