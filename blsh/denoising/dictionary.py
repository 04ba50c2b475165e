"""Which training frames a dictionary holds: the first of one permutation.

The search cost and the size of a system grow with its dictionary, so only a fraction ρ of the T training
frames is kept. A repeat of an experiment draws one permutation of all frames, and every dictionary is a
head of it. So a smaller dictionary lies inside a larger one, and all systems of a repeat share their
frames.
"""

from __future__ import annotations

import operator

import numpy as np

__all__ = ["draw_rows"]


def draw_rows(n_frames: int, rho: float, *, rng: np.random.Generator) -> np.ndarray:
    """Draw the rows of a dictionary: the first round(ρT) of a permutation of T frames, in rising order.

    A half is rounded to the even number, as Python's ``round`` does.

    Parameters
    ----------
    n_frames : int > 0
        T.
    rho : float, 0 < rho ≤ 1
        ρ, the fraction of the frames to keep.
    rng : numpy.random.Generator
        From the same state, the rows of a smaller rho are among those of a larger one.

    Returns
    -------
    ndarray of int64, shape (round(ρT),)

    Raises
    ------
    ValueError
        When there are no frames, rho is out of its range, or no frame would be left.
    """
    n_frames = operator.index(n_frames)
    if n_frames < 1:
        raise ValueError(f"n_frames={n_frames} must be at least 1: there is nothing to draw from")
    if not 0 < rho <= 1:
        raise ValueError(f"rho={rho} must lie in (0, 1], it is the fraction of the frames to keep")
    n_rows = round(rho * n_frames)
    if n_rows == 0:
        raise ValueError(f"rho={rho} of {n_frames} frames leaves an empty dictionary: give a larger rho")
    return np.sort(rng.permutation(n_frames)[:n_rows])
