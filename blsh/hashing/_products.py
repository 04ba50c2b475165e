"""Kernels of `blsh.hashing.descent`: what a step does with a segment's frames and its matrix M.

Both fill megabytes and come from memory, so a step costs about what reading them costs. A general matrix product reads
at half of the speed of these loops, because it prepares for shapes that never come here.
"""

from __future__ import annotations

import numpy as np

from blsh.files.kernels import njit

__all__ = ["follow_signs", "rows_times_vector", "vector_times_rows"]


# `reassoc` and `contract` let the compiler add up a row's products in the lanes of a vector, as BLAS does.
@njit(nogil=True, fastmath={"reassoc", "contract"})
def rows_times_vector(rows, vector, bias, values):
    """Write ``rows @ vector + bias`` to ``values``; all float32, rows (n, D)."""
    for i in range(rows.shape[0]):
        row = rows[i]
        total = bias
        for j in range(row.shape[0]):
            total += row[j] * vector[j]
        values[i] = total


@njit(nogil=True, fastmath={"contract"})
def vector_times_rows(vector, rows, sums):
    """Write ``vector @ rows`` to ``sums``; all float32, rows (n, D). Four rows share a load and a store of the sums."""
    n_rows = rows.shape[0]
    n_in_fours = n_rows - n_rows % 4
    sums[:] = 0
    for i in range(0, n_in_fours, 4):
        row0, row1, row2, row3 = rows[i], rows[i + 1], rows[i + 2], rows[i + 3]
        v0, v1, v2, v3 = vector[i], vector[i + 1], vector[i + 2], vector[i + 3]
        for j in range(sums.shape[0]):
            sums[j] += (v0 * row0[j] + v1 * row1[j]) + (v2 * row2[j] + v3 * row3[j])
    for i in range(n_in_fours, n_rows):
        row, v = rows[i], vector[i]
        for j in range(sums.shape[0]):
            sums[j] += v * row[j]


@njit(nogil=True)
def follow_signs(values, signs, product, matrix):
    """Set ``signs`` to those of ``values``, 0 counting as +1, and keep ``product = matrix @ signs``.

    values (n,) float32; signs (n,) float64 of ±1, or 0 before the first call; product (n,) float64; matrix (n, n)
    float32 and symmetric, of which only the rows of the signs that change are read.
    """
    for i in range(values.shape[0]):
        change = (1.0 if values[i] >= 0 else -1.0) - signs[i]
        if change != 0:
            signs[i] += change
            row = matrix[i]
            for j in range(product.shape[0]):
                product[j] += change * np.float64(row[j])
