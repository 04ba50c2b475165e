"""SDR and SI-SDR at the code length that is best on validation: the second table beside the papers' printed L."""

from __future__ import annotations

from blsh.reporting.cells import at, of_sets, plain
from blsh.reporting.labels import families_of, feature_name, system_name
from blsh.reporting.summaries import Summaries
from blsh.reporting.table_cells import data_notes, mean_cell, rules_of, share_text, spread_note
from blsh.reporting.tables import Cell, Column, Number, Table

__all__ = ["best_bits_table"]

SETS = ("closed", "open")
METRICS = (("sdr", "SDR"), ("si_sdr", "SI-SDR"))


def best_bits_table(summaries: Summaries) -> Table:
    """Make the table; L is chosen for each metric by itself, and systems without codes have none."""
    rows = plain(of_sets(summaries.aggregated, *SETS), rivals=True)
    families = families_of(rows)
    columns = [Column("System"), Column("Feature"), Column("ρ")]
    for _, label in METRICS:
        columns += [Column("L", label), *(Column(name, label, "dB") for name in SETS)]
    body, kept = [], []
    for place, family in families.iterrows():
        own = at(rows, family)
        cells: list[Cell] = []
        for metric, _ in METRICS:
            chosen = at(summaries.best_bits, family, metric=metric)
            bits = int(chosen["n_bits"].iloc[0]) if len(chosen) else 0
            cells += [str(bits) if bits else "", *(mean_cell(at(own, set=name, n_bits=bits), metric) for name in SETS)]
        if any(isinstance(cell, Number) for cell in cells):
            label = (system_name(family, families), feature_name(family["feature"]), share_text(family["rho"]))
            body.append((*label, *cells))
            kept.append(place)
    notes = ["L has the highest mean on validation, for each metric by itself.", spread_note(rows)]
    notes += data_notes(summaries.sets, ["validation"])
    caption = "SDR and SI-SDR at the number of bits that is best on the validation set"
    return Table("best_bits", caption, tuple(columns), tuple(body), tuple(notes), rules_of(families.loc[kept]))
