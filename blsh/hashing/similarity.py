"""Self-similarity matrices: what the codes are trained to resemble, and what they make of it.

A *target* self-similarity matrix (SSM) says for every pair of ``n`` training frames how alike they are, as a
number in [0, 1]; a *binary* SSM says for how many bits (or, with weights, for what share of the weights) two
codes agree. Boosting learns the bits one by one so that the second approaches the first.

=========  ==========================================================  =======================================
target     ``S_ij``                                                    source
=========  ==========================================================  =======================================
``ssm``    ``h_i · h_j``                                               TASLP 2022, eq. (7)
``rbf``    ``exp((h_i · h_j - 1) / σ²)``                               TASLP 2022, eq. (15)
``power``  ``(h_i · h_j) ** γ``                                        this project
``mix``    ``(1 - w) h_i · h_j + w cos(y_i, y_j)``, y the ideal masks  this project
=========  ==========================================================  =======================================

Every target is clipped to [0, 1]: in float32 the product of two unit rows can exceed 1, and the logarithm of
the cross-entropy would then be NaN.

References
----------
S. Kim and M. Kim, "Boosted locality sensitive hashing: discriminative, efficient, and scalable binary codes
for source separation", IEEE/ACM TASLP 30, 2022.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["TARGETS", "Target", "binary_ssm", "mask_cosine", "mix", "power", "rbf", "ssm", "target_ssm"]

TARGETS = ("ssm", "rbf", "power", "mix")


@dataclass(frozen=True)
class Target:
    """The name of a target SSM and its one parameter.

    Attributes
    ----------
    name : {'ssm', 'rbf', 'power', 'mix'}
    parameter : float or None
        σ² > 0 of ``rbf``, γ > 0 of ``power``, w in [0, 1] of ``mix``; None for ``ssm``.
    """

    name: str = "ssm"
    parameter: float | None = None

    def __post_init__(self) -> None:
        if self.name not in TARGETS:
            raise ValueError(f"target={self.name!r} is unknown: choose one of {', '.join(TARGETS)}")
        if self.name == "ssm":
            if self.parameter is not None:
                raise ValueError(f"the target ssm takes no parameter, but {self.parameter!r} was given")
        elif self.parameter is None:
            raise ValueError(f"the target {self.name} needs its parameter, {_PARAMETERS[self.name]}")
        elif not _is_valid(self.name, self.parameter):
            raise ValueError(f"the target {self.name} needs {_PARAMETERS[self.name]}, not {self.parameter}")

    def __str__(self) -> str:
        """Return the name in tables and paths: ``ssm``, ``rbf-0.5``."""
        return self.name if self.parameter is None else f"{self.name}-{self.parameter:g}"


def ssm(features: np.ndarray) -> np.ndarray:
    """Cosine similarity of unit rows, TASLP (7): float32 (n, D) → float32 (n, n) in [0, 1]."""
    return _clipped(features @ features.T)


def rbf(features: np.ndarray, sigma2: float) -> np.ndarray:
    """Radial basis function of unit rows, TASLP (15): ``exp((h_i · h_j - 1) / sigma2)``, float32 (n, n)."""
    return _clipped(np.exp((features @ features.T - np.float32(1)) / np.float32(sigma2)))


def power(features: np.ndarray, gamma: float) -> np.ndarray:
    """`ssm` raised to ``gamma`` element by element: above 1 it spreads the similar pairs, float32 (n, n)."""
    return ssm(features) ** np.float32(gamma)


def mix(features: np.ndarray, masks: np.ndarray, weight: float) -> np.ndarray:
    """Blend `ssm` and `mask_cosine`: ``(1 - weight) ssm + weight cos``, float32 (n, n)."""
    return _clipped(np.float32(1 - weight) * ssm(features) + np.float32(weight) * mask_cosine(masks))


def mask_cosine(masks: np.ndarray) -> np.ndarray:
    """Cosine between binary masks.

    Parameters
    ----------
    masks : ndarray of bool or 0/1, shape (n, bins)

    Returns
    -------
    ndarray of float32, shape (n, n)
        ``|y_i ∧ y_j| / sqrt(|y_i| |y_j|)``. Two empty masks are alike (1), an empty and another are not (0).
    """
    counts = np.count_nonzero(masks, axis=1)
    # A further column that only empty masks set makes the two rules about them part of the product.
    rows = np.column_stack([masks, counts == 0]).astype(np.float32)
    rows /= np.sqrt(np.maximum(counts, 1)).astype(np.float32)[:, None]
    return _clipped(rows @ rows.T)


def target_ssm(features: np.ndarray, target: Target, *, masks: np.ndarray | None = None) -> np.ndarray:
    """Target SSM of one segment.

    Parameters
    ----------
    features : ndarray of float32, shape (n, D)
        Rows of unit length (``blsh.signal.spectra.feature``).
    target : Target
    masks : ndarray of bool, shape (n, bins), optional
        The frames' ideal binary masks; only ``mix`` needs them.

    Returns
    -------
    ndarray of float32, shape (n, n)
        Symmetric, in [0, 1].

    Raises
    ------
    ValueError
        When ``mix`` gets no masks, or not one per frame.
    """
    match target.name:
        case "ssm":
            return ssm(features)
        case "rbf":
            return rbf(features, target.parameter)
        case "power":
            return power(features, target.parameter)
    if masks is None:
        raise ValueError(f"the target {target} needs the frames' binary masks: give masks")
    if len(masks) != len(features):
        raise ValueError(f"{len(masks)} masks do not match {len(features)} frames")
    return mix(features, masks, target.parameter)


def binary_ssm(codes: np.ndarray, betas: np.ndarray | None = None) -> np.ndarray:
    """SSM that codes make: the (weighted) share of bits in which two frames agree, TASLP (8) and (10).

    Parameters
    ----------
    codes : ndarray of ±1, shape (n, n_bits)
    betas : ndarray, shape (n_bits,), optional
        Weights of the bits; 1 for each when None. The sum of (10) is divided by their sum, which no text says
        but which alone puts it on the target's scale, [0, 1].

    Returns
    -------
    ndarray of float32, shape (n, n)
    """
    signs = np.asarray(codes, dtype=np.float32)
    betas = np.ones(signs.shape[1]) if betas is None else np.asarray(betas, dtype=np.float64)
    if betas.shape != (signs.shape[1],) or not betas.size:
        raise ValueError(f"{betas.size} betas do not match {signs.shape[1]} bits")
    if betas.sum() <= 0:
        raise ValueError(f"the betas sum to {betas.sum():g}: a weighted mean needs a positive sum")
    shares = (betas / betas.sum()).astype(np.float32)
    return ((signs * shares) @ signs.T + np.float32(1)) / np.float32(2)


_PARAMETERS = {"rbf": "sigma2 > 0", "power": "gamma > 0", "mix": "a weight between 0 and 1"}


def _is_valid(name: str, parameter: float) -> bool:
    if name == "mix":
        return 0 <= parameter <= 1
    return 0 < parameter < float("inf")


def _clipped(similarity: np.ndarray) -> np.ndarray:
    return np.clip(similarity, np.float32(0), np.float32(1), out=similarity)
