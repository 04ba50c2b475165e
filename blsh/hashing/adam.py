"""Adam, one step at a time.

With gradient g, decays β₁ = 0.95 and β₂ = 0.98 (the authors' code; not Adam's usual 0.9 and 0.999) and ε =
1e-8,

    m ← β₁ m + (1 - β₁) g,    v ← β₂ v + (1 - β₂) g²,
    x ← x - η m̂ / (√v̂ + ε),   m̂ = m / (1 - β₁ᵏ),   v̂ = v / (1 - β₂ᵏ)

after k steps.

References
----------
D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR 2015, Algorithm 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blsh.files.kernels import njit

__all__ = ["AdamState", "adam_start", "adam_step"]

BETA1 = 0.95
BETA2 = 0.98
EPSILON = 1e-8


@dataclass(frozen=True, eq=False)
class AdamState:
    """Number of steps taken and the running means of the gradient and of its square."""

    steps: int
    first: np.ndarray
    second: np.ndarray


def adam_start(size: int) -> AdamState:
    """State before the first step."""
    return AdamState(0, np.zeros(size), np.zeros(size))


def adam_step(
    vector: np.ndarray, gradient: np.ndarray, state: AdamState, *, learning_rate: float
) -> tuple[np.ndarray, AdamState]:
    """Take one step from ``vector`` against ``gradient``, both (size,): the new vector and state."""
    steps = state.steps + 1
    updated, first, second = np.empty((3, len(vector)))
    rate, correction = learning_rate / (1 - BETA1**steps), 1 - BETA2**steps
    _update(vector, gradient, state.first, state.second, rate, correction, updated, first, second)
    return updated, AdamState(steps, first, second)


@njit(nogil=True)
def _update(vector, gradient, first, second, rate, correction, new_vector, new_first, new_second) -> None:
    for i in range(vector.shape[0]):
        new_first[i] = BETA1 * first[i] + (1 - BETA1) * gradient[i]
        new_second[i] = BETA2 * second[i] + (1 - BETA2) * gradient[i] ** 2
        new_vector[i] = vector[i] - rate * new_first[i] / (np.sqrt(new_second[i] / correction) + EPSILON)
