"""Masks from neighbours: the mean of the ideal binary masks of the k frames found.

Algorithm 1 of the papers, last step: ŷ = (1/k) Σ y_i over the k nearest dictionary frames, so a value is
one of 0, 1/k, …, 1. The binary masks y stay packed, a bit per bin, and are never unpacked as a whole: one
table look-up per byte adds 8 bins to 8 counters of 8 bits in one word, which are emptied before they can
overflow. Counts are integers, and each mask value is one division.
"""

from __future__ import annotations

import numpy as np

from blsh.files.kernels import njit
from blsh.hashing.plain_arrays import plain_array
from blsh.signal.spectra import N_BINS

__all__ = ["average_masks", "mean_mask"]

_N_BYTES = -(-N_BINS // 8)
_COUNTER_MAX = 255
# Bit b of the byte becomes the lowest bit of byte b of the word.
_SPREAD = np.array([sum((byte >> bit & 1) << 8 * bit for bit in range(8)) for byte in range(256)], np.uint64)


def average_masks(packed_masks: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """Average the masks of each query's neighbours.

    Parameters
    ----------
    packed_masks : ndarray of uint8, shape (frames, 65)
        Ideal binary masks of the dictionary, from ``pack_masks``; may be a mapped file.
    indices : ndarray of int64, shape (queries, k)
        Dictionary rows.

    Returns
    -------
    ndarray of float32, shape (queries, 513)
        Counts divided by k.

    Raises
    ------
    TypeError
        When an array has another dtype.
    ValueError
        When masks have another width, there is no neighbour, or an index is no row of the dictionary.
    """
    masks = _check_masks(packed_masks)
    indices = plain_array("indices", indices, np.int64, 2)
    if indices.shape[1] < 1:
        raise ValueError(f"indices of shape {indices.shape} must be (queries, k) with k of at least 1")
    if indices.size:
        least, largest = indices.min(), indices.max()
        if least < 0 or largest >= len(masks):
            wrong = least if least < 0 else largest
            raise ValueError(f"index {wrong} is not among the dictionary's {len(masks)} masks")
    averages = np.empty((len(indices), N_BINS), np.float32)
    _average(masks, indices, _SPREAD, averages)
    return averages


def mean_mask(packed_masks: np.ndarray) -> np.ndarray:
    """Average all masks: the constant mask, which knows nothing of a frame.

    Parameters
    ----------
    packed_masks : ndarray of uint8, shape (frames, 65)
        May be a mapped file, of which little is in memory at a time.

    Returns
    -------
    ndarray of float32, shape (513,)
        Counts divided by the number of frames in float64, then rounded.

    Raises
    ------
    TypeError
        When the array has another dtype.
    ValueError
        When masks have another width, or there is none.
    """
    masks = _check_masks(packed_masks)
    if len(masks) == 0:
        raise ValueError("packed_masks holds no mask: give the training frames'")
    counts = np.zeros(N_BINS, np.int64)
    _count(masks, _SPREAD, counts)
    return (counts / len(masks)).astype(np.float32)


def _check_masks(packed_masks: np.ndarray) -> np.ndarray:
    masks = plain_array("packed_masks", packed_masks, np.uint8, 2)
    if masks.shape[1] != _N_BYTES:
        raise ValueError(f"packed_masks of shape {masks.shape} must have {_N_BYTES} columns, as from pack_masks")
    return masks


@njit()
def _average(masks, indices, spread, averages):
    k = indices.shape[1]
    counts = np.zeros(averages.shape[1], np.int32)
    counters = np.zeros(masks.shape[1], np.uint64)
    for query in range(indices.shape[0]):
        counts[:] = 0
        n_pending = 0
        for i in range(k):
            row = indices[query, i]
            for byte in range(masks.shape[1]):
                counters[byte] += spread[masks[row, byte]]
            n_pending += 1
            if n_pending == _COUNTER_MAX or i == k - 1:
                _empty_counters(counters, counts)
                n_pending = 0
        for value in range(counts.size):
            averages[query, value] = np.float32(counts[value]) / np.float32(k)


@njit()
def _count(masks, spread, counts):
    counters = np.zeros(masks.shape[1], np.uint64)
    for start in range(0, masks.shape[0], _COUNTER_MAX):
        for row in range(start, min(start + _COUNTER_MAX, masks.shape[0])):
            for byte in range(masks.shape[1]):
                counters[byte] += spread[masks[row, byte]]
        _empty_counters(counters, counts)


@njit()
def _empty_counters(counters, counts):
    in_bytes = counters.view(np.uint8)
    for value in range(counts.size):
        counts[value] += in_bytes[value]
    counters[:] = 0
