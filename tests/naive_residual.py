"""Residual boosting written out pair by pair, in float64."""

import numpy as np


def residual(target, codes):
    """(l + 1) S - C Cᵀ."""
    n, n_rounds = codes.shape
    matrix = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            agreement = sum(int(codes[i, k]) * int(codes[j, k]) for k in range(n_rounds))
            matrix[i, j] = (n_rounds + 1) * float(target[i, j]) - agreement
    return matrix


def matrix(target, codes):
    """The residual over the sum of its magnitudes."""
    matrix = residual(target, codes)
    return matrix / np.abs(matrix).sum()


def weighted_error(target, codes, signs):
    """Σ W (B - [M > 0])², W = |M| / Σ|M|."""
    matrix = residual(target, codes)
    total = 0.0
    for i in range(len(signs)):
        for j in range(len(signs)):
            says_alike = signs[i] == signs[j]
            total += abs(matrix[i, j]) * (says_alike != (matrix[i, j] > 0))
    return total / np.abs(matrix).sum()


def distance(target, codes, signs):
    """‖(l + 1) S - C Cᵀ - t tᵀ‖²."""
    return float(np.sum((residual(target, codes) - np.outer(signs, signs)) ** 2))
