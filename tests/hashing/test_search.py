import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import blsh.hashing.search as search
from blsh.hashing.codes import Codes, pack_bits
from blsh.hashing.search import (
    hamming_index,
    hamming_neighbours,
    hamming_sweep,
    inner_product_neighbours,
)
from tests import naive_hashing as naive

SPEC_GRID = (1, 5, 10, 20, 25, *range(30, 121, 10), 125, *range(130, 301, 10))


def random_bits(rng, n, n_bits):
    return rng.random((n, n_bits)) < 0.5


def tied_bits(rng, n, n_bits, n_different=5):
    """Codes of which most are equal."""
    return random_bits(rng, n_different, n_bits)[rng.integers(0, n_different, n)]


def assert_equal(found, expected):
    indices, scores = expected
    np.testing.assert_array_equal(found.indices, indices)
    np.testing.assert_array_equal(found.scores, scores)
    assert (found.indices.dtype, found.scores.dtype) == (indices.dtype, scores.dtype)


# --- Hamming distance


@pytest.mark.parametrize("make", [random_bits, tied_bits])
@pytest.mark.parametrize("n_bits", [1, 15, 16, 17, 50, 64, 65, 128, 150, 300, 512])
def test_hamming_neighbours_equal_the_definition(rng, n_bits, make):
    queries, dictionary = make(rng, 9, n_bits), make(rng, 1100, n_bits)
    for k in (1, 10, 64):
        found = hamming_neighbours(pack_bits(queries), pack_bits(dictionary), k)
        assert_equal(found, naive.hamming_neighbours(queries, dictionary, k))


@given(st.integers(0, 5), st.integers(1, 20), st.integers(1, 90), st.data())
def test_hamming_neighbours_of_any_shape(n_queries, n_frames, n_bits, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    queries, dictionary = random_bits(rng, n_queries, n_bits), tied_bits(rng, n_frames, n_bits, 3)
    k = data.draw(st.integers(1, n_frames))
    found = hamming_neighbours(pack_bits(queries), pack_bits(dictionary), k)
    assert_equal(found, naive.hamming_neighbours(queries, dictionary, k))


@pytest.mark.parametrize("n_frames", [511, 512, 513, 1024])
def test_all_frames_can_be_asked_for(rng, n_frames):
    queries, dictionary = random_bits(rng, 2, 40), random_bits(rng, n_frames, 40)
    found = hamming_neighbours(pack_bits(queries), pack_bits(dictionary), n_frames)
    assert_equal(found, naive.hamming_neighbours(queries, dictionary, n_frames))


@pytest.mark.parametrize("order", ["random", "falling", "rising", "equal"])
def test_large_dictionaries_start_from_a_bound(rng, order):
    # With more than k whole blocks of 512 rows, a first look at them bounds the k-th distance.
    queries = np.zeros((3, 20), bool)
    n_frames = 33 * 512 + 7
    n_ones = {
        "random": rng.integers(0, 21, n_frames),
        "falling": np.linspace(20, 0, n_frames).astype(int),
        "rising": np.linspace(0, 20, n_frames).astype(int),
        "equal": np.full(n_frames, 4),
    }[order]
    dictionary = np.arange(20) < n_ones[:, None]
    found = hamming_neighbours(pack_bits(queries), pack_bits(dictionary), 1)
    assert_equal(found, naive.hamming_neighbours(queries, dictionary, 1))


@pytest.mark.parametrize("k", [1, 3])
def test_more_blocks_than_are_looked_at_twice(rng, k):
    queries, dictionary = (random_bits(rng, n, 24) for n in (2, 514 * 512 + 100))
    dictionary[513 * 512 + 5] = queries[0]
    swept = hamming_sweep(pack_bits(queries), hamming_index(pack_bits(dictionary), (9, 24)), k, (9, 24))
    for n_bits, found in zip((9, 24), swept, strict=True):
        assert_equal(found, naive.hamming_neighbours(queries[:, :n_bits], dictionary[:, :n_bits], k))


def test_equal_codes_are_ordered_by_row():
    codes = pack_bits(np.ones((2000, 30), bool))
    found = hamming_neighbours(codes.prefix(30), codes, 12)
    np.testing.assert_array_equal(found.indices, np.tile(np.arange(12), (2000, 1)))
    assert not found.scores.any()


def test_the_largest_distances(rng):
    queries, dictionary = np.zeros((1, 65535), bool), np.ones((2, 65535), bool)
    found = hamming_neighbours(pack_bits(queries), pack_bits(dictionary), 2)
    assert_equal(found, (np.array([[0, 1]]), np.array([[65535, 65535]], np.int32)))
    with pytest.raises(ValueError, match="n_bits=65536 exceeds 65535"):
        hamming_neighbours(*[pack_bits(np.ones((1, 65536), bool))] * 2, 1)


def test_faiss_finds_the_same_distances(rng):
    faiss = pytest.importorskip("faiss")
    queries, dictionary = (pack_bits(random_bits(rng, n, 300)) for n in (40, 20_000))
    index = faiss.IndexBinaryFlat(320)
    index.add(dictionary.words.view(np.uint8))
    distances, _ = index.search(queries.words.view(np.uint8), 10)
    np.testing.assert_array_equal(hamming_neighbours(queries, dictionary, 10).scores, distances)


def test_a_sweep_equals_the_searches_of_the_prefixes(rng):
    queries, dictionary = (pack_bits(tied_bits(rng, n, 300, 400)) for n in (20, 3000))
    swept = hamming_sweep(queries, dictionary, 10, SPEC_GRID)
    assert len(swept) == len(SPEC_GRID)
    for n_bits, found in zip(SPEC_GRID, swept, strict=True):
        expected = hamming_neighbours(queries.prefix(n_bits), dictionary.prefix(n_bits), 10)
        assert_equal(found, (expected.indices, expected.scores))


@given(st.sets(st.integers(1, 140), min_size=1, max_size=8), st.integers(0, 1000))
def test_a_sweep_of_any_lengths_equals_the_definition(lengths, seed):
    rng = np.random.default_rng(seed)
    queries, dictionary = random_bits(rng, 3, 140), tied_bits(rng, 15, 140, 6)
    swept = hamming_sweep(pack_bits(queries), pack_bits(dictionary), 4, sorted(lengths))
    for n_bits, found in zip(sorted(lengths), swept, strict=True):
        assert_equal(found, naive.hamming_neighbours(queries[:, :n_bits], dictionary[:, :n_bits], 4))


def test_an_index_finds_what_the_codes_find(rng):
    queries, dictionary = (pack_bits(tied_bits(rng, n, 70, 50)) for n in (30, 1500))
    found = hamming_neighbours(queries, hamming_index(dictionary), 5)
    expected = hamming_neighbours(queries, dictionary, 5)
    assert_equal(found, (expected.indices, expected.scores))
    index = hamming_index(dictionary, (3, 70))
    assert len(index) == 1500 and index.prefixes == (3, 70)
    for n_bits, found in zip((3, 70), hamming_sweep(queries, index, 5, (3, 70)), strict=True):
        expected = hamming_neighbours(queries.prefix(n_bits), dictionary.prefix(n_bits), 5)
        assert_equal(found, (expected.indices, expected.scores))


def test_a_dictionary_in_shards_and_tiles_of_queries_equals_the_whole(rng, monkeypatch):
    queries, dictionary = (pack_bits(tied_bits(rng, n, 70, 300)) for n in (50, 20_000))
    expected = hamming_sweep(queries, dictionary, 3, (20, 70))
    monkeypatch.setattr(search, "_SHARD_ROWS", 17_000)  # enough for the first to start from a bound
    monkeypatch.setattr(search, "_TILE", 7)
    for found, whole in zip(hamming_sweep(queries, dictionary, 3, (20, 70)), expected, strict=True):
        assert_equal(found, (whole.indices, whole.scores))


def test_a_mapped_dictionary(rng, tmp_path):
    queries, dictionary = (pack_bits(random_bits(rng, n, 100)) for n in (5, 700))
    np.save(tmp_path / "words.npy", dictionary.words)
    mapped = Codes(np.load(tmp_path / "words.npy", mmap_mode="r"), 100)
    expected = hamming_neighbours(queries, dictionary, 9)
    assert_equal(hamming_neighbours(queries, mapped, 9), (expected.indices, expected.scores))


def test_threads_change_nothing(rng):
    queries, dictionary = (pack_bits(tied_bits(rng, n, 60, 200)) for n in (100, 3000))
    rows, others = (rng.random((n, 12)).astype(np.float32) for n in (100, 3000))

    def search_both():
        swept = hamming_sweep(queries, dictionary, 10, (7, 60))
        return [a.tobytes() for f in (*swept, inner_product_neighbours(rows, others, 10)) for a in vars(f).values()]

    n_threads = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        one = search_both()
    finally:
        numba.set_num_threads(n_threads)
    assert search_both() == one


def test_no_queries_have_no_neighbours(rng):
    dictionary = pack_bits(random_bits(rng, 20, 8))
    none = pack_bits(np.ones((0, 8), bool))
    for found in (
        *hamming_sweep(none, dictionary, 3, (2, 8)),
        hamming_neighbours(none, hamming_index(dictionary), 3),
    ):
        assert_equal(found, (np.empty((0, 3), np.int64), np.empty((0, 3), np.int32)))
    found = inner_product_neighbours(np.ones((0, 4), np.float32), np.ones((5, 4), np.float32), 3)
    assert_equal(found, (np.empty((0, 3), np.int64), np.empty((0, 3))))


def test_hamming_search_refuses_what_does_not_fit(rng):
    codes = pack_bits(random_bits(rng, 10, 70))
    with pytest.raises(ValueError, match="k=12 exceeds the dictionary's 10 frames"):
        hamming_neighbours(codes, codes, 12)
    with pytest.raises(ValueError, match="k=1 exceeds the dictionary's 0 frames"):
        hamming_neighbours(codes, pack_bits(np.ones((0, 70), bool)), 1)
    with pytest.raises(ValueError, match="k=0 must be at least 1"):
        hamming_neighbours(codes, codes, 0)
    with pytest.raises(TypeError):
        hamming_neighbours(codes, codes, 1.5)
    with pytest.raises(ValueError, match=r"queries of 69 bits .* dictionary of 70 bits"):
        hamming_neighbours(codes.prefix(69), codes, 1)
    with pytest.raises(ValueError, match=r"\[70\] are not the code lengths \[3, 70\] of this index"):
        hamming_neighbours(codes, hamming_index(codes, (3, 70)), 1)


@pytest.mark.parametrize(
    "lengths, message",
    [
        ((), "names no code length"),
        ((0, 3), r"\[0, 3\] must be positive and rise"),
        ((3, 3), r"\[3, 3\] must be positive and rise"),
        ((3, 71), "n_bits=71 exceeds the 70 bits"),
    ],
)
def test_a_sweep_refuses_impossible_lengths(rng, lengths, message):
    codes = pack_bits(random_bits(rng, 10, 70))
    with pytest.raises(ValueError, match=message):
        hamming_sweep(codes, codes, 1, lengths)
    with pytest.raises(ValueError, match=message):
        hamming_index(codes, lengths)


# --- Inner product


def unit_rows(rng, n, width):
    rows = rng.random((n, width)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("width", [1, 2, 7, 128])
def test_inner_product_neighbours_equal_the_definition(rng, width):
    queries, dictionary = unit_rows(rng, 7, width), unit_rows(rng, 600, width)
    for k in (1, 10, 600):
        found = inner_product_neighbours(queries, dictionary, k)
        assert_equal(found, naive.inner_product_neighbours(queries, dictionary, k))


def test_rows_that_differ_in_the_last_digits(rng):
    # Float32 products cannot tell these rows apart; their order in float64 is the definition.
    base = unit_rows(rng, 1, 60)
    dictionary = np.repeat(base, 900, axis=0)
    jitter = rng.integers(-1, 2, dictionary.shape).astype(np.int32)
    dictionary = (dictionary.view(np.int32) + jitter).view(np.float32)
    queries = np.concatenate([base, unit_rows(rng, 3, 60)])
    assert len(np.unique((queries @ dictionary.T)[0])) < 100
    found = inner_product_neighbours(queries, dictionary, 20)
    assert_equal(found, naive.inner_product_neighbours(queries, dictionary, 20))


def test_duplicates_and_silence_are_ordered_by_row(rng):
    distinct = np.concatenate([unit_rows(rng, 4, 30), np.zeros((1, 30), np.float32)])
    dictionary = distinct[rng.integers(0, 5, 700)]
    queries = np.concatenate([distinct, -distinct])
    found = inner_product_neighbours(queries, dictionary, 300)
    assert_equal(found, naive.inner_product_neighbours(queries, dictionary, 300))
    np.testing.assert_array_equal(found.indices[4], np.arange(300))


@given(st.integers(0, 4), st.integers(1, 12), st.integers(1, 6), st.integers(-30, 18), st.data())
def test_inner_products_of_any_size(n_queries, n_frames, width, exponent, data):
    # From subnormal float32 products to ones that overflow.
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    queries, dictionary = (
        (rng.integers(-3, 4, (n, width)) * 10.0 ** (exponent + rng.integers(-2, 3, (n, 1)))).astype(np.float32)
        for n in (n_queries, n_frames)
    )
    k = data.draw(st.integers(1, n_frames))
    found = inner_product_neighbours(queries, dictionary, k)
    assert_equal(found, naive.inner_product_neighbours(queries, dictionary, k))


def test_products_that_overflow_in_float32():
    big = np.float32(3e38)
    dictionary = np.array([[-big, big, 1], [1, 0, 0], [big, 0, 0], [-big, big, 2]], np.float32)
    queries = np.array([[big, big, 1], [2, 0, 0]], np.float32)
    found = inner_product_neighbours(queries, dictionary, 4)
    assert_equal(found, naive.inner_product_neighbours(queries, dictionary, 4))


def test_blocks_of_queries_and_rows_equal_the_whole(rng, monkeypatch):
    queries, dictionary = unit_rows(rng, 30, 20), unit_rows(rng, 500, 20)
    expected = inner_product_neighbours(queries, dictionary, 11)
    monkeypatch.setattr(search, "_SCORE_QUERIES", 4)
    monkeypatch.setattr(search, "_SCORE_ROWS", 13)
    found = inner_product_neighbours(queries, dictionary, 11)
    assert_equal(found, (expected.indices, expected.scores))


def test_a_mapped_dictionary_of_features(rng, tmp_path):
    queries, dictionary = unit_rows(rng, 3, 20), unit_rows(rng, 50, 20)
    np.save(tmp_path / "features.npy", dictionary)
    expected = inner_product_neighbours(queries, dictionary, 5)
    for same in (np.load(tmp_path / "features.npy", mmap_mode="r"), np.asfortranarray(dictionary)):
        assert_equal(inner_product_neighbours(queries, same, 5), (expected.indices, expected.scores))


def test_inner_product_search_refuses_what_does_not_fit(rng):
    rows = unit_rows(rng, 10, 4)
    with pytest.raises(ValueError, match="k=12 exceeds the dictionary's 10 frames"):
        inner_product_neighbours(rows, rows, 12)
    with pytest.raises(ValueError, match=r"queries of width 3 .* dictionary of width 4"):
        inner_product_neighbours(np.ascontiguousarray(rows[:, :3]), rows, 1)
    with pytest.raises(TypeError, match=r"dictionary.dtype=float64 must be float32"):
        inner_product_neighbours(rows, rows.astype(float), 1)
    spoilt = rows.copy()
    spoilt[6, 2] = np.nan
    with pytest.raises(ValueError, match="dictionary row 6 is not finite"):
        inner_product_neighbours(rows, spoilt, 1)
    with pytest.raises(ValueError, match="queries row 6 is not finite"):
        inner_product_neighbours(spoilt, rows, 1)


# --- without the compiler


def test_everything_runs_as_plain_python():
    program = """
        import numpy as np
        from numba import config
        from blsh.denoising.mask_estimation import average_masks, mean_mask
        from blsh.hashing import *
        from tests import naive_hashing as naive

        assert config.DISABLE_JIT
        rng = np.random.default_rng(0)
        queries, dictionary = rng.random((3, 9)).astype(np.float32), rng.random((30, 9)).astype(np.float32)
        projections = random_projections(20, 9, rng=rng)
        codes, bits = [], []
        for rows in (queries, dictionary):
            bits.append(naive.bits_of(rows, projections.matrix, projections.bias))
            codes.append(encode(rows, projections))
            assert (unpack_bits(codes[-1]) == bits[-1]).all()
        for n_bits, found in zip((5, 20), hamming_sweep(*codes, 4, (5, 20))):
            indices, scores = naive.hamming_neighbours(*(b[:, :n_bits] for b in bits), 4)
            assert (found.indices == indices).all() and (found.scores == scores).all()
        found = inner_product_neighbours(queries, dictionary, 4)
        indices, scores = naive.inner_product_neighbours(queries, dictionary, 4)
        assert (found.indices == indices).all() and (found.scores == scores).all()
        masks = rng.random((30, 513)) < 0.5
        packed = np.packbits(masks, axis=1, bitorder="little")
        assert (average_masks(packed, indices) == naive.average_masks(masks, indices)).all()
        assert (mean_mask(packed) == masks.mean(axis=0).astype(np.float32)).all()
    """
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program)],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
