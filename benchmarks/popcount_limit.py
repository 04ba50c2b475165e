"""How fast this machine can count differing bits: the limit that the Hamming search is measured against.

A search of Q queries in N codes of L bits has to take the exclusive or of N·Q·⌈L/64⌉ pairs of 64-bit words and count
its ones. The limit is the rate of a kernel that does nothing else, on as many threads as the run has, over a buffer
that stays in a core's first-level cache. Several forms are tried, since which one is fastest depends on the processor:
words of 16 or 64 bits, 4, 8 or 32 of them to a count. The highest rate is the limit.
"""

from __future__ import annotations

import itertools
import time

import numba
import numpy as np

from blsh.hashing._popcount import popcount

__all__ = ["measure_limit"]

_BUFFER_BYTES = (16 << 10, 24 << 10)  # a half and three quarters of a common first-level cache
_WORDS_PER_COUNT = (4, 8, 32)
_LANES = (np.uint16, np.uint64)


def measure_limit(small: bool = False) -> tuple[float, str]:
    """Return the highest rate in 10⁹ 64-bit words per second, and the form that reached it."""
    seconds, n_threads = (0.002 if small else 0.1), numba.get_num_threads()
    forms = [(np.uint64, 4, _BUFFER_BYTES[0])] if small else itertools.product(_LANES, _WORDS_PER_COUNT, _BUFFER_BYTES)
    best = (0.0, "")
    for lane, n_words, n_bytes in forms:
        n_columns = n_bytes // lane().itemsize // n_words
        buffers = np.random.default_rng(0).integers(0, 2**16, (n_threads, n_words, n_columns)).astype(lane)
        rate = _rate(_make_kernel(lane, n_words, n_columns), buffers, seconds)
        best = max(best, (rate, f"{8 * lane().itemsize}-bit lanes, {n_bytes >> 10} KiB, {n_words} words a count"))
    return best


def _rate(kernel, buffers: np.ndarray, seconds: float) -> float:
    """Largest rate of five runs, each of enough queries to last the given time."""
    counts = np.zeros((len(buffers), buffers.shape[2]), buffers.dtype)
    n_queries = 64
    kernel(buffers, np.arange(n_queries).astype(buffers.dtype), counts)  # compiles
    rates = []
    for _ in range(5):
        while True:
            queries = np.arange(n_queries).astype(buffers.dtype)
            started = time.perf_counter()
            kernel(buffers, queries, counts)
            elapsed = time.perf_counter() - started
            if elapsed >= seconds:
                break
            n_queries *= 2
        rates.append(buffers.nbytes / 8 * n_queries / elapsed / 1e9)
    return max(rates)


def _make_kernel(lane, n_words: int, n_columns: int):
    """Kernel that adds to `n_columns` counts the bits in which `n_words` words each differ from every query.

    Counts are as wide as the lanes, or the compiler would widen every one of them; they may overflow, since nobody
    reads them. They are an array, as sums in registers are not vectorised on every processor.
    """

    @numba.njit(forceinline=True)
    def count(words, queries, counts):
        for q in range(len(queries)):
            query = queries[np.uint64(q)]
            for i in range(n_columns):
                total = counts[i]
                for j in range(n_words):
                    total = lane(total + popcount(lane(words[j, i] ^ query)))
                counts[i] = total

    @numba.njit(parallel=True)
    def count_all(buffers, queries, counts):
        for thread in numba.prange(len(buffers)):
            count(buffers[thread], queries, counts[thread])

    return count_all
