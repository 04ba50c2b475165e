"""Kernels of `blsh.hashing.projections.encode`, which describes the order of their sums."""

from __future__ import annotations

import numpy as np

from blsh.files.kernels import njit

BITS_AT_ONCE = 64  # one word of a code; its sums, and its part of the matrix, stay in the nearest caches
FEATURES_AT_ONCE = 4
_FRAMES_AT_ONCE = 4
BLOCK = 64


@njit(nogil=True)
def encode_rows(begin, end, features, matrix, bias, words, finite):
    """Write the codes of blocks begin…end - 1 of `BLOCK` frames, and which frames are finite.

    features (frames, n_features) float32; matrix (n_features, n_bits) float64, both sizes filled up with
    zeros to multiples of `FEATURES_AT_ONCE` and `BITS_AT_ONCE`; bias (n_bits,) float64, -inf where filled
    up; words (frames, n_bits / 64) uint64 and finite (frames,) bool are written.
    """
    n_frames = features.shape[0]
    for block in range(begin, end):
        first, last = block * BLOCK, min((block + 1) * BLOCK, n_frames)
        rows = np.zeros((BLOCK, matrix.shape[0]))
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


@njit(nogil=True)
def encode_one_bit(begin, end, features, vector, bias, words, finite):
    """Do what `encode_rows` does for one bit, without the 63 that it would compute besides.

    features (frames, n_features) float32; vector (n_features,) float64; bias float64; words (frames, 1) uint64 and
    finite (frames,) bool are written. Four frames at a time, because each sum waits for its own last addition.
    """
    n_frames = features.shape[0]
    for block in range(begin, end):
        last = min((block + 1) * BLOCK, n_frames)
        for frame in range(block * BLOCK, last, _FRAMES_AT_ONCE):
            # Beyond the block's end its last frame is done again.
            f1, f2, f3 = min(frame + 1, last - 1), min(frame + 2, last - 1), min(frame + 3, last - 1)
            row0, row1, row2, row3 = features[frame], features[f1], features[f2], features[f3]
            sum0, sum1, sum2, sum3 = 0.0, 0.0, 0.0, 0.0
            for d in range(vector.shape[0]):
                p = vector[d]
                sum0 += np.float64(row0[d]) * p
                sum1 += np.float64(row1[d]) * p
                sum2 += np.float64(row2[d]) * p
                sum3 += np.float64(row3[d]) * p
            for f, total in ((frame, sum0), (f1, sum1), (f2, sum2), (f3, sum3)):
                words[f, 0] = np.uint64(total + bias >= 0)
                # Infinities and NaN do not leave a sum, and products of float32 numbers are far from infinite.
                finite[f] = np.isfinite(total)


@njit()
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
