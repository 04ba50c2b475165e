"""Weights of pairs and the objective that they make."""

import numpy as np
import pytest

from blsh.hashing.similarity import ssm
from blsh.hashing.weights import pair_losses, pair_weights, papers_rule
from tests import naive_boosting as naive
from tests.hashing.boosting_cases import FLOAT32, LOSSES, N, unit_rows


@pytest.mark.parametrize("loss", LOSSES)
def test_weights_from_codes_equal_repeated_multiplication(rng, loss):
    target = ssm(unit_rows(rng, N))
    codes = rng.choice(np.array([-1, 1], np.int8), (N, 12))
    betas = rng.normal(0.2, 0.4, 12)  # some negative, as cross-entropy makes them
    for n_rounds in (0, 1, 12):
        weights = pair_weights(target, codes[:, :n_rounds], betas[:n_rounds], loss=loss)
        expected = naive.pair_weights(target, codes[:, :n_rounds], betas[:n_rounds], loss)
        np.testing.assert_allclose(weights, expected, rtol=FLOAT32)


@pytest.mark.parametrize("loss", LOSSES)
def test_loss_is_that_of_the_pairs(rng, loss):
    target = ssm(unit_rows(rng, N))
    codes = rng.choice(np.array([-1, 1], np.int8), (N, 4))
    betas = np.array([1.0, 0.8, 0.6, 0.3])
    objective = papers_rule(target, codes, betas, weight_loss="square", loss=loss)
    signs = rng.choice([-1, 1], N)
    weights = naive.pair_weights(target, codes, betas, "square")
    expected = np.sum(weights * naive.losses_of_pairs(signs, target, loss))
    assert objective.loss(signs) == pytest.approx(expected, rel=FLOAT32)


@pytest.mark.parametrize("loss", LOSSES)
def test_weights_stay_finite_at_the_ends_of_similarity(loss):
    target = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1]], dtype=np.float32)
    codes = np.tile(np.array([[1], [1], [-1]], np.int8), 300)
    objective = papers_rule(target, codes, np.full(300, 13.0), weight_loss=loss, loss=loss)
    assert np.isfinite(objective.matrix).all()
    assert np.isfinite(objective.constant)
    assert 1 <= objective.effective_pairs <= 9


def test_unknown_loss():
    with pytest.raises(ValueError, match="loss='hinge' is unknown: choose one of square, xent"):
        pair_losses(np.eye(3, dtype=np.float32), loss="hinge")
