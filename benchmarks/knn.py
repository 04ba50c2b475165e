"""Raw-feature neighbours (`knn`): top-10 by inner product of 1,024 frames in a dictionary of 24,540, 513 bins.

Peers: numpy's float32 matrix product and argpartition in batches of 256 queries, and faiss `IndexFlatIP`. Both rank by
float32 scores; ours, like neither, decides by float64 sums, so that equal work is more work on our side. Scores are
checked to agree to float32's accuracy. BLAS has all threads of the run on every side.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from benchmarks.inputs import draw_features
from benchmarks.measuring import Contender, Row, compare_rows
from benchmarks.peers import missing_row, module_is_missing
from blsh.hashing.search import inner_product_neighbours

NAME = "knn"
K = 10
_BATCH = 256


def run(small: bool) -> list[Row]:
    n_frames, n_queries, repeats = (500, 16, 1) if small else (24_540, 1024, 5)
    features = draw_features(n_frames + n_queries, 513, np.random.default_rng(0))
    dictionary, queries = features[:n_frames], features[n_frames:]
    peers = [Contender("numpy matmul + argpartition", lambda: _by_numpy(queries, dictionary))]
    rows = []
    if module_is_missing("faiss"):
        rows.append(missing_row(NAME, "top-10 by inner product", "faiss IndexFlatIP"))
    else:
        peers.append(Contender("faiss IndexFlatIP", _faiss_search(queries, dictionary)))
    found = inner_product_neighbours(queries, dictionary, K).scores
    for peer in peers:
        np.testing.assert_allclose(peer.call(), found, rtol=1e-5)  # float32 sums of 513 products
    ours = Contender("ours", lambda: inner_product_neighbours(queries, dictionary, K))
    columns = {"n_frames": n_frames, "n_queries": n_queries}
    pairs = [(peer, math.nan) for peer in peers]
    return rows + compare_rows(NAME, "top-10 by inner product", ours, pairs, repeats, **columns)


def _by_numpy(queries: np.ndarray, dictionary: np.ndarray) -> np.ndarray:
    best = []
    for first in range(0, len(queries), _BATCH):
        scores = queries[first : first + _BATCH] @ dictionary.T
        rows = np.argpartition(scores, -K, axis=1)[:, -K:]
        best.append(np.sort(np.take_along_axis(scores, rows, axis=1), axis=1)[:, ::-1])
    return np.concatenate(best)


def _faiss_search(queries: np.ndarray, dictionary: np.ndarray):
    import faiss

    faiss.omp_set_num_threads(numba.get_num_threads())
    index = faiss.IndexFlatIP(dictionary.shape[1])
    index.add(dictionary)
    return lambda: index.search(queries, K)[0]
