"""Two runs side by side: how much each cell of the tables differs, and how sure that is.

Where both runs scored the same mixtures the difference is paired: one resample of speakers and utterances
serves both sides, and what the mixtures have in common cancels. Otherwise each side is resampled by itself.
Means are over repeats first, then over mixtures weighted by their length (`blsh.reporting.aggregation`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from blsh.reporting.bootstrap import interval, mixture_weights, weighted_means
from blsh.reporting.scores import CELL, METRICS, MIXTURE
from blsh.reporting.summaries import Summaries

__all__ = ["COMPARISON_DTYPES", "compare"]

COMPARISON_DTYPES = {
    **dict.fromkeys(CELL, "str"),
    **dict.fromkeys(("snr_db", "rho"), "float64"),
    **dict.fromkeys(("n_bits", "n_neighbours"), "int64"),
    "metric": "str",
    **dict.fromkeys(("a", "b", "difference", "low", "high"), "float64"),
    "paired": "bool",
    **dict.fromkeys(("n_speakers", "n_mixtures"), "int64"),
}
DECIMALS = 4


def compare(
    a: Summaries,
    b: Summaries,
    *,
    metrics: Sequence[str] = METRICS,
    n_resamples: int = 2000,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Compare the cells that both runs scored, at the code lengths of their tables.

    Parameters
    ----------
    a, b
        Summaries of two runs.
    metrics
        What to compare; a metric that one side lacks is left out.
    n_resamples
        Resamples of the intervals.
    rng
        For the intervals. Read once: all cells of one set share their resamples.

    Returns
    -------
    DataFrame
        Columns of `COMPARISON_DTYPES`. ``difference`` is b minus a, on the shared mixtures if ``paired``;
        ``low`` and ``high`` are its 95 % interval (NaN for fewer than two speakers); ``n_speakers`` and
        ``n_mixtures`` are the smaller side's. Cells of one run only are left out.
    """
    entropy = int(rng.integers(2**63))
    sides = [dict(list(run.utterances.groupby(list(CELL), sort=True))) for run in (a, b)]
    drawn: dict[tuple, np.ndarray] = {}
    rows = []
    for cell in sorted(set(sides[0]) & set(sides[1])):
        left, right = (side[cell] for side in sides)
        shared = left[list(MIXTURE)].merge(right[list(MIXTURE)])
        paired = len(shared) > 0
        if paired:
            left, right = (shared.merge(side, on=list(MIXTURE)) for side in (left, right))
        # Unpaired sides need different resamples also where their speakers have the same names.
        weights = [
            _weights(side, (entropy, 0 if paired else place), n_resamples, drawn)
            for place, side in enumerate((left, right))
        ]
        for metric in metrics:
            values = [side[metric].to_numpy(np.float64) for side in (left, right)]
            known = [~np.isnan(value) for value in values]
            if paired:
                known = [known[0] & known[1]] * 2
            if not (known[0].any() and known[1].any()):
                continue
            samples = [
                weighted_means(np.where(mask, value, np.nan)[None], weight)[:, 0]
                for value, mask, weight in zip(values, known, weights, strict=True)
            ]
            n_speakers = min(
                side.loc[mask, "speaker"].nunique() for side, mask in zip((left, right), known, strict=True)
            )
            change = samples[1] - samples[0]
            low, high = interval(change[1:]) if n_speakers > 1 else (np.nan, np.nan)
            numbers = (samples[0][0], samples[1][0], change[0], low, high)
            n_mixtures = min(int(mask.sum()) for mask in known)
            rows.append(
                (
                    *cell,
                    metric,
                    *(round(float(value), DECIMALS) for value in numbers),
                    paired,
                    n_speakers,
                    n_mixtures,
                )
            )
    return pd.DataFrame(rows, columns=list(COMPARISON_DTYPES)).astype(COMPARISON_DTYPES)


def _weights(side: pd.DataFrame, seed: tuple[int, int], n_resamples: int, drawn: dict[tuple, np.ndarray]) -> np.ndarray:
    """Lengths times counts, shape (1 + resamples, mixtures): as they are, then resampled."""
    speakers, utterances = side["speaker"].to_numpy(str), side["utterance"].to_numpy(str)
    key = (seed, tuple(speakers), tuple(utterances))
    if key not in drawn:
        drawn[key] = mixture_weights(speakers, utterances, n_resamples, rng=np.random.default_rng(seed))
    counts = np.vstack([np.ones(len(side)), drawn[key]])
    return counts * side["seconds"].to_numpy()
