"""Which networks count: those whose training ended by its stop rule.

A half-trained network says nothing about its kind. `blsh.reporting.summaries` leaves the scores of the others
out, so that no table, figure or claim can use them; where a table has their rows, the cells say so.
"""

from __future__ import annotations

import pandas as pd

from blsh.denoising.checkpoints import STOP_RULE
from blsh.reporting.labels import NETWORKS, network_name, plural

__all__ = ["not_trained", "status_text", "trained_rows", "untrained_networks"]

Network = tuple[str, str]


def trained_rows(cells: pd.DataFrame, networks: pd.DataFrame) -> pd.Series:
    """Mark the rows of systems that are no networks, and of networks that were trained to the stop rule."""
    trained = set(_names(networks[networks["stopped_by"] == STOP_RULE]))
    is_network = cells["system"].isin(NETWORKS)
    found = pd.Series([name in trained for name in _names(cells[is_network])], cells.index[is_network], dtype=bool)
    return found.reindex(cells.index, fill_value=True)


def untrained_networks(expected: pd.DataFrame, networks: pd.DataFrame) -> tuple[Network, ...]:
    """Return (system, variant) of the networks that a run is to train and has not, in sorted order."""
    rows = pd.concat([expected[["system", "variant"]], networks[["system", "variant"]]], ignore_index=True)
    return tuple(sorted(set(_names(rows[~trained_rows(rows, networks)]))))


def not_trained(networks: pd.DataFrame, network: Network) -> str:
    """Print how far a training came: ``12 epochs, 3.4 h``."""
    own = networks[(networks["system"] == network[0]) & (networks["variant"] == network[1])]
    if len(own) == 0:
        return "0 epochs"
    seconds = float(own["seconds"].iloc[0])
    time = f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds / 60:.0f} min"
    return f"{plural(int(own['epochs'].iloc[0]), 'epoch')}, {time}"


def status_text(networks: pd.DataFrame, untrained: tuple[Network, ...]) -> str:
    """Print the trainings that did not end by their stop rule; '' if there are none."""
    parts = [f"{network_name(*network)} ({not_trained(networks, network)})" for network in untrained]
    return f"Not trained to the stop rule: {'; '.join(parts)}." if parts else ""


def _names(rows: pd.DataFrame) -> list[Network]:
    return list(rows[["system", "variant"]].itertuples(index=False, name=None))
