"""Arrays in as few bytes as hold them exactly, for the model file, and back."""

from __future__ import annotations

import numpy as np


def narrowed(matrix: np.ndarray) -> np.ndarray:
    """Return a float32 matrix in the smallest type that holds every number of it exactly."""
    for dtype in (np.int8, np.float16):
        with np.errstate(over="ignore", invalid="ignore"):
            narrow = matrix.astype(dtype)
        if np.array_equal(narrow.astype(np.float32), matrix):
            return narrow
    return matrix


def narrowest_unsigned(array: np.ndarray) -> np.ndarray:
    """Return whole numbers from 0 on in the smallest type that holds them; other arrays as they are."""
    if array.dtype.kind != "u":
        return array
    return array.astype(np.min_scalar_type(array.max(initial=0)))


def widened(array: np.ndarray, dtype: type) -> np.ndarray:
    """Return a narrowed array in its own type.

    Raises
    ------
    TypeError
        If it is of a type that would lose digits.
    """
    if not np.can_cast(array.dtype, dtype):
        raise TypeError(f"an array of {array.dtype} stands where {np.dtype(dtype)} is needed")
    return array.astype(dtype, copy=False)


def words_of(rows: np.ndarray, n_bits: int) -> np.ndarray:
    """Fill up the bytes of codes of `n_bits` to 64-bit words.

    Raises
    ------
    ValueError
        If they are no bytes or have another width.
    """
    if rows.dtype != np.uint8 or rows.ndim != 2 or n_bits < 1 or rows.shape[1] != -(-n_bits // 8):
        raise ValueError(f"codes are {rows.dtype} of shape {rows.shape}: uint8 (rows, ⌈{n_bits}/8⌉) needed")
    padded = np.zeros((len(rows), -(-n_bits // 64) * 8), np.uint8)
    padded[:, : rows.shape[1]] = rows
    return padded.view("<u8").astype(np.uint64, copy=False)


def bytes_of(words: np.ndarray, n_bits: int) -> np.ndarray:
    """Return as many bytes of codes in 64-bit words as `n_bits` need, uint8 of shape (rows, ⌈n_bits/8⌉)."""
    return words.astype("<u8", copy=False).view(np.uint8)[:, : -(-n_bits // 8)]
