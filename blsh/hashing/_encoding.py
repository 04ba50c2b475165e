"""Kernel of `blsh.hashing.projections.encode`, which describes the order of its sums."""

from __future__ import annotations

import numpy as np
from numba import njit, prange

BITS_AT_ONCE = 64  # one word of a code; its sums, and its part of the matrix, stay in the nearest caches
FEATURES_AT_ONCE = 4
_FRAMES_AT_ONCE = 4
_BLOCK = 64


@njit(cache=True, parallel=True)
def encode_rows(features, matrix, bias, words, finite):
    """Write the codes of all frames, and which frames are finite.

    features (frames, n_features) float32; matrix (n_features, n_bits) float64, both sizes filled up with
    zeros to multiples of `FEATURES_AT_ONCE` and `BITS_AT_ONCE`; bias (n_bits,) float64, -inf where filled
    up; words (frames, n_bits / 64) uint64 and finite (frames,) bool are written.
    """
    n_frames = features.shape[0]
    for block in prange((n_frames + _BLOCK - 1) // _BLOCK):
        first, last = block * _BLOCK, min((block + 1) * _BLOCK, n_frames)
        rows = np.zeros((_BLOCK, matrix.shape[0]))
        for frame in range(first, last):
            for d in range(features.shape[1]):
                value = features[frame, d]
                if np.isfinite(value):
                    rows[frame - first, d] = value
                else:
                    finite[frame] = False
        sums = np.empty((_FRAMES_AT_ONCE, BITS_AT_ONCE))
        for word in range(words.shape[1]):
            for frame in range(first, last, _FRAMES_AT_ONCE):
                _project(rows, frame - first, matrix, word * BITS_AT_ONCE, sums)
                for i in range(min(_FRAMES_AT_ONCE, last - frame)):
                    bits = np.uint64(0)
                    for j in range(BITS_AT_ONCE):
                        if sums[i, j] + bias[word * BITS_AT_ONCE + j] >= 0:
                            bits |= np.uint64(1) << np.uint64(j)
                    words[frame + i, word] = bits


@njit(cache=True)
def _project(rows, first_row, matrix, first_bit, sums):
    """Sum `_FRAMES_AT_ONCE` frames' products with `BITS_AT_ONCE` columns, feature after feature.

    Columns are the vector's lanes. Four frames share a load of the matrix, and four features a load and a
    store of the sums; the additions into each sum are in the order of the features all the same.
    """
    first_row, first_bit = np.uint64(first_row), np.uint64(first_bit)
    sums[:] = 0
    for feature in range(0, matrix.shape[0], FEATURES_AT_ONCE):
        d = np.uint64(feature)
        for i in range(_FRAMES_AT_ONCE):
            row = first_row + np.uint64(i)
            x0, x1 = rows[row, d], rows[row, d + np.uint64(1)]
            x2, x3 = rows[row, d + np.uint64(2)], rows[row, d + np.uint64(3)]
            for j in range(BITS_AT_ONCE):
                bit = first_bit + np.uint64(j)
                total = sums[i, j] + x0 * matrix[d, bit]
                total = total + x1 * matrix[d + np.uint64(1), bit]
                total = total + x2 * matrix[d + np.uint64(2), bit]
                sums[i, j] = total + x3 * matrix[d + np.uint64(3), bit]
