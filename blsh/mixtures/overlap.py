"""How much a noise's long-term spectrum overlaps with that of speech.

With the mean power spectra of the speech and of a noise, each scaled to sum 1 over the bins, the overlap is the
sum of the smaller of the two: 1 where both have the same spectrum, so that no fixed filter separates them, and 0
where they share no bin.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from blsh.mixtures.recipes import Recipe
from blsh.mixtures.rendering import Recordings, render
from blsh.signal.spectra import N_BINS, stft

__all__ = ["noise_overlaps", "spectral_overlap"]


def spectral_overlap(first: np.ndarray, second: np.ndarray) -> float:
    """Return the overlap of two power spectra of shape (bins,), a number in [0, 1].

    Raises
    ------
    ValueError
        If a spectrum has no power.
    """
    for spectrum in (first, second):
        if not spectrum.sum() > 0:
            raise ValueError(f"a spectrum of total power {spectrum.sum()} has no overlap; leave silent noises out")
    return float(np.minimum(first / first.sum(), second / second.sum()).sum())


def noise_overlaps(
    recipes: Sequence[Recipe], recordings: Recordings, *, progress: Callable[[int, int], None] | None = None
) -> pd.DataFrame:
    """Measure every noise of a set against the speech of the whole set, as they are in the mixtures.

    Returns
    -------
    pandas.DataFrame
        ``set``, ``noise``, ``overlap``; a row per noise in alphabetical order.
    """
    speech = np.zeros(N_BINS)
    noises: dict[str, np.ndarray] = {}
    for done, recipe in enumerate(recipes, start=1):
        scene = render(recipe, recordings)
        speech += _power(scene.speech)
        noises.setdefault(recipe.noise, np.zeros(N_BINS))
        noises[recipe.noise] += _power(scene.noise)
        if progress is not None:
            progress(done, len(recipes))
    rows = [(recipes[0].set, noise, spectral_overlap(speech, power)) for noise, power in sorted(noises.items())]
    return pd.DataFrame(rows, columns=["set", "noise", "overlap"])


def _power(waveform: np.ndarray) -> np.ndarray:
    return (np.abs(stft(waveform)).astype(np.float64) ** 2).sum(axis=0)
