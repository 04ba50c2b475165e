"""Stacked frames against a loop over recordings and offsets."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blsh.signal.context import ContextFrames, stack_context


def naive_stack(recordings, n_frames):
    """Frame by frame: its neighbours in the same recording, the end frames repeated."""
    rows = []
    for frames in recordings:
        for t in range(len(frames)):
            near = [frames[min(max(t + d, 0), len(frames) - 1)] for d in range(-(n_frames // 2), n_frames // 2 + 1)]
            rows.append(np.concatenate(near) / np.sqrt(np.float32(n_frames)))
    return np.array(rows, np.float32)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=5), st.sampled_from([1, 3, 5, 9]), st.integers(0, 99))
def test_every_row_is_that_of_the_loop(lengths, n_frames, seed):
    rng = np.random.default_rng(seed)
    recordings = [rng.random((length, 3)).astype(np.float32) for length in lengths]
    expected = naive_stack(recordings, n_frames)
    frames = np.concatenate(recordings)
    stacked = ContextFrames(frames, np.cumsum([0, *lengths[:-1]]), n_frames)
    assert (stacked.shape, stacked.ndim, stacked.dtype, len(stacked)) == (expected.shape, 2, np.float32, len(frames))
    assert stacked.base is frames
    np.testing.assert_array_equal(stacked[:], expected)
    np.testing.assert_array_equal(stacked[1:-1:2], expected[1:-1:2])
    rows = rng.integers(0, len(frames), 7)
    np.testing.assert_array_equal(stacked[rows], expected[rows])
    np.testing.assert_array_equal(stacked.only(rows)[2:5], expected[rows[2:5]])
    np.testing.assert_array_equal(stacked.only(rows).only(np.array([6, 0]))[:], expected[rows[[6, 0]]])
    assert stacked[:].dtype == np.float32


def test_one_recording_by_hand():
    frames = np.array([[1], [2], [4]], np.float32)
    np.testing.assert_allclose(stack_context(frames, 3) * np.sqrt(3), [[1, 1, 2], [1, 2, 4], [2, 4, 4]], rtol=1e-6)
    np.testing.assert_array_equal(stack_context(frames, 1), frames)


def test_unit_rows_stay_unit_rows_and_products_are_mean_cosines(rng):
    frames = rng.random((6, 8)).astype(np.float32)
    frames /= np.linalg.norm(frames, axis=1, keepdims=True)
    stacked = stack_context(frames, 3)
    np.testing.assert_allclose(np.linalg.norm(stacked, axis=1), 1, rtol=1e-6)
    mean = np.mean([frames[2 + d] @ frames[4 + d] for d in (-1, 0, 1)])
    assert stacked[2] @ stacked[4] == pytest.approx(mean, rel=1e-6)


@pytest.mark.parametrize("n_frames", [0, 2, -1])
def test_context_is_odd(n_frames):
    with pytest.raises(ValueError, match=rf"context={n_frames} must be 1, 3, 5, …"):
        stack_context(np.ones((2, 2), np.float32), n_frames)


@pytest.mark.parametrize("starts", [[], [1], [0, 0], [0, 4], [0, 3, 2]])
def test_starts_are_those_of_the_frames(starts):
    with pytest.raises(ValueError, match=r"starts of \d recordings do not fit 4 frames"):
        ContextFrames(np.ones((4, 2), np.float32), np.array(starts, np.int64), 3)
