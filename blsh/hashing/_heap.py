"""The k best of a stream in a total order: bounded binary heaps, for numba kernels.

An entry is a pair (cost, row), the smaller the better, equal costs by the smaller row. Costs are float64:
Hamming distances are exact in it, and inner products enter negated. Many heaps lie in two matrices of k
columns, a heap a row. The worst kept entry is the root, so one comparison with ``costs[heap, 0]`` tells
whether a candidate can enter. A heap starts full of placeholders (infinity, `NO_ROW`), which any real entry
displaces.
"""

from __future__ import annotations

import numpy as np

from blsh.files.kernels import njit

NO_ROW = np.iinfo(np.int64).max


def empty_heaps(n_heaps: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Make heaps of k placeholders: costs float64 and rows int64, both of shape (n_heaps, k)."""
    return np.full((n_heaps, k), np.inf), np.full((n_heaps, k), NO_ROW)


@njit()
def replace_worst(costs, rows, heap, cost, row):
    """Put (cost, row) in the place of the root of one heap, which it must be better than."""
    _sift_down(costs, rows, heap, costs.shape[1], cost, row)


@njit(nogil=True)
def sort_heaps(begin, end, costs, rows):
    """Order heaps begin…end - 1 from best to worst, in place."""
    for heap in range(begin, end):
        for size in range(costs.shape[1] - 1, 0, -1):
            cost, row = costs[heap, size], rows[heap, size]
            costs[heap, size], rows[heap, size] = costs[heap, 0], rows[heap, 0]
            _sift_down(costs, rows, heap, size, cost, row)


@njit()
def _sift_down(costs, rows, heap, size, cost, row):
    hole = 0
    while True:
        child = 2 * hole + 1
        if child >= size:
            break
        other = child + 1
        if other < size and (
            costs[heap, other] > costs[heap, child]
            or (costs[heap, other] == costs[heap, child] and rows[heap, other] > rows[heap, child])
        ):
            child = other
        if costs[heap, child] < cost or (costs[heap, child] == cost and rows[heap, child] < row):
            break
        costs[heap, hole], rows[heap, hole] = costs[heap, child], rows[heap, child]
        hole = child
    costs[heap, hole], rows[heap, hole] = cost, row
