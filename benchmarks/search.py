"""Top-10 of 4,096 queries in 245,396 codes of 300 and 50 bits.

Both sides search prepared data: our index, faiss's index, the authors' sign matrices and numpy's columns are made
before the clock starts. All run on the run's number of threads, save numpy's
`bitwise_count`, which has one whatever is asked for, and which gets 512 of the queries, as ours does beside it.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numba
import numpy as np

from benchmarks.hamming_peers import best_faiss_search, bitwise_count_search, sign_matrices, sign_matrix_search
from benchmarks.inputs import draw_codes
from benchmarks.measuring import Contender, Row, compare_rows
from benchmarks.peers import missing_row, module_is_missing
from benchmarks.popcount_limit import measure_limit
from blsh.hashing.codes import Codes
from blsh.hashing.search import HammingIndex, hamming_index, hamming_neighbours

NAME = "search"
K = 10
GOALS = {300: 8.0, 50: 6.0}
GOAL_AUTHORS = 50.0
GOAL_SHARE = 0.5


def run(small: bool) -> list[Row]:
    n_frames, n_queries, repeats = (3000, 64, 1) if small else (245_396, 4096, 7)
    rng = np.random.default_rng(0)
    limit, form = measure_limit(small)
    rows = [Row(NAME, "exclusive or and population count in cache", "", gwords_per_s=limit, note=form)]
    for n_bits, goal in GOALS.items():
        for kind in ("random", "hashed"):
            dictionary, queries = draw_codes(kind, (n_frames, n_queries), n_bits, rng)
            index = hamming_index(dictionary)
            columns = {"n_frames": n_frames, "n_bits": n_bits}
            rows += _against_faiss(queries, dictionary, index, kind, goal, limit, repeats, columns)
            if n_bits == 300 and kind == "random":
                rows += _against_the_authors_way(queries, dictionary, index, repeats, columns)
                rows += _against_bitwise_count(_first(queries, 512), dictionary, index, repeats, columns)
    return rows


def _against_faiss(
    queries: Codes,
    dictionary: Codes,
    index: HammingIndex,
    kind: str,
    goal: float,
    limit: float,
    repeats: int,
    columns: dict[str, int],
) -> list[Row]:
    work = f"top-{K}, {queries.n_bits} bits, {kind} codes"
    columns = columns | {"n_queries": len(queries)}
    n_words = len(queries) * len(dictionary) * queries.words.shape[1]
    if module_is_missing("faiss"):
        return [missing_row(NAME, work, "faiss IndexBinaryFlat", goal_ratio=goal, **columns)]
    theirs, form = best_faiss_search(queries, dictionary, K, numba.get_num_threads())
    found = hamming_neighbours(queries, index, K)
    np.testing.assert_array_equal(found.scores, theirs())
    ours = Contender("ours", lambda: hamming_neighbours(queries, index, K))
    peer = Contender("faiss IndexBinaryFlat", theirs)
    started = time.perf_counter()
    hamming_index(dictionary)
    note = f"{form}; our index, made once: {1e3 * (time.perf_counter() - started):.0f} ms"
    row = compare_rows(NAME, work, ours, [(peer, goal)], repeats, note=note, **columns)[0]
    rate = n_words / (row.ours_ms / 1e3) / 1e9
    share_goal = GOAL_SHARE if queries.n_bits == 300 else math.nan
    return [replace(row, gwords_per_s=rate, share_of_limit=rate / limit, goal_share_of_limit=share_goal)]


def _against_the_authors_way(
    queries: Codes, dictionary: Codes, index: HammingIndex, repeats: int, columns: dict[str, int]
) -> list[Row]:
    signs = sign_matrices(queries, dictionary)
    found = hamming_neighbours(queries, index, K)
    np.testing.assert_array_equal(found.scores, sign_matrix_search(*signs, K))
    ours = Contender("ours", lambda: hamming_neighbours(queries, index, K))
    peer = Contender("the authors' way", lambda: sign_matrix_search(*signs, K))
    work = f"top-{K}, {queries.n_bits} bits, random codes"
    note = "float32 signs, matrix product, argpartition, batches of 256 queries"
    columns = columns | {"n_queries": len(queries)}
    return compare_rows(NAME, work, ours, [(peer, GOAL_AUTHORS)], min(repeats, 3), note=note, **columns)


def _against_bitwise_count(
    queries: Codes, dictionary: Codes, index: HammingIndex, repeats: int, columns: dict[str, int]
) -> list[Row]:
    words = np.ascontiguousarray(dictionary.words.T)
    found = hamming_neighbours(queries, index, K)
    np.testing.assert_array_equal(found.scores, bitwise_count_search(queries.words, words, K))
    ours = Contender("ours", lambda: hamming_neighbours(queries, index, K))
    peer = Contender("numpy bitwise_count", lambda: bitwise_count_search(queries.words, words, K))
    work = f"top-{K}, {queries.n_bits} bits, random codes"
    columns = columns | {"n_queries": len(queries)}
    return compare_rows(NAME, work, ours, [(peer, math.nan)], min(repeats, 3), note="numpy: one thread", **columns)


def _first(codes: Codes, n: int) -> Codes:
    return Codes(codes.words[:n], codes.n_bits)
