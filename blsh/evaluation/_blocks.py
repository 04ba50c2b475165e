"""Correlate signals with fixed references, and filter the references: block by block, at a filter's few lags.

The distortion filter of BSS Eval has L = 512 taps, the signals some 10⁵ samples. One transform of a whole
signal computes 10⁵ lags of which 512 are used, and falls out of the processor's cache. So a reference ``s``
is cut into blocks of ``n_fft − L + 1`` samples, each padded with zeros to ``n_fft`` = 8·L and transformed
once:

- correlation, ``b(k) = Σ_n s(n) e(n + k)`` for 0 ≤ k < L: block t meets the ``n_fft`` samples of ``e`` that
  begin where it begins. No product wraps round, since the block ends L − 1 samples before the transform does.
  The products of all blocks are added as spectra, and one short inverse transform ends it;
- filtering, ``(s * h)(n)`` for 0 ≤ n < N + L − 1: the same transforms times the filter's, overlapped and
  added.

Everything is float64, and transformed and summed by one thread.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy import fft

from blsh.files.kernels import njit

# 8 · 512 = 4096 samples: measured fastest of 1024 … 16384 for 512 taps, its neighbours within 10 %.
BLOCK_PER_FILTER = 8
# So many stay in the processor's cache, and take memory that is at hand: larger arrays are new pages each time, which
# cost more than the transforms.
_BLOCKS_AT_ONCE = 4


@dataclass(frozen=True, eq=False)
class BlockSpectra:
    """The transformed blocks of references of one length.

    Attributes
    ----------
    spectra : np.ndarray, shape (references, blocks, n_fft // 2 + 1), complex128
    n_samples : int
        Length N of each reference.
    n_fft : int
        Length of a padded block in samples.
    filter_length : int
        L, the number of lags and taps.
    """

    spectra: np.ndarray
    n_samples: int
    n_fft: int
    filter_length: int

    @property
    def hop(self) -> int:
        """Samples of a reference in one block."""
        return self.n_fft - self.filter_length + 1


def transform_blocks(references: Sequence[np.ndarray], filter_length: int) -> BlockSpectra:
    """Cut and transform references of one length, each (samples,), float64."""
    n_samples = len(references[0])
    n_fft = fft.next_fast_len(BLOCK_PER_FILTER * filter_length, real=True)
    hop = n_fft - filter_length + 1
    n_blocks = -(-n_samples // hop)
    spectra = np.empty((len(references), n_blocks, n_fft // 2 + 1), np.complex128)
    for reference, transformed in zip(references, spectra, strict=True):
        for first, last in _groups(n_blocks):
            samples = _stretch(reference, first * hop, last * hop).reshape(-1, hop)
            transformed[first:last] = fft.rfft(samples, n_fft, workers=1)
    return BlockSpectra(spectra, n_samples, n_fft, filter_length)


def correlate(signal: np.ndarray, blocks: BlockSpectra) -> np.ndarray:
    """Inner products of a signal with every reference delayed by 0 … L−1 samples.

    Parameters
    ----------
    signal : np.ndarray, shape (samples,)
        As long as the references.
    blocks : BlockSpectra

    Returns
    -------
    np.ndarray, shape (references, L), float64
    """
    n_references, n_blocks, n_bins = blocks.spectra.shape
    products = np.zeros((n_references, n_bins), dtype=np.complex128)
    for first, last in _groups(n_blocks):
        samples = _stretch(signal, first * blocks.hop, (last - 1) * blocks.hop + blocks.n_fft)
        windows = fft.rfft(sliding_window_view(samples, blocks.n_fft)[:: blocks.hop], workers=1)
        _sum_products(blocks.spectra[:, first:last], windows, products)
    return fft.irfft(products, blocks.n_fft, workers=1)[:, : blocks.filter_length]


def filter_and_sum(filters: np.ndarray, blocks: BlockSpectra) -> np.ndarray:
    """Sum of the first k references, each passed through its own filter.

    Parameters
    ----------
    filters : np.ndarray, shape (k, L)
    blocks : BlockSpectra

    Returns
    -------
    np.ndarray, shape (samples + L − 1,), float64
    """
    n_filters, n_tail = len(filters), blocks.filter_length - 1
    responses = fft.rfft(filters, blocks.n_fft, workers=1)
    spectrum = blocks.spectra[0] * responses[0]
    for k in range(1, n_filters):
        spectrum += blocks.spectra[k] * responses[k]
    filtered = fft.irfft(spectrum, blocks.n_fft, workers=1)
    heads, tails = filtered[:, : blocks.hop], filtered[:, blocks.hop :]
    heads[1:, :n_tail] += tails[:-1]
    signal = np.concatenate([heads.ravel(), tails[-1]])
    return signal[: blocks.n_samples + n_tail]


def _groups(n_blocks: int) -> Iterator[tuple[int, int]]:
    for first in range(0, n_blocks, _BLOCKS_AT_ONCE):
        yield first, min(first + _BLOCKS_AT_ONCE, n_blocks)


def _stretch(signal: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Return samples start…stop - 1, with zeros after the end."""
    samples = signal[start:stop]
    return samples if len(samples) == stop - start else np.pad(samples, (0, stop - start - len(samples)))


@njit()
def _sum_products(spectra, windows, products):
    # Σ conj(S)·E over the blocks, in their order.
    for reference in range(spectra.shape[0]):
        for block in range(spectra.shape[1]):
            for k in range(spectra.shape[2]):
                s, e = spectra[reference, block, k], windows[block, k]
                products[reference, k] += complex(s.real * e.real + s.imag * e.imag, s.real * e.imag - s.imag * e.real)
