"""Nearest neighbours by weighted Hamming similarity: every bit counts by its β.

Boosting gives each bit a weight, but the search of both papers counts the equal bits alone. Here the similarity of
two codes is

    Σ_l β_l [t_l = u_l],

as in the weighted sum of weak learners that AdaBoost predicts with. For bits t, u of ±1 that is
``(Σ β + Σ β_l t_l u_l) / 2``, so the order is that of an inner product of the codes, one of them times β, and the
exact search of `inner_product_neighbours` finds it: sums in float64, bit after bit; ties by the dictionary's row.
With equal weights it is the order of `hamming_neighbours`.

The dictionary takes 4 bytes a bit in memory, 32 times its codes: this is for finding out what the weights are worth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blsh.hashing.codes import Codes, unpack_bits
from blsh.hashing.plain_arrays import plain_array
from blsh.hashing.search import Neighbours, inner_product_neighbours

__all__ = ["WeightedIndex", "weighted_index", "weighted_neighbours"]


@dataclass(frozen=True, eq=False)
class WeightedIndex:
    """A dictionary's codes and the weights of their bits, made by `weighted_index`.

    Attributes
    ----------
    signs : ndarray of float32, shape (frames, n_bits)
        The bits as ±1.
    weights : ndarray of float32, shape (n_bits,)
        β.
    """

    signs: np.ndarray
    weights: np.ndarray


def weighted_index(dictionary: Codes, weights: np.ndarray) -> WeightedIndex:
    """Prepare a dictionary for search.

    Parameters
    ----------
    dictionary : Codes
    weights : ndarray of float32, shape (n_bits,)

    Raises
    ------
    TypeError
        When weights are not float32.
    ValueError
        When there is not one finite weight for each bit.
    """
    weights = plain_array("weights", weights, np.float32, 1)
    if len(weights) != dictionary.n_bits:
        raise ValueError(f"{len(weights)} weights do not fit codes of {dictionary.n_bits} bits: one for each is needed")
    if not np.isfinite(weights).all():
        raise ValueError("weights have values that are not finite: train again")
    return WeightedIndex(_signs(dictionary), weights)


def weighted_neighbours(queries: Codes, index: WeightedIndex, k: int) -> Neighbours:
    """Find the k codes of largest weighted similarity, in the order of (falling similarity, row).

    Parameters
    ----------
    queries : Codes
    index : WeightedIndex
    k : int, 1…frames of the dictionary

    Returns
    -------
    Neighbours
        Scores are ``Σ β_l t_l u_l``, float64.

    Raises
    ------
    ValueError
        When k exceeds the dictionary, or codes differ in length.
    """
    if queries.n_bits != len(index.weights):
        raise ValueError(
            f"queries of {queries.n_bits} bits do not fit a dictionary of {len(index.weights)} bits:"
            " encode both with the same projections"
        )
    return inner_product_neighbours(_signs(queries) * index.weights, index.signs, k)


def _signs(codes: Codes) -> np.ndarray:
    signs = unpack_bits(codes).astype(np.float32)
    signs *= 2
    signs -= 1
    return signs
