"""Two rivals from image retrieval: signs of principal components, and iterative quantisation (ITQ).

Both cut the frames' principal components at their mean. With μ the mean of the features and W (D, L) the L leading
eigenvectors of their covariance, a frame has the components ``v = Wᵀ(x - μ)``, and

* ``pca_sign`` takes the signs of v. The components come in the order of their variance, so a code's prefix is a code,
  but every one counts alike, however little it varies.
* ``itq`` [1]_ turns the components by a rotation R before it takes signs, ``sign(Rᵀ v)``, chosen to make them as
  close to their signs as can be: minimise ``‖B - V R‖²`` over ``B ∈ {±1}`` and orthogonal R, in turns. Given R, B is
  ``sign(V R)``; given B, R is the orthogonal Procrustes solution, from the singular value decomposition
  ``Bᵀ V = S Ω Ŝᵀ`` as ``R = Ŝ Sᵀ``. It starts from a random rotation and takes 50 turns, as in [1]_. A rotation
  mixes all components, so every code length has a model of its own and a prefix is none.

Neither knows the ideal masks, and neither can have more bits than features. As every code of the project, theirs is
``[P x + b ≥ 0]``: here ``P = (W R)ᵀ`` and ``b = -P μ``.

References
----------
.. [1] Y. Gong and S. Lazebnik, "Iterative quantization: a Procrustean approach to learning binary codes",
   CVPR 2011, section 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from blsh.hashing.plain_arrays import plain_array
from blsh.hashing.projections import Projections

__all__ = ["PrincipalAxes", "itq", "pca_sign", "principal_axes"]

N_TURNS = 50
_ROWS_AT_ONCE = 4096


@dataclass(frozen=True, eq=False)
class PrincipalAxes:
    """Mean and principal axes of frames.

    Attributes
    ----------
    mean : ndarray of float64, shape (D,)
        μ.
    axes : ndarray of float64, shape (rank, D)
        Rows of unit length, those of more variance first; each one's entry of largest magnitude is positive.
    """

    mean: np.ndarray
    axes: np.ndarray


def principal_axes(features: np.ndarray) -> PrincipalAxes:
    """Find the principal axes of frames.

    Parameters
    ----------
    features : ndarray of float32, shape (frames, D)

    Returns
    -------
    PrincipalAxes
        As many axes as the frames have directions: at most D, and at most one less than the frames.

    Raises
    ------
    ValueError
        When the frames are all alike.
    """
    features = plain_array("features", features, np.float32, 2)
    mean = features.mean(axis=0, dtype=np.float64)
    covariance = np.zeros((len(mean), len(mean)))
    with threadpool_limits(1, "blas"):
        for first in range(0, len(features), _ROWS_AT_ONCE):
            rows = features[first : first + _ROWS_AT_ONCE] - mean
            covariance += rows.T @ rows
        variances, columns = np.linalg.eigh(covariance)
    axes = columns.T[::-1]
    # Below this share of the largest, a variance is rounding, and the sign of its component tells nothing.
    rank = int(np.count_nonzero(variances > 1e-12 * max(variances[-1], np.finfo(np.float64).tiny)))
    if rank == 0:
        raise ValueError(f"the {len(features)} frames are all alike: principal axes need frames that differ")
    axes = axes[:rank]
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], axis=1)
    return PrincipalAxes(mean, np.ascontiguousarray(axes * np.sign(largest)))


def pca_sign(principal: PrincipalAxes, n_bits: int) -> Projections:
    """Cut the leading components at the mean.

    Raises
    ------
    ValueError
        When there are fewer axes than bits.
    """
    return _projections(_leading(principal, n_bits), principal.mean)


def itq(features: np.ndarray, principal: PrincipalAxes, n_bits: int, *, rng: np.random.Generator) -> Projections:
    """Rotate the leading components towards their signs, and cut them.

    Parameters
    ----------
    features : ndarray of float32, shape (frames, D)
        Frames to fit the rotation to.
    principal : PrincipalAxes
        Their principal axes.
    n_bits : int
        L.
    rng : numpy.random.Generator
        Draws the rotation to start from.

    Raises
    ------
    ValueError
        When there are fewer axes than bits.
    """
    features = plain_array("features", features, np.float32, 2)
    axes = _leading(principal, n_bits)
    with threadpool_limits(1, "blas"):
        components = features @ axes.T.astype(np.float32)
        components -= (axes @ principal.mean).astype(np.float32)
        rotation = _random_rotation(n_bits, rng)
        for _ in range(N_TURNS):
            turned = components @ rotation.astype(np.float32)
            signs = np.where(turned >= 0, np.float32(1), np.float32(-1))
            left, _, right = np.linalg.svd((signs.T @ components).astype(np.float64))
            rotation = right.T @ left.T
        return _projections(rotation.T @ axes, principal.mean)


def _leading(principal: PrincipalAxes, n_bits: int) -> np.ndarray:
    if not 1 <= n_bits <= len(principal.axes):
        raise ValueError(
            f"n_bits={n_bits} must lie in 1…{len(principal.axes)}, the directions that the frames have: ask for fewer"
        )
    return principal.axes[:n_bits]


def _projections(matrix: np.ndarray, mean: np.ndarray) -> Projections:
    return Projections(matrix.astype(np.float32), (-(matrix @ mean)).astype(np.float32))


def _random_rotation(size: int, rng: np.random.Generator) -> np.ndarray:
    """Orthogonal matrix, all of them equally likely: the signs undo what the decomposition prefers."""
    rotation, triangle = np.linalg.qr(rng.standard_normal((size, size)))
    return rotation * np.sign(triangle.diagonal())
