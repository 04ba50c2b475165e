"""The systems: from a noisy mixture to masks, one per code length.

Every system is a function of a :class:`Scene` that returns masks of shape (variants, frames, bins). Systems with
codes have one variant per code length, in the order of their ``n_bits``; the others have one. The masks are
multiplied onto the mixture's complex spectrum by whoever scores or listens.

The neighbour systems are Algorithm 1 of the papers: the mean of the ideal binary masks of the K dictionary frames
that are most similar to the frame at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from blsh.denoising.mask_estimation import average_masks
from blsh.hashing.projections import Projections, encode
from blsh.hashing.search import hamming_index, hamming_sweep, inner_product_neighbours
from blsh.mixtures.rendering import Mixture
from blsh.signal.masks import ideal_binary_mask, ideal_ratio_mask
from blsh.signal.spectra import feature, stft

__all__ = [
    "Estimator",
    "Scene",
    "constant",
    "hashed_neighbours",
    "ideal_binary",
    "ideal_ratio",
    "raw_neighbours",
    "unmasked",
]


@dataclass(frozen=True)
class Scene:
    """A mixture and its spectrum."""

    waveforms: Mixture

    @cached_property
    def spectrum(self) -> np.ndarray:
        """STFT of the mixture, complex64 of shape (frames, 513)."""
        return stft(self.waveforms.mixture)


Estimator = Callable[[Scene], np.ndarray]
"""Scene → masks, float32 of shape (variants, frames, bins)."""


def unmasked(scene: Scene) -> np.ndarray:
    """Leave the mixture as it is."""
    return np.ones((1, *scene.spectrum.shape), np.float32)


def ideal_binary(scene: Scene) -> np.ndarray:
    """Return the ideal binary mask, which the neighbour systems can at best find."""
    speech, noise = stft(scene.waveforms.speech), stft(scene.waveforms.noise)
    return ideal_binary_mask(speech, noise)[np.newaxis].astype(np.float32)


def ideal_ratio(scene: Scene) -> np.ndarray:
    """Return the ideal ratio mask."""
    return ideal_ratio_mask(stft(scene.waveforms.speech), stft(scene.waveforms.noise))[np.newaxis]


def constant(mean_mask: np.ndarray) -> Estimator:
    """Use one mask for every frame: the mean ideal binary mask of all training frames, shape (513,).

    It knows nothing of the frame, so it is the control that every other system has to beat.
    """

    def estimate(scene: Scene) -> np.ndarray:
        return np.broadcast_to(mean_mask.astype(np.float32), (1, *scene.spectrum.shape))

    return estimate


def raw_neighbours(feature_name: str, dictionary: np.ndarray, masks: np.ndarray, n_neighbours: int) -> Estimator:
    """Search the features themselves, by inner product (``knn``).

    Parameters
    ----------
    feature_name
        Feature of the dictionary's rows.
    dictionary
        float32 of shape (ρT, D), rows of unit norm.
    masks
        Packed ideal binary masks of the same frames, uint8 of shape (ρT, 65).
    n_neighbours
        K.
    """

    def estimate(scene: Scene) -> np.ndarray:
        neighbours = inner_product_neighbours(feature(feature_name, scene.spectrum), dictionary, n_neighbours)
        return average_masks(masks, neighbours.indices)[np.newaxis]

    return estimate


def hashed_neighbours(
    feature_name: str,
    projections: Projections,
    dictionary: np.ndarray,
    masks: np.ndarray,
    n_neighbours: int,
    n_bits: Sequence[int],
) -> Estimator:
    """Search binary codes by Hamming distance, with every given code length as a prefix of one code.

    Parameters are those of :func:`raw_neighbours`, with the projections that make the codes and the code lengths in
    rising order.

    Raises
    ------
    ValueError
        If a code length exceeds the projections' bits; on use, if K exceeds the dictionary.
    """
    if max(n_bits) > projections.n_bits:
        raise ValueError(
            f"n_bits={max(n_bits)} exceeds the {projections.n_bits} trained bits; train more or ask for less"
        )
    index = hamming_index(encode(dictionary, projections), n_bits)

    def estimate(scene: Scene) -> np.ndarray:
        codes = encode(feature(feature_name, scene.spectrum), projections)
        found = hamming_sweep(codes, index, n_neighbours, n_bits)
        return np.stack([average_masks(masks, neighbours.indices) for neighbours in found])

    return estimate
