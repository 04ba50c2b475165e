"""How many bins the ideal binary masks of two frames share, for all pairs of a segment's frames."""

from __future__ import annotations

import numpy as np

from blsh.files.kernels import njit
from blsh.hashing._popcount import popcount
from blsh.hashing.plain_arrays import plain_array

_WORD_BYTES = 8


def shared_bins(masks: np.ndarray) -> np.ndarray:
    """Count the bins that are set in both of two masks.

    Parameters
    ----------
    masks : ndarray of uint8, shape (n, bytes)
        Packed masks; padding bits are zero.

    Returns
    -------
    ndarray of float32, shape (n, n)
        Whole numbers; the diagonal is each mask's own count.

    Raises
    ------
    TypeError
        When masks are not packed bytes.
    """
    masks = plain_array("masks", masks, np.uint8, 2)
    n, n_bytes = masks.shape
    padded = np.zeros((n, -(-n_bytes // _WORD_BYTES) * _WORD_BYTES), np.uint8)
    padded[:, :n_bytes] = masks
    counts = np.empty((n, n), np.float32)
    _count(np.ascontiguousarray(padded.view(np.uint64).T), counts)
    return counts


@njit(nogil=True)
def _count(words, counts):
    """Words (n_words, n) uint64: a word of all masks lies together, so that a vector holds eight masks'."""
    n = counts.shape[0]
    row = np.empty(n, np.uint64)
    for i in range(n):
        row[:] = 0
        for w in range(words.shape[0]):
            column, own = words[w], words[w, i]
            for j in range(n):
                row[j] += np.uint64(popcount(column[j] & own))
        for j in range(n):
            counts[i, j] = np.float32(row[j])
