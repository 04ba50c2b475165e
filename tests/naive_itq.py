"""Iterative quantisation as its paper states it, in float64."""

import numpy as np


def naive_itq(components, n_turns, rng):
    """Rotation and the loss after each turn; ``min ‖B - V R‖²`` in B and in R by turns."""
    size = components.shape[1]
    rotation, triangle = np.linalg.qr(rng.standard_normal((size, size)))
    rotation = rotation @ np.diag(np.sign(np.diag(triangle)))
    losses = [quantisation_loss(components, rotation)]
    for _ in range(n_turns):
        signs = np.where(components @ rotation >= 0, 1.0, -1.0)
        s, _, s_hat = np.linalg.svd(signs.T @ components)
        rotation = s_hat.T @ s.T
        losses.append(quantisation_loss(components, rotation))
    return rotation, losses


def quantisation_loss(components, rotation):
    """‖sign(V R) - V R‖²."""
    turned = components @ rotation
    return float(np.sum((np.where(turned >= 0, 1.0, -1.0) - turned) ** 2))
