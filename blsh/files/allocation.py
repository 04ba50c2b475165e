"""Memory that freed arrays leave is kept for the next arrays of their size."""

from __future__ import annotations

import ctypes

__all__ = ["keep_freed_memory"]

# glibc's malloc.h and, for the first, the most that it takes.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGEST_MMAP_THRESHOLD, _TRIM_THRESHOLD = 32 << 20, 512 << 20


def keep_freed_memory() -> None:
    """Tell the C library, where it is glibc, not to give freed blocks of up to 32 MB back to the kernel.

    By default they go back at once, and the next array of that size is made of new pages, which the kernel clears one
    by one when they are first written: of a job that makes thousands of arrays of some MB, a twelfth of the time.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD)
        mallopt(_M_TRIM_THRESHOLD, _TRIM_THRESHOLD)
