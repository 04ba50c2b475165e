"""Residual boosting against its definition, pair by pair, and what it promises as a rule of the trainer."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blsh.hashing.boosting import boost
from blsh.hashing.residual import RESIDUAL, residual_rule
from blsh.hashing.segments import signs_of_frames
from blsh.hashing.similarity import centred
from blsh.signal.masks import pack_masks
from tests import naive_residual as naive

SMALL = replace(RESIDUAL, n_bits=6, segment_frames=40, n_segments=3, min_passes=8, max_passes=8)


def rule(target, codes, **options):
    return residual_rule(target, codes, np.ones(codes.shape[1]), weight_loss="square", loss="square", **options)


def rng_for_round(number):
    return np.random.default_rng([7, number])


@pytest.fixture
def frames(rng):
    """Two clusters of frames that differ little, with masks of their own."""
    centres = rng.random((2, 12))
    kind = rng.integers(0, 2, 200)
    rows = (centres[kind] + 0.3 * rng.random((200, 12))).astype(np.float32)
    masks = (kind[:, None] == 1) ^ (rng.random((200, 30)) < 0.2)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True), pack_masks(masks), kind


def test_three_frames_by_hand():
    target = np.array([[1, 0.5, -1], [0.5, 1, 0], [-1, 0, 1]], np.float32)
    codes = np.array([[1], [1], [-1]])
    # M = 2 S - C Cᵀ, and Σ|M| = 1 + 0 + 1 + 0 + 1 + 1 + 1 + 1 + 1 = 7
    objective = rule(target, codes)
    np.testing.assert_allclose(7 * objective.matrix, [[1, 0, -1], [0, 1, 1], [-1, 1, 1]], rtol=1e-6)
    np.testing.assert_allclose(7 * objective.row_weights, [2, 2, 3], rtol=1e-6)
    assert objective.effective_pairs == pytest.approx(7)
    # With t = (1, -1, -1): tᵀMt = 3 + 2 · (0 + 1 + 1) = 7, so every pair is on its side.
    assert objective.loss(np.array([1, -1, -1])) == pytest.approx(0, abs=1e-6)
    assert objective.loss(np.array([1, 1, 1])) == pytest.approx(1 / 2 - 3 / 14)


@given(st.integers(2, 12), st.integers(0, 9), st.integers(0, 1000))
def test_the_matrix_and_the_loss_are_those_of_the_definition(n, n_rounds, seed):
    rng = np.random.default_rng(seed)
    target = rng.uniform(-1, 1, (n, n)).astype(np.float32)
    target = (target + target.T) / 2
    codes, signs = rng.choice([-1, 1], (n, n_rounds)).astype(np.int8), rng.choice([-1, 1], n)
    objective = rule(target, codes)
    np.testing.assert_allclose(objective.matrix, naive.matrix(target, codes), rtol=1e-4, atol=1e-6)
    assert objective.loss(signs) == pytest.approx(naive.weighted_error(target, codes, signs), abs=1e-5)
    # The least loss is the least distance of the codes to the target.
    every = np.array(np.meshgrid(*[[-1, 1]] * min(n, 8))).reshape(min(n, 8), -1).T
    distances = [naive.distance(target[:8, :8], codes[:8], t) for t in every]
    losses = [rule(np.ascontiguousarray(target[:8, :8]), codes[:8]).loss(t) for t in every]
    assert distances[int(np.argmin(losses))] == pytest.approx(min(distances), rel=1e-4)


def test_it_writes_where_it_is_told(rng):
    target = centred(rng.random((9, 5)).astype(np.float32), pack_masks(rng.random((9, 20)) < 0.5), 0.5)
    codes = rng.choice([-1, 1], (9, 4)).astype(np.int8)
    out = np.full((9, 9), np.nan, np.float32)
    objective = rule(target, codes, out=out)
    assert objective.matrix is out
    np.testing.assert_array_equal(out, rule(target, codes).matrix)


def test_a_target_of_zeros_is_no_division_by_zero():
    objective = rule(np.zeros((4, 4), np.float32), np.empty((4, 0), np.int8))
    assert objective.loss(np.ones(4)) == 0.5


def test_bits_find_the_clusters_and_approach_the_target(frames):
    features, masks, kind = frames
    learned, rounds = boost(features, SMALL, rng_for_round=rng_for_round, masks=masks, rule=residual_rule)
    codes = signs_of_frames(features, learned)
    same_side = np.abs(codes[:, 0] @ (2.0 * kind - 1)) / len(kind)
    assert same_side > 0.9
    target = centred(features, masks, 0.5)
    errors = [np.linalg.norm(target - codes[:, :bits] @ codes[:, :bits].T / bits) for bits in (1, 3, 6)]
    assert errors[0] > errors[1] > errors[2]
    assert rounds[0].epsilon < 0.2


def test_fewer_bits_are_a_prefix_of_more(frames):
    features, masks, _ = frames
    long, _ = boost(features, SMALL, rng_for_round=rng_for_round, masks=masks, rule=residual_rule)
    short, _ = boost(features, replace(SMALL, n_bits=2), rng_for_round=rng_for_round, masks=masks, rule=residual_rule)
    np.testing.assert_array_equal(long.matrix[:2], short.matrix)


def test_masks_are_needed(frames):
    with pytest.raises(ValueError, match=r"the target centred-0.5 needs the frames' binary masks: give masks"):
        boost(frames[0], SMALL, rng_for_round=rng_for_round, rule=residual_rule)
