"""How fast this machine can count differing bits: the limit that the Hamming search is measured against.

A search of Q queries in N codes of L bits has to take the exclusive or of N·Q·⌈L/64⌉ pairs of 64-bit words and count
its ones. The limit is the rate of a kernel that does nothing else, on as many threads as the run has, over a buffer
that stays in a core's nearest caches. Several forms are tried, since which one is fastest depends on the processor:
words of 16 or 64 bits, one or four queries to a load. The highest rate is the limit.
"""

from __future__ import annotations

import time

import numba
import numpy as np

from blsh.hashing._popcount import popcount

__all__ = ["measure_limit"]

_BUFFER_BYTES = (16 << 10, 32 << 10, 256 << 10)  # a part of L1, most of L1, a part of L2


def measure_limit(small: bool = False) -> tuple[float, str]:
    """Return the highest rate in 10⁹ 64-bit words per second, and the form that reached it."""
    seconds, n_threads = (0.002 if small else 0.1), numba.get_num_threads()
    best = (0.0, "")
    makers = {"one query": _one_query} if small else {"one query": _one_query, "four queries": _four_queries}
    for lane in (np.uint64,) if small else (np.uint16, np.uint64):
        kernels = {name: _in_parallel(make(lane)) for name, make in makers.items()}
        for n_bytes in _BUFFER_BYTES:
            rng = np.random.default_rng(0)
            buffers = rng.integers(0, 2**16, (n_threads, n_bytes // lane().itemsize)).astype(lane)
            for name, kernel in kernels.items():
                rate = _rate(kernel, buffers, seconds)
                best = max(best, (rate, f"{8 * lane().itemsize}-bit lanes, {n_bytes >> 10} KiB, {name} a load"))
    return best


def _rate(kernel, buffers: np.ndarray, seconds: float) -> float:
    """Largest rate of five runs, each of enough queries to last the given time."""
    n_queries = 64
    kernel(buffers, np.arange(n_queries).astype(buffers.dtype))  # compiles
    rates = []
    for _ in range(5):
        while True:
            queries = np.arange(n_queries).astype(buffers.dtype)
            started = time.perf_counter()
            kernel(buffers, queries)
            elapsed = time.perf_counter() - started
            if elapsed >= seconds:
                break
            n_queries *= 2
        rates.append(buffers.nbytes / 8 * n_queries / elapsed / 1e9)
    return max(rates)


# Counts are kept as wide as the lanes, or the compiler would widen every one of them; they may overflow, since nobody
# reads more of them than that they are there.


def _one_query(lane):
    @numba.njit
    def count(buffer, queries):
        total = lane(0)
        for query in queries:
            for word in buffer:
                total = lane(total + popcount(lane(word ^ query)))
        return total

    return count


def _four_queries(lane):
    @numba.njit
    def count(buffer, queries):
        n0, n1, n2, n3 = lane(0), lane(0), lane(0), lane(0)
        for q in range(0, len(queries), 4):
            q0, q1, q2, q3 = queries[q], queries[q + 1], queries[q + 2], queries[q + 3]
            for word in buffer:
                n0 = lane(n0 + popcount(lane(word ^ q0)))
                n1 = lane(n1 + popcount(lane(word ^ q1)))
                n2 = lane(n2 + popcount(lane(word ^ q2)))
                n3 = lane(n3 + popcount(lane(word ^ q3)))
        return lane(n0 + n1 + n2 + n3)

    return count


def _in_parallel(count):
    """Let every thread count over a buffer of its own."""

    @numba.njit(parallel=True)
    def count_all(buffers, queries):
        totals = np.empty(len(buffers), buffers.dtype)
        for thread in numba.prange(len(buffers)):
            totals[thread] = count(buffers[thread], queries)
        return totals

    return count_all
