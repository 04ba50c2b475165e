"""Normal equations by their structure: inverses of block Toeplitz matrices, in O(L²) and applied in O(L log L).

In the order of delays ``G`` is block Toeplitz: block (p, q), of k × k elements, is ``R(p − q)``, where element (i, j)
of ``R(m)`` is ``r_ij(m)`` and ``R(−m) = R(m)ᵀ``. Two matrix polynomials hold its whole inverse: ``A``, (L blocks) of
which the first is the identity, and ``B``, of which the last is, with

    G A = (P, 0, …, 0),    G B = (0, …, 0, Q).

The recursion of Levinson, for blocks by Whittle [1]_, makes those of m + 1 delays from those of m: with
``Δ = Σ_t R(m + 1 − t) A_t``

    A ← (A, 0) − (0, B) Q⁻¹ Δ,    B ← (0, B) − (A, 0) P⁻¹ Δᵀ,    P ← P − Δᵀ Q⁻¹ Δ,    Q ← Q − Δ P⁻¹ Δᵀ.

By the formula of Gohberg and Semencul, for blocks of Gohberg and Heinig [2]_,

    G⁻¹ = L(A) P⁻¹ L(A)ᵀ − L(B′) Q⁻¹ L(B′)ᵀ,    B′ = (0, B_0, …, B_{L−2}),

where ``L(·)`` is the lower triangular block Toeplitz matrix of a first block column: four convolutions, which are done
as products of short transforms. What rounding leaves of it one step of refinement, ``h ← h + G⁻¹ (b − G h)``, takes
away. The triangles also bound the condition number, so that matrices for which this might not do are known.

References
----------
.. [1] P. Whittle, "On the fitting of multivariate autoregressions, and the approximate canonical factorization of a
   spectral density matrix", Biometrika 50, 1963, section 3.
.. [2] I. Gohberg and G. Heinig, "Inversion of finite Toeplitz matrices consisting of elements of a noncommutative
   algebra", Revue Roumaine de Mathématiques Pures et Appliquées 19, 1974. For k = 1: I. Gohberg and A. Semencul, 1972.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import fft

from blsh.files.kernels import njit

__all__ = ["ToeplitzInverse", "invert"]

# Sums of many products may be taken in another order than written: several at a time, always the same ones.
_REORDERED = {"reassoc", "contract", "nsz"}


@dataclass(frozen=True, eq=False)
class ToeplitzInverse:
    """The inverse of a ``G``, as transforms of ``n_fft`` points.

    Attributes
    ----------
    matrix : np.ndarray, shape (k, k, n_fft // 2 + 1), complex128
        Of ``r_ij(m)`` for all lags m, negative ones at the end.
    factors : np.ndarray, shape (2, k, k, n_fft // 2 + 1), complex128
        Of A and B′, multiplied from the right by the Cholesky factors of P⁻¹ and Q⁻¹.
    n_lags : int
        L.
    n_fft : int
    condition : float
        A bound on the condition number of ``G`` in the 1-norm.
    """

    matrix: np.ndarray
    factors: np.ndarray
    n_lags: int
    n_fft: int
    condition: float

    def solve(self, products: np.ndarray) -> np.ndarray:
        """Return ``h`` (k, L) of ``G h = b`` for ``b`` (k, L)."""
        h = self._apply(products)
        return h + self._apply(products - self._multiply(h))

    def _multiply(self, h: np.ndarray) -> np.ndarray:
        return self._inverse(_synthesised(self.matrix[np.newaxis], self._transform(h)[np.newaxis]))

    def _apply(self, b: np.ndarray) -> np.ndarray:
        inner = self._inverse(_analysed(self.factors, self._transform(b)))
        return self._inverse(_synthesised(self.factors, self._transform(inner)))

    def _transform(self, signals: np.ndarray) -> np.ndarray:
        return fft.rfft(signals, self.n_fft, workers=1)

    def _inverse(self, spectra: np.ndarray) -> np.ndarray:
        return fft.irfft(spectra, self.n_fft, workers=1)[..., : self.n_lags]


def invert(correlations: np.ndarray) -> ToeplitzInverse | None:
    """Invert ``G``.

    Parameters
    ----------
    correlations : np.ndarray, shape (k, k, L), float64
        ``r_ij(m)`` for 0 ≤ m < L; k is 1 or 2.

    Returns
    -------
    ToeplitzInverse or None
        None if ``G`` is not positive definite as far as float64 can tell.
    """
    k, _, n_lags = correlations.shape
    forward, backward = np.zeros((2, k, k, n_lags))
    remainders = np.empty((2, k, k))
    recursion = _levinson if k == 1 else _whittle
    if not recursion(np.ascontiguousarray(correlations), forward, backward, remainders):
        return None
    try:
        # P⁻¹ = C Cᵀ
        roots = np.linalg.cholesky(np.linalg.inv(remainders))
    except np.linalg.LinAlgError:
        return None
    factors = np.einsum("gilm,glj->gijm", np.stack([forward, backward]), roots)
    factors[1, ..., 1:] = factors[1, ..., :-1]
    factors[1, ..., 0] = 0
    n_fft = fft.next_fast_len(2 * n_lags - 1, real=True)
    lags = np.zeros((k, k, n_fft))
    lags[..., :n_lags] = correlations
    if n_lags > 1:
        lags[..., 1 - n_lags :] = correlations.swapaxes(0, 1)[..., :0:-1]
    return ToeplitzInverse(
        fft.rfft(lags, workers=1), fft.rfft(factors, n_fft, workers=1), n_lags, n_fft, _condition(lags, factors)
    )


def _condition(lags: np.ndarray, factors: np.ndarray) -> float:
    """``‖G‖₁ ‖G⁻¹‖₁`` at most: a column of a Toeplitz matrix has no more than all lags, and norms of parts add."""
    sizes = np.abs(factors).sum(axis=-1)
    inverse = np.sum(sizes.sum(axis=1).max(axis=-1) * sizes.sum(axis=2).max(axis=-1))
    return float(np.abs(lags).sum(axis=(0, -1)).max() * inverse)


@njit(fastmath=_REORDERED)
def _levinson(correlations, forward, backward, remainders):
    # One reference: P = Q, and B is A backwards. B ends at the last place, so that (0, B) lies where B lay.
    lags = correlations[0, 0]
    reversed_lags = lags[::-1].copy()
    a, b = forward[0, 0], backward[0, 0]
    n_lags = len(lags)
    a[0] = b[n_lags - 1] = 1.0
    p = lags[0]
    if not p > 0:
        return False
    for m in range(n_lags - 1):
        start = n_lags - 2 - m
        delta = 0.0
        for t in range(m + 1):
            delta += reversed_lags[start + t] * a[t]
        ratio = delta / p
        for t in range(m + 2):
            a_t, b_t = a[t], b[start + t]
            a[t] = a_t - ratio * b_t
            b[start + t] = b_t - ratio * a_t
        p -= delta * ratio
        if not p > 0:
            return False
    remainders[:] = p
    return True


@njit(fastmath=_REORDERED)
def _whittle(correlations, forward, backward, remainders):
    # Two references; B lies as above. K = Q⁻¹ Δ and M = P⁻¹ Δᵀ.
    n_lags = correlations.shape[2]
    reversed_lags = correlations[:, :, ::-1].copy()
    for i in range(2):
        forward[i, i, 0] = backward[i, i, n_lags - 1] = 1.0
    p, q = remainders[0], remainders[1]
    p[:] = correlations[:, :, 0]
    q[:] = correlations[:, :, 0]
    for m in range(n_lags - 1):
        start = n_lags - 2 - m
        d00 = d01 = d10 = d11 = 0.0
        for t in range(m + 1):
            a00, a01, a10, a11 = forward[0, 0, t], forward[0, 1, t], forward[1, 0, t], forward[1, 1, t]
            r00, r01 = reversed_lags[0, 0, start + t], reversed_lags[0, 1, start + t]
            r10, r11 = reversed_lags[1, 0, start + t], reversed_lags[1, 1, start + t]
            d00 += r00 * a00 + r01 * a10
            d01 += r00 * a01 + r01 * a11
            d10 += r10 * a00 + r11 * a10
            d11 += r10 * a01 + r11 * a11
        det_p = p[0, 0] * p[1, 1] - p[0, 1] * p[1, 0]
        det_q = q[0, 0] * q[1, 1] - q[0, 1] * q[1, 0]
        if not (det_p > 0 and det_q > 0 and p[0, 0] > 0 and q[0, 0] > 0):
            return False
        k00, k01 = (q[1, 1] * d00 - q[0, 1] * d10) / det_q, (q[1, 1] * d01 - q[0, 1] * d11) / det_q
        k10, k11 = (q[0, 0] * d10 - q[1, 0] * d00) / det_q, (q[0, 0] * d11 - q[1, 0] * d01) / det_q
        m00, m01 = (p[1, 1] * d00 - p[0, 1] * d01) / det_p, (p[1, 1] * d10 - p[0, 1] * d11) / det_p
        m10, m11 = (p[0, 0] * d01 - p[1, 0] * d00) / det_p, (p[0, 0] * d11 - p[1, 0] * d10) / det_p
        for i in range(2):
            for t in range(m + 2):
                a0, a1 = forward[i, 0, t], forward[i, 1, t]
                b0, b1 = backward[i, 0, start + t], backward[i, 1, start + t]
                forward[i, 0, t] = a0 - b0 * k00 - b1 * k10
                forward[i, 1, t] = a1 - b0 * k01 - b1 * k11
                backward[i, 0, start + t] = b0 - a0 * m00 - a1 * m10
                backward[i, 1, start + t] = b1 - a0 * m01 - a1 * m11
        # Δᵀ K and Δ M are symmetric.
        p01, q01 = d00 * k01 + d10 * k11, d00 * m01 + d01 * m11
        p[0, 0] -= d00 * k00 + d10 * k10
        p[0, 1] -= p01
        p[1, 0] -= p01
        p[1, 1] -= d01 * k01 + d11 * k11
        q[0, 0] -= d00 * m00 + d01 * m10
        q[0, 1] -= q01
        q[1, 0] -= q01
        q[1, 1] -= d10 * m01 + d11 * m11
    return True


@njit()
def _analysed(factors, spectra):
    # Lᵀ b: of each factor g, Σ_i conj(F_gij) b_i.
    n_factors, k, _, n_bins = factors.shape
    found = np.zeros((n_factors, k, n_bins), np.complex128)
    for g in range(n_factors):
        for i in range(k):
            for j in range(k):
                for f in range(n_bins):
                    s, e = factors[g, i, j, f], spectra[i, f]
                    found[g, j, f] += complex(s.real * e.real + s.imag * e.imag, s.real * e.imag - s.imag * e.real)
    return found


@njit()
def _synthesised(factors, spectra):
    # Σ_j F_0ij u_0j − Σ_j F_1ij u_1j, or the first sum alone.
    n_factors, k, _, n_bins = factors.shape
    found = np.zeros((k, n_bins), np.complex128)
    for g in range(n_factors):
        sign = 1.0 - 2.0 * g
        for i in range(k):
            for j in range(k):
                for f in range(n_bins):
                    s, e = factors[g, i, j, f], spectra[g, j, f]
                    found[i, f] += complex(
                        sign * (s.real * e.real - s.imag * e.imag), sign * (s.real * e.imag + s.imag * e.real)
                    )
    return found
