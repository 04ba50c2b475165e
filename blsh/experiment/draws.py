"""What a repeat draws: its dictionary and its random projections, each from a named seed.

Whoever scores and whoever listens draws here, so that the sounds of a report are those of the scored system.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from blsh.denoising.dictionary import draw_rows
from blsh.experiment.seeds import generator
from blsh.files.arrays import load_array
from blsh.hashing.projections import Projections, random_projections
from blsh.signal.spectra import feature_width

__all__ = ["draw_dictionary", "draw_projections"]


def draw_dictionary(
    features: Path, masks: Path, *, rho: float, seed: int, repeat: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the frames of one repeat's dictionary, the same for every system and feature: comparisons are paired.

    Parameters
    ----------
    features, masks
        Files of all training frames: float32 (T, D), and packed masks uint8 (T, 65).
    rho
        Fraction of the frames, in (0, 1].
    seed, repeat
        Base seed of the experiment, and which dictionary.

    Returns
    -------
    dictionary, masks : np.ndarray, shapes (ρT, D) and (ρT, 65)

    Raises
    ------
    FileNotFoundError, ValueError
        If a file is missing or rho leaves no frame.
    """
    rows_of_features = load_array(features, mapped=True)
    rows = draw_rows(len(rows_of_features), rho, rng=generator(seed, "dictionary", repeat))
    return (
        np.ascontiguousarray(rows_of_features[rows]),
        np.ascontiguousarray(load_array(masks, mapped=True)[rows]),
    )


def draw_projections(n_bits: int, feature: str, *, seed: int, matrix: int | str) -> Projections:
    """Draw the random projections of LSH for a feature; `matrix` is the repeat, or 'fixed' for all of them."""
    rng = generator(seed, "lsh", feature, matrix)
    return random_projections(n_bits, feature_width(feature), rng=rng)
