import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blsh.evaluation.agreement import mask_accuracy, recall


def test_recall_by_hand():
    truth = np.array([[3, 1, 2], [5, 6, 7]])
    # Two of {1, 2, 9} and none of {0, 1, 2} are found, in whatever order.
    assert recall(np.array([[9, 2, 1], [0, 1, 2]]), truth) == pytest.approx(2 / 6)
    assert recall(truth[:, ::-1], truth) == 1
    assert recall(truth.astype(np.int32) + 10, truth) == 0


@given(st.integers(1, 6), st.integers(1, 8), st.integers(0, 999))
def test_recall_is_the_size_of_the_intersections(k, n_frames, seed):
    rng = np.random.default_rng(seed)
    found, truth = (np.array([rng.permutation(12)[:k] for _ in range(n_frames)]) for _ in range(2))
    expected = np.mean([len(set(a) & set(b)) / k for a, b in zip(found.tolist(), truth.tolist(), strict=True)])
    assert recall(found, truth) == pytest.approx(expected)


def test_mask_accuracy_by_hand():
    mask = np.array([[0.5, 0.49, 1.0], [0.0, 0.7, 0.2]], np.float32)
    ideal = np.array([[True, False, False], [True, True, False]])
    assert mask_accuracy(mask, ideal) == pytest.approx(4 / 6)
    assert mask_accuracy(ideal.astype(np.float32), ideal) == 1
    assert mask_accuracy(np.ones((2, 3), np.float32), ideal) == ideal.mean()


def test_shapes_must_agree():
    with pytest.raises(ValueError, match=r"found.shape=\(2, 3\) and truth.shape=\(2, 4\) must be one \(frames, K\)"):
        recall(np.zeros((2, 3), int), np.zeros((2, 4), int))
    with pytest.raises(ValueError, match=r"mask.shape=\(2, 3\) and ideal.shape=\(3, 2\) must be equal"):
        mask_accuracy(np.zeros((2, 3)), np.zeros((3, 2), bool))
