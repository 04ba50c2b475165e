"""Projections of features onto bits, random or learned, and the one function that encodes with them.

Bit l of a frame x is ``[p_l · x + b_l ≥ 0]``. Rows of P and b from N(0, 1) give locality sensitive hashing:
the chance that two frames agree in a bit falls with the angle between them, so the share of equal bits
estimates their similarity. Boosted projections (``boosting``) have the same form, and weights β besides.

The sum decides a bit near zero by its last digit, and a matrix product's last digit depends on the shape of
the batch. So it is accumulated in float64, feature after feature and then the bias, for every frame and bit
by itself: a code depends on neither the batch, nor the number of threads, nor the number of bits. Products
of two float32 numbers are exact in float64, hence it does not matter either whether the processor fuses
them into the sum.

References
----------
.. [1] M. Charikar, "Similarity estimation techniques from rounding algorithms", STOC 2002.
.. [2] S. Kim and M. Kim, "Boosted locality sensitive hashing: discriminative, efficient, and scalable
   binary codes for source separation", IEEE/ACM TASLP 30, 2022, section III.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from blsh.files.arrays import load_stamped, save_stamped
from blsh.files.messages import one_line
from blsh.files.threads import in_threads
from blsh.hashing._encoding import BITS_AT_ONCE, BLOCK, FEATURES_AT_ONCE, encode_one_bit, encode_rows
from blsh.hashing.codes import WORD_BITS, Codes
from blsh.hashing.plain_arrays import on_cache_line, plain_array

__all__ = ["Projections", "encode", "load_projections", "random_projections", "save_projections"]

_KIND, _VERSION = "projections", 1


@dataclass(frozen=True, eq=False)
class Projections:
    """One projection per bit, ordered by importance where they were learned.

    Attributes
    ----------
    matrix : ndarray of float32, shape (n_bits, n_features)
        P, a row per bit.
    bias : ndarray of float32, shape (n_bits,)
        b.
    betas : ndarray of float32, shape (n_bits,), or None
        Weights β of boosted projections; the search does not use them.

    Raises
    ------
    TypeError
        When an array is not float32.
    ValueError
        When shapes do not agree, or a value is not finite.
    """

    matrix: np.ndarray
    bias: np.ndarray
    betas: np.ndarray | None = None

    def __post_init__(self):
        matrix = plain_array("matrix", self.matrix, np.float32, 2)
        if 0 in matrix.shape:
            raise ValueError(f"matrix of shape {matrix.shape} must have a bit and a feature at least")
        vectors = {"bias": self.bias} | ({} if self.betas is None else {"betas": self.betas})
        arrays = {"matrix": matrix} | {
            name: plain_array(name, vector, np.float32, 1) for name, vector in vectors.items()
        }
        for name, array in arrays.items():
            if len(array) != len(matrix):
                raise ValueError(f"{name} of shape {array.shape} must have a value for each of the {len(matrix)} bits")
            if not np.isfinite(array).all():
                raise ValueError(f"{name} has values that are not finite: make the projections again")
            object.__setattr__(self, name, array)

    @property
    def n_bits(self) -> int:
        """Number of bits."""
        return self.matrix.shape[0]

    @property
    def n_features(self) -> int:
        """Width of the features they were made for."""
        return self.matrix.shape[1]

    def prefix(self, n_bits: int) -> Projections:
        """Return the projections of the first ``n_bits`` bits.

        Raises
        ------
        ValueError
            When there are fewer, or none is asked for.
        """
        if not 1 <= n_bits <= self.n_bits:
            raise ValueError(f"n_bits={n_bits} must lie in 1…{self.n_bits}, the bits of these projections")
        betas = None if self.betas is None else self.betas[:n_bits]
        return Projections(self.matrix[:n_bits], self.bias[:n_bits], betas)


def random_projections(n_bits: int, n_features: int, *, rng: np.random.Generator) -> Projections:
    """Draw projections and biases from N(0, 1): locality sensitive hashing.

    They are drawn bit after bit, so a draw of fewer bits from the same generator state is a prefix of this
    one.

    Raises
    ------
    ValueError
        When no bit or no feature is asked for.
    """
    if n_bits < 1 or n_features < 1:
        raise ValueError(f"n_bits={n_bits} and n_features={n_features} must be at least 1")
    drawn = rng.standard_normal((n_bits, n_features + 1), dtype=np.float32)
    return Projections(drawn[:, :-1], drawn[:, -1])


def encode(features: np.ndarray, projections: Projections) -> Codes:
    """Return the codes of frames, ``[P x + b ≥ 0]``, always of all bits.

    Parameters
    ----------
    features : ndarray of float32, shape (frames, n_features)
        May be a mapped file.
    projections

    Raises
    ------
    TypeError
        When features are not float32.
    ValueError
        When they have another width than the projections, or a value is not finite.
    """
    features = plain_array("features", features, np.float32, 2)
    n_frames, n_features = features.shape
    if n_features != projections.n_features:
        raise ValueError(
            f"features of width {n_features} do not fit projections of width {projections.n_features}:"
            " use the feature that these were made for"
        )
    n_words = -(-projections.n_bits // WORD_BITS)
    words = np.empty((n_frames, n_words), np.uint64)
    finite = np.ones(n_frames, np.bool_)
    n_blocks = -(-n_frames // BLOCK)
    if projections.n_bits == 1:
        vector, bias = projections.matrix[0].astype(np.float64), float(projections.bias[0])
        arguments = (features, vector, bias, words, finite)
        in_threads(encode_one_bit, n_blocks, *arguments, nanoseconds=BLOCK * n_features / 3)
    else:
        # Zeros fill up what the kernel takes at once: 0 · 0 changes no sum, and spare bits are cut.
        shape = (-(-n_features // FEATURES_AT_ONCE) * FEATURES_AT_ONCE, n_words * BITS_AT_ONCE)
        matrix = on_cache_line(shape, np.float64)
        matrix[:n_features, : projections.n_bits] = projections.matrix.T
        bias = np.full(n_words * BITS_AT_ONCE, -np.inf)
        bias[: projections.n_bits] = projections.bias
        arguments = (features, matrix, bias, words, finite)
        in_threads(encode_rows, n_blocks, *arguments, nanoseconds=BLOCK * matrix.size / 16)
    if not finite.all():
        row = int(np.argmin(finite))
        raise ValueError(f"features of frame {row} are not finite: look for NaN or Inf in its recording")
    return Codes(words, projections.n_bits)


def save_projections(path: str | Path, projections: Projections) -> None:
    """Write projections as a stamped file."""
    arrays = {"matrix": projections.matrix, "bias": projections.bias}
    if projections.betas is not None:
        arrays["betas"] = projections.betas
    save_stamped(path, _KIND, _VERSION, {}, arrays)


def load_projections(path: str | Path) -> Projections:
    """Read projections that `save_projections` wrote.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    ValueError
        When it is not a whole file of projections.
    """
    _, arrays = load_stamped(path, _KIND, _VERSION)
    try:
        return Projections(**arrays)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path} does not hold projections: {one_line(error)}") from error
