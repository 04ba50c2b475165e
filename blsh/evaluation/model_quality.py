"""How well a denoiser's model does on mixtures that it was not made from, in SDR, noise by noise."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from blsh.denoising.model_estimator import ModelEstimator, model_estimator
from blsh.denoising.model_file import DenoiserModel, Score
from blsh.evaluation.bss_eval import bss_eval, factor_references
from blsh.mixtures.recipes import Recipe
from blsh.mixtures.rendering import Recordings, render
from blsh.signal.spectra import istft, stft

__all__ = ["score_models"]


def score_models(
    models: Sequence[DenoiserModel],
    recipes: Sequence[Recipe],
    recordings: Recordings,
    *,
    constant: np.ndarray,
    progress: Callable[[int, int], None] | None = None,
) -> list[tuple[Score, ...]]:
    """Measure models on the same mixtures.

    Means are weighted by length, as in the tables of an experiment; a mixture whose SDR cannot be computed does not
    count.

    Parameters
    ----------
    models : sequence of DenoiserModel
    recipes : sequence of Recipe
    recordings : Recordings
        Where their pieces are read from.
    constant : ndarray of float32, shape (513,)
        The mask that knows nothing of a frame, which every model has to beat.
    progress
        Called with (mixtures done, all mixtures).

    Returns
    -------
    list of tuple of Score
        For each model and each SNR: all mixtures (noise ``all``), then every noise in alphabetical order.

    Raises
    ------
    ValueError
        If there is no mixture, or none can be scored.
    """
    estimators = [model_estimator(model) for model in models]
    seconds = np.array([recipe.seconds for recipe in recipes])
    sdr = np.empty((len(recipes), 2 + len(models)))
    for done, recipe in enumerate(recipes, start=1):
        sdr[done - 1] = _score_mixture(recipe, recordings, estimators, constant)
        if progress is not None:
            progress(done, len(recipes))
    whole = np.isfinite(sdr).all(axis=1)
    if not whole.any():
        raise ValueError(f"none of {len(recipes)} mixtures can be scored: give longer or louder recordings")
    groups = _groups(recipes, whole)
    return [
        tuple(
            Score(noise, snr_db, len(chosen), *_means(sdr[np.ix_(chosen, [0, 1, column])], seconds[chosen]))
            for (noise, snr_db), chosen in groups.items()
        )
        for column in range(2, 2 + len(models))
    ]


def _score_mixture(
    recipe: Recipe, recordings: Recordings, estimators: Sequence[ModelEstimator], constant: np.ndarray
) -> np.ndarray:
    """SDR of the mixture, of the constant mask and of each model's masks."""
    scene = render(recipe, recordings)
    factors = factor_references(scene.speech, None, interference=False)
    spectrum = stft(scene.mixture)
    n_samples = len(scene.mixture)
    estimates = [scene.mixture, istft(constant * spectrum, n_samples)]
    estimates += [istft(estimator.masks(spectrum) * spectrum, n_samples) for estimator in estimators]
    return bss_eval(np.stack(estimates), factors).sdr


def _groups(recipes: Sequence[Recipe], usable: np.ndarray) -> dict[tuple[str, float], list[int]]:
    """Numbers of the usable mixtures by noise and SNR."""
    labels = [(recipe.noise, float(recipe.snr_db)) for recipe in recipes]
    groups: dict[tuple[str, float], list[int]] = {}
    for snr_db in sorted({snr_db for _, snr_db in labels}):
        groups["all", snr_db] = [i for i, label in enumerate(labels) if usable[i] and label[1] == snr_db]
        for noise in sorted({noise for noise, _ in labels}):
            groups[noise, snr_db] = [i for i, label in enumerate(labels) if usable[i] and label == (noise, snr_db)]
    return {key: chosen for key, chosen in groups.items() if chosen}


def _means(values: np.ndarray, weights: np.ndarray) -> list[float]:
    return np.average(values, axis=0, weights=weights).tolist()
