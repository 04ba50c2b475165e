"""How far a system agrees with what it stands in for: raw-feature search, and the ideal mask.

A hash code replaces the search of the features themselves, and a mask the ideal binary mask. Two shares in [0, 1],
of one mixture each, say how well, before any sound is made:

* **recall@K**: of the K dictionary frames that the system finds, how many are among the K that the inner product of
  the raw features finds in the same dictionary; the mean over the mixture's frames.
* **mask accuracy**: of the mixture's time-frequency bins, how many are on the right side: the mask is at least ½ just
  where the ideal binary mask is 1.
"""

from __future__ import annotations

import numpy as np

__all__ = ["mask_accuracy", "recall"]


def recall(found: np.ndarray, truth: np.ndarray) -> float:
    """Return the share of the rows found that are among the true ones.

    Parameters
    ----------
    found, truth : ndarray of integers, shape (frames, K)
        Dictionary rows; no row comes twice for a frame.

    Raises
    ------
    ValueError
        When shapes differ.
    """
    if found.shape != truth.shape or found.ndim != 2:
        raise ValueError(f"found.shape={found.shape} and truth.shape={truth.shape} must be one (frames, K)")
    return float((found[:, :, np.newaxis] == truth[:, np.newaxis, :]).any(axis=2).mean())


def mask_accuracy(mask: np.ndarray, ideal: np.ndarray) -> float:
    """Return the share of bins in which a mask, cut at ½, equals the ideal binary mask.

    Parameters
    ----------
    mask : ndarray of float32, shape (frames, bins)
    ideal : ndarray of bool, shape (frames, bins)

    Raises
    ------
    ValueError
        When shapes differ.
    """
    if mask.shape != ideal.shape:
        raise ValueError(f"mask.shape={mask.shape} and ideal.shape={ideal.shape} must be equal")
    return float(((mask >= 0.5) == ideal).mean())
