import numpy as np
import pytest

from blsh.evaluation._blocks import correlate, transform_blocks
from blsh.evaluation._normal_equations import factor, gram_matrix, solve
from tests import naive_evaluation as naive


def test_gram_matrix_is_that_of_the_delayed_copies(rng):
    references = rng.standard_normal((2, 300))
    copies = naive.delayed_copies(references, 20)
    gram = gram_matrix(references, transform_blocks(references, 20))
    np.testing.assert_allclose(gram, copies.T @ copies, atol=1e-10)
    np.testing.assert_allclose(factor(gram, 2).energies, np.sum(references**2, axis=1))


@pytest.mark.parametrize("k", [1, 2])
def test_filters_are_the_least_squares_solution(k, rng):
    references = rng.standard_normal((k, 300))
    estimate = rng.standard_normal(300)
    blocks = transform_blocks(references, 20)
    equations = factor(gram_matrix(references, blocks), k)
    assert equations.method == "cholesky" and not equations.ill_conditioned
    filters = solve(equations, correlate(estimate, blocks))
    expected = np.linalg.lstsq(naive.delayed_copies(references, 20), np.pad(estimate, (0, 19)))[0]
    np.testing.assert_allclose(filters.ravel(), expected, atol=1e-10)


@pytest.mark.parametrize(
    ("smallest", "method"), [(1e-9, "cholesky"), (1e-11, "cholesky"), (1e-15, "lu"), (-1e-9, "lu")]
)
def test_the_condition_chooses_the_method(smallest, method, rng):
    basis, _ = np.linalg.qr(rng.standard_normal((16, 16)))
    gram = basis * np.append(np.ones(15), smallest) @ basis.T
    equations = factor((gram + gram.T) / 2, 1)
    assert equations.method == method
    assert equations.ill_conditioned == (method != "cholesky")


def test_lu_is_the_solution_of_numpy(rng):
    gram = rng.standard_normal((16, 16))
    gram = gram + gram.T
    products = rng.standard_normal((2, 8))
    equations = factor(gram, 2)
    assert equations.method == "lu"
    np.testing.assert_allclose(solve(equations, products).ravel(), np.linalg.solve(gram, products.ravel()), rtol=1e-9)


def test_a_singular_matrix_gives_the_shortest_solution():
    equations = factor(np.ones((4, 4)), 1)
    assert equations.method == "least-squares"
    np.testing.assert_allclose(solve(equations, np.full((1, 4), 8.0)), np.full((1, 4), 2.0))
