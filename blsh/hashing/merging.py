"""Neighbours in a dictionary that is searched part by part: the merge of the parts' best k.

A dictionary too large for one machine is cut into shards, consecutive runs of its rows, and every shard is searched by
itself. A row among the k best of the whole is among the k best of its shard, since the order of neighbours (distance or
falling score, then row) is total and a shard's own order is the whole's, restricted to it. So the k first of all
shards' neighbours, in that order, are exactly the whole's, ties included, and what travels between machines is k rows
per query and shard.

Distances are whole numbers and inner products are summed by themselves, row for row, so that both are the same bytes
whatever else is in the shard.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from blsh.hashing.search import Neighbours

__all__ = ["merge_neighbours"]


def merge_neighbours(shards: Sequence[Neighbours], n_rows: Sequence[int], k: int) -> Neighbours:
    """Merge the neighbours found in the shards of a dictionary.

    Parameters
    ----------
    shards : sequence of Neighbours
        For each shard in the dictionary's order, the ``min(k, n_rows)`` best of its rows, numbered from 0 within it:
        what `hamming_neighbours` or `inner_product_neighbours` found there.
    n_rows : sequence of int
        Rows of each shard.
    k : int, 1…frames of the whole dictionary

    Returns
    -------
    Neighbours
        What the same search finds in the whole dictionary.

    Raises
    ------
    ValueError
        When k exceeds the dictionary, or a shard has another number of queries or of neighbours than it must have.
    TypeError
        When shards were searched in different ways.
    """
    if len(shards) != len(n_rows) or not shards:
        raise ValueError(f"{len(shards)} shards and {len(n_rows)} numbers of rows: give one for each, and a shard")
    total = sum(n_rows)
    if not 1 <= k <= total:
        raise ValueError(f"k={k} must lie in 1…{total}, the frames of all shards")
    for number, (one, other) in enumerate(pairwise(shards), start=1):
        if one.scores.dtype != other.scores.dtype:
            raise TypeError(f"scores of shard {number} are {other.scores.dtype}, not {one.scores.dtype}: search alike")
    n_queries = len(shards[0].indices)
    for number, (shard, rows) in enumerate(zip(shards, n_rows, strict=True)):
        if shard.indices.shape != (n_queries, min(k, rows)):
            raise ValueError(
                f"shard {number} of {rows} rows has neighbours of shape {shard.indices.shape}, not"
                f" {(n_queries, min(k, rows))}: search it for min(k, rows) neighbours of the same queries"
            )
    first_rows = np.cumsum([0, *n_rows[:-1]])
    indices = np.concatenate([s.indices + first for s, first in zip(shards, first_rows, strict=True)], axis=1)
    scores = np.concatenate([shard.scores for shard in shards], axis=1)
    costs = scores if np.issubdtype(scores.dtype, np.integer) else -scores
    best = np.lexsort((indices, costs), axis=1)[:, :k]
    return Neighbours(np.take_along_axis(indices, best, axis=1), np.take_along_axis(scores, best, axis=1))
