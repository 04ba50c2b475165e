"""The grid of 34 code lengths of the full runs: one sweep against 34 faiss searches.

Both sides search prepared data (our index, an index of faiss per length). For every length faiss gets its fastest
setting.
"""

from __future__ import annotations

import numba
import numpy as np

from benchmarks.hamming_peers import best_faiss_search
from benchmarks.inputs import draw_codes
from benchmarks.measuring import Contender, Row, compare_rows
from benchmarks.peers import missing_row, module_is_missing
from blsh.hashing.search import hamming_index, hamming_sweep

NAME = "sweep"
K = 10
GRID = (1, 5, 10, 20, 25, *range(30, 121, 10), 125, *range(130, 301, 10))
GOAL = 20.0


def run(small: bool) -> list[Row]:
    n_frames, n_queries, repeats = (2000, 32, 1) if small else (245_396, 4096, 3)
    grid = GRID[::8] if small else GRID
    work = f"top-{K} at {len(grid)} code lengths up to {grid[-1]} bits"
    columns = {"n_frames": n_frames, "n_bits": grid[-1], "n_queries": n_queries}
    if module_is_missing("faiss"):
        return [missing_row(NAME, work, f"{len(grid)} faiss searches", goal_ratio=GOAL, **columns)]
    rows = []
    for kind in ("random", "hashed"):
        dictionary, queries = draw_codes(kind, (n_frames, n_queries), grid[-1], np.random.default_rng(0))
        index = hamming_index(dictionary, grid)
        searches = [
            best_faiss_search(queries.prefix(length), dictionary.prefix(length), K, numba.get_num_threads())[0]
            for length in grid
        ]
        swept = hamming_sweep(queries, index, K, grid)
        for neighbours, search in zip(swept, searches, strict=True):
            np.testing.assert_array_equal(neighbours.scores, search())
        ours = Contender("ours", lambda queries=queries, index=index: hamming_sweep(queries, index, K, grid))
        peer = Contender(f"{len(grid)} faiss searches", lambda searches=searches: [search() for search in searches])
        note = "fastest setting for each length"
        rows += compare_rows(NAME, f"{work}, {kind} codes", ours, [(peer, GOAL)], repeats, note=note, **columns)
    return rows
