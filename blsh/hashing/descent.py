"""One projection: gradient descent through the sign function.

A projection is the vector ``(p, b)`` of D + 1 numbers. On a segment of frames ``H`` (n, D) it gives ``z = H p
+ b`` and bits ``t = sign(z)``, 0 counting as +1, and loses ``constant - ½ tᵀ M t``
(``blsh.hashing.weights``). The sign's derivative is replaced by that of tanh, TASLP (6), so that

    ∂loss/∂z = (-M t) ⊙ (1 - tanh² z),    ∂loss/∂p = Hᵀ ∂loss/∂z,    ∂loss/∂b = 1ᵀ ∂loss/∂z.

For cross-entropy ``-M t`` is the exact derivative with respect to t. The squared error is ``Σ W (B - S)²``
with ``B = (t tᵀ + 1) / 2``, and its derivative by the chain rule is ``-M t + t ⊙ (W·1)``: the same on
average, with a pull of each frame towards the decision boundary (``square_gradient``).

A pass takes one Adam step per segment, in order. Its loss is the mean over the segments, each before its own
step.

Between two visits of a segment only a few frames change sides. So ``M t`` is kept and corrected by ``2 t_i``
times row i of M for each frame i that did: a step reads a few rows of M, and H twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from blsh.hashing._products import follow_signs, rows_times_vector, vector_times_rows
from blsh.hashing.adam import adam_start, adam_step
from blsh.hashing.profiles import TrainingParams
from blsh.hashing.weights import Objective

__all__ = ["Descent", "descend", "surrogate_gradient"]

STOP_WINDOW = 10  # passes; the authors' code


@dataclass(frozen=True, eq=False)
class Descent:
    """Where a descent ended.

    Attributes
    ----------
    vector : ndarray of float64, shape (D + 1,)
        Projection and, last, bias.
    losses : ndarray of float64, shape (passes,)
        Mean loss of each pass.
    """

    vector: np.ndarray
    losses: np.ndarray


def descend(
    frames: Sequence[np.ndarray], objectives: Sequence[Objective], start: np.ndarray, params: TrainingParams
) -> Descent:
    """Minimise the objectives' mean loss, one step per segment and pass.

    Parameters
    ----------
    frames : sequence of ndarray of float32, shape (n, D)
    objectives : sequence of Objective
        One per segment.
    start : ndarray, shape (D + 1,)
    params : TrainingParams
    """
    vector = np.asarray(start, dtype=np.float64)
    rate = params.learning_rate
    if params.learning_rate_unit == "relative":
        rate *= float(np.mean(np.abs(vector[:-1])))
    with_pull = params.projection_loss == "square" and params.square_gradient == "autograd"
    n = len(frames[0])
    signs = np.zeros((len(frames), n))
    products = np.zeros((len(frames), n))
    adam = adam_start(len(vector))
    z = np.empty(n, np.float32)
    losses: list[float] = []
    while not _is_done(losses, n, params):
        total = 0.0
        for rows, objective, t, product in zip(frames, objectives, signs, products, strict=True):
            rows_times_vector(rows, vector[:-1].astype(np.float32), np.float32(vector[-1]), z)
            follow_signs(z, t, product, objective.matrix)
            total += objective.constant - 0.5 * float(np.dot(t, product))
            gradient = surrogate_gradient(rows, z, t, product, objective.row_weights if with_pull else None)
            if not params.bias:
                gradient[-1] = 0
            vector, adam = adam_step(vector, gradient, adam, learning_rate=rate)
        losses.append(total / len(frames))
    return Descent(vector, np.array(losses))


def surrogate_gradient(
    rows: np.ndarray, z: np.ndarray, signs: np.ndarray, product: np.ndarray, row_weights: np.ndarray | None
) -> np.ndarray:
    """Gradient of a segment's loss with respect to ``(p, b)``.

    Parameters
    ----------
    rows : ndarray of float32, shape (n, D)
        H.
    z : ndarray of float32, shape (n,)
        ``H p + b``.
    signs, product : ndarray of float64, shape (n,)
        t and ``M t``.
    row_weights : ndarray of float64, shape (n,), optional
        ``W·1`` where the squared error's own gradient is wanted, else None.

    Returns
    -------
    ndarray of float64, shape (D + 1,)
    """
    by_sign = -product if row_weights is None else row_weights * signs - product
    by_value = by_sign * (1 - np.square(np.tanh(z, dtype=np.float64)))
    by_feature = np.empty(rows.shape[1], np.float32)
    vector_times_rows(by_value.astype(np.float32), rows, by_feature)
    gradient = np.empty(len(by_feature) + 1)
    gradient[:-1], gradient[-1] = by_feature, by_value.sum()
    return gradient


def _is_done(losses: Sequence[float], n: int, params: TrainingParams) -> bool:
    passes = len(losses)
    if passes < params.min_passes:
        return False
    if passes >= params.max_passes:
        return True
    if passes <= STOP_WINDOW:
        return False
    fall = np.mean(losses[-STOP_WINDOW - 1 : -1]) - np.mean(losses[-STOP_WINDOW:])
    return bool(fall <= 1 / n**2)
