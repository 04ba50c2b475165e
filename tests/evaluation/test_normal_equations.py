import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blsh.evaluation._blocks import correlate, transform_blocks
from blsh.evaluation._normal_equations import (
    MOST_CONDITION,
    NormalEquations,
    correlations_of,
    factor,
    gram_matrix,
    normal_equations,
)
from blsh.evaluation._toeplitz import ToeplitzInverse, invert
from tests import naive_evaluation as naive


def test_gram_matrix_is_that_of_the_delayed_copies(rng):
    references = rng.standard_normal((2, 300))
    copies = naive.delayed_copies(references, 20)
    correlations = correlations_of(references, transform_blocks(references, 20))
    np.testing.assert_allclose(gram_matrix(correlations), copies.T @ copies, atol=1e-10)
    np.testing.assert_allclose(normal_equations(correlations).energies, np.sum(references**2, axis=1))


@pytest.mark.parametrize("k", [1, 2])
def test_filters_are_the_least_squares_solution(k, rng):
    references = rng.standard_normal((k, 300))
    estimate = rng.standard_normal(300)
    blocks = transform_blocks(references, 20)
    correlations = correlations_of(references, blocks)
    products = correlate(estimate, blocks)
    structured = normal_equations(correlations)
    assert isinstance(structured.form, ToeplitzInverse) and not structured.ill_conditioned
    factored = factor(gram_matrix(correlations))
    assert factored.method == "cholesky"
    expected = np.linalg.lstsq(naive.delayed_copies(references, 20), np.pad(estimate, (0, 19)))[0]
    for form in (structured, factored):
        np.testing.assert_allclose(form.solve(products).ravel(), expected, atol=1e-10)


@pytest.mark.parametrize(
    ("smallest", "method"), [(1e-9, "cholesky"), (1e-11, "cholesky"), (1e-15, "lu"), (-1e-9, "lu")]
)
def test_the_condition_chooses_the_method(smallest, method, rng):
    basis, _ = np.linalg.qr(rng.standard_normal((16, 16)))
    gram = basis * np.append(np.ones(15), smallest) @ basis.T
    factored = factor((gram + gram.T) / 2)
    assert factored.method == method
    assert NormalEquations(factored, np.ones(1)).ill_conditioned == (method != "cholesky")


def test_lu_is_the_solution_of_numpy(rng):
    gram = rng.standard_normal((16, 16))
    gram = gram + gram.T
    products = rng.standard_normal((2, 8))
    factored = factor(gram)
    assert factored.method == "lu"
    np.testing.assert_allclose(factored.solve(products).ravel(), np.linalg.solve(gram, products.ravel()), rtol=1e-9)


def test_a_singular_matrix_gives_the_shortest_solution():
    factored = factor(np.ones((4, 4)))
    assert factored.method == "least-squares"
    np.testing.assert_allclose(factored.solve(np.full((1, 4), 8.0)), np.full((1, 4), 2.0))


def band_limited(n_samples, floor, rng):
    """Two signals without energy above a quarter of the rate, but for a floor."""
    kept = np.fft.rfftfreq(n_samples) < 0.25
    signals = np.fft.irfft(np.fft.rfft(rng.standard_normal((2, n_samples))) * kept, n_samples)
    return signals * np.hanning(n_samples) + floor * rng.standard_normal((2, n_samples))


@settings(max_examples=60)
@given(st.integers(1, 2), st.integers(1, 40), st.integers(60, 400), st.floats(0.01, 1), st.integers(0, 2**32))
def test_the_inverse_by_structure_is_that_of_the_matrix(k, n_lags, n_samples, floor, seed):
    rng = np.random.default_rng(seed)
    references = band_limited(n_samples, floor, rng)[:k]
    correlations = correlations_of(references, transform_blocks(references, n_lags))
    gram = gram_matrix(correlations)
    products = rng.standard_normal((k, n_lags))
    inverse = invert(correlations)
    assert inverse.condition >= 0.999 * np.linalg.cond(gram, 1)
    expected = np.linalg.solve(gram, products.ravel())
    # The error of either is of the size of the condition's rounding.
    tolerance = 1e-14 * inverse.condition * np.abs(expected).max()
    np.testing.assert_allclose(inverse.solve(products).ravel(), expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("k", [1, 2])
def test_refinement_leaves_no_more_than_a_cholesky_factor_does(k, rng):
    references = band_limited(20_000, 1e-3, rng)[:k]
    blocks = transform_blocks(references, 512)
    correlations = correlations_of(references, blocks)
    products = correlate(references[0] + rng.standard_normal(20_000), blocks)
    inverse, gram = invert(correlations), gram_matrix(correlations)
    assert 1e6 < inverse.condition < MOST_CONDITION
    left = [np.abs(gram @ form.solve(products).ravel() - products.ravel()).max() for form in (inverse, factor(gram))]
    assert left[0] <= 4 * left[1]


@pytest.mark.parametrize("k", [1, 2])
def test_a_condition_beyond_the_structure_s_is_left_to_factors(k, rng):
    references = band_limited(5000, 1e-4, rng)[:k]
    equations = normal_equations(correlations_of(references, transform_blocks(references, 512)))
    assert equations.form.method == "cholesky" and not equations.ill_conditioned


@pytest.mark.parametrize(
    "correlations",
    [
        np.zeros((1, 1, 4)),
        np.ones((1, 1, 4)),
        np.array([[[1.0, 2.0, 0.0]]]),  # of no signal
        np.ones((2, 2, 4)),
        np.concatenate([np.ones((2, 2, 1)), np.zeros((2, 2, 3))], axis=2),  # one reference twice
    ],
)
def test_what_is_not_positive_definite_has_no_inverse_by_structure(correlations):
    assert invert(correlations) is None
    assert isinstance(normal_equations(correlations).form.method, str)
