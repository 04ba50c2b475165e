"""The definitions of encoding, search and mask estimation, written out loop by loop."""

import numpy as np


def bits_of(features, matrix, bias):
    """[p · x + b ≥ 0], summed in float64 feature after feature, the bias last."""
    bits = np.zeros((len(features), len(matrix)), bool)
    for t, x in enumerate(features.tolist()):
        for row, (p, b) in enumerate(zip(matrix.tolist(), bias.tolist(), strict=True)):
            total = 0.0
            for value, weight in zip(x, p, strict=True):
                total += value * weight
            bits[t, row] = total + b >= 0
    return bits


def words_of(bits):
    """Bit l goes to bit l mod 64 of word l div 64."""
    words = [[0] * -(-bits.shape[1] // 64) for _ in bits]
    for t, row in enumerate(bits):
        for bit, value in enumerate(row):
            words[t][bit // 64] |= int(value) << bit % 64
    return np.array(words, np.uint64).reshape(len(bits), -(-bits.shape[1] // 64))


def hamming_neighbours(query_bits, dictionary_bits, k):
    """Indices and distances of the k least (distance, row)."""
    found = []
    for query in query_bits:
        distances = (query != dictionary_bits).sum(axis=1)
        found.append(sorted(zip(distances.tolist(), range(len(dictionary_bits)), strict=True))[:k])
    return _split(found, k, np.int32)


def weighted_neighbours(query_bits, dictionary_bits, weights, k):
    """Indices and scores of the k least (-score, row), score = Σ β t u of bits ±1, summed in float64 bit after bit."""
    found = []
    for query in query_bits:
        entries = []
        for row, bits in enumerate(dictionary_bits):
            score = 0.0
            for t, u, weight in zip(query, bits, weights.tolist(), strict=True):
                score += weight if t == u else -weight
            entries.append((-score, row))
        found.append([(-cost, row) for cost, row in sorted(entries)[:k]])
    return _split(found, k, np.float64)


def inner_product_neighbours(queries, dictionary, k):
    """Indices and scores of the k least (-score, row), scores summed in float64 feature after feature."""
    found = []
    for query in queries.tolist():
        entries = []
        for row, x in enumerate(dictionary.tolist()):
            score = 0.0
            for a, b in zip(query, x, strict=True):
                score += a * b
            entries.append((-score, row))
        found.append([(-cost, row) for cost, row in sorted(entries)[:k]])
    return _split(found, k, np.float64)


def _split(found, k, dtype):
    scores = np.array([[score for score, _ in row] for row in found], dtype).reshape(-1, k)
    return np.array([[row for _, row in entries] for entries in found], np.int64).reshape(-1, k), scores


def average_masks(masks, indices):
    """Mean of boolean masks: a count, and one float32 division."""
    return np.array(
        [
            [np.float32(sum(int(masks[row, b]) for row in rows)) / np.float32(len(rows)) for b in range(513)]
            for rows in indices
        ],
        np.float32,
    ).reshape(-1, 513)
