"""Other ways to the k nearest codes, each on the same codes and for the same answer.

faiss
    `IndexBinaryFlat` in every exact setting: codes padded to a whole number of 8-byte words or to the next width that
    it has a special kernel for, heap or counting, query batches of 32 or of all queries, blocks of 16384 or 65536
    codes. Each is tried, and the fastest is timed. Its approximate modes are left out: they miss neighbours.
the authors' way
    Codes as float32 matrices of ±1, one matrix product per batch of 256 queries (the frames of an utterance),
    argpartition of each row.
numpy
    Exclusive or and `bitwise_count` of packed words, word after word over all codes, and a partition.

Peers return distances in rising order, so that what is checked is the same for all: which of the tied rows is
returned is theirs to choose, ours is the lowest.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

import numpy as np

from blsh.hashing.codes import Codes, unpack_bits

__all__ = ["best_faiss_search", "bitwise_count_search", "sign_matrices", "sign_matrix_search"]

_SPECIAL_BYTES = (4, 8, 16, 20, 32, 64)
_TRIAL_QUERIES = 512
_AUTHORS_BATCH = 256


def best_faiss_search(queries: Codes, dictionary: Codes, k: int, n_threads: int) -> tuple[Callable, str]:
    """Try faiss in all settings; return the fastest as a callable that searches all queries, and its settings."""
    import faiss

    faiss.omp_set_num_threads(n_threads)
    n_bytes = -(-queries.n_bits // 8)
    widths = {-(-n_bytes // 8) * 8, min((w for w in _SPECIAL_BYTES if w >= n_bytes), default=-(-n_bytes // 8) * 8)}
    trials = []
    for width in sorted(widths):
        index = faiss.IndexBinaryFlat(8 * width)
        index.add(_as_bytes(dictionary, width))
        rows = _as_bytes(queries, width)
        settings = itertools.product((True, False), (32, len(queries)), (16384, 65536))
        for use_heap, batch, block in settings:

            def search(index=index, rows=rows, use_heap=use_heap, batch=batch, block=block):
                index.use_heap, index.query_batch_size = use_heap, batch
                faiss.cvar.hamming_batch_size = block
                return index.search(rows, k)[0]

            trial_rows = rows[:_TRIAL_QUERIES]
            search(rows=trial_rows[:64])
            seconds = min(_seconds(search, trial_rows) for _ in range(2))
            form = f"{8 * width} bits, {'heap' if use_heap else 'counting'}, query batch {batch}, block {block}"
            trials.append((seconds, form, search))
    _, form, search = min(trials, key=lambda trial: trial[0])
    return search, f"fastest of {len(trials)} settings: {form}"


def sign_matrices(*codes: Codes) -> list[np.ndarray]:
    """Codes as float32 matrices of ±1, made outside the timing."""
    return [2 * unpack_bits(part).astype(np.float32) - 1 for part in codes]


def sign_matrix_search(queries: np.ndarray, dictionary: np.ndarray, k: int) -> np.ndarray:
    """Distances of the k nearest by matrix products of signs, int32 (queries, k)."""
    n_bits = queries.shape[1]
    distances = []
    for first in range(0, len(queries), _AUTHORS_BATCH):
        similarities = queries[first : first + _AUTHORS_BATCH] @ dictionary.T
        best = np.argpartition(similarities, -k, axis=1)[:, -k:]
        distances.append((n_bits - np.take_along_axis(similarities, best, axis=1)) / 2)
    return np.sort(np.concatenate(distances).astype(np.int32), axis=1)


def bitwise_count_search(queries: np.ndarray, columns: np.ndarray, k: int) -> np.ndarray:
    """Distances of the k nearest by numpy's bitwise_count, int32 (queries, k).

    queries (queries, n_words) uint64; columns (n_words, frames) uint64, the dictionary's words one after the other.
    """
    distances = np.empty((len(queries), k), np.int32)
    for row, query in zip(distances, queries, strict=True):
        counts = np.zeros(columns.shape[1], np.uint16)
        for column, word in zip(columns, query, strict=True):
            counts += np.bitwise_count(column ^ word)
        row[:] = np.sort(np.partition(counts, k - 1)[:k])
    return distances


def _as_bytes(codes: Codes, width: int) -> np.ndarray:
    packed = codes.words.astype("<u8", copy=False).view(np.uint8)[:, :width]
    return np.ascontiguousarray(np.pad(packed, ((0, 0), (0, width - packed.shape[1]))))


def _seconds(search: Callable, rows: np.ndarray) -> float:
    started = time.perf_counter()
    search(rows=rows)
    return time.perf_counter() - started
