"""ICASSP 2020, Table 1: SDR, SAR and SIR on the closed and the open set at L = 150 and ρ = 0.1.

The rows are those that a run has, with the controls and both features; of the networks the paper's two.
"""

from __future__ import annotations

import pandas as pd

from blsh.reporting.cells import at, bits_of_table, of_sets, plain
from blsh.reporting.labels import NETWORKS, families_of
from blsh.reporting.summaries import Summaries
from blsh.reporting.table_cells import (
    LABEL_COLUMNS,
    SIZE_COLUMNS,
    SIZE_NOTE,
    absent_cells,
    data_notes,
    label_cells,
    mean_cell,
    network_notes,
    rules_of,
    size_cells,
    spread_note,
    unscored_cell,
    unscored_notes,
    with_unscored,
    with_untrained,
)
from blsh.reporting.tables import Column, Table

__all__ = ["icassp_table1"]

N_BITS, RHO = 150, 0.1
SETS = ("closed", "open")
METRICS = (("sdr", "SDR"), ("sar", "SAR"), ("sir", "SIR"))
PAPERS_NETWORKS = (("fc", "3x1024"), ("bilstm", "2x1024"))


def icassp_table1(summaries: Summaries) -> Table:
    """Make the table; where the run has no such L or ρ, its largest is shown and a note says so."""
    rows = plain(of_sets(summaries.aggregated, *SETS))
    shown, untrained = with_untrained(summaries, with_unscored(summaries, rows, SETS))
    shares = sorted(set(shown.loc[shown["rho"] > 0, "rho"]))
    share = RHO if RHO in shares or not shares else shares[-1]
    rows, shown = (table[table["rho"].isin((0.0, share))] for table in (rows, shown))
    names = list(zip(shown["system"], shown["variant"], strict=True))
    kept = [name[0] not in NETWORKS or name in PAPERS_NETWORKS for name in names]
    families = families_of(shown[pd.Series(kept, shown.index, dtype=bool)])
    body, lengths = [], set()
    for _, family in families.iterrows():
        own = at(rows, family)
        bits = bits_of_table(own, N_BITS, "sar")
        lengths |= {bits} - {0}
        cells = [
            mean_cell(at(own, set=name, n_bits=bits), metric) or unscored_cell(summaries, family, name)
            for metric, _ in METRICS
            for name in SETS
        ]
        if (family["system"], family["variant"]) in untrained:
            cells = absent_cells(len(cells))
        body.append((*label_cells(family, families, bits), *size_cells(summaries, family, bits), *cells))
    columns = (*LABEL_COLUMNS, *SIZE_COLUMNS, *(Column(name, label, "dB") for _, label in METRICS for name in SETS))
    notes = [spread_note(rows)]
    if share != RHO and shares:
        notes.append(f"The paper prints ρ = {RHO:g}, which this run does not have.")
    if lengths - {N_BITS}:
        run_has = ", ".join(str(bits) for bits in sorted(lengths))
        notes.append(f"The paper prints L = {N_BITS}; this run was scored with all metrics at L = {run_has}.")
    notes += [SIZE_NOTE, *network_notes(summaries, families), *unscored_notes(summaries, families, SETS)]
    notes += data_notes(summaries.sets, SETS)
    caption = "Separation of the closed and the open set at 0 dB (the arrangement of ICASSP 2020, Table 1)"
    return Table("icassp_table1", caption, columns, tuple(body), tuple(notes), rules_of(families))
