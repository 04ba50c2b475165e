"""Threads of the kernels: Python's own, each with a part of the work.

numba's ``parallel=True`` would need one of its threading layers. Their OpenMP ends a process that was forked after the
first use, and their workqueue one that is used by two threads at a time; which of them a machine has is chance. A
kernel that lets go of Python's lock (``nogil=True``) needs none of them, and compiles sooner.

The number of threads is numba's, so that `numba.set_num_threads` and ``NUMBA_NUM_THREADS`` mean what they always mean.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numba

__all__ = ["in_threads", "thread_count"]

_LEAST_NANOSECONDS = 100_000
_helpers: ThreadPoolExecutor | None = None


def thread_count() -> int:
    """Return the number of threads that kernels called by this thread use."""
    try:
        numba.threading_layer()
    except ValueError:  # nobody has set a number; to ask for it would start a layer
        return numba.config.NUMBA_NUM_THREADS
    return numba.get_num_threads()


def in_threads(kernel: Callable, n_items: int, *arguments: object, nanoseconds: float) -> None:
    """Call ``kernel(first, last, *arguments)`` for ranges of equal length that make up the items, one per thread.

    Parameters
    ----------
    kernel
        Compiled with ``nogil=True``; what it does for an item is independent of the other items.
    n_items : int >= 0
    *arguments
        What it reads and writes.
    nanoseconds : float > 0
        About what an item takes: a thread that is given too little takes longer to wake up.
    """
    n_parts = max(1, min(thread_count(), n_items, int(n_items * nanoseconds / _LEAST_NANOSECONDS)))
    edges = [n_items * part // n_parts for part in range(n_parts + 1)]
    others = [_pool().submit(kernel, first, last, *arguments) for first, last in pairwise(edges[1:])]
    kernel(edges[0], edges[1], *arguments)
    for other in others:
        other.result()


def _pool() -> ThreadPoolExecutor:
    global _helpers
    if _helpers is None:
        _helpers = ThreadPoolExecutor(max(1, numba.config.NUMBA_NUM_THREADS - 1), "blsh-kernels")
    return _helpers


def _forget_helpers() -> None:
    global _helpers
    _helpers = None


os.register_at_fork(after_in_child=_forget_helpers)  # a fork copies the pool and not its threads
