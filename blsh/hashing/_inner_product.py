"""Kernels of the exact search by inner product; `blsh.hashing.search` describes method and error bound."""

from __future__ import annotations

import numpy as np

from blsh.files.kernels import njit
from blsh.hashing._heap import replace_worst

_GROUP = 256
_TINY = 2.0**-126


@njit(nogil=True)
def row_norms(begin, end, rows, norms):
    """Write the Euclidean norms of float32 rows begin…end - 1, in float64."""
    n_columns = rows.shape[1]
    for row in range(begin, end):
        # Two sums, because one would wait for each addition; the order is of no account in a bound.
        even, odd = 0.0, 0.0
        for d in range(0, n_columns - 1, 2):
            even += np.float64(rows[row, d]) ** 2
            odd += np.float64(rows[row, d + 1]) ** 2
        if n_columns % 2:
            even += np.float64(rows[row, n_columns - 1]) ** 2
        norms[row] = np.sqrt(even + odd)


@njit(nogil=True)
def push_scores(scores, queries, block, tolerances, norms, first_row, costs, rows):
    """Push the rows of a block through the queries' heaps, summing again in float64 whatever might enter.

    scores (queries, block rows) float32, their error at most tolerances[query] * norms[row] + underflow;
    heaps: costs (negative scores) float64, rows int64, (queries, k).
    """
    n_rows = block.shape[0]
    for query in range(queries.shape[0]):
        tolerance = tolerances[query]
        # A query of zeros has exact scores, which need no slack, and silence has many of them.
        slack = 2 * block.shape[1] * _TINY if tolerance > 0 else 0.0
        for start in range(0, n_rows, _GROUP):
            end = min(start + _GROUP, n_rows)
            limit = -costs[query, 0]
            n_open = 0
            for row in range(start, end):
                # Not "greater", so that a NaN (an overflow in float32) is open.
                n_open += not (scores[query, row] + tolerance * norms[row] + slack <= limit)
            if n_open == 0:
                continue
            for row in range(start, end):
                if not (scores[query, row] + tolerance * norms[row] + slack <= -costs[query, 0]):
                    cost = -_product(queries, query, block, row)
                    # Rows rise, so an equal score comes too late.
                    if cost < costs[query, 0]:
                        replace_worst(costs, rows, query, cost, first_row + row)


@njit()
def _product(a, i, b, j):
    """Inner product in float64, feature after feature."""
    total = 0.0
    for d in range(a.shape[1]):
        total += np.float64(a[i, d]) * np.float64(b[j, d])
    return total
