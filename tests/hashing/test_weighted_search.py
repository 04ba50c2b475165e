"""The weighted search against its definition, ties included, and against the plain one where weights are equal."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blsh.hashing.codes import pack_bits
from blsh.hashing.search import hamming_neighbours
from blsh.hashing.weighted_search import weighted_index, weighted_neighbours
from tests import naive_hashing as naive


@given(st.integers(1, 70), st.integers(1, 40), st.integers(1, 5), st.integers(0, 999))
def test_it_finds_what_the_loop_finds(n_bits, n_rows, n_queries, seed):
    rng = np.random.default_rng(seed)
    queries, rows = rng.random((n_queries, n_bits)) < 0.5, rng.random((n_rows, n_bits)) < 0.5
    rows[rng.integers(0, n_rows, n_rows // 2)] = rows[0]  # equal codes tie
    # Few different weights, so that different codes tie as well.
    weights = rng.choice([0.25, 0.5, 0.3, 1.7], n_bits).astype(np.float32)
    k = int(rng.integers(1, n_rows + 1))
    found = weighted_neighbours(pack_bits(queries), weighted_index(pack_bits(rows), weights), k)
    indices, scores = naive.weighted_neighbours(queries, rows, weights, k)
    np.testing.assert_array_equal(found.indices, indices)
    np.testing.assert_array_equal(found.scores, scores)


@given(st.integers(1, 130), st.integers(0, 999))
def test_equal_weights_give_the_order_of_hamming_distance(n_bits, seed):
    rng = np.random.default_rng(seed)
    queries, rows = pack_bits(rng.random((3, n_bits)) < 0.5), pack_bits(rng.random((60, n_bits)) < 0.5)
    index = weighted_index(rows, np.full(n_bits, 0.7, np.float32))
    np.testing.assert_array_equal(
        weighted_neighbours(queries, index, 20).indices, hamming_neighbours(queries, rows, 20).indices
    )


def test_a_heavy_bit_outweighs_several_light_ones():
    rows = pack_bits(np.array([[0, 1, 1, 1], [1, 0, 0, 0]], bool))
    query = pack_bits(np.array([[1, 1, 1, 1]], bool))
    heavy, light = (weighted_index(rows, np.array([w, 1, 1, 1], np.float32)) for w in (3.5, 2.5))
    assert weighted_neighbours(query, heavy, 1).indices.tolist() == [[1]]
    assert weighted_neighbours(query, light, 1).indices.tolist() == [[0]]
    assert weighted_neighbours(query, heavy, 2).scores.tolist() == [[0.5, -0.5]]


def test_bad_weights_and_queries():
    codes = pack_bits(np.ones((3, 5), bool))
    with pytest.raises(ValueError, match="4 weights do not fit codes of 5 bits: one for each is needed"):
        weighted_index(codes, np.ones(4, np.float32))
    with pytest.raises(ValueError, match="not finite: train again"):
        weighted_index(codes, np.array([1, 1, np.nan, 1, 1], np.float32))
    with pytest.raises(TypeError, match=r"weights.dtype=float64 must be float32"):
        weighted_index(codes, np.ones(5))
    index = weighted_index(codes, np.ones(5, np.float32))
    with pytest.raises(ValueError, match="queries of 6 bits do not fit a dictionary of 5 bits"):
        weighted_neighbours(pack_bits(np.ones((1, 6), bool)), index, 1)
    with pytest.raises(ValueError, match="k=4 exceeds the dictionary's 3 frames"):
        weighted_neighbours(codes, index, 4)
