"""The forms in which arrays reach the kernels: plain and read-only, or starting on a cache line.

numba compiles a kernel anew for every kind of array it meets, so all of them are made alike first; what is
so already, a mapped file too, is viewed, not copied.
"""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import DTypeLike

__all__ = ["CACHE_LINE", "on_cache_line", "plain_array"]

CACHE_LINE = 64  # bytes


def plain_array(name: str, array: np.ndarray, dtype: DTypeLike, ndim: int) -> np.ndarray:
    """View an array as plain, C-contiguous, aligned and read-only, or copy it to be so.

    Raises
    ------
    TypeError
        When it is no array, or of another dtype: a silent conversion could lose digits.
    ValueError
        When it has another number of axes.
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name} of type {type(array).__name__} must be a numpy array of {np.dtype(dtype)}")
    if array.dtype != dtype:
        raise TypeError(f"{name}.dtype={array.dtype} must be {np.dtype(dtype)}: convert it with astype")
    if array.ndim != ndim:
        raise ValueError(f"{name} of shape {array.shape} must have {ndim} axes, not {array.ndim}")
    plain = np.require(array, requirements=["C", "A"]).view(np.ndarray)
    plain.flags.writeable = False
    return plain


def on_cache_line(shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
    """Make an array of zeros that starts on a cache line, so that no vector in it straddles two."""
    n_bytes = prod(shape) * np.dtype(dtype).itemsize
    raw = np.zeros(n_bytes + CACHE_LINE, np.uint8)
    start = -raw.ctypes.data % CACHE_LINE
    return raw[start : start + n_bytes].view(dtype).reshape(shape)
