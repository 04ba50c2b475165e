"""Where a round's projection starts."""

import math

import numpy as np
import pytest

from blsh.hashing.initialisation import centred_start, xavier_start
from tests.hashing.boosting_cases import D, N, unit_rows


def test_xavier_start_has_its_variance(rng):
    starts = np.array([xavier_start(9, bias=True, rng=rng) for _ in range(4000)])
    assert starts.shape[1] == 10
    assert starts.std() == pytest.approx(math.sqrt(2 / 11), rel=0.02)
    starts = np.array([xavier_start(9, bias=False, rng=rng) for _ in range(4000)])
    assert not starts[:, -1].any()
    assert starts[:, :-1].std() == pytest.approx(math.sqrt(2 / 10), rel=0.02)


def test_centred_start_halves_the_frames(rng):
    frames = [unit_rows(rng, N) for _ in range(3)]
    start = centred_start(frames, bias=True, rng=rng)
    values = np.concatenate(frames) @ start[:-1] + start[-1]
    assert values.mean() == pytest.approx(0, abs=1e-5)
    assert values.std() == pytest.approx(1, rel=1e-5)
    assert centred_start(frames, bias=False, rng=rng)[-1] == 0


def test_centred_start_needs_frames_that_differ(rng):
    with pytest.raises(ValueError, match="the training frames are all alike"):
        centred_start([np.full((N, D), 0.3, np.float32)], bias=True, rng=rng)
