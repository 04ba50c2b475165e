import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blsh.evaluation._blocks import correlate, filter_and_sum, transform_blocks

# float64 transforms of 4096 samples: a few ε of the largest element
FLOAT64 = 1e-12

shapes = st.tuples(st.integers(1, 3), st.integers(1, 400), st.integers(1, 40), st.integers(0, 2**32))


@settings(max_examples=60)
@given(shapes)
def test_correlation_is_the_inner_product_with_every_delay(shape):
    n_references, n_samples, filter_length, seed = shape
    rng = np.random.default_rng(seed)
    references = rng.standard_normal((n_references, n_samples))
    signal = rng.standard_normal(n_samples)
    expected = np.zeros((n_references, filter_length))
    for reference in range(n_references):
        for lag in range(min(filter_length, n_samples)):
            expected[reference, lag] = references[reference, : n_samples - lag] @ signal[lag:]
    products = correlate(signal, transform_blocks(references, filter_length))
    np.testing.assert_allclose(products, expected, atol=FLOAT64 * n_samples)


@settings(max_examples=60)
@given(shapes)
def test_filtering_is_convolution(shape):
    n_references, n_samples, filter_length, seed = shape
    rng = np.random.default_rng(seed)
    references = rng.standard_normal((n_references, n_samples))
    filters = rng.standard_normal((n_references, filter_length))
    for k in range(1, n_references + 1):
        expected = sum(np.convolve(references[i], filters[i]) for i in range(k))
        filtered = filter_and_sum(filters[:k], transform_blocks(references, filter_length))
        np.testing.assert_allclose(filtered, expected, atol=FLOAT64 * n_samples)


@pytest.mark.parametrize("n_samples", [513, 3584, 3585, 3586, 8000])
def test_the_lengths_of_bss_eval(n_samples, rng):
    references = rng.standard_normal((2, n_samples))
    signal = rng.standard_normal(n_samples)
    blocks = transform_blocks(references, 512)
    assert blocks.n_fft == 4096 and blocks.hop == 3585
    expected = [np.correlate(np.pad(signal, (0, 511)), reference)[:512] for reference in references]
    np.testing.assert_allclose(correlate(signal, blocks), expected, atol=FLOAT64 * n_samples)
