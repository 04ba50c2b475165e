"""The objective of one boosting round on one segment: a symmetric matrix M.

Let ``S`` be the target SSM of ``n`` frames, ``t ∈ {±1}^n`` a new bit of each, ``B_ij = (t_i t_j + 1) / 2``
its binary SSM and ``W`` the weights of the pairs. A pair's loss is either squared error or cross-entropy,

    square:  (b - s)²
    xent:    -b ln(s + 1e-10) - (1 - b) ln(1 - s + 1e-10)

and since ``b`` is 0 or 1, either one is affine in ``b``. With ``m`` the mean of its values at b = 0 and b = 1
and ``d`` the first minus the second,

    loss(b, s) = m - (2b - 1) d / 2,        square: m = s² - s + ½,     d = 2s - 1
                                            xent:   m = -½ ln(s (1-s)), d = ln(s / (1-s))

which yields, as ``2B - 1 = t tᵀ``,

    Σ_ij W_ij loss(B_ij, S_ij) = Σ W ⊙ m - ½ tᵀ M t,                    M = W ⊙ d.

So a round builds M once and a step costs one product with it. The update of the weights, TASLP (11) with
ICASSP's and the authors' reading of it, is ``W ← W exp(β loss(B, S))``, scaled to sum 1. It telescopes: after
rounds with codes ``C`` (n, l) and weights β,

    ln W = Σβ m - ½ d ⊙ (C diag(β) Cᵀ) + const,

a Gram product of the codes. Therefore W is never kept between rounds, and it can be had for frames that no
earlier round has seen.

`papers_rule` is one *rule*, a function (target SSM, codes so far, β so far, loss) → `Objective`. The trainer
knows nothing else of the weights, so a rule that makes M in another way takes its place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blsh.files.kernels import njit

__all__ = ["Objective", "pair_losses", "pair_weights", "papers_rule"]

XENT_FLOOR = np.float32(1e-10)  # keeps the logarithm finite; the authors' code's value
# Weights e^-60 below the largest are raised to that: their share of the sum stays below 1e-20, and float32
# keeps clear of its denormal numbers, which some CPUs multiply a hundred times more slowly.
LOG_WEIGHT_FLOOR = np.float32(-60.0)
_BLOCK_ROWS = 128


@dataclass(frozen=True, eq=False)
class Objective:
    """What a round minimises on one segment: ``loss(t) = constant - ½ tᵀ M t``.

    Attributes
    ----------
    matrix : ndarray of float32, shape (n, n)
        M, symmetric.
    constant : float
        ``Σ W ⊙ m``.
    row_weights : ndarray of float64, shape (n,)
        ``W·1``, which the square's autograd gradient needs.
    effective_pairs : float
        ``1 / Σ W²``: n² for uniform weights, 1 when a single pair has all the weight.
    """

    matrix: np.ndarray
    constant: float
    row_weights: np.ndarray
    effective_pairs: float

    def loss(self, signs: np.ndarray) -> float:
        """Weighted loss of bits ``signs`` (n,) of ±1."""
        return self.constant - 0.5 * float(np.dot(signs, _product(self.matrix, signs.astype(np.float64))))


def papers_rule(
    target: np.ndarray,
    codes: np.ndarray,
    betas: np.ndarray,
    *,
    weight_loss: str,
    loss: str,
    out: np.ndarray | None = None,
) -> Objective:
    """Objective by the papers' pair weights.

    Parameters
    ----------
    target : ndarray of float32, shape (n, n)
        Target SSM, in [0, 1].
    codes : ndarray of ±1, shape (n, l)
        The segment's bits of the rounds so far.
    betas : ndarray, shape (l,)
        Their weights.
    weight_loss : {'square', 'xent'}
        The loss that makes W.
    loss : {'square', 'xent'}
        The loss to minimise under W.
    out : ndarray of float32, shape (n, n), optional
        Where to put M.
    """
    weights, scale = _relative_weights(target, codes, betas, loss=weight_loss, out=out)
    row_weights, constant, squares = np.zeros((3, len(target)))
    for rows in _row_blocks(len(target)):
        mean, difference = pair_losses(target[rows], loss=loss)
        _weigh(weights[rows], scale, mean, difference, row_weights, constant, squares)
    return Objective(weights, float(constant.sum()), row_weights, 1 / float(squares.sum()))


def pair_losses(target: np.ndarray, *, loss: str) -> tuple[np.ndarray, np.ndarray]:
    """Mean ``m`` and difference ``d`` of a pair's two possible losses, float32 of the target's shape.

    ``m - d/2`` is the loss of a pair whose bits agree, ``m + d/2`` of one whose bits differ.
    """
    if loss == "square":
        mean, difference = np.empty_like(target), np.empty_like(target)
        _square_losses(target, mean, difference)
        return mean, difference
    if loss == "xent":
        agree = np.log(target + XENT_FLOOR)
        differ = np.log((np.float32(1) - target) + XENT_FLOOR)
        return np.float32(-0.5) * (agree + differ), agree - differ
    raise ValueError(f"loss={loss!r} is unknown: choose one of square, xent")


def pair_weights(
    target: np.ndarray, codes: np.ndarray, betas: np.ndarray, *, loss: str, out: np.ndarray | None = None
) -> np.ndarray:
    """Weights W of a segment's pairs after the rounds so far: float32 (n, n), of sum 1.

    TASLP (11) with per-segment normalisation, rebuilt from the codes as the module explains. ``codes`` is (n,
    l) of ±1, ``betas`` (l,); with no rounds so far W is uniform.
    """
    weights, scale = _relative_weights(target, codes, betas, loss=loss, out=out)
    weights *= scale
    return weights


def _relative_weights(
    target: np.ndarray, codes: np.ndarray, betas: np.ndarray, *, loss: str, out: np.ndarray | None
) -> tuple[np.ndarray, np.float32]:
    """Weights of which the largest is 1, and the factor that makes their sum 1."""
    n = len(target)
    weights = np.empty((n, n), dtype=np.float32) if out is None else out
    if not len(betas):
        weights[:] = 1
        return weights, np.float32(1 / n**2)
    _weighted_gram(codes, betas, out=weights)
    total, largest = np.float32(np.sum(betas)), np.float32(-np.inf)
    for rows in _row_blocks(n):
        block = weights[rows]
        _to_log_weights(block, *pair_losses(target[rows], loss=loss), total)
        largest = max(largest, block.max())
    column_sums = np.zeros(n)
    for rows in _row_blocks(n):
        block = weights[rows]
        _shift_down(block, largest)
        np.exp(block, out=block)
        _add_rows_to(column_sums, block)
    return weights, np.float32(1 / column_sums.sum())


def _row_blocks(n: int) -> list[slice]:
    """Cut n rows into runs whose temporaries stay in a core's cache."""
    return [slice(start, start + _BLOCK_ROWS) for start in range(0, n, _BLOCK_ROWS)]


def _weighted_gram(codes: np.ndarray, betas: np.ndarray, *, out: np.ndarray) -> None:
    """``C diag(β) Cᵀ`` in float32."""
    signs = codes.astype(np.float32)
    if np.min(betas) < 0:
        np.matmul(signs * np.asarray(betas, dtype=np.float32), signs.T, out=out)
        return
    # A product of a matrix with its own transpose costs BLAS half of a general one.
    signs *= np.sqrt(betas).astype(np.float32)
    np.matmul(signs, signs.T, out=out)


# Sums over pairs are kept per column, in float64: W is symmetric, and a sum along a row would be a reduction,
# which the compiler may not turn into vector instructions without changing its order.


@njit(nogil=True)
def _product(matrix, vector) -> np.ndarray:
    """Product of a symmetric float32 matrix and a float64 vector, summed in float64 in the rows' order."""
    product = np.zeros(matrix.shape[0])
    for i in range(matrix.shape[0]):
        row, factor = matrix[i], vector[i]
        for j in range(matrix.shape[1]):
            product[j] += factor * np.float64(row[j])
    return product


@njit(nogil=True)
def _square_losses(target, mean, difference) -> None:
    half, one, two = np.float32(0.5), np.float32(1), np.float32(2)
    for i in range(target.shape[0]):
        similarities, means, differences = target[i], mean[i], difference[i]
        for j in range(target.shape[1]):
            s = similarities[j]
            means[j] = s * s - s + half
            differences[j] = two * s - one


@njit(nogil=True)
def _to_log_weights(gram, mean, difference, total) -> None:
    half = np.float32(0.5)
    for i in range(gram.shape[0]):
        row, means, differences = gram[i], mean[i], difference[i]
        for j in range(gram.shape[1]):
            row[j] = total * means[j] - half * differences[j] * row[j]


@njit(nogil=True)
def _shift_down(log_weights, largest) -> None:
    for i in range(log_weights.shape[0]):
        row = log_weights[i]
        for j in range(log_weights.shape[1]):
            row[j] = max(row[j] - largest, LOG_WEIGHT_FLOOR)


@njit(nogil=True)
def _add_rows_to(sums, rows) -> None:
    for i in range(rows.shape[0]):
        row = rows[i]
        for j in range(rows.shape[1]):
            sums[j] += np.float64(row[j])


@njit(nogil=True)
def _weigh(weights, scale, mean, difference, row_weights, constant, squares) -> None:
    """Turn relative weights into M in place, and add up W, W ⊙ m and W²."""
    for i in range(weights.shape[0]):
        row, means, differences = weights[i], mean[i], difference[i]
        for j in range(weights.shape[1]):
            w = row[j] * scale
            row_weights[j] += np.float64(w)
            constant[j] += np.float64(w * means[j])
            squares[j] += np.float64(w * w)
            row[j] = w * differences[j]
