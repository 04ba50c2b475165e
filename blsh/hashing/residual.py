"""Residual boosting: every bit explains what the bits before it have left of the target.

The codes ``C`` (n, l) of ±1 of the first l bits make the similarity ``C Cᵀ / l`` of a segment's n frames. Let ``S``
be their target, centred so that it has both signs (`similarity.centred`). Bit l + 1, ``t``, is chosen greedily: that
which brings ``C Cᵀ + t tᵀ`` closest to ``(l + 1) S``. Because ``t tᵀ`` has the constant norm n,

    ‖(l + 1) S - C Cᵀ - t tᵀ‖² = const - 2 tᵀ M t,        M = (l + 1) S - C Cᵀ,

so it maximises ``tᵀ M t``: the same form as that of the papers' rule (`weights`), and learned by the same descent.
``M`` is the residual. There are no pair weights W to update and no weights β: the codes so far say it all.

It is boosting all the same. With ``W = |M| / Σ|M|`` as the pairs' weights and ``M > 0`` as what the new bits should
say of a pair,

    Σ W (B - [M > 0])² = ½ - ½ tᵀ (M / Σ|M|) t,

a weighted error between 0 and 1. That is the loss of the `Objective` here, and the round's ε. The β that the trainer
makes of it is recorded and used by nothing.

The greedy residual is that of supervised hashing with kernels [1]_, which keeps the target at the final number of
bits; here it grows with l, so the bits learned do not depend on how many will follow, and a prefix is a model. Their
labels are classes; ours are correlations of features and of ideal masks.

References
----------
.. [1] W. Liu, J. Wang, R. Ji, Y.-G. Jiang and S.-F. Chang, "Supervised hashing with kernels", CVPR 2012, section 3.2.
"""

from __future__ import annotations

import numpy as np

from blsh.files.kernels import njit
from blsh.hashing.profiles import TrainingParams
from blsh.hashing.similarity import Target
from blsh.hashing.weights import Objective

__all__ = ["RESIDUAL", "residual_rule"]

RESIDUAL = TrainingParams(
    target=Target("centred", 0.5),
    n_segments=20,
    segments="fresh",
    min_passes=6,
    max_passes=6,
)
"""The switches of residual boosting, chosen on the validation set of ``open_small`` (docs/rivals.md)."""


def residual_rule(
    target: np.ndarray,
    codes: np.ndarray,
    betas: np.ndarray,
    *,
    weight_loss: str,
    loss: str,
    out: np.ndarray | None = None,
) -> Objective:
    """Objective of the next bit on one segment: a rule for `boosting.boost`.

    Parameters
    ----------
    target : ndarray of float32, shape (n, n)
        S, in [-1, 1].
    codes : ndarray of ±1, shape (n, l)
        The segment's bits of the rounds so far.
    betas, weight_loss, loss
        What the papers' rule needs besides; without effect.
    out : ndarray of float32, shape (n, n), optional
        Where to put ``M / Σ|M|``.
    """
    residual = np.empty_like(target) if out is None else out
    # Sums of ±1 are whole numbers: exact in float32, in any order.
    signs = codes.astype(np.float32)
    np.matmul(signs, signs.T, out=residual)
    sums, squares = np.zeros(len(target)), np.zeros(len(target))
    _subtract(target, residual, np.float32(codes.shape[1] + 1), sums, squares)
    total = max(float(sums.sum()), np.finfo(np.float32).tiny)
    residual *= np.float32(1 / total)
    return Objective(residual, 0.5, sums / total, total**2 / max(float(squares.sum()), np.finfo(np.float32).tiny))


@njit(nogil=True)
def _subtract(target, residual, n_bits, sums, squares) -> None:
    """Turn ``C Cᵀ`` into M in place, and add up |M| and M² per column: M is symmetric, so these are its rows."""
    for i in range(residual.shape[0]):
        row, similarities = residual[i], target[i]
        for j in range(residual.shape[1]):
            value = n_bits * similarities[j] - row[j]
            row[j] = value
            sums[j] += np.float64(abs(value))
            squares[j] += np.float64(value) * np.float64(value)
