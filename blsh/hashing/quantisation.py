"""Projections of whole numbers: a byte a weight instead of four.

A bit ``[p · x + b ≥ 0]`` does not change when p and b are multiplied by the same positive number. So each projection
is scaled until its largest weight is 127, and its weights are rounded: an error of at most 0.4 % of the largest. The
bias is scaled alike and keeps its digits. The result is an encoder of its own, not an approximation made on the way:
a dictionary is encoded with it as well.
"""

from __future__ import annotations

import numpy as np

from blsh.hashing.projections import Projections

__all__ = ["quantised"]

_LARGEST = 127


def quantised(projections: Projections) -> Projections:
    """Return projections whose weights are whole numbers in −127…127, as float32.

    Raises
    ------
    ValueError
        When a projection is zero: its bit is the same for every frame.
    """
    largest = np.abs(projections.matrix).max(axis=1, keepdims=True).astype(np.float64)
    if not largest.all():
        raise ValueError(f"projection {int(np.argmin(largest))} is zero: train it again")
    scale = _LARGEST / largest
    matrix = np.rint(projections.matrix * scale).astype(np.float32)
    return Projections(matrix, (projections.bias * scale[:, 0]).astype(np.float32), projections.betas)
