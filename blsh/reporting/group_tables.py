"""Tables that take a set apart: SDR on each of its noises, and of each of its speakers, at each system's largest L.

They show what a mean over a set hides: a system that falls behind the constant mask (the mean oracle mask of all
training frames, which needs no search) on some noise, or for some voices.
"""

from __future__ import annotations

import math

import pandas as pd

from blsh.reporting.cells import at, main_snr, number_at, plain
from blsh.reporting.labels import CONTROLS, families_of, feature_name, level_text, noise_name, system_name
from blsh.reporting.summaries import Summaries
from blsh.reporting.table_cells import LABEL_COLUMNS, data_notes, label_cells, rules_of
from blsh.reporting.tables import Cell, Column, Number, Table

__all__ = ["noise_table", "not_above_constant", "speaker_table"]

BELOW = "†"


def noise_table(summaries: Summaries, set_name: str = "open") -> Table:
    """Make the table of SDR per noise, empty for a set of one noise.

    The last row is the oracle's (IBM) lead over the best system; a dagger marks what does not beat the constant
    mask.
    """
    snr_db = main_snr(summaries.aggregated, set_name)
    rows = plain(at(summaries.aggregated, set=set_name, snr_db=snr_db), rivals=True)
    rows = rows[rows["by"].isin(("all", "noise"))]
    noises = sorted(set(rows.loc[rows["by"] == "noise", "group"]))
    rows = rows if len(noises) > 1 else rows.iloc[:0]
    groups = ("", *noises)
    families = families_of(rows)
    constant = {group: number_at(at(rows, system="constant", group=group), "sdr") for group in groups}
    body: list[tuple[Cell, ...]] = []
    best = dict.fromkeys(groups, -math.inf)
    for _, family in families.iterrows():
        own = _at_largest(at(rows, family))
        is_system = family["system"] not in CONTROLS
        cells: list[Cell] = []
        for group in groups:
            value = number_at(at(own, group=group), "sdr")
            if is_system and value > best[group]:
                best[group] = value
            mark = BELOW if is_system and value <= constant[group] else ""
            cells.append(Number(value, mark=mark) if not math.isnan(value) else None)
        body.append((*label_cells(family, families, int(own["n_bits"].max())), *cells))
    rules = set(rules_of(families))
    if max(best.values()) > -math.inf and len(at(rows, system="ibm")):
        leads = [number_at(at(rows, system="ibm", group=group), "sdr") - best[group] for group in groups]
        rules.add(len(body))
        body.append(("Oracle (IBM) above the best system", "", "", "", *map(Number, leads)))
    notes = ["Every system at its largest L; means over utterances weighted by their length."]
    if any(isinstance(cell, Number) and cell.mark for row in body for cell in row):
        notes.append(f"{BELOW} does not beat the constant mask, the mean oracle mask of all training frames.")
    elif not math.isnan(constant[""]):
        notes.append("Every system beats the constant mask on every noise.")
    columns = (*LABEL_COLUMNS, Column("all noises", "SDR", "dB"), *(Column(noise_name(n), "SDR", "dB") for n in noises))
    caption = f"SDR on each noise of the {set_name} set{level_text(snr_db)}"
    return Table(f"{set_name}_noises", caption, columns, tuple(body), tuple(notes), frozenset(rules))


def speaker_table(summaries: Summaries, set_name: str = "open") -> Table:
    """Make the table of SDR per speaker, a column for each system with the largest dictionary."""
    snr_db = main_snr(summaries.aggregated, set_name)
    rows = plain(at(summaries.aggregated, set=set_name, snr_db=snr_db, by="speaker"))
    rows = rows[(rows["system"] != "lsh_fixed") & rows["rho"].isin((0.0, rows["rho"].max()))]
    families = families_of(rows)
    people = at(summaries.utterances, set=set_name, snr_db=snr_db)[["speaker", "gender"]].drop_duplicates()
    genders = dict(people.itertuples(index=False, name=None))
    shown = [_at_largest(at(rows, family)) for _, family in families.iterrows()]
    columns = [Column("Speaker"), Column("Gender"), Column("Mixtures")]
    columns += [Column(_column_name(family, families), "SDR", "dB") for _, family in families.iterrows()]
    body = []
    for speaker in sorted(set(rows["group"])):
        own = [at(part, group=speaker) for part in shown]
        n_mixtures = max(int(part["n_mixtures"].iloc[0]) for part in own if len(part))
        cells = [Number(float(part["sdr"].iloc[0])) if len(part) else None for part in own]
        body.append((speaker, genders.get(speaker, ""), str(n_mixtures), *cells))
    shares = sorted(set(rows.loc[rows["rho"] > 0, "rho"]))
    notes = ["Every system at its largest L; means over utterances weighted by their length."]
    notes += [f"Dictionaries hold ρ = {shares[-1]:g} of the training frames."] if shares else []
    notes += data_notes(summaries.sets, [set_name])
    caption = f"SDR of each speaker of the {set_name} set{level_text(snr_db)}"
    return Table(f"{set_name}_speakers", caption, tuple(columns), tuple(body), tuple(notes))


def not_above_constant(summaries: Summaries, set_name: str = "open") -> tuple[str, ...]:
    """Name the systems whose SDR on a set does not exceed the constant mask's at their largest L."""
    snr_db = main_snr(summaries.aggregated, set_name)
    rows = plain(at(summaries.aggregated, set=set_name, snr_db=snr_db, by="all"), rivals=True)
    constant = number_at(at(rows, system="constant"), "sdr")
    families = families_of(rows)
    found = []
    for _, family in families.iterrows():
        value = number_at(_at_largest(at(rows, family)), "sdr")
        if family["system"] not in CONTROLS and value <= constant:
            details = [feature_name(family["feature"])] if family["feature"] else []
            details += [f"ρ = {family['rho']:g}"] if family["rho"] else []
            found.append(system_name(family, families) + (f" ({', '.join(details)})" if details else ""))
    return tuple(found)


def _at_largest(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["n_bits"] == rows["n_bits"].max()]


def _column_name(family: pd.Series, families: pd.DataFrame) -> str:
    name = system_name(family, families)
    return f"{name}, {feature_name(family['feature'])}" if family["rho"] else name
