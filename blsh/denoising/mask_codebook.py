"""Compressing the masks of a dictionary: a table of binary patterns for each frequency band, learned from the masks.

In every band the rows' bytes are clustered by Hamming distance: each row goes to its nearest pattern, the first of
equals, and each pattern becomes the majority of its rows, bin by bin, a tie giving 0. Both steps lower the number of
wrong bins, so this is Lloyd's algorithm for binary data (k-modes [1]_). A pattern without rows takes the bytes of a
row drawn at random.

Whole masks (one band) need thousands of patterns before the masks are any good; a few bands with 256 patterns each
describe far more masks, 256 to the power of their number, in the same bytes. Bands are narrow where speech has its
energy. ``docs/model_card.md`` shows what each choice costs in dB.

References
----------
.. [1] Z. Huang, "Extensions to the k-means algorithm for clustering large data sets with categorical values", Data
   Mining and Knowledge Discovery 2, 1998.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from blsh.denoising.mask_store import N_PATTERNS_MAX, MaskStore
from blsh.hashing.codes import Codes, pack_bits
from blsh.hashing.search import hamming_neighbours

__all__ = ["BANDS", "compress_masks"]

BANDS = (2, 2, 2, 2, 4, 4, 8, 8, 12, 21)
"""Widths in bytes, each of 8 bins of 15.6 Hz: four bands to 1 kHz, two to 2, two to 4, two to 8."""

_PASSES = 12


def compress_masks(
    packed: np.ndarray,
    *,
    bands: Sequence[int] = BANDS,
    n_patterns: int = N_PATTERNS_MAX,
    rng: np.random.Generator,
) -> MaskStore:
    """Learn patterns of masks and say which each row has.

    Parameters
    ----------
    packed : ndarray of uint8, shape (N, 65)
        Packed masks.
    bands : sequence of int
        Widths in bytes, sum 65.
    n_patterns : int, 1…256
        Patterns of each band, at most N.
    rng : numpy.random.Generator

    Raises
    ------
    ValueError
        When the number of patterns or the bands are out of range, or there is no mask.
    """
    if not 1 <= n_patterns <= N_PATTERNS_MAX:
        raise ValueError(f"n_patterns={n_patterns} must lie in 1…{N_PATTERNS_MAX}")
    whole = MaskStore(packed, np.zeros((len(packed), len(bands)), np.uint8), tuple(bands))  # checks them
    n_patterns = min(n_patterns, len(packed))
    patterns = np.empty((n_patterns, packed.shape[1]), np.uint8)
    index = np.empty((len(packed), len(bands)), np.uint8)
    for band, columns in enumerate(whole.columns):
        patterns[:, columns], index[:, band] = _cluster(packed[:, columns], n_patterns, rng)
    return MaskStore(patterns, index, tuple(bands))


def _cluster(rows: np.ndarray, n_patterns: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Cluster bytes (N, width): patterns (C, width) and the number of each row's."""
    bits = np.unpackbits(rows, axis=1, bitorder="little").view(bool)
    codes = pack_bits(bits)
    patterns = bits[np.sort(rng.choice(len(bits), n_patterns, replace=False))]
    for _ in range(_PASSES):
        nearest = _nearest(codes, patterns)
        sizes = np.bincount(nearest, minlength=n_patterns)
        used = np.flatnonzero(sizes)
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])[used]
        in_order = bits[np.argsort(nearest, kind="stable")]
        ones = np.add.reduceat(in_order, starts, axis=0, dtype=np.int64)
        renewed = bits[rng.choice(len(bits), n_patterns)]
        renewed[used] = 2 * ones > sizes[used, np.newaxis]
        if np.array_equal(renewed, patterns):
            break
        patterns = renewed
    return np.packbits(patterns, axis=1, bitorder="little"), _nearest(codes, patterns)


def _nearest(codes: Codes, patterns: np.ndarray) -> np.ndarray:
    return hamming_neighbours(codes, pack_bits(patterns), 1).indices[:, 0]
