"""How far a mean could have come out otherwise: a bootstrap over speakers, utterances and repeats.

Mixtures of one speaker resemble each other, so single mixtures are not independent draws. A resample draws as
many speakers as there are, with replacement; for each drawn speaker as many of the speaker's utterances, with
replacement, each with all its noises; and as many repeats as there are. Noises are few and are not resampled:
a claim must hold its sign on every one of them instead.

A resample is a row of weights, one number for each mixture and one for each repeat. With it every statistic
is a weighted mean, all resamples are one matrix product, and sides that are compared share their resamples
(paired).

    Efron and Tibshirani, An Introduction to the Bootstrap, 1993, ch. 8 and 13 (percentile interval).
"""

from __future__ import annotations

import numpy as np

__all__ = ["interval", "mixture_weights", "repeat_weights", "weighted_means"]


def mixture_weights(
    speakers: np.ndarray, utterances: np.ndarray, n_resamples: int, *, rng: np.random.Generator
) -> np.ndarray:
    """Draw how often each mixture occurs in each resample.

    Parameters
    ----------
    speakers, utterances
        Of each mixture, shape (mixtures,); an utterance is named within its speaker.
    n_resamples
        How many resamples.
    rng
        The draws depend on the speakers' and utterances' sorted names, not on the order of the mixtures.

    Returns
    -------
    ndarray of float64, shape (resamples, mixtures)
        Counts. Mixtures of one utterance have equal counts.
    """
    names, speaker_of = np.unique(speakers, return_inverse=True)
    n_speakers = len(names)
    drawn = rng.multinomial(n_speakers, np.full(n_speakers, 1 / n_speakers), size=n_resamples)
    counts = np.zeros((n_resamples, len(speakers)))
    for speaker in range(n_speakers):
        here = np.flatnonzero(speaker_of == speaker)
        own, utterance_of = np.unique(utterances[here], return_inverse=True)
        # A speaker drawn c times gives c independent draws of u utterances: c·u draws in all.
        draws = rng.multinomial(drawn[:, speaker] * len(own), np.full(len(own), 1 / len(own)))
        counts[:, here] = draws[:, utterance_of]
    return counts


def repeat_weights(n_repeats: int, n_resamples: int, *, rng: np.random.Generator) -> np.ndarray:
    """Draw how often each repeat occurs in each resample, shape (resamples, repeats)."""
    return rng.multinomial(n_repeats, np.full(n_repeats, 1 / n_repeats), size=n_resamples).astype(np.float64)


def weighted_means(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Average scores over mixtures with each row of weights.

    Parameters
    ----------
    values
        Scores, shape (repeats, mixtures); a mixture whose scores are all NaN has no weight, and single NaN
        are replaced by the mixture's mean over its other repeats, so the mean over repeats is that of the
        known ones.
    weights
        Shape (rows, mixtures).

    Returns
    -------
    ndarray of float64, shape (rows, repeats)
        NaN where no mixture has weight.
    """
    known = ~np.isnan(values)
    count = known.sum(axis=0)
    usable = count > 0
    if not known.all():
        means = np.where(known, values, 0.0).sum(axis=0) / np.maximum(count, 1)
        values = np.where(known, values, means)
    total = weights @ usable.astype(np.float64)
    sums = weights @ values.T
    return np.divide(sums, total[:, None], out=np.full_like(sums, np.nan), where=total[:, None] > 0)


def interval(samples: np.ndarray, *, level: float = 0.95) -> tuple[float, float]:
    """Return the percentile interval of a statistic's resamples.

    Parameters
    ----------
    samples
        Shape (resamples,). NaN (nothing was drawn that could be averaged) is left out; infinities count as
        such.
    level
        Share of the resamples between the two ends.
    """
    known = samples[~np.isnan(samples)]
    if len(known) == 0:
        return float("nan"), float("nan")
    # In floats 1 − 0.95 is a little more than 0.05, which would take the next order statistic.
    tail = round((1 - level) / 2, 12)
    # Order statistics, not interpolated ones: between two infinities there is no number.
    low, high = np.quantile(known, (tail, 1 - tail), method="inverted_cdf")
    return float(low), float(high)
