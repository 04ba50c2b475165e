"""Whole-numbered projections are the same encoder up to rounding, whatever their scale."""

import numpy as np
import pytest

from blsh.hashing.codes import unpack_bits
from blsh.hashing.projections import Projections, encode, random_projections
from blsh.hashing.quantisation import quantised


def test_a_worked_case():
    projections = Projections(
        np.array([[1.0, -0.5, 0.1], [0.0, 2e-6, 1e-6]], np.float32), np.array([2.0, -1e-6], np.float32)
    )
    made = quantised(projections)
    np.testing.assert_array_equal(made.matrix, [[127, -64, 13], [0, 127, 64]])  # halves go to the even number
    np.testing.assert_allclose(made.bias, [254, -63.5], rtol=1e-6)


def test_nearly_all_bits_stay():
    rng = np.random.default_rng(0)
    projections = random_projections(64, 128, rng=rng)
    rows = rng.standard_normal((500, 128)).astype(np.float32)
    made = quantised(projections)
    assert np.array_equal(made.matrix, np.rint(made.matrix)) and np.abs(made.matrix).max() == 127
    same = unpack_bits(encode(rows, made)) == unpack_bits(encode(rows, projections))
    assert same.mean() > 0.99


def test_whole_numbers_stay_and_scale_does_not_matter():
    matrix = np.array([[127, -3, 0], [5, 127, -127]], np.float32)
    whole = Projections(matrix, np.array([0.25, -8], np.float32), np.array([1, 2], np.float32))
    again = quantised(whole)
    np.testing.assert_array_equal(again.matrix, matrix)
    np.testing.assert_array_equal(again.bias, whole.bias)
    np.testing.assert_array_equal(again.betas, whole.betas)
    scaled = quantised(Projections(matrix / 1024, whole.bias / 1024))
    np.testing.assert_array_equal(scaled.matrix, matrix)
    np.testing.assert_array_equal(scaled.bias, whole.bias)


def test_a_zero_projection_is_named():
    with pytest.raises(ValueError, match="projection 1 is zero"):
        quantised(Projections(np.array([[1, 0], [0, 0]], np.float32), np.zeros(2, np.float32)))
