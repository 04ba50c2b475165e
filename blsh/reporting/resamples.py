"""Intervals of means and of differences, from the means of every mixture that the summaries hold.

Speakers and their utterances are resampled (`blsh.reporting.bootstrap`). Repeats are averaged before, so their
spread is not in these intervals: it stands beside, as ±.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from blsh.reporting.bootstrap import interval, mixture_weights, weighted_means
from blsh.reporting.scores import MIXTURE

__all__ = ["Difference", "Resamples"]


@dataclass(frozen=True)
class Difference:
    """The means of two sides, the second minus the first with its 95 % interval, and on what.

    ``n_speakers`` and ``n_mixtures`` are the smaller side's; below two speakers the interval is NaN.
    """

    first: float
    second: float
    low: float
    high: float
    paired: bool
    n_speakers: int
    n_mixtures: int

    @property
    def value(self) -> float:
        """The second mean minus the first."""
        return self.second - self.first


@dataclass
class Resamples:
    """Resamples of sets of mixtures, drawn once for each set and shared by all cells that have it.

    Attributes
    ----------
    entropy
        Seed; a resample depends on it and on the names of the mixtures only.
    n_resamples
        How many.
    """

    entropy: int
    n_resamples: int = 2000
    _drawn: dict[tuple, np.ndarray] = field(default_factory=dict)

    def difference(self, first: pd.DataFrame, second: pd.DataFrame, metric: str) -> Difference | None:
        """Compare two cells in one metric; see `differences`. None if a side has no such score."""
        return self.differences(first, second, (metric,)).get(metric)

    def differences(self, first: pd.DataFrame, second: pd.DataFrame, metrics: Sequence[str]) -> dict[str, Difference]:
        """Compare two cells.

        Where both have mixtures in common the difference is paired: one resample serves both sides, and what the
        mixtures have in common cancels. Otherwise each side is resampled by itself.

        Parameters
        ----------
        first, second
            Rows of ``utterances.parquet``, one for each mixture.
        metrics
            What to average.

        Returns
        -------
        dict
            By metric; one that a side lacks is left out.
        """
        if len(first) == 0 or len(second) == 0:
            return {}
        shared = first[list(MIXTURE)].merge(second[list(MIXTURE)])
        paired = len(shared) > 0
        sides = [shared.merge(side, on=list(MIXTURE)) if paired else side for side in (first, second)]
        # Sides that are not paired need different resamples also where their speakers have the same names.
        weights = [self._weights(side, 0 if paired else place) for place, side in enumerate(sides)]
        found = {}
        for metric in metrics:
            values = [side[metric].to_numpy(np.float64) for side in sides]
            known = [~np.isnan(value) for value in values]
            if paired:
                known = [known[0] & known[1]] * 2
            if not (known[0].any() and known[1].any()):
                continue
            samples = [
                weighted_means(np.where(mask, value, np.nan)[None], weight)[:, 0]
                for value, mask, weight in zip(values, known, weights, strict=True)
            ]
            n_speakers = min(side.loc[mask, "speaker"].nunique() for side, mask in zip(sides, known, strict=True))
            low, high = interval((samples[1] - samples[0])[1:]) if n_speakers > 1 else (np.nan, np.nan)
            n_mixtures = min(int(mask.sum()) for mask in known)
            first_mean, second_mean = float(samples[0][0]), float(samples[1][0])
            found[metric] = Difference(first_mean, second_mean, low, high, paired, n_speakers, n_mixtures)
        return found

    def mean_interval(self, rows: pd.DataFrame, metric: str) -> tuple[float, float]:
        """Return the 95 % interval of a cell's mean; NaN below two speakers or without scores."""
        known = rows[rows[metric].notna()]
        if known["speaker"].nunique() < 2:
            return np.nan, np.nan
        samples = weighted_means(rows[metric].to_numpy(np.float64)[None], self._weights(rows, 0))[:, 0]
        return interval(samples[1:])

    def _weights(self, side: pd.DataFrame, stream: int) -> np.ndarray:
        """Lengths times counts, shape (1 + resamples, mixtures): as they are, then resampled."""
        columns = [side["speaker"].to_numpy(str), side["utterance"].to_numpy(str), side["seconds"].to_numpy()]
        key = (stream, *(column.tobytes() for column in columns))
        if key not in self._drawn:
            speakers, utterances, seconds = columns
            rng = np.random.default_rng((self.entropy, stream))
            drawn = mixture_weights(speakers, utterances, self.n_resamples, rng=rng)
            self._drawn[key] = np.vstack([np.ones(len(side)), drawn]) * seconds
        return self._drawn[key]
