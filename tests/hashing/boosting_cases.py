"""A small training, and frames for it."""

import numpy as np

from blsh.hashing.profiles import TrainingParams

LOSSES = ("square", "xent")
FLOAT32 = 2e-5  # relative, of weights: ln W is a float32 of some tens
N, D = 24, 10  # frames of a segment, and their width

SMALL = TrainingParams(
    n_bits=5,
    segment_frames=N,
    segments="fresh",
    n_segments=3,
    epsilon_on="held-out",
    n_epsilon_segments=2,
    min_passes=3,
    max_passes=3,
)


def rng_for_round(number):
    return np.random.default_rng([5, number])


def unit_rows(rng, n, width=D):
    rows = rng.random((n, width)).astype(np.float32) ** 3
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def same_rounds(a, b):
    return len(a) == len(b) and all(
        x.projection.tobytes() == y.projection.tobytes()
        and (x.bias, x.beta, x.epsilon, x.passes) == (y.bias, y.beta, y.epsilon, y.passes)
        and x.losses.tobytes() == y.losses.tobytes()
        and (x.effective_pairs, x.share_of_ones, x.duplicate_of) == (y.effective_pairs, y.share_of_ones, y.duplicate_of)
        for x, y in zip(a, b, strict=True)
    )
