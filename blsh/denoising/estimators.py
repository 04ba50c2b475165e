"""The systems: from a noisy mixture to masks, one per code length.

Every system is a function of a :class:`Scene` that returns masks of shape (variants, frames, bins). Systems with
codes have one variant per code length, in the order of their ``n_bits``; the others have one. The masks are
multiplied onto the mixture's complex spectrum by whoever scores or listens.

The neighbour systems are Algorithm 1 of the papers: the mean of the ideal binary masks of the K dictionary frames
that are most similar to the frame at hand. They differ in the search alone (:class:`NeighbourEstimator`), and their
search can be asked for the frames it finds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from blsh.denoising.mask_estimation import average_masks
from blsh.hashing.codes import Codes
from blsh.hashing.projections import Projections, encode
from blsh.hashing.search import hamming_index, hamming_neighbours, hamming_sweep, inner_product_neighbours
from blsh.hashing.weighted_search import weighted_index, weighted_neighbours
from blsh.mixtures.rendering import Mixture
from blsh.signal.context import ContextFrames, stack_context
from blsh.signal.masks import ideal_binary_mask, ideal_ratio_mask
from blsh.signal.spectra import feature, stft

__all__ = [
    "Estimator",
    "NeighbourEstimator",
    "Scene",
    "constant",
    "hashed_neighbours",
    "ideal_binary",
    "ideal_ratio",
    "neighbours_by_length",
    "raw_neighbours",
    "unmasked",
    "weighted_hashed_neighbours",
]

_ROWS_AT_ONCE = 8192


@dataclass(frozen=True, eq=False)
class Scene:
    """A mixture and its spectrum.

    Attributes
    ----------
    waveforms
        The mixture and its two parts.
    raw_neighbours
        The dictionary rows that the raw features find, integers of shape (frames, K), where they are known already:
        the search of Algorithm 1 that costs most need not be done twice.
    """

    waveforms: Mixture
    raw_neighbours: np.ndarray | None = None

    @cached_property
    def spectrum(self) -> np.ndarray:
        """STFT of the mixture, complex64 of shape (frames, 513)."""
        return stft(self.waveforms.mixture)

    @cached_property
    def ideal_mask(self) -> np.ndarray:
        """Ideal binary mask, bool of shape (frames, 513)."""
        return ideal_binary_mask(stft(self.waveforms.speech), stft(self.waveforms.noise))


Estimator = Callable[[Scene], np.ndarray]
"""Scene → masks, float32 of shape (variants, frames, bins), or the sound itself, float32 of (variants, samples)."""


@dataclass(frozen=True, eq=False)
class NeighbourEstimator:
    """Algorithm 1 with one way of searching: an `Estimator` that can also tell which frames it found.

    Attributes
    ----------
    search
        Scene → for every variant the dictionary rows found, int64 of shape (frames, K).
    masks
        Packed ideal binary masks of the dictionary, uint8 of shape (ρT, 65).
    """

    search: Callable[[Scene], Sequence[np.ndarray]]
    masks: np.ndarray

    def __call__(self, scene: Scene) -> np.ndarray:
        """Return the masks of every variant."""
        return np.stack([self.average(found) for found in self.search(scene)])

    def average(self, found: np.ndarray) -> np.ndarray:
        """Return the mask that follows from the rows that one variant found."""
        return average_masks(self.masks, found)


def unmasked(scene: Scene) -> np.ndarray:
    """Leave the mixture as it is."""
    return np.ones((1, *scene.spectrum.shape), np.float32)


def ideal_binary(scene: Scene) -> np.ndarray:
    """Return the ideal binary mask, which the neighbour systems can at best find."""
    return scene.ideal_mask[np.newaxis].astype(np.float32)


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


def raw_neighbours(
    feature_name: str, dictionary: np.ndarray, masks: np.ndarray, n_neighbours: int
) -> NeighbourEstimator:
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

    Raises
    ------
    ValueError
        On use, if K exceeds the dictionary, or a scene knows another number of neighbours than K.
    """

    def search(scene: Scene) -> list[np.ndarray]:
        if scene.raw_neighbours is not None:
            if scene.raw_neighbours.shape[1] != n_neighbours:
                raise ValueError(
                    f"raw neighbours of shape {scene.raw_neighbours.shape} must be (frames, {n_neighbours}): "
                    "find them for the same K"
                )
            return [scene.raw_neighbours.astype(np.int64)]
        queries = feature(feature_name, scene.spectrum)
        return [inner_product_neighbours(queries, dictionary, n_neighbours).indices]

    return NeighbourEstimator(search, masks)


def hashed_neighbours(
    feature_name: str,
    projections: Projections,
    dictionary: np.ndarray | ContextFrames,
    masks: np.ndarray,
    n_neighbours: int,
    n_bits: Sequence[int],
    *,
    context: int = 1,
) -> NeighbourEstimator:
    """Search binary codes by Hamming distance, with every given code length as a prefix of one code.

    Parameters are those of :func:`raw_neighbours`, with the projections that make the codes, the code lengths in
    rising order, and the number of stacked frames that the dictionary's rows are made of.

    Raises
    ------
    ValueError
        If a code length exceeds the projections' bits; on use, if K exceeds the dictionary.
    """
    _require_bits(max(n_bits), projections)
    index = hamming_index(_codes_of(dictionary, projections), n_bits)

    def search(scene: Scene) -> list[np.ndarray]:
        codes = encode(stack_context(feature(feature_name, scene.spectrum), context), projections)
        return [found.indices for found in hamming_sweep(codes, index, n_neighbours, n_bits)]

    return NeighbourEstimator(search, masks)


def weighted_hashed_neighbours(
    feature_name: str,
    projections: Projections,
    dictionary: np.ndarray,
    masks: np.ndarray,
    n_neighbours: int,
    n_bits: Sequence[int],
) -> NeighbourEstimator:
    """Search binary codes by the similarity in which every bit counts by its β; else as :func:`hashed_neighbours`.

    Raises
    ------
    ValueError
        If the projections have no weights, or fewer bits than a code length.
    """
    _require_bits(max(n_bits), projections)
    if projections.betas is None:
        raise ValueError("these projections have no weights β: the weighted search is for those learned by boosting")
    codes_of_dictionary = _codes_of(dictionary, projections)
    indices = [weighted_index(codes_of_dictionary.prefix(bits), projections.betas[:bits]) for bits in n_bits]

    def search(scene: Scene) -> list[np.ndarray]:
        codes = encode(feature(feature_name, scene.spectrum), projections)
        return [
            weighted_neighbours(codes.prefix(bits), index, n_neighbours).indices
            for bits, index in zip(n_bits, indices, strict=True)
        ]

    return NeighbourEstimator(search, masks)


def neighbours_by_length(
    feature_name: str,
    by_length: Mapping[int, Projections],
    dictionary: np.ndarray,
    masks: np.ndarray,
    n_neighbours: int,
    n_bits: Sequence[int],
) -> NeighbourEstimator:
    """Search binary codes that have projections of their own for every code length.

    Else as :func:`hashed_neighbours`.

    Raises
    ------
    ValueError
        If there are no projections for a code length.
    """
    for bits in n_bits:
        if bits not in by_length:
            known = ", ".join(map(str, by_length))
            raise ValueError(f"n_bits={bits} has no projections; they were fitted for {known} bits: fit them again")
    indices = [hamming_index(_codes_of(dictionary, by_length[bits])) for bits in n_bits]

    def search(scene: Scene) -> list[np.ndarray]:
        rows = feature(feature_name, scene.spectrum)
        return [
            hamming_neighbours(encode(rows, by_length[bits]), index, n_neighbours).indices
            for bits, index in zip(n_bits, indices, strict=True)
        ]

    return NeighbourEstimator(search, masks)


def _require_bits(n_bits: int, projections: Projections) -> None:
    if n_bits > projections.n_bits:
        raise ValueError(f"n_bits={n_bits} exceeds the {projections.n_bits} trained bits; train more or ask for less")


def _codes_of(dictionary: np.ndarray | ContextFrames, projections: Projections) -> Codes:
    """Encode a dictionary part by part, because stacked frames are made when they are read."""
    parts = [
        encode(dictionary[first : first + _ROWS_AT_ONCE], projections).words
        for first in range(0, len(dictionary), _ROWS_AT_ONCE)
    ]
    return Codes(np.concatenate(parts), projections.n_bits)
