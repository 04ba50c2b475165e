"""Two runs side by side: how much each cell of the tables differs, and how sure that is.

Differences are paired where both runs scored the same mixtures (`blsh.reporting.resamples`). Means are over
repeats first, then over mixtures weighted by their length (`blsh.reporting.aggregation`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from blsh.reporting.resamples import Resamples
from blsh.reporting.scores import CELL, METRICS
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
    resamples = Resamples(int(rng.integers(2**63)), n_resamples)
    first, second = (dict(list(run.utterances.groupby(list(CELL), sort=True))) for run in (a, b))
    rows = []
    for cell in sorted(set(first) & set(second)):
        for metric, found in resamples.differences(first[cell], second[cell], metrics).items():
            numbers = (found.first, found.second, found.value, found.low, found.high)
            rounded = (round(float(value), DECIMALS) for value in numbers)
            rows.append((*cell, metric, *rounded, found.paired, found.n_speakers, found.n_mixtures))
    return pd.DataFrame(rows, columns=list(COMPARISON_DTYPES)).astype(COMPARISON_DTYPES)
