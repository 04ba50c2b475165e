import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blsh.hashing.codes import Codes, pack_bits
from blsh.hashing.merging import merge_neighbours
from blsh.hashing.search import Neighbours, hamming_neighbours, inner_product_neighbours


def lengths_of(n_rows, n_shards, rng):
    """Lengths of consecutive shards, each of at least one row."""
    cuts = np.sort(rng.choice(np.arange(1, n_rows), n_shards - 1, replace=False))
    return np.diff([0, *cuts, n_rows]).tolist()


def search_shards(search, dictionary, lengths, k):
    """Search consecutive parts of the dictionary, each by itself."""
    ends = np.cumsum(lengths)
    return [search(dictionary[end - n : end], min(k, n)) for end, n in zip(ends, lengths, strict=True)]


@given(st.integers(0, 4), st.integers(1, 1200), st.integers(1, 80), st.data())
def test_sharded_hamming_search_equals_the_whole(n_queries, n_rows, n_bits, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    # Few different codes, so that ties cross the shards' borders.
    queries = pack_bits(rng.random((n_queries, n_bits)) < 0.5)
    dictionary = pack_bits((rng.random((4, n_bits)) < 0.5)[rng.integers(0, 4, n_rows)])
    k = data.draw(st.integers(1, min(n_rows, 70)))
    lengths = lengths_of(n_rows, data.draw(st.integers(1, min(n_rows, 6))), rng)

    def search(words, k_of_shard):
        return hamming_neighbours(queries, Codes(words, n_bits), k_of_shard)

    merged = merge_neighbours(search_shards(search, dictionary.words, lengths, k), lengths, k)
    assert_equal(merged, hamming_neighbours(queries, dictionary, k))


def test_sharded_inner_products_equal_the_whole(rng):
    queries = rng.standard_normal((7, 20)).astype(np.float32)
    dictionary = rng.standard_normal((40, 20)).astype(np.float32)[rng.integers(0, 40, 5000)]
    lengths = [3, 1, 4096, 900]

    def search(rows, k_of_shard):
        return inner_product_neighbours(queries, rows, k_of_shard)

    merged = merge_neighbours(search_shards(search, dictionary, lengths, 150), lengths, 150)
    assert_equal(merged, inner_product_neighbours(queries, dictionary, 150))


def test_a_merge_by_hand():
    left = Neighbours(np.array([[1, 0]]), np.array([[2, 5]], np.int32))
    right = Neighbours(np.array([[3, 2]]), np.array([[2, 2]], np.int32))
    merged = merge_neighbours([left, right], [2, 4], 2)
    assert_equal(merged, Neighbours(np.array([[1, 4]]), np.array([[2, 2]], np.int32)))


@pytest.mark.parametrize(
    ("n_rows", "k", "message"),
    [
        ([5, 5], 0, r"k=0 must lie in 1…10"),
        ([5, 5], 11, r"k=11 must lie in 1…10"),
        ([5], 2, r"2 shards and 1 numbers of rows"),
        ([5, 5], 3, r"shard 0 of 5 rows has neighbours of shape \(1, 2\), not \(1, 3\)"),
        ([5, 1], 2, r"shard 1 of 1 rows has neighbours of shape \(1, 2\), not \(1, 1\)"),
    ],
)
def test_shards_that_do_not_fit(n_rows, k, message):
    shard = Neighbours(np.array([[0, 1]]), np.array([[0, 0]], np.int32))
    with pytest.raises(ValueError, match=message):
        merge_neighbours([shard, shard], n_rows, k)


def test_shards_searched_in_different_ways():
    indices = np.array([[0, 1]])
    shards = [Neighbours(indices, np.zeros((1, 2), dtype)) for dtype in (np.int32, np.float64)]
    with pytest.raises(TypeError, match="scores of shard 1 are float64, not int32"):
        merge_neighbours(shards, [5, 5], 2)


def assert_equal(found, expected):
    np.testing.assert_array_equal(found.indices, expected.indices)
    np.testing.assert_array_equal(found.scores, expected.scores)
    assert (found.indices.dtype, found.scores.dtype) == (expected.indices.dtype, expected.scores.dtype)
