"""Slow, obvious twins of training: pair by pair, W kept and multiplied, no identities, all in float64."""

import math

import numpy as np


def pair_loss(b: float, s: float, loss: str) -> float:
    if loss == "square":
        return (b - s) ** 2
    return -b * math.log(s + 1e-10) - (1 - b) * math.log(1 - s + 1e-10)


def losses_of_pairs(signs, target, loss):
    """Loss of every pair for bits of ±1."""
    n = len(signs)
    return np.array(
        [[pair_loss((signs[i] * signs[j] + 1) / 2, float(target[i, j]), loss) for j in range(n)] for i in range(n)]
    )


def pair_weights(target, codes, betas, loss):
    """W after each round in turn, multiplied and scaled to sum 1: the last one."""
    n = len(target)
    weights = np.full((n, n), 1 / n**2)
    for signs, beta in zip(codes.T, betas, strict=True):
        weights = weights * np.exp(beta * losses_of_pairs(signs, target, loss))
        weights = weights / weights.sum()
    return weights


def signs_of(frames, vector):
    return np.where(frames.astype(np.float64) @ vector[:-1] + vector[-1] >= 0, 1, -1)


def gradient(frames, weights, target, vector, loss, square_gradient):
    """Derivative of Σ W loss(B, S), the sign's own replaced by 1 - tanh²."""
    z = frames.astype(np.float64) @ vector[:-1] + vector[-1]
    signs = np.where(z >= 0, 1, -1)
    by_sign = np.zeros(len(z))
    for i in range(len(z)):
        for j in range(len(z)):
            s = float(target[i, j])
            if loss == "square" and square_gradient == "autograd":
                slope = 2 * ((signs[i] * signs[j] + 1) / 2 - s)
            else:  # the loss of bits that agree minus that of bits that differ
                slope = pair_loss(1, s, loss) - pair_loss(0, s, loss)
            # b = (t_i t_j + 1) / 2, and the pair occurs as (i, j) and as (j, i)
            by_sign[i] += 2 * weights[i, j] * slope * signs[j] / 2
    by_value = by_sign * (1 - np.tanh(z) ** 2)
    return np.append(frames.astype(np.float64).T @ by_value, by_value.sum())


def boost_round(frames, targets, codes, betas, start, *, projection_loss, boosting_loss, square_gradient, rate, passes):
    """One round on segments, a fixed number of passes: vector, ε, loss of each pass."""
    weights = [pair_weights(s, c, betas, boosting_loss) for s, c in zip(targets, codes, strict=True)]
    vector = np.array(start, dtype=np.float64)
    first, second, steps = np.zeros(len(vector)), np.zeros(len(vector)), 0
    history = []
    for _ in range(passes):
        losses = []
        for h, w, s in zip(frames, weights, targets, strict=True):
            losses.append(np.sum(w * losses_of_pairs(signs_of(h, vector), s, projection_loss)))
            g = gradient(h, w, s, vector, projection_loss, square_gradient)
            steps += 1
            first = 0.95 * first + 0.05 * g
            second = 0.98 * second + 0.02 * g * g
            vector = vector - rate * (first / (1 - 0.95**steps)) / (np.sqrt(second / (1 - 0.98**steps)) + 1e-8)
        history.append(np.mean(losses))
    vector = vector.astype(np.float32)
    epsilon = np.mean(
        [
            np.sum(w * losses_of_pairs(signs_of(h, vector.astype(np.float64)), s, boosting_loss))
            for h, w, s in zip(frames, weights, targets, strict=True)
        ]
    )
    return vector, epsilon, np.array(history)
