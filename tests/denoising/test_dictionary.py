import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blsh.denoising.dictionary import draw_rows


@given(st.integers(1, 400), st.floats(0.01, 1), st.integers(0, 100))
def test_rows_are_the_head_of_a_permutation(n_frames, rho, seed):
    n_rows = round(rho * n_frames)
    if n_rows == 0:
        with pytest.raises(ValueError, match="leaves an empty dictionary"):
            draw_rows(n_frames, rho, rng=np.random.default_rng(seed))
        return
    rows = draw_rows(n_frames, rho, rng=np.random.default_rng(seed))
    permutation = np.random.default_rng(seed).permutation(n_frames)
    assert rows.dtype == np.int64
    assert rows.tolist() == sorted(permutation[:n_rows].tolist())


def test_a_smaller_dictionary_lies_inside_a_larger_one():
    small, large, all_of_it = (draw_rows(5000, rho, rng=np.random.default_rng(7)) for rho in (0.01, 0.1, 1.0))
    assert len(small) == 50 and len(large) == 500
    assert set(small.tolist()) < set(large.tolist())
    np.testing.assert_array_equal(all_of_it, np.arange(5000))


def test_a_half_is_rounded_to_the_even_number(rng):
    assert [len(draw_rows(n, 0.5, rng=rng)) for n in (3, 5, 7)] == [2, 2, 4]


@pytest.mark.parametrize("rho", [0.0, -0.1, 1.01, float("nan")])
def test_rho_is_a_fraction(rng, rho):
    with pytest.raises(ValueError, match=r"must lie in \(0, 1\]"):
        draw_rows(10, rho, rng=rng)


def test_there_must_be_frames(rng):
    with pytest.raises(ValueError, match="n_frames=0 must be at least 1"):
        draw_rows(0, 0.5, rng=rng)
    with pytest.raises(ValueError, match=r"rho=0.01 of 20 frames leaves an empty dictionary"):
        draw_rows(20, 0.01, rng=rng)
