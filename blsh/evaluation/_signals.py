"""What every metric asks of a signal before it computes: one dimension, real numbers, finite, not silent.

A wrong shape or type is the caller's mistake and raises; an unusable recording is a fact about the data, and the
metrics answer NaN with the cause in words.
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


def peak_of(signal: np.ndarray) -> float:
    """Largest magnitude of a signal (samples,), 0 if it has no samples; NaN or Inf if it holds one."""
    return float(np.max(np.abs(signal), initial=0.0))


def cause_of_unusable(signal: np.ndarray, role: str, *, peak: float | None = None) -> str:
    """Why no metric can be computed from a signal in its role (``estimate``), or an empty string."""
    if len(signal) == 0:
        return f"{role} without samples"
    peak = peak_of(signal) if peak is None else peak
    if not np.isfinite(peak):
        return f"NaN or Inf in the {role}"
    if peak == 0:
        return f"silent {role}"
    return ""


def near_unit_peak(signal: np.ndarray, peak: float) -> np.ndarray:
    """Multiply by the power of two that brings the peak between ½ and 1: exact, so that no digit changes.

    Squares of any float64 can then be summed without overflow or underflow.
    """
    exponent = int(np.frexp(peak)[1])
    # 2^1074, which the smallest float64 would need, is not a float64: 2^1000 serves as well
    return signal * 2.0 ** min(-exponent, 1000)
