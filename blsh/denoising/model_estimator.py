"""A model made ready for use: from the spectrum of a recording to its codes, neighbours and masks.

The mask of a frame is the mean m of its K neighbours' binary masks (Algorithm 1). Two settings soften what is
multiplied onto the spectrum,

    max(floor, 1 − strength + strength·m),

so strength 1 and floor 0 are the scored system, strength 0 changes nothing, and a floor of 0.1 leaves every bin
at −20 dB at least. A shorter code is a prefix of the whole one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blsh.denoising.model_file import DenoiserModel
from blsh.hashing.codes import Codes
from blsh.hashing.projections import encode
from blsh.hashing.search import HammingIndex, Neighbours, hamming_index, hamming_neighbours
from blsh.signal.spectra import feature

__all__ = ["ModelEstimator", "model_estimator"]


@dataclass(frozen=True, eq=False)
class ModelEstimator:
    """A model with its search index, made by `model_estimator`."""

    model: DenoiserModel
    index: HammingIndex
    strength: float
    floor: float

    def codes(self, spectrum: np.ndarray) -> Codes:
        """Return the codes of the frames of a spectrum, complex64 or magnitudes, shape (frames, 513)."""
        return encode(feature(self.model.feature, spectrum), self.model.projections)

    def neighbours(self, spectrum: np.ndarray) -> Neighbours:
        """Find the K nearest dictionary rows of every frame of a spectrum."""
        return hamming_neighbours(self.codes(spectrum), self.index, self.model.n_neighbours)

    def masks(self, spectrum: np.ndarray) -> np.ndarray:
        """Return what to multiply onto a spectrum: float32 of its shape (frames, 513)."""
        masks = self.model.masks.average(self.neighbours(spectrum).indices)
        if self.strength != 1:
            masks *= np.float32(self.strength)
            masks += np.float32(1 - self.strength)
        return np.maximum(masks, np.float32(self.floor), out=masks)


def model_estimator(
    model: DenoiserModel, *, n_bits: int | None = None, strength: float = 1.0, floor: float = 0.0
) -> ModelEstimator:
    """Make a model ready for use.

    Parameters
    ----------
    model : DenoiserModel
    n_bits : int, optional
        Use the first so many bits; all of the model's by default.
    strength, floor : float in [0, 1]

    Raises
    ------
    ValueError
        When the model has fewer bits, or strength or floor is out of range.
    """
    for name, value in {"strength": strength, "floor": floor}.items():
        if not 0 <= value <= 1:
            raise ValueError(f"{name}={value} must lie in [0, 1]")
    if n_bits is not None:
        model = model.prefix(n_bits)
    return ModelEstimator(model, hamming_index(model.codes), strength, floor)
