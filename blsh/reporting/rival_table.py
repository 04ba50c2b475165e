"""BLSH beside other ways to make codes of the same length.

`pca_sign` and `itq` are learned without labels, `residual` is this project's boosting rule, `projections` somebody's
own; `lsh` and the raw features' `knn` are the ends between which they lie. Beside SDR stand two measures of the search
alone: recall, the share of a frame's K neighbours that are neighbours by the raw features too, and mask accuracy, the
share of time-frequency bins in which the estimated mask (at least ½) agrees with the ideal binary one.
"""

from __future__ import annotations

import pandas as pd

from blsh.reporting.cells import at, main_snr, plain
from blsh.reporting.change_tables import INTERVAL_NOTE, RESAMPLES_SEED
from blsh.reporting.labels import CONTROLS, NETWORKS, RIVALS, families_of
from blsh.reporting.resamples import Resamples
from blsh.reporting.summaries import Summaries
from blsh.reporting.table_cells import (
    LABEL_COLUMNS,
    data_notes,
    label_cells,
    mean_cell,
    rules_of,
    size_cells,
    spread_note,
)
from blsh.reporting.tables import Cell, Column, Number, Table

__all__ = ["compared_systems", "rival_table"]


def compared_systems(summaries: Summaries, set_name: str = "open") -> pd.DataFrame:
    """Return the rows of a set's rivals and what they are compared with; none if the run has no rival."""
    rows = at(summaries.aggregated, set=set_name, snr_db=main_snr(summaries.aggregated, set_name), by="all")
    rows = plain(rows, rivals=True)
    rows = rows[~rows["system"].isin(NETWORKS) & (rows["system"] != "lsh_fixed")]
    return rows if rows["system"].isin(RIVALS).any() else rows.iloc[:0]


def rival_table(summaries: Summaries, set_name: str = "open") -> Table:
    """Make the table, at the code lengths at which mask accuracy was asked for."""
    rows = compared_systems(summaries, set_name)
    bits = sorted(set(rows.loc[rows["mask_accuracy"].notna() | ~rows["mask_accuracy"].notna().any(), "n_bits"]) - {0})
    rows = rows[rows["n_bits"].isin((0, *bits))]
    utterances = at(summaries.utterances, set=set_name, snr_db=main_snr(summaries.aggregated, set_name))
    families = families_of(rows)
    resamples = Resamples(RESAMPLES_SEED)
    body: list[tuple[Cell, ...]] = []
    kept = []
    for _, family in families.iterrows():
        for n_bits in sorted(set(at(rows, family)["n_bits"])):
            own = at(rows, family, n_bits=n_bits)
            mean = mean_cell(own, "sdr")
            means = at(utterances, family, n_bits=n_bits)
            interval = resamples.mean_interval(means, "sdr")
            body.append(
                (
                    *label_cells(family, families, n_bits),
                    size_cells(summaries, family, n_bits)[1],
                    mean,
                    Number(mean.value, interval=interval) if mean else None,
                    _lead_over_blsh(utterances, family, n_bits, means, resamples),
                    mean_cell(own, "recall", scale=100, decimals=1),
                    mean_cell(own, "mask_accuracy", scale=100, decimals=1),
                )
            )
            kept.append(family)
    columns = (*LABEL_COLUMNS, Column("Size with masks", unit="MB"), Column("SDR", unit="dB"))
    columns += (Column("SDR with interval", unit="dB"), Column("SDR above BLSH", unit="dB"))
    columns += (Column("recall", unit="%"), Column("mask accuracy", unit="%"))
    notes = [spread_note(rows), INTERVAL_NOTE, "Above BLSH: at the same feature, ρ and L."]
    notes += data_notes(summaries.sets, [set_name])
    caption = f"Other codes of the same length on the {set_name} set"
    rules = rules_of(pd.DataFrame(kept)) if kept else frozenset()
    return Table("rivals", caption, columns, tuple(body), tuple(notes), rules)


def _lead_over_blsh(
    utterances: pd.DataFrame, family: pd.Series, n_bits: int, own: pd.DataFrame, resamples: Resamples
) -> Number | None:
    if family["system"] in (*CONTROLS, "blsh") or not n_bits:
        return None
    cells = plain(at(utterances, system="blsh", feature=family["feature"], rho=family["rho"], n_bits=n_bits))
    found = resamples.difference(cells, own, "sdr")
    return Number(found.value, interval=(found.low, found.high)) if found else None
