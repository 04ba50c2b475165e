"""Score one system on one set: a row for every mixture and code length.

Mixtures are taken one by one: rendered, masked with all code lengths' masks, re-synthesised and scored. What depends
on the references alone, such as the factors of their Gram matrices, is computed once per mixture and used for every
code length. Metrics have two purposes (:class:`Metrics`): SDR and SI-SDR over all code lengths, the slower ones only
where a table shows them. Besides those of the sound there are two of the mask itself (`blsh.evaluation.agreement`):
``mask_accuracy``, and ``recall`` for systems that search.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from blsh.denoising.estimators import Estimator, NeighbourEstimator, Scene
from blsh.evaluation._signals import Signal, prepare
from blsh.evaluation.agreement import mask_accuracy, recall
from blsh.evaluation.bss_eval import ReferenceFactors, bss_eval, factor_references
from blsh.evaluation.metrics import estoi, pesq_wideband, si_sdr
from blsh.files.fail_points import fail_point
from blsh.mixtures.recipes import Recipe
from blsh.mixtures.rendering import Recordings, render
from blsh.signal.masks import apply_mask
from blsh.signal.spectra import istft, n_frames

__all__ = ["METRICS", "Metrics", "score_set"]

BSS_METRICS = ("sdr", "sir", "sar")
SOUND_METRICS = (*BSS_METRICS, "si_sdr", "pesq", "estoi")
METRICS = (*SOUND_METRICS, "recall", "mask_accuracy")


@dataclass(frozen=True)
class Metrics:
    """Which metrics to compute.

    Attributes
    ----------
    sweep : tuple of str
        For every code length.
    at : mapping of int to tuple of str
        Further ones by code length, where a table shows them; 0 stands for systems without codes.

    Raises
    ------
    ValueError
        If a metric is unknown.
    """

    sweep: tuple[str, ...]
    at: Mapping[int, tuple[str, ...]]

    def __post_init__(self):
        for name in (*self.sweep, *(name for names in self.at.values() for name in names)):
            if name not in METRICS:
                raise ValueError(f"metric={name!r} is unknown; choose one of {', '.join(METRICS)}")

    def of(self, n_bits: int) -> frozenset[str]:
        """Return the metrics of a code length."""
        return frozenset((*self.sweep, *self.at.get(n_bits, ())))


def score_set(
    recipes: Sequence[Recipe],
    recordings: Recordings,
    estimator: Estimator,
    *,
    columns: Mapping[str, object],
    n_bits: Sequence[int],
    metrics: Metrics,
    raw_neighbours: np.ndarray | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Score a system on every mixture of a set.

    Parameters
    ----------
    recipes
        The set.
    recordings
        Where its pieces are read from.
    estimator
        The system.
    columns
        Values of the key columns that are the same in every row: system, feature, rho, …
    n_bits
        Code length of each of the estimator's variants; ``(0,)`` without codes.
    metrics
        What to compute for which code length.
    raw_neighbours
        The dictionary rows that the raw features find, integers of shape (frames of the set, K), mixture after
        mixture: for ``recall``, and for a system that would search for the same.
    progress
        Called with (mixtures done, all mixtures).

    Returns
    -------
    pandas.DataFrame
        A row per mixture and code length: key columns, then the metrics in dB, MOS or [0, 1]; a metric that was not
        asked for is NaN, one that cannot be computed is NaN with ``status`` 'nan' and its ``reason``.

    Raises
    ------
    ValueError
        If the estimator does not give a mask or a sound for each code length, ``mask_accuracy`` is asked of one that
        gives sounds, or ``recall`` is asked of a system that searches
        nothing or without the raw neighbours of just these mixtures.
    """
    truths = _per_mixture(raw_neighbours, recipes)
    rows = []
    for done, (recipe, truth) in enumerate(zip(recipes, truths, strict=True), start=1):
        rows.extend(_score_mixture(recipe, recordings, estimator, columns, n_bits, metrics, truth))
        fail_point("score.mixture")
        if progress is not None:
            progress(done, len(recipes))
    return pd.DataFrame(rows)


def _per_mixture(raw_neighbours: np.ndarray | None, recipes: Sequence[Recipe]) -> list[np.ndarray | None]:
    """Cut the raw neighbours of a set into those of each mixture."""
    if raw_neighbours is None:
        return [None] * len(recipes)
    ends = np.cumsum([n_frames(recipe.speech.n_samples) for recipe in recipes])
    if len(raw_neighbours) != (ends[-1] if recipes else 0):
        raise ValueError(
            f"raw neighbours of {len(raw_neighbours)} frames do not fit the mixtures' {ends[-1] if recipes else 0}: "
            "find them for the same recipes"
        )
    return np.split(raw_neighbours, ends[:-1])


def _score_mixture(
    recipe: Recipe,
    recordings: Recordings,
    estimator: Estimator,
    columns: Mapping[str, object],
    n_bits: Sequence[int],
    metrics: Metrics,
    truth: np.ndarray | None,
) -> list[dict[str, object]]:
    scene = Scene(render(recipe, recordings), truth)
    n_samples = len(scene.waveforms.mixture)
    found = estimator.search(scene) if isinstance(estimator, NeighbourEstimator) else None
    given = estimator(scene) if found is None else found
    if len(given) != len(n_bits):
        raise ValueError(
            f"the system gave {len(given)} sounds or masks for {len(n_bits)} code lengths {list(n_bits)}; "
            "it must give one for each"
        )
    wanted = [metrics.of(bits) for bits in n_bits]
    judge = _judge(scene, wanted)
    mixture_sdr = float(bss_eval(scene.waveforms.mixture[np.newaxis], judge.factors[False]).sdr[0])
    rows = []
    for place, (bits, names) in enumerate(zip(n_bits, wanted, strict=True)):
        # One mask at a time, while it is in the processor's cache.
        one = given[place] if found is None else estimator.average(found[place])
        # A system that makes the sound itself, as Conv-TasNet does, has no mask.
        mask = None if one.ndim == 1 else one
        if one.shape != (scene.waveforms.mixture.shape if mask is None else scene.spectrum.shape):
            raise ValueError(
                f"the system gave a sound or mask of shape {one.shape} for a waveform of {n_samples} samples and a "
                f"spectrum of shape {scene.spectrum.shape}; it must have the shape of either"
            )
        if mask is None and "mask_accuracy" in names:
            raise ValueError("mask_accuracy is asked of a system that has no mask: leave it out")
        estimate = one if mask is None else istft(apply_mask(mask, scene.spectrum), n_samples)
        values, status, reason = _score_estimate(estimate, names, judge)
        if "recall" in names:
            values["recall"] = _recall(None if found is None else found[place], scene.raw_neighbours)
        if "mask_accuracy" in names:
            values["mask_accuracy"] = mask_accuracy(mask, scene.ideal_mask)
        rows.append(
            {
                "set": recipe.set,
                "snr_db": recipe.snr_db,
                **columns,
                "n_bits": bits,
                "utterance": recipe.utterance,
                "speaker": recipe.speaker,
                "gender": recipe.gender,
                "noise": recipe.noise,
                "seconds": recipe.seconds,
                **values,
                "delta_sdr": values["sdr"] - mixture_sdr,
                "status": status,
                "reason": reason,
            }
        )
    return rows


def _recall(found: np.ndarray | None, truth: np.ndarray | None) -> float:
    if found is None:
        raise ValueError("recall is asked of a system that searches no dictionary: leave it out")
    if truth is None:
        raise ValueError("recall needs the neighbours of the raw features: give them, or leave it out")
    return recall(found, truth)


@dataclass(frozen=True, eq=False)
class _Judge:
    """What depends on a mixture's references alone, and serves all its estimates."""

    speech: np.ndarray
    reference: Signal  # the same
    factors: Mapping[bool, ReferenceFactors]  # without interference for SDR alone, with it where SIR or SAR is wanted


def _judge(scene: Scene, wanted: Sequence[frozenset[str]]) -> _Judge:
    speech, noise = scene.waveforms.speech, scene.waveforms.noise
    needs_both = any(map(_needs_interference, wanted))
    factors = factor_references(speech, noise, interference=needs_both)
    return _Judge(speech, prepare("reference", speech), {needs_both: factors, False: factors.of_speech()})


def _needs_interference(names: frozenset[str]) -> bool:
    return bool(names & {"sir", "sar"})


def _score_estimate(estimate: np.ndarray, names: frozenset[str], judge: _Judge) -> tuple[dict[str, float], str, str]:
    """Return (metrics, status, reason) of one estimate; what was not asked for is NaN without a reason."""
    prepared = prepare("estimate", estimate)
    values = dict.fromkeys(METRICS, np.nan)
    reasons: list[str] = []
    status = "ok"
    if names & set(BSS_METRICS):
        scores = bss_eval([prepared], judge.factors[_needs_interference(names)])
        status = scores.status[0]
        if scores.reason[0]:
            reasons.append(scores.reason[0])
        values.update({name: float(getattr(scores, name)[0]) for name in BSS_METRICS if name in names})
    of_samples = (judge.speech, estimate)
    of_signals = (judge.reference, prepared)
    for name, metric, compared in (
        ("si_sdr", si_sdr, of_signals),
        ("pesq", pesq_wideband, of_samples),
        ("estoi", estoi, of_samples),
    ):
        if name in names:
            score = metric(*compared)
            values[name] = score.value
            if score.reason:
                reasons.append(f"{name}: {score.reason}")
    for name, value in values.items():
        if np.isinf(value):
            values[name] = np.nan
            reasons.append(f"{name}: infinite")
    return values, "nan" if reasons else status, "; ".join(reasons)
