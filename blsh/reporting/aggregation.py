"""From scores to means: what a table or a figure shows of each cell.

A cell (`scores.CELL`) is scored on M mixtures in R repeats. With x[m, r] a metric and s[m] the mixture's
length,

* the mean is  Σ_m s[m] · mean_r x[m, r] / Σ_m s[m]  (length-weighted, as the authors' code does),
* the plain mean leaves s out,
* the spread is the standard deviation (ddof 1) over r of the length-weighted means of the single repeats.

NaN is left out of each of these means and counted. A metric counts as asked for in a cell if it is finite
there once or a reason names it; only then is a NaN a failure.

Rows with ``by = all`` are whole sets and exist for every code length. Rows per noise and per speaker (`by`,
with the name in `group`) exist at the code lengths of the tables only, and per speaker only in sets of at
most 120 speakers, so that the file stays small; ``utterances.parquet`` has all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from blsh.reporting.scores import CELL, METRICS, MIXTURE

__all__ = [
    "AGGREGATED_DTYPES",
    "COUNTS",
    "FAMILY",
    "aggregate",
    "best_bits",
    "coverage",
    "describe_sets",
    "failures",
    "mixture_means",
    "rows_of_tables",
]

FAMILY = tuple(name for name in CELL if name != "n_bits")
COUNTS = ("n_mixtures", "n_utterances", "n_speakers", "n_repeats", "n_ill_conditioned")
GROUPS = ("all", "noise", "speaker")

# The scores themselves are good to 1e-4 dB; further digits would only make the published file larger.
DECIMALS = 4
SPEAKERS_MAX = 120

AGGREGATED_DTYPES = {
    **dict.fromkeys(CELL, "str"),
    **dict.fromkeys(("snr_db", "rho"), "float64"),
    **dict.fromkeys(("n_bits", "n_neighbours"), "int64"),
    "by": "str",
    "group": "str",
    **dict.fromkeys(COUNTS, "int64"),
    **{
        f"{metric}{part}": "int64" if part == "_nan" else "float64"
        for metric in METRICS
        for part in ("", "_plain", "_std", "_nan")
    },
}


def aggregate(scores: pd.DataFrame, *, table_bits: Collection[int]) -> pd.DataFrame:
    """Average the scores of every cell.

    Parameters
    ----------
    scores
        Checked scores, see `blsh.reporting.scores`.
    table_bits
        Code lengths of the tables; see `rows_of_tables`.

    Returns
    -------
    DataFrame
        Columns of `AGGREGATED_DTYPES`, sorted by cell, `by` and `group`. ``METRIC`` is the mean,
        ``METRIC_plain`` the plain mean, ``METRIC_std`` the spread (NaN for one repeat), ``METRIC_nan`` the
        number of rows in which the metric could not be computed.
    """
    shown = scores[rows_of_tables(scores, table_bits)]
    few = shown[shown.groupby("set")["speaker"].transform("nunique") <= SPEAKERS_MAX]
    parts = [
        _aggregate_by(scores.assign(group=""), "all"),
        _aggregate_by(shown.assign(group=shown["noise"]), "noise"),
        _aggregate_by(few.assign(group=few["speaker"]), "speaker"),
    ]
    table = pd.concat(parts, ignore_index=True)[list(AGGREGATED_DTYPES)].astype(AGGREGATED_DTYPES)
    order = table["by"].map({name: place for place, name in enumerate(GROUPS)})
    table = table.assign(_order=order).sort_values([*CELL, "_order", "group"], kind="stable", ignore_index=True)
    return table.drop(columns="_order")


def rows_of_tables(table: pd.DataFrame, table_bits: Collection[int]) -> pd.Series:
    """Mark the rows that tables show: without L, at the tables' L, and at each system's largest L."""
    largest = table.groupby(list(FAMILY), dropna=False)["n_bits"].transform("max")
    return table["n_bits"].isin(table_bits) | (table["n_bits"] == 0) | (table["n_bits"] == largest)


def mixture_means(scores: pd.DataFrame) -> pd.DataFrame:
    """Average every mixture of every cell over the repeats.

    Returns
    -------
    DataFrame
        Columns of `CELL` and `MIXTURE`, ``n_repeats``, and the metrics in float32 (which is exact to 1e-6
        dB); sorted by its key. The unit in which two runs are compared.
    """
    key = [*CELL, *MIXTURE]
    grouped = scores.groupby(key, sort=True, dropna=False)
    table = grouped[list(METRICS)].mean().astype("float32")
    table.insert(0, "n_repeats", grouped["repeat"].nunique())
    return table.reset_index()


def coverage(expected: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Count what of the expected cells has been scored.

    Parameters
    ----------
    expected
        The columns of `CELL` and ``repeat``, one row for each cell and repeat that the run is to score; and
        ``reason``, if it is known, why a cell is not scored.
    scores
        What there is.

    Returns
    -------
    DataFrame
        One row for each set, system, feature, target, profile and rho: ``n_expected`` and ``n_done`` cells,
        each cell counted once a repeat, and the ``reason`` of those that are not done.
    """
    cells = [*CELL, "repeat"]
    done = scores[cells].drop_duplicates().assign(n_done=1)
    table = expected[cells].assign(reason=expected.get("reason", "")).drop_duplicates(cells)
    table = table.merge(done, on=cells, how="left")
    table = table.assign(n_expected=1, n_done=table["n_done"].fillna(0).astype("int64"))
    table["reason"] = table["reason"].where(table["n_done"] == 0, "")
    grouped = table.groupby(list(FAMILY), sort=True, dropna=False)
    counts = grouped[["n_expected", "n_done"]].sum()
    return counts.assign(reason=grouped["reason"].agg(_distinct_texts)).reset_index()


def failures(scores: pd.DataFrame) -> pd.DataFrame:
    """Count the rows that were ill-conditioned or could not be computed, by set, system and reason."""
    bad = scores[scores["status"] != "ok"]
    key = ["set", "snr_db", "system", "status", "reason"]
    return bad.groupby(key, sort=True, dropna=False).size().reset_index(name="n_rows")


def describe_sets(scores: pd.DataFrame) -> pd.DataFrame:
    """Count mixtures, utterances, speakers, noises and hours of every set that was scored."""
    mixtures = scores[["set", "snr_db", *MIXTURE]].drop_duplicates()
    rows = []
    for (name, snr_db), part in mixtures.groupby(["set", "snr_db"], sort=True, dropna=False):
        speakers = part.drop_duplicates("speaker")
        rows.append(
            {
                "set": name,
                "snr_db": snr_db,
                "mixtures": len(part),
                "utterances": len(part.drop_duplicates(["speaker", "utterance"])),
                "speakers": len(speakers),
                "female": int((speakers["gender"] == "F").sum()),
                "male": int((speakers["gender"] == "M").sum()),
                "noises": part["noise"].nunique(),
                "hours": round(float(part["seconds"].sum()) / 3600, 4),
            }
        )
    columns = ["set", "snr_db", "mixtures", "utterances", "speakers", "female", "male", "noises", "hours"]
    return pd.DataFrame(rows, columns=columns)


def best_bits(
    aggregated: pd.DataFrame, *, metrics: Sequence[str] = ("sdr", "si_sdr"), on_set: str = "validation"
) -> pd.DataFrame:
    """Choose each system's code length on the validation set.

    Parameters
    ----------
    aggregated
        See `aggregate`.
    metrics
        The choice is made for each of these.
    on_set
        The set that choices are made on.

    Returns
    -------
    DataFrame
        The columns of `FAMILY` but the set, ``metric``, ``n_bits`` (the L of the highest mean; of equal ones
        the smallest) and ``value``, the mean there. One row for each system that has bits and was scored on
        that set.
    """
    family = [name for name in FAMILY if name != "set"]
    rows = aggregated[(aggregated["by"] == "all") & (aggregated["set"] == on_set) & (aggregated["n_bits"] > 0)]
    tables = []
    for metric in metrics:
        known = rows[rows[metric].notna()].sort_values([metric, "n_bits"], ascending=[False, True], kind="stable")
        chosen = known.drop_duplicates(family).assign(metric=metric, value=known[metric])
        tables.append(chosen[[*family, "metric", "n_bits", "value"]])
    return pd.concat(tables, ignore_index=True).sort_values([*family, "metric"], ignore_index=True)


def _distinct_texts(texts: pd.Series) -> str:
    return "; ".join(text for text in dict.fromkeys(texts) if text)


def _aggregate_by(scores: pd.DataFrame, by: str) -> pd.DataFrame:
    """Average cells over all rows that share a `group`."""
    cell = [*CELL, "group"]
    grouped = scores.groupby(cell, sort=True, dropna=False)
    table = pd.DataFrame(
        {
            "n_mixtures": _count_distinct(scores, cell, list(MIXTURE)),
            "n_utterances": _count_distinct(scores, cell, ["speaker", "utterance"]),
            "n_speakers": grouped["speaker"].nunique(),
            "n_repeats": grouped["repeat"].nunique(),
            "n_ill_conditioned": scores.assign(bad=scores["status"] == "ill-conditioned")
            .groupby(cell, dropna=False)["bad"]
            .sum(),
        }
    )
    mixtures = scores.groupby([*cell, *MIXTURE], sort=True, dropna=False)[list(METRICS)].mean()
    means = _weighted_means(mixtures, cell)
    repeats = _weighted_means(scores.set_index([*cell, "repeat", "seconds"])[list(METRICS)], [*cell, "repeat"])
    spreads = repeats.groupby(cell, dropna=False).std(ddof=1)
    plain = mixtures.groupby(cell, dropna=False).mean()
    failed = _count_failures(scores, cell)
    for metric in METRICS:
        table[metric] = means[metric].round(DECIMALS)
        table[f"{metric}_plain"] = plain[metric].round(DECIMALS)
        table[f"{metric}_std"] = spreads[metric].round(DECIMALS)
        table[f"{metric}_nan"] = failed[metric]
    return table.assign(by=by).reset_index()


def _weighted_means(values: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Length-weighted means of metrics whose index holds `key` and ``seconds``; NaN weighs nothing."""
    seconds = values.index.get_level_values("seconds").to_numpy()[:, None]
    weights = values.notna() * seconds
    sums = (values * seconds).fillna(0.0).groupby(key, dropna=False).sum()
    return sums / weights.groupby(key, dropna=False).sum().replace(0.0, np.nan)


def _count_distinct(scores: pd.DataFrame, cell: list[str], names: list[str]) -> pd.Series:
    # A name may be in both lists: per speaker, the group is the speaker.
    return scores[[*cell, *names]].drop_duplicates().groupby(cell, dropna=False).size()


def _count_failures(scores: pd.DataFrame, cell: list[str]) -> pd.DataFrame:
    keys = [scores[name] for name in cell]
    columns = {}
    for metric in METRICS:
        # "sdr" must not match inside "si_sdr": the underscore counts as a letter.
        named = scores["reason"].str.contains(rf"\b{metric}\b", regex=True) if scores["reason"].any() else False
        known = scores[metric].notna()
        asked = (known | named).groupby(keys, dropna=False).any()
        columns[metric] = (~known).groupby(keys, dropna=False).sum() * asked
    return pd.DataFrame(columns)
