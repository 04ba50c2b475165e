"""Self-similarity matrices: what the codes are trained to resemble, and what they make of it.

A *target* self-similarity matrix (SSM) says for every pair of ``n`` training frames how alike they are, as a
number in [0, 1]; a *binary* SSM says for how many bits (or, with weights, for what share of the weights) two
codes agree. Boosting learns the bits one by one so that the second approaches the first.

===========  =============================================================  ===========================
target       ``S_ij``                                                       source
===========  =============================================================  ===========================
``ssm``      ``h_i · h_j``                                                  TASLP 2022, eq. (7)
``rbf``      ``exp((h_i · h_j - 1) / σ²)``                                  TASLP 2022, eq. (15)
``power``    ``(h_i · h_j) ** γ``                                           this project
``mix``      ``(1 - w) h_i · h_j + w cos(y_i, y_j)``                        this project
``centred``  ``(1 - w) cos(h_i - h̄, h_j - h̄) + w cos(y_i - ȳ, y_j - ȳ)``  this project, for `residual`
===========  =============================================================  ===========================

Here h are features, y ideal binary masks, and a bar is the mean over the segment. The first four are clipped to [0, 1]:
in float32 the product of two unit rows can exceed 1, and the logarithm of the cross-entropy would then be NaN. The last
one lies in [-1, 1], so only a rule that takes no logarithms can approach it.

References
----------
S. Kim and M. Kim, "Boosted locality sensitive hashing: discriminative, efficient, and scalable binary codes
for source separation", IEEE/ACM TASLP 30, 2022.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from blsh.files.kernels import njit
from blsh.hashing._mask_overlap import shared_bins

__all__ = [
    "TARGETS",
    "Target",
    "binary_ssm",
    "centred",
    "main_targets",
    "mask_cosine",
    "mix",
    "parse_target",
    "power",
    "rbf",
    "ssm",
    "target_ssm",
]

TARGETS = ("ssm", "rbf", "power", "mix", "centred")
_PAPERS_TARGET = "ssm"


@dataclass(frozen=True)
class Target:
    """The name of a target SSM and its one parameter.

    Attributes
    ----------
    name : {'ssm', 'rbf', 'power', 'mix', 'centred'}
    parameter : float or None
        σ² > 0 of ``rbf``, γ > 0 of ``power`` (as float32), w in [0, 1] of ``mix`` and ``centred``; None for ``ssm``.
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
        """Return the name in tables and paths: ``ssm``, ``rbf-0.5``. It can be read back by `parse_target`."""
        if self.parameter is None:
            return self.name
        short = f"{self.parameter:g}"
        return f"{self.name}-{short if float(short) == self.parameter else repr(float(self.parameter))}"

    @property
    def needs_masks(self) -> bool:
        """Whether it compares the frames' ideal binary masks too."""
        return self.name in ("mix", "centred")

    @property
    def is_share(self) -> bool:
        """Whether its values lie in [0, 1], as the papers' losses need."""
        return self.name != "centred"


def main_targets(targets: Sequence[str]) -> tuple[str, ...]:
    """Return the targets that the papers' tables are about: ``ssm``, or all where there are others alone."""
    return (_PAPERS_TARGET,) if _PAPERS_TARGET in targets else tuple(targets)


def parse_target(text: str) -> Target:
    """Read a target as configurations, commands and paths spell it: ``ssm``, ``rbf-0.5``, ``mix-0.5``.

    Raises
    ------
    ValueError
        When there is no such target, or its parameter is missing, no number or out of its range.
    """
    name, dash, parameter = text.partition("-")
    try:
        value = float(parameter) if dash else None
    except ValueError:
        raise ValueError(f"target {text!r}: {parameter!r} is not a number; write it like rbf-0.5") from None
    return Target(name, value)


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


def centred(features: np.ndarray, masks: np.ndarray, weight: float) -> np.ndarray:
    """Blend the correlations of features and of masks, ``(1 - weight) cos + weight cos`` of centred rows.

    The mean row is taken off the products, not off the rows: with ``G = H Hᵀ`` and its row means g,
    ``(h_i - h̄) · (h_j - h̄) = G_ij - g_i - g_j + ḡ``.

    Parameters
    ----------
    features : ndarray of float32, shape (n, D)
    masks : ndarray of uint8, shape (n, bytes)
        Packed, as everywhere below.
    weight : float in [0, 1]

    Returns
    -------
    ndarray of float32, shape (n, n)
        In [-1, 1] but for rounding. A row that equals the mean is like no other (0).
    """
    similarity = features @ features.T
    _centre_and_blend(similarity, np.float32(1 - weight), shared_bins(masks), np.float32(weight))
    return similarity


def mask_cosine(masks: np.ndarray) -> np.ndarray:
    """Cosine between binary masks.

    Parameters
    ----------
    masks : ndarray of uint8, shape (n, bytes)
        Packed (``blsh.signal.masks.pack_masks``).

    Returns
    -------
    ndarray of float32, shape (n, n)
        ``|y_i ∧ y_j| / sqrt(|y_i| |y_j|)``. Two empty masks are alike (1), an empty and another are not (0).
    """
    shared = shared_bins(masks)
    counts = shared.diagonal()
    lengths = np.sqrt(np.maximum(counts, 1))
    shared /= lengths[:, None] * lengths
    empty = counts == 0
    shared[np.ix_(empty, empty)] = 1
    return _clipped(shared)


def target_ssm(features: np.ndarray, target: Target, *, masks: np.ndarray | None = None) -> np.ndarray:
    """Target SSM of one segment.

    Parameters
    ----------
    features : ndarray of float32, shape (n, D)
        Rows of unit length (``blsh.signal.spectra.feature``).
    target : Target
    masks : ndarray of uint8, shape (n, bytes), optional
        The frames' packed ideal binary masks; only ``mix`` and ``centred`` need them.

    Returns
    -------
    ndarray of float32, shape (n, n)
        Symmetric, in [0, 1], ``centred`` in [-1, 1].

    Raises
    ------
    ValueError
        When a target that needs masks gets none, or not one per frame.
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
    return (mix if target.name == "mix" else centred)(features, masks, target.parameter)


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


_PARAMETERS = {
    "rbf": "sigma2 > 0",
    "power": "gamma > 0",
    **dict.fromkeys(("mix", "centred"), "a weight between 0 and 1"),
}


def _is_valid(name: str, parameter: float) -> bool:
    if name in ("mix", "centred"):
        return 0 <= parameter <= 1
    # As float32, in which it is used.
    return float(np.finfo(np.float32).tiny) <= parameter <= float(np.finfo(np.float32).max)


def _clipped(similarity: np.ndarray) -> np.ndarray:
    return np.clip(similarity, np.float32(0), np.float32(1), out=similarity)


def _centre_and_blend(similarity: np.ndarray, weight: np.float32, other: np.ndarray, other_weight: np.float32) -> None:
    """Blend two matrices of inner products into the first, each centred and scaled to a diagonal of 1."""
    _blend(similarity, *_centring(similarity, weight), other, *_centring(other, other_weight))


def _centring(products: np.ndarray, weight: np.float32) -> tuple[np.ndarray, np.ndarray]:
    """Return, for each row i, what centring takes off and the square root of the weight over the centred length."""
    means = products.mean(axis=1, dtype=np.float64)
    # g_i - ḡ/2: the sum of two of them is what a product loses.
    offsets = means - means.mean() / 2
    squares = products.diagonal() - 2 * offsets
    # What rounding leaves of a row that equals the mean has no direction.
    has_direction = squares > 1e-6 * np.maximum(products.diagonal(), 1)
    scales = np.sqrt(np.divide(weight, squares, out=np.zeros(len(products)), where=has_direction))
    return offsets.astype(np.float32), scales.astype(np.float32)


@njit(nogil=True)
def _blend(first, first_offsets, first_scales, second, second_offsets, second_scales) -> None:
    for i in range(first.shape[0]):
        row, other = first[i], second[i]
        a, b = first_offsets[i], second_offsets[i]
        p, q = first_scales[i], second_scales[i]
        for j in range(first.shape[1]):
            one = (row[j] - (a + first_offsets[j])) * (p * first_scales[j])
            two = (other[j] - (b + second_offsets[j])) * (q * second_scales[j])
            row[j] = one + two
