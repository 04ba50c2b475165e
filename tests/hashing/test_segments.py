"""Which frames a round sees."""

from dataclasses import replace

import numpy as np
import pytest

from blsh.hashing.profiles import PROFILES
from blsh.hashing.segments import draw_segments
from tests.hashing.boosting_cases import SMALL


@pytest.mark.parametrize("frame_order", ["shuffled", "contiguous"])
@pytest.mark.parametrize("n_segments", [2, None])
def test_segments_never_share_a_frame(rng, frame_order, n_segments):
    params = replace(
        SMALL,
        segments="fixed",
        segment_frames=7,
        n_segments=n_segments,
        n_epsilon_segments=1,
        frame_order=frame_order,
    )
    training, held_out = draw_segments(40, params, rng=rng)
    assert training.shape == (2 if n_segments else 4, 7)
    assert held_out.shape == (1, 7)
    frames = np.concatenate([training, held_out])
    assert len(np.unique(frames)) == frames.size
    assert frames.max() < 40
    if frame_order == "contiguous":
        np.testing.assert_array_equal(frames % 7, np.tile(np.arange(7), (len(frames), 1)))
        np.testing.assert_array_equal(np.sort(training[:, 0]), training[:, 0])


def test_all_contiguous_segments_are_in_order(rng):
    params = replace(PROFILES["authors2022"], segment_frames=7, frame_order="contiguous")
    training, held_out = draw_segments(30, params, rng=rng)
    np.testing.assert_array_equal(training.ravel(), np.arange(28))
    assert not len(held_out)
