"""How cells are picked out of the summaries.

A run may hold far more systems than a paper's table has rows: single switches, contexts, rival codes, further
targets. `plain` leaves those that the papers compare; each of the others has a table of its own.
"""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np
import pandas as pd

from blsh.hashing import similarity
from blsh.reporting.labels import IDENTITY, NETWORKS, RIVALS

__all__ = [
    "at",
    "bits_of_table",
    "bits_or_longest",
    "main_snr",
    "main_targets",
    "number_at",
    "of_sets",
    "plain",
    "set_at",
]


def at(cells: pd.DataFrame, family: pd.Series | None = None, **values: object) -> pd.DataFrame:
    """Return the rows of one system (`IDENTITY`) that have the given values in further columns."""
    chosen = np.ones(len(cells), dtype=bool)
    wanted = {name: family[name] for name in IDENTITY} if family is not None else {}
    for name, value in (wanted | values).items():
        # The SNR of real recordings is NaN: nobody mixed them.
        is_unknown = isinstance(value, float) and math.isnan(value)
        chosen &= (cells[name].isna() if is_unknown else cells[name] == value).to_numpy()
    return cells[chosen]


def main_targets(cells: pd.DataFrame) -> tuple[str, ...]:
    """Return the targets that the papers' tables are about: ``ssm``, or all where no model has it."""
    targets = tuple(sorted(set(cells["target"]) - {""}))
    return similarity.main_targets(targets)


def plain(cells: pd.DataFrame, *, rivals: bool = False) -> pd.DataFrame:
    """Return the rows of the papers' systems: no variants, no further targets, rivals if wanted.

    What is no variant in this sense is a network's layers, and the name of projections that somebody gave.
    """
    chosen = (cells["variant"] == "") | cells["system"].isin((*NETWORKS, "projections"))
    chosen &= cells["target"].isin(("", *main_targets(cells)))
    chosen &= ~cells["system"].isin(RIVALS) | rivals
    return cells[chosen]


def of_sets(aggregated: pd.DataFrame, *names: str) -> pd.DataFrame:
    """Return the rows of whole sets, each at the SNR at which it is shown (`main_snr`)."""
    parts = [at(aggregated, set=name, by="all", snr_db=main_snr(aggregated, name)) for name in names]
    return pd.concat(parts, ignore_index=True)


def main_snr(aggregated: pd.DataFrame, set_name: str) -> float:
    """Return the SNR at which a set is shown: 0 dB, or the lowest it has; NaN for real recordings."""
    levels = sorted(set(aggregated.loc[aggregated["set"] == set_name, "snr_db"]))
    return 0.0 if 0.0 in levels or not levels else levels[0]


def set_at(cells: pd.DataFrame, name: str, snr_db: float) -> str:
    """Return the set at an SNR: of that name, else one whose name goes on after an underscore; '' if none has it."""
    names = sorted(set(at(cells, snr_db=snr_db)["set"]))
    found = [one for one in names if one == name] or [one for one in names if one.startswith(f"{name}_")]
    return found[0] if found else ""


def bits_of_table(rows: pd.DataFrame, n_bits: int, metric: str) -> int:
    """Choose the paper's L if the metric was scored there, else the largest L where it was; 0 without codes."""
    scored = rows[rows[metric].notna()]
    return bits_or_longest(n_bits, set((scored if len(scored) else rows)["n_bits"]))


def bits_or_longest(n_bits: int, lengths: Collection[int]) -> int:
    """Return a code length if it is one of these, else the longest; 0 if there is none."""
    return n_bits if n_bits in lengths else int(max(lengths, default=0))


def number_at(rows: pd.DataFrame, metric: str) -> float:
    """Return the metric of the first row, NaN if there is no row."""
    return float(rows[metric].iloc[0]) if len(rows) else math.nan
