"""TASLP 2022, Tables I to III: SDR, SI-SDR, PESQ and ESTOI.

`taslp_table1`
    Every system on the open set at 0 dB, with its size.
`taslp_table2`
    The open set at −5, 5 and 10 dB.
`taslp_table3`
    VoiceBank-DEMAND.

The paper prints LSH at L = 300, BLSH at 300 for STFT and at 50 for mel; its Tables II and III have the mixture
and BLSH alone, these have the controls too.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from blsh.reporting.cells import at, bits_of_table, of_sets, plain, set_at
from blsh.reporting.labels import NETWORKS, SYSTEM_NAMES, families_of, feature_name
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
from blsh.reporting.tables import Cell, Column, Number, Table

__all__ = ["TASLP_BITS", "taslp_table1", "taslp_table2", "taslp_table3"]

# The L of the paper's rows by system and feature.
TASLP_BITS = {("lsh", "stft"): 300, ("lsh", "mel"): 300, ("blsh", "stft"): 300, ("blsh", "mel"): 50}
SNRS = (-5.0, 5.0, 10.0)
# Metric, header, unit, scale.
METRICS = (
    ("sdr", "SDR", "dB", 1.0),
    ("si_sdr", "SI-SDR", "dB", 1.0),
    ("pesq", "PESQ", "", 1.0),
    ("estoi", "ESTOI", "%", 100.0),
)
METRIC_COLUMNS = tuple(Column(header, unit=unit) for _, header, unit, _ in METRICS)
PART_COLUMNS = (Column("dictionary", "Size", "MB"), Column("projections", "Size", "MB"))


def taslp_table1(summaries: Summaries) -> Table:
    """Make Table I."""
    rows = _rows(summaries, "open", 0.0)
    shown, untrained = with_untrained(summaries, _with_unscored(summaries, rows, "open"))
    families = families_of(shown, by_rho=True)
    exported = (Column("as exported", "Size", "MB"),) if len(summaries.exports) else ()
    body, at_bits = [], []
    for _, family in families.iterrows():
        own = at(rows, family)
        bits = _bits(own, family)
        at_bits.append((family, bits))
        is_absent = (family["system"], family["variant"]) in untrained
        scores = absent_cells(len(METRICS)) if is_absent else _scores(summaries, family, at(own, n_bits=bits), "open")
        sizes = (*_parts(summaries, family, bits), *size_cells(summaries, family, bits))
        sizes += (_export(summaries, family, bits),) if exported else ()
        body.append((*label_cells(family, families, bits), *sizes, *scores))
    columns = (*LABEL_COLUMNS, *PART_COLUMNS, *SIZE_COLUMNS, *exported, *METRIC_COLUMNS)
    notes = [spread_note(rows), SIZE_NOTE]
    notes += ["As exported: the file that was written, where one was."] if exported else []
    notes += [*_bits_notes(at_bits), *network_notes(summaries, families)]
    notes += [*unscored_notes(summaries, families, ["open"]), *data_notes(summaries.sets, ["open"])]
    caption = "Model sizes and scores on the open set at 0 dB (the arrangement of TASLP 2022, Table I)"
    return Table("taslp_table1", caption, columns, tuple(body), tuple(notes), rules_of(families))


def taslp_table2(summaries: Summaries) -> Table:
    """Make Table II."""
    caption = "Scores on the open set at SNRs that were not trained on (the arrangement of TASLP 2022, Table II)"
    parts = [(set_at(summaries.aggregated, "open", snr_db), snr_db) for snr_db in SNRS]
    return _table_of_sets(summaries, "taslp_table2", caption, parts, with_snr=True)


def taslp_table3(summaries: Summaries) -> Table:
    """Make Table III."""
    caption = "Scores on VoiceBank-DEMAND (the arrangement of TASLP 2022, Table III)"
    rows = of_sets(summaries.aggregated, "voicebank")
    parts = [("voicebank", float(rows["snr_db"].iloc[0]))] if len(rows) else []
    return _table_of_sets(summaries, "taslp_table3", caption, parts, with_snr=False)


def _table_of_sets(
    summaries: Summaries, name: str, caption: str, parts: Sequence[tuple[str, float]], *, with_snr: bool
) -> Table:
    """Put the tables of some sets (name, SNR) below each other; one that the run does not have is left out."""
    body: list[tuple[Cell, ...]] = []
    rules: set[int] = set()
    at_bits: list[tuple[pd.Series, int]] = []
    used = [_rows(summaries, *part) for part in parts]
    unscored: list[str] = []
    for (set_name, snr_db), rows in zip(parts, used, strict=True):
        shown = _with_unscored(summaries, rows, set_name)
        families = families_of(shown[~shown["system"].isin(NETWORKS)], by_rho=True)
        unscored += unscored_notes(summaries, families, [set_name])
        rules |= {len(body)} - {0}
        for _, family in families.iterrows():
            own = at(rows, family)
            bits = _bits(own, family)
            at_bits.append((family, bits))
            first = (f"{snr_db:g}".replace("-", "−"),) if with_snr else ()
            scores = _scores(summaries, family, at(own, n_bits=bits), set_name)
            body.append((*first, *label_cells(family, families, bits), *scores))
    columns = (*((Column("SNR", unit="dB"),) if with_snr else ()), *LABEL_COLUMNS, *METRIC_COLUMNS)
    notes = [spread_note(pd.concat(used)), *_bits_notes(at_bits), *unscored] if body else []
    notes += data_notes(summaries.sets, dict.fromkeys(set_name for set_name, _ in parts))
    return Table(name, caption, columns, tuple(body), tuple(notes), frozenset(rules))


def _rows(summaries: Summaries, set_name: str, snr_db: float) -> pd.DataFrame:
    """Return the rows of one set that the paper's tables show; they have no LSH with one matrix."""
    rows = plain(at(summaries.aggregated, set=set_name, snr_db=snr_db, by="all"))
    return rows[rows["system"] != "lsh_fixed"]


def _with_unscored(summaries: Summaries, rows: pd.DataFrame, set_name: str) -> pd.DataFrame:
    shown = with_unscored(summaries, rows, [set_name])
    return shown[shown["system"] != "lsh_fixed"]


def _bits(own: pd.DataFrame, family: pd.Series) -> int:
    return bits_of_table(own, TASLP_BITS.get((family["system"], family["feature"]), 0), "pesq")


def _scores(summaries: Summaries, family: pd.Series, rows: pd.DataFrame, set_name: str) -> list[Cell]:
    missing = unscored_cell(summaries, family, set_name)
    return [mean_cell(rows, metric, scale=scale) or missing for metric, _, _, scale in METRICS]


def _parts(summaries: Summaries, family: pd.Series, bits: int) -> tuple[Cell, Cell]:
    own = at(summaries.sizes, family, n_bits=bits)
    if len(own) == 0 or not bits:
        return None, None
    return Number(float(own["dictionary_mb"].iloc[0])), Number(float(own["projections_mb"].iloc[0]))


def _export(summaries: Summaries, family: pd.Series, bits: int) -> Cell:
    own = at(summaries.exports, family, n_bits=bits)
    return Number(int(own["file_bytes"].iloc[0]) / 1e6) if len(own) else None


def _bits_notes(shown: Sequence[tuple[pd.Series, int]]) -> list[str]:
    """Say where this run was scored at another L than the paper's."""
    other: dict[str, None] = {}
    for family, bits in shown:
        wanted = TASLP_BITS.get((family["system"], family["feature"]), bits)
        if bits and wanted != bits:
            name = f"{SYSTEM_NAMES[family['system']]} on {feature_name(family['feature'])}"
            other[f"L = {wanted} for {name}, this run has {bits}"] = None
    return [f"The paper prints {'; '.join(other)}."] if other else []
