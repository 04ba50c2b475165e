"""What every metric asks of a signal before it computes: one dimension, real numbers, finite, not silent.

A wrong shape or type is the caller's mistake and raises; an unusable recording is a fact about the data, and
the metrics answer NaN with the cause in words.
"""

from __future__ import annotations

import numpy as np


def as_signal(name: str, signal: np.ndarray) -> np.ndarray:
    """Return ``signal`` as float64 (samples,); raise TypeError or ValueError naming ``name``."""
    signal = np.asarray(signal)
    if signal.dtype.kind not in "fiu":
        raise TypeError(f"{name} of dtype {signal.dtype} is not an array of real numbers")
    if signal.ndim != 1:
        raise ValueError(f"{name} of shape {signal.shape} is not one signal of shape (samples,)")
    return signal.astype(np.float64)


def cause_of_unusable(signal: np.ndarray, role: str) -> str:
    """Say why no metric can be computed from a signal in its role, e.g. ``estimate``, or return ''."""
    if len(signal) == 0:
        return f"{role} without samples"
    peak = _peak(signal)
    if not np.isfinite(peak):
        return f"NaN or Inf in the {role}"
    if peak == 0:
        return f"silent {role}"
    return ""


def near_unit_peak(signal: np.ndarray) -> np.ndarray:
    """Multiply by the power of two that brings the peak between ½ and 1: exact, so that no digit changes.

    The squares of whatever float64 holds can then be summed without overflow, and without underflow to 0.
    """
    exponent = int(np.frexp(_peak(signal))[1])
    # 2^1074, which the smallest float64 would need, is not a float64; 2^1000 brings it far enough
    return signal * 2.0 ** min(-exponent, 1000)


def _peak(signal: np.ndarray) -> float:
    """Largest magnitude; NaN or Inf if the signal holds one."""
    return float(np.max(np.abs(signal)))
