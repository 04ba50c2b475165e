"""Inputs that are drawn, so that a benchmark needs no recording.

Codes come in two kinds, because the cost of a search depends on how often a nearer neighbour turns up: ``random`` has
independent even bits, ``hashed`` are codes that random projections give frames with a few hidden causes, so that their
bits are unbalanced and tied as those of real frames are.
"""

from __future__ import annotations

import numpy as np

from blsh.hashing.codes import Codes
from blsh.hashing.projections import Projections, encode, random_projections

__all__ = ["draw_codes", "draw_features", "draw_speech_like"]

_HIDDEN = 12
_ROWS_AT_ONCE = 8192


def draw_features(n_frames: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Positive rows of unit length from a few hidden causes, float32 (n_frames, width)."""
    shapes = rng.standard_normal((_HIDDEN, width), dtype=np.float32)
    features = np.empty((n_frames, width), np.float32)
    for first in range(0, n_frames, _ROWS_AT_ONCE):
        part = features[first : first + _ROWS_AT_ONCE]
        np.exp(0.5 * rng.standard_normal((len(part), _HIDDEN), dtype=np.float32) @ shapes, out=part)
        part /= np.linalg.norm(part + np.float32(1e-4), axis=1, keepdims=True)
    return features


def draw_codes(kind: str, counts: tuple[int, ...], n_bits: int, rng: np.random.Generator) -> list[Codes]:
    """Sets of codes of one kind, as many frames in each as ``counts`` says."""
    if kind == "random":
        return [_random_codes(count, n_bits, rng) for count in counts]
    features = draw_features(sum(counts), 128, rng)
    words = encode(features, _centred_projections(features, n_bits, rng)).words
    return [Codes(part, n_bits) for part in np.split(words, np.cumsum(counts)[:-1])]


def draw_speech_like(n_samples: int, rng: np.random.Generator) -> np.ndarray:
    """Noise whose spectrum falls and whose loudness comes and goes, float32 (n_samples,) of unit deviation."""
    noise = np.convolve(rng.standard_normal(n_samples), np.exp(-np.arange(24) / 4), mode="same")
    knots = np.arange(0, n_samples + 1600, 1600)  # a tenth of a second apart
    loudness = np.interp(np.arange(n_samples), knots, rng.random(len(knots)))
    speech = noise * (0.05 + loudness)
    return (speech / speech.std()).astype(np.float32)


def _random_codes(n_frames: int, n_bits: int, rng: np.random.Generator) -> Codes:
    words = rng.integers(0, 2**64, (n_frames, -(-n_bits // 64)), np.uint64)
    words[:, -1] &= np.uint64(2**64 - 1) >> np.uint64(-n_bits % 64)
    return Codes(words, n_bits)


def _centred_projections(features: np.ndarray, n_bits: int, rng: np.random.Generator) -> Projections:
    """Random projections that halve the frames roughly, as learned ones do."""
    drawn = random_projections(n_bits, features.shape[1], rng=rng)
    values = features[:1000] @ drawn.matrix.T
    return Projections(drawn.matrix, -values.mean(axis=0) + 0.3 * values.std(axis=0) * drawn.bias)
