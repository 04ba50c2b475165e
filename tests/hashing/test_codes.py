import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blsh.hashing.codes import Codes, pack_bits, unpack_bits
from tests import naive_hashing as naive

LENGTHS = (1, 7, 8, 63, 64, 65, 128, 150, 300)


@pytest.mark.parametrize("n_bits", LENGTHS)
def test_words_are_those_of_the_definition(rng, n_bits):
    bits = rng.random((5, n_bits)) < 0.5
    codes = pack_bits(bits)
    assert codes.words.dtype == np.uint64 and codes.words.flags.c_contiguous
    np.testing.assert_array_equal(codes.words, naive.words_of(bits))
    np.testing.assert_array_equal(unpack_bits(codes), bits)


@given(st.integers(1, 200), st.integers(0, 4), st.data())
def test_a_prefix_is_the_code_of_the_first_bits(n_bits, n_frames, data):
    n = data.draw(st.integers(1, n_bits))
    bits = np.random.default_rng(n_bits).random((n_frames, n_bits)) < 0.5
    prefix = pack_bits(bits).prefix(n)
    assert prefix.n_bits == n and len(prefix) == n_frames
    np.testing.assert_array_equal(prefix.words, pack_bits(bits[:, :n]).words)


def test_words_cannot_be_written(rng):
    words = np.zeros((2, 1), np.uint64)
    codes = Codes(words, 64)
    with pytest.raises(ValueError, match="read-only"):
        codes.words[0, 0] = 1
    words[0, 0] = 1  # the caller's own array stays the caller's


def test_bits_in_any_memory_order(rng):
    bits = rng.random((70, 6)) < 0.5
    np.testing.assert_array_equal(pack_bits(bits.T).words, pack_bits(bits.T.copy()).words)


@pytest.mark.parametrize(
    "words, n_bits, error, message",
    [
        (np.zeros((2, 1), np.uint64), 0, ValueError, "n_bits=0 must be at least 1"),
        (np.zeros((2, 1), np.uint64), 65, ValueError, r"\(2, 1\) must have 2 columns for n_bits=65"),
        (np.full((2, 1), 8, np.uint64), 3, ValueError, "bits set past n_bits=3"),
        (np.zeros((2, 1), np.int64), 3, TypeError, "words.dtype=int64 must be uint64"),
        (np.zeros((2, 1), ">u8"), 3, TypeError, "words.dtype=>u8 must be uint64"),
        (np.zeros(2, np.uint64), 3, ValueError, r"words of shape \(2,\) must have 2 axes"),
        ([[1]], 3, TypeError, "words of type list"),
    ],
)
def test_what_is_no_code_is_refused(words, n_bits, error, message):
    with pytest.raises(error, match=message):
        Codes(words, n_bits)


def test_bits_must_be_boolean_and_there(rng):
    with pytest.raises(TypeError, match=r"bits.dtype=uint8 must be bool"):
        pack_bits(np.ones((2, 3), np.uint8))
    with pytest.raises(ValueError, match=r"\(2, 0\) must have a column"):
        pack_bits(np.ones((2, 0), bool))


@pytest.mark.parametrize("n_bits", [0, 9])
def test_a_prefix_lies_within_the_code(n_bits):
    with pytest.raises(ValueError, match=f"n_bits={n_bits} must lie in 1…8"):
        pack_bits(np.ones((2, 8), bool)).prefix(n_bits)
