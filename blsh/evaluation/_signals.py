"""What every metric asks of a signal before it computes: one dimension, real numbers, finite, not silent.

A wrong shape or type is the caller's mistake and raises; an unusable recording is a fact about the data, and
the metrics answer NaN with the cause in words.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

_PART = 8192


@dataclass(frozen=True, eq=False)
class Signal:
    """A signal made ready for SDR, SIR, SAR and SI-SDR, which share what this takes.

    Attributes
    ----------
    samples : np.ndarray, float64, shape (samples,)
        Near unit peak (`near_unit_peak`) where it is usable.
    cause : str
        Why no metric can be computed from it, or ''.
    """

    samples: np.ndarray
    cause: str

    @cached_property
    def energy(self) -> float:
        """Sum of the squares, part by part: BLAS takes one thread for so few, so the sum depends on none."""
        parts = (self.samples[first : first + _PART] for first in range(0, len(self.samples), _PART))
        return math.fsum(float(part @ part) for part in parts)


def prepare(name: str, signal: np.ndarray | Signal, role: str | None = None) -> Signal:
    """Make a signal ready, if it is not yet; raise as `as_signal`, and call it by its role in a cause."""
    if isinstance(signal, Signal):
        return signal
    samples = as_signal(name, signal)
    cause = cause_of_unusable(samples, role or name)
    if not cause:
        samples *= _scale_of(samples)
    return Signal(samples, cause)


def as_signal(name: str, signal: np.ndarray) -> np.ndarray:
    """Return a copy of ``signal`` as float64 (samples,); raise TypeError or ValueError naming ``name``."""
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
    """Multiply by the power of two that brings the peak between ½ and 1: exact, so that no digit changes."""
    return signal * _scale_of(signal)


def _scale_of(signal: np.ndarray) -> float:
    """Return the power of two that brings the peak between ½ and 1.

    The squares of whatever float64 holds can then be summed without overflow, and without underflow to 0.
    """
    exponent = int(np.frexp(_peak(signal))[1])
    # 2^1074, which the smallest float64 would need, is not a float64; 2^1000 brings it far enough
    return 2.0 ** min(-exponent, 1000)


def _peak(signal: np.ndarray) -> float:
    """Largest magnitude; NaN or Inf if the signal holds one."""
    return float(max(np.max(signal), -np.min(signal)))
