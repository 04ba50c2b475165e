"""Frames for the tests of training."""

import numpy as np
import pytest

from tests.hashing.boosting_cases import unit_rows


@pytest.fixture
def features(rng) -> np.ndarray:
    return unit_rows(rng, 300)
