"""Exact nearest neighbours in a dictionary: by Hamming distance of codes, by inner product of features.

Distances tie all the time, so neighbours are in a total order that is part of the definition: by distance
(or by falling score), and among equals by dictionary row. Every function here returns the first k of that
order.

**Hamming distance.** Codes are cut into chunks of at most 16 bits and laid out chunk by chunk in blocks of
512 rows (`HammingIndex`), so that one vector instruction counts the differing bits of 32 rows. A tile of
queries goes over a block while it is in the nearest cache. The block's smallest distance is found on the
way; the heap with a query's best k is touched only when that can enter, which is rare.

**Prefixes.** The distances of the first n bits of a code are a partial sum of the distances of all bits. So
one pass gives every code length of a grid its own neighbours: chunks end at the grid's lengths, and each
length has its heaps.

**Inner product.** The sums that decide are float64, feature after feature, so they depend on nothing else;
they are made for few rows. In float32 a product of n features, summed in any order, errs by at most [1]_

    e = (γ_n(2⁻²⁴) + γ_n(2⁻⁵³)) ‖q‖ ‖x‖ + 2n·2⁻¹²⁶,    γ_n(u) = n·u / (1 - n·u),

from the float64 sum, the last term for underflow. A blocked matrix product gives all float32 scores, and a
row whose score plus e does not exceed the k-th best float64 score so far cannot enter. All others are
summed again: in the end those within 2e of the k-th best float32 score, and early ones that were overtaken.

Memory is bounded: nothing of the size queries × dictionary exists, and a dictionary may be a mapped file
larger than memory. The number of threads (``numba.set_num_threads``) changes no result.

References
----------
.. [1] N. J. Higham, "Accuracy and stability of numerical algorithms", 2nd ed., SIAM 2002, section 3.1.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from blsh.files.threads import in_threads, thread_count
from blsh.hashing._hamming import BLOCK, CHUNK_BITS, chunk_codes, search_blocks
from blsh.hashing._heap import empty_heaps, sort_heaps
from blsh.hashing._inner_product import push_scores, row_norms
from blsh.hashing.codes import MAX_BITS, Codes
from blsh.hashing.plain_arrays import on_cache_line, plain_array

__all__ = [
    "HammingIndex",
    "Neighbours",
    "hamming_index",
    "hamming_neighbours",
    "hamming_sweep",
    "inner_product_neighbours",
]

_SHARD_ROWS = 1 << 18  # rows of a dictionary that are laid out at a time where no index was made
_TILE = 256  # queries: their heaps' roots share the cache with a block
_SCORE_QUERIES, _SCORE_ROWS = 512, 4096  # shape of a thread's float32 scores, 8 MiB


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The k best dictionary rows of every query, best first.

    Attributes
    ----------
    indices : ndarray of int64, shape (queries, k)
        Dictionary rows.
    scores : ndarray, shape (queries, k)
        What ranked them: Hamming distances (int32, rising) or inner products (float64, falling).
    """

    indices: np.ndarray
    scores: np.ndarray


@dataclass(frozen=True, eq=False)
class HammingIndex:
    """A dictionary's codes laid out for search, made once by `hamming_index` and searched many times.

    Attributes
    ----------
    blocks : ndarray of uint16, shape (⌈frames/512⌉, chunks, 512)
        About as large as the codes.
    n_frames : int
        Rows of the dictionary.
    n_bits : int
        Length of its codes.
    prefixes : tuple of int
        The code lengths that can be searched, rising.
    """

    blocks: np.ndarray
    n_frames: int
    n_bits: int
    prefixes: tuple[int, ...]

    def __len__(self) -> int:
        """Return the number of frames."""
        return self.n_frames


def hamming_index(dictionary: Codes, n_bits: Sequence[int] | None = None) -> HammingIndex:
    """Lay out the codes of a dictionary for search.

    Parameters
    ----------
    dictionary
    n_bits : sequence of int, rising, optional
        The code lengths to search by `hamming_sweep`; without it, the whole codes, for
        `hamming_neighbours`.

    Raises
    ------
    ValueError
        When a length is not among the codes' bits, or lengths do not rise.
    """
    prefixes = _check_prefixes(dictionary.n_bits, (dictionary.n_bits,) if n_bits is None else n_bits)
    return HammingIndex(_lay_out(dictionary.words, prefixes), len(dictionary), dictionary.n_bits, prefixes)


def hamming_neighbours(queries: Codes, dictionary: Codes | HammingIndex, k: int) -> Neighbours:
    """Find the k codes of least Hamming distance, in the order of (distance, row).

    Parameters
    ----------
    queries
    dictionary
        Codes, or an index of whole codes.
    k : int, 1…frames of the dictionary

    Raises
    ------
    ValueError
        When k exceeds the dictionary, or codes differ in length.
    """
    return hamming_sweep(queries, dictionary, k, (queries.n_bits,))[0]


def hamming_sweep(queries: Codes, dictionary: Codes | HammingIndex, k: int, n_bits: Sequence[int]) -> list[Neighbours]:
    """Find the neighbours at several code lengths in one pass over the dictionary.

    Parameters
    ----------
    queries
    dictionary
        Codes, or an index of these code lengths.
    k : int, 1…frames of the dictionary
    n_bits : sequence of int, rising
        Code lengths, each a prefix of the codes.

    Returns
    -------
    list of Neighbours
        For each length, what `hamming_neighbours` finds in the prefixes.

    Raises
    ------
    ValueError
        When k exceeds the dictionary, codes differ in length, or the code lengths are not rising ones of
        the codes or not those of the index.
    """
    k = _check_k(k, len(dictionary))
    if queries.n_bits != dictionary.n_bits:
        raise ValueError(
            f"queries of {queries.n_bits} bits do not fit a dictionary of {dictionary.n_bits} bits:"
            " encode both with the same projections"
        )
    prefixes = _check_prefixes(dictionary.n_bits, n_bits)
    if isinstance(dictionary, HammingIndex) and prefixes != dictionary.prefixes:
        raise ValueError(
            f"n_bits={list(prefixes)} are not the code lengths {list(dictionary.prefixes)} of this index:"
            " make it with hamming_index(codes, n_bits)"
        )
    ends = np.cumsum([len(segment) for segment in _segments(prefixes)])
    query_blocks = _lay_out(queries.words, prefixes)
    query_chunks = np.ascontiguousarray(query_blocks.transpose(0, 2, 1)).reshape(-1, ends[-1])[: len(queries)]
    costs, rows = empty_heaps(len(queries) * len(prefixes), k)
    tile = max(1, min(_TILE, -(-len(queries) // thread_count())))
    for first_row, n_rows, blocks in _shards(dictionary, prefixes):
        arguments = (blocks, n_rows, first_row, query_chunks, ends, costs, rows, tile)
        in_threads(search_blocks, -(-len(queries) // tile), *arguments, nanoseconds=tile * blocks.size / 30)
    in_threads(sort_heaps, len(costs), costs, rows, nanoseconds=30 * k)
    shape = (len(queries), len(prefixes), k)
    distances, rows = costs.reshape(shape).astype(np.int32), rows.reshape(shape)
    return [
        Neighbours(np.ascontiguousarray(rows[:, i]), np.ascontiguousarray(distances[:, i]))
        for i in range(len(prefixes))
    ]


def inner_product_neighbours(queries: np.ndarray, dictionary: np.ndarray, k: int) -> Neighbours:
    """Find the k rows of largest inner product, in the order of (falling score, row).

    Parameters
    ----------
    queries : ndarray of float32, shape (queries, n_features)
    dictionary : ndarray of float32, shape (frames, n_features)
        May be a mapped file.
    k : int, 1…frames

    Raises
    ------
    TypeError
        When an array is not float32.
    ValueError
        When k exceeds the dictionary, widths differ, or a value is not finite.
    """
    queries = plain_array("queries", queries, np.float32, 2)
    dictionary = plain_array("dictionary", dictionary, np.float32, 2)
    k = _check_k(k, len(dictionary))
    n_features = dictionary.shape[1]
    if queries.shape[1] != n_features:
        raise ValueError(
            f"queries of width {queries.shape[1]} do not fit a dictionary of width {n_features}:"
            " use the feature that it was made of"
        )
    tolerances = _relative_error(n_features) * _norms("queries", queries)
    norms = _norms("dictionary", dictionary)
    costs, rows = empty_heaps(len(queries), k)

    def search(batch: slice) -> None:
        for first_row in range(0, len(dictionary), _SCORE_ROWS):
            part = slice(first_row, first_row + _SCORE_ROWS)
            with np.errstate(over="ignore", invalid="ignore"):  # such scores are summed again
                scores = queries[batch] @ dictionary[part].T
            push_scores(
                scores,
                queries[batch],
                dictionary[part],
                tolerances[batch],
                norms[part],
                first_row,
                costs[batch],
                rows[batch],
            )

    # Queries are shared among as many threads as the kernels use, each with a BLAS of one thread: a BLAS
    # with threads of its own would wait for work by spinning, on the cores that the kernels need.
    n_threads = thread_count()
    n_queries = max(1, min(_SCORE_QUERIES, -(-len(queries) // n_threads)))
    batches = [slice(first, first + n_queries) for first in range(0, len(queries), n_queries)]
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(n_threads) as pool:
        for _ in pool.map(search, batches):
            pass
    in_threads(sort_heaps, len(costs), costs, rows, nanoseconds=30 * k)
    return Neighbours(rows, -costs)


def _check_k(k: int, n_frames: int) -> int:
    k = operator.index(k)
    if k < 1:
        raise ValueError(f"k={k} must be at least 1: ask for a neighbour")
    if k > n_frames:
        raise ValueError(f"k={k} exceeds the dictionary's {n_frames} frames: ask for fewer, or give a larger rho")
    return k


def _check_prefixes(code_bits: int, n_bits: Sequence[int]) -> tuple[int, ...]:
    prefixes = tuple(operator.index(length) for length in n_bits)
    if not prefixes:
        raise ValueError("n_bits names no code length: give at least one")
    if any(b <= a for a, b in zip((0, *prefixes), prefixes, strict=False)):
        raise ValueError(f"n_bits={list(prefixes)} must be positive and rise")
    if prefixes[-1] > code_bits:
        raise ValueError(f"n_bits={prefixes[-1]} exceeds the {code_bits} bits of the codes")
    if prefixes[-1] > MAX_BITS:
        raise ValueError(f"n_bits={prefixes[-1]} exceeds {MAX_BITS}, the largest distance that is searched")
    return prefixes


def _segments(prefixes: tuple[int, ...]) -> list[list[tuple[int, int]]]:
    """Chunks (start, length) of the bits that each prefix adds to the one before.

    Three chunks beyond a multiple of four cost the kernel more than four, so an empty one is added.
    """
    segments = []
    for start, end in zip((0, *prefixes), prefixes, strict=False):
        chunks = [(bit, min(CHUNK_BITS, end - bit)) for bit in range(start, end, CHUNK_BITS)]
        segments.append(chunks + [(0, 0)] * (len(chunks) % 4 == 3))
    return segments


def _lay_out(words: np.ndarray, prefixes: tuple[int, ...]) -> np.ndarray:
    chunks = np.array([chunk for segment in _segments(prefixes) for chunk in segment], np.int64)
    blocks = on_cache_line((-(-len(words) // BLOCK), len(chunks), BLOCK), np.uint16)
    starts, lengths = np.ascontiguousarray(chunks.T)
    in_threads(chunk_codes, len(blocks), words, starts, lengths, blocks, nanoseconds=BLOCK * starts.size)
    return blocks


def _shards(dictionary: Codes | HammingIndex, prefixes: tuple[int, ...]):
    """Yield (first row, rows, blocks) of the dictionary, laying out a bounded part at a time."""
    if isinstance(dictionary, HammingIndex):
        yield 0, dictionary.n_frames, dictionary.blocks
        return
    for first_row in range(0, len(dictionary), _SHARD_ROWS):
        words = dictionary.words[first_row : first_row + _SHARD_ROWS]
        yield first_row, len(words), _lay_out(words, prefixes)


def _relative_error(n_features: int) -> float:
    """γ_n(2⁻²⁴) + γ_n(2⁻⁵³), and a little for the norms' rounding; infinite where γ_n is undefined."""
    if n_features >= 2**24:
        return np.inf
    gammas = (n_features * u / (1 - n_features * u) for u in (2.0**-24, 2.0**-53))
    return sum(gammas) * (1 + 2.0**-20)


def _norms(name: str, rows: np.ndarray) -> np.ndarray:
    """Norms of rows; infinite where a float32 product with another such row could overflow."""
    norms = np.empty(len(rows))
    in_threads(row_norms, len(rows), rows, norms, nanoseconds=rows.shape[1])
    finite = np.isfinite(norms)
    if not finite.all():
        raise ValueError(f"{name} row {int(np.argmin(finite))} is not finite: look for NaN or Inf in its recording")
    norms[norms > 2.0**62] = np.inf
    return norms
