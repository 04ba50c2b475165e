"""What a repeat draws: its dictionary and its random projections, each from a named seed.

Whoever scores and whoever listens draws here, so that the sounds of a report are those of the scored system.
"""

from __future__ import annotations

import numpy as np

from blsh.denoising.dictionary import draw_rows
from blsh.experiment.seeds import generator
from blsh.hashing.projections import Projections, random_projections
from blsh.signal.context import ContextFrames
from blsh.signal.spectra import feature_width

__all__ = ["draw_dictionary", "draw_dictionary_rows", "draw_projections"]


def draw_dictionary_rows(n_frames: int, *, rho: float, seed: int, repeat: int) -> np.ndarray:
    """Draw the rows of one repeat's dictionary, the same for every system and feature: comparisons are paired.

    Parameters
    ----------
    n_frames
        T, the training frames.
    rho
        Fraction of them, in (0, 1].
    seed, repeat
        Base seed of the experiment, and which dictionary.

    Returns
    -------
    np.ndarray, int64, shape (ρT,), rising

    Raises
    ------
    ValueError
        If rho leaves no frame.
    """
    return draw_rows(n_frames, rho, rng=generator(seed, "dictionary", repeat))


def draw_dictionary(
    features: np.ndarray | ContextFrames, masks: np.ndarray, *, rho: float, seed: int, repeat: int
) -> tuple[np.ndarray | ContextFrames, np.ndarray]:
    """Draw the frames of one repeat's dictionary, as :func:`draw_dictionary_rows` does.

    Parameters
    ----------
    features, masks
        All training frames: float32 (T, D), and packed masks uint8 (T, 65); may be mapped files.
    rho, seed, repeat
        As there.

    Returns
    -------
    dictionary, masks : shapes (ρT, D) and (ρT, 65)
        Stacked frames stay to be made.
    """
    rows = draw_dictionary_rows(len(features), rho=rho, seed=seed, repeat=repeat)
    drawn = features.only(rows) if isinstance(features, ContextFrames) else np.ascontiguousarray(features[rows])
    return drawn, np.ascontiguousarray(masks[rows])


def draw_projections(n_bits: int, feature: str, *, seed: int, matrix: int | str) -> Projections:
    """Draw the random projections of LSH for a feature; `matrix` is the repeat, or 'fixed' for all of them."""
    rng = generator(seed, "lsh", feature, matrix)
    return random_projections(n_bits, feature_width(feature), rng=rng)
