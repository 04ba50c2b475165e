"""The tables of a run, made from its summaries.

`icassp_table1`
    Table 1 of ICASSP 2020: SDR, SAR and SIR on the closed and the open set, with the rows that this run has.
`noise_table`
    SDR on each noise of the open set, and how far below the oracle the best system stays.
`best_bits_table`
    SDR and SI-SDR at the code length that is best on validation.

Means are length-weighted; ± is the standard deviation over repeats. A run that is not finished gives the same
tables with fewer rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from blsh.reporting.labels import (
    ORACLES,
    at,
    describe_data,
    families_of,
    feature_name,
    main_snr,
    plural,
    system_name,
)
from blsh.reporting.summaries import Summaries
from blsh.reporting.tables import Cell, Column, Number, Table

__all__ = ["best_bits_table", "icassp_table1", "make_tables", "noise_table", "not_above_constant"]

CONTROLS = ("mixture", "constant", *ORACLES)
BELOW = "†"


def make_tables(summaries: Summaries) -> tuple[Table, ...]:
    """Make every table that the run has scores for."""
    made = (icassp_table1(summaries), noise_table(summaries), best_bits_table(summaries))
    return tuple(table for table in made if table.rows)


def icassp_table1(summaries: Summaries, *, n_bits: int = 150, rho: float = 0.1) -> Table:
    """Make Table 1 of ICASSP 2020.

    Parameters
    ----------
    summaries
        Of a run.
    n_bits, rho
        As the paper prints; where the run has no such L or ρ, its largest is shown and named in a note.
    """
    sets = ("closed", "open")
    rows = summaries.aggregated[(summaries.aggregated["by"] == "all") & summaries.aggregated["set"].isin(sets)]
    shares = sorted(set(rows.loc[rows["rho"] > 0, "rho"]))
    share = rho if rho in shares or not shares else shares[-1]
    families = families_of(rows[rows["rho"].isin((0.0, share))])
    metrics = (("sdr", "SDR"), ("sar", "SAR"), ("sir", "SIR"))
    columns = [Column("System"), Column("Feature"), Column("L"), Column("Size", unit="MB")]
    columns += [Column("Size with masks", unit="MB")]
    columns += [Column(name, label, "dB") for _, label in metrics for name in sets]
    body, lengths = [], set()
    for _, family in families.iterrows():
        own = at(rows, family)
        bits = _printed_bits(own, n_bits, "sar")
        lengths |= {bits} - {0}
        cells = [_mean(own, name, bits, metric) for metric, _ in metrics for name in sets]
        label = (system_name(family, families), feature_name(family["feature"]), str(bits) if bits else "")
        body.append((*label, *_sizes(summaries.sizes, family, bits), *cells))
    notes = [f"Means over utterances weighted by their length; ± is the {_spread_text(rows)}."]
    if shares:
        notes.append(f"Dictionaries hold ρ = {share:g} of the training frames.")
    if share != rho and shares:
        notes.append(f"The paper prints ρ = {rho:g}, which this run does not have.")
    if lengths - {n_bits}:
        shown = ", ".join(str(bits) for bits in sorted(lengths))
        notes.append(f"The paper prints L = {n_bits}; this run was scored with all metrics at L = {shown}.")
    notes.append("Sizes are those of dictionary and projections (10⁶ bytes), as the papers count them.")
    notes += [f"{text[0].upper()}{text[1:]}." for text in describe_data(summaries.sets, sets).split("; ") if text]
    caption = "Separation of the closed and the open set at 0 dB (the arrangement of ICASSP 2020, Table 1)"
    return Table("icassp_table1", caption, tuple(columns), tuple(body), tuple(notes), _rules(families))


def noise_table(summaries: Summaries, *, set_name: str = "open") -> Table:
    """Make the table of SDR per noise, at each system's largest L.

    The last row is the oracle's (IBM) lead over the best system; a dagger marks what does not beat the
    constant mask.
    """
    snr_db = main_snr(summaries.aggregated, set_name)
    rows = at(summaries.aggregated, set=set_name, snr_db=snr_db)
    rows = rows[rows["by"].isin(("all", "noise"))]
    noises = sorted(set(rows.loc[rows["by"] == "noise", "group"]))
    families = families_of(rows)
    constant = {group: _value(at(rows, system="constant", group=group)) for group in ("", *noises)}
    columns = [Column("System"), Column("Feature"), Column("ρ"), Column("L")]
    columns += [
        Column("all noises", "SDR", "dB"),
        *(Column(noise.replace("_", " "), "SDR", "dB") for noise in noises),
    ]
    body: list[tuple[Cell, ...]] = []
    best = dict.fromkeys(("", *noises), -math.inf)
    for _, family in families.iterrows():
        own = at(rows, family)
        bits = int(own["n_bits"].max())
        own = at(own, n_bits=bits)
        cells = []
        for group in ("", *noises):
            value = _value(at(own, group=group))
            is_system = family["system"] not in CONTROLS
            if is_system and value > best[group]:
                best[group] = value
            below = is_system and value <= constant[group]
            cells.append(Number(value, mark=BELOW if below else "") if not math.isnan(value) else None)
        label = (system_name(family, families), feature_name(family["feature"]))
        body.append((*label, _share(family["rho"]), str(bits) if bits else "", *cells))
    rules = set(_rules(families))
    if any(value > -math.inf for value in best.values()) and len(at(rows, system="ibm")):
        margins = [_value(at(rows, system="ibm", group=group)) - best[group] for group in ("", *noises)]
        rules.add(len(body))
        body.append(("Oracle (IBM) above the best system", "", "", "", *(Number(margin) for margin in margins)))
    notes = ["Every system at its largest L; means over utterances weighted by their length."]
    if any(isinstance(cell, Number) and cell.mark for row in body for cell in row):
        notes.append(f"{BELOW} does not beat the constant mask, the mean oracle mask of all training frames.")
    elif not math.isnan(constant[""]):
        notes.append("Every system beats the constant mask on every noise.")
    caption = f"SDR on each noise of the {set_name} set at {snr_db:g} dB"
    return Table(f"{set_name}_noises", caption, tuple(columns), tuple(body), tuple(notes), frozenset(rules))


def not_above_constant(summaries: Summaries, *, set_name: str = "open") -> tuple[str, ...]:
    """Name the systems whose SDR on a set does not exceed the constant mask's at their largest L."""
    snr_db = main_snr(summaries.aggregated, set_name)
    rows = at(summaries.aggregated, set=set_name, snr_db=snr_db, by="all")
    constant = _value(at(rows, system="constant"))
    families = families_of(rows)
    found = []
    for _, family in families.iterrows():
        own = at(rows, family)
        value = _value(own[own["n_bits"] == own["n_bits"].max()])
        if family["system"] not in CONTROLS and value <= constant:
            name = system_name(family, families)
            found.append(f"{name} ({feature_name(family['feature'])}, ρ = {family['rho']:g})")
    return tuple(found)


def best_bits_table(summaries: Summaries, *, sets: Sequence[str] = ("closed", "open")) -> Table:
    """Make the table of SDR and SI-SDR at the L that is best on validation."""
    rows = summaries.aggregated[(summaries.aggregated["by"] == "all") & summaries.aggregated["set"].isin(sets)]
    families = families_of(rows)
    metrics = (("sdr", "SDR"), ("si_sdr", "SI-SDR"))
    columns = [Column("System"), Column("Feature"), Column("ρ")]
    for _, label in metrics:
        columns += [Column("L", label), *(Column(name, label, "dB") for name in sets)]
    body, kept = [], []
    for place, family in families.iterrows():
        own = at(rows, family)
        cells: list[Cell] = []
        for metric, _ in metrics:
            chosen = at(summaries.best_bits, family, metric=metric)
            bits = int(chosen["n_bits"].iloc[0]) if len(chosen) else 0
            cells += [str(bits) if bits else "", *(_mean(own, name, bits, metric) for name in sets)]
        if any(isinstance(cell, Number) for cell in cells):
            label = (system_name(family, families), feature_name(family["feature"]), _share(family["rho"]))
            body.append((*label, *cells))
            kept.append(place)
    notes = (
        f"L has the highest mean on validation, for each metric by itself; ± is the {_spread_text(rows)}.",
        *(
            f"{text[0].upper()}{text[1:]}."
            for text in describe_data(summaries.sets, ["validation"]).split("; ")
            if text
        ),
    )
    caption = "SDR and SI-SDR at the number of bits that is best on the validation set"
    return Table("best_bits", caption, tuple(columns), tuple(body), notes, _rules(families.loc[kept]))


def _printed_bits(rows: pd.DataFrame, n_bits: int, metric: str) -> int:
    """Choose the paper's L if all metrics were scored there, else the largest such L."""
    scored = rows[rows[metric].notna()]
    lengths = set((scored if len(scored) else rows)["n_bits"])
    return n_bits if n_bits in lengths else int(max(lengths))


def _mean(rows: pd.DataFrame, set_name: str, bits: int, metric: str) -> Number | None:
    own = rows[(rows["set"] == set_name) & (rows["n_bits"] == bits)]
    own = own[own["snr_db"] == main_snr(own, set_name)]
    if len(own) == 0 or math.isnan(own[metric].iloc[0]):
        return None
    return Number(float(own[metric].iloc[0]), float(own[f"{metric}_std"].iloc[0]))


def _value(rows: pd.DataFrame) -> float:
    return float(rows["sdr"].iloc[0]) if len(rows) else math.nan


def _sizes(sizes: pd.DataFrame, family: pd.Series, bits: int) -> tuple[Cell, Cell]:
    own = at(sizes, family, n_bits=bits)
    if len(own) == 0:
        return None, None
    return Number(float(own["size_mb"].iloc[0])), Number(float(own["size_with_masks_mb"].iloc[0]))


def _spread_text(rows: pd.DataFrame) -> str:
    n_repeats = int(rows["n_repeats"].max()) if len(rows) else 0
    return f"standard deviation over {plural(n_repeats, 'repeat')}"


def _share(rho: float) -> str:
    return f"{rho:g}" if rho else ""


def _rules(families: pd.DataFrame) -> frozenset[int]:
    """Rows at which another system begins; controls stay together."""
    groups = ["" if name in CONTROLS else name for name in families["system"]]
    return frozenset(place for place in range(1, len(groups)) if groups[place] != groups[place - 1])
