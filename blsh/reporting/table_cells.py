"""What tables are put together from: labels, means, sizes, and the notes below."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import pandas as pd

from blsh.denoising.architectures import parse_architecture, printed_megabytes
from blsh.reporting.cells import at, plain
from blsh.reporting.labels import (
    CONTROLS,
    IDENTITY,
    NETWORKS,
    capitalised,
    describe_data,
    feature_name,
    plural,
    system_name,
)
from blsh.reporting.summaries import Summaries
from blsh.reporting.tables import Absent, Cell, Column, Number
from blsh.reporting.training_status import status_text, untrained_networks

__all__ = [
    "LABEL_COLUMNS",
    "SIZE_COLUMNS",
    "SIZE_NOTE",
    "absent_cells",
    "data_notes",
    "label_cells",
    "mean_cell",
    "network_notes",
    "rules_of",
    "share_text",
    "size_cells",
    "spread_note",
    "unscored_cell",
    "unscored_notes",
    "with_unscored",
    "with_untrained",
]

LABEL_COLUMNS = (Column("System"), Column("Feature"), Column("ρ"), Column("L"))
SIZE_COLUMNS = (Column("as in the paper", "Size", "MB"), Column("with masks", "Size", "MB"))
SIZE_NOTE = "Sizes as in the paper: dictionary and projections, or the parameters of a network (10⁶ bytes)."


def label_cells(family: pd.Series, among: pd.DataFrame, n_bits: int) -> tuple[str, str, str, str]:
    """Fill `LABEL_COLUMNS`."""
    name = system_name(family, among)
    return name, feature_name(family["feature"]), share_text(family["rho"]), str(n_bits) if n_bits else ""


def mean_cell(rows: pd.DataFrame, metric: str, *, scale: float = 1.0, decimals: int = 2) -> Number | None:
    """Show the mean and spread of one cell's row; None if there is no row or no such score."""
    if len(rows) == 0 or math.isnan(rows[metric].iloc[0]):
        return None
    spread = scale * float(rows[f"{metric}_std"].iloc[0])
    return Number(scale * float(rows[metric].iloc[0]), spread, decimals)


def size_cells(summaries: Summaries, family: pd.Series, n_bits: int) -> tuple[Cell, Cell]:
    """Show a model's size as the papers count it, and with the masks; a network has none."""
    if family["system"] in NETWORKS:
        size = Number(printed_megabytes(parse_architecture(family["system"], family["variant"])))
        return size, size
    own = at(summaries.sizes, family, n_bits=n_bits)
    if len(own) == 0:
        return None, None
    return Number(float(own["size_mb"].iloc[0])), Number(float(own["size_with_masks_mb"].iloc[0]))


def with_untrained(summaries: Summaries, rows: pd.DataFrame) -> tuple[pd.DataFrame, set[tuple[str, str]]]:
    """Add a row without scores for each network that is to be trained and has not been.

    Returns
    -------
    rows, untrained
        The second as (system, variant).
    """
    untrained = untrained_networks(summaries.coverage, summaries.networks)
    features = [parse_architecture(*network).feature for network in untrained]
    names = [(*network, feature, "", "", 0.0) for network, feature in zip(untrained, features, strict=True)]
    return pd.concat([rows, pd.DataFrame(names, columns=list(IDENTITY))], ignore_index=True), set(untrained)


def absent_cells(number: int) -> list[Cell]:
    """Say of some scores that their network is not trained."""
    return [Absent("not trained")] * number


def with_unscored(summaries: Summaries, rows: pd.DataFrame, sets: Sequence[str]) -> pd.DataFrame:
    """Add a row without scores for each system that is to be scored on some sets and is on none; networks aside."""
    wanted = plain(summaries.coverage[summaries.coverage["set"].isin(sets)])
    done = wanted[~wanted["system"].isin(NETWORKS)].groupby(list(IDENTITY), dropna=False)["n_done"].sum()
    return pd.concat([rows, done[done == 0].reset_index()[list(IDENTITY)]], ignore_index=True)


def unscored_cell(summaries: Summaries, family: pd.Series, set_name: str) -> Absent | None:
    """Show what stands for a score that there is not: NA if its jobs have still to run, else nothing."""
    own = at(summaries.coverage, family, set=set_name)
    return Absent("NA") if len(own) and not own["n_done"].any() else None


def unscored_notes(summaries: Summaries, families: pd.DataFrame, sets: Sequence[str]) -> list[str]:
    """Say why the shown systems have no scores on some sets."""
    reasons: dict[str, list[str]] = {}
    for _, family in families[~families["system"].isin(NETWORKS)].iterrows():
        for set_name in sets:
            if unscored_cell(summaries, family, set_name) is not None:
                name = " ".join(filter(None, (system_name(family, families), feature_name(family["feature"]))))
                own = at(summaries.coverage, family, set=set_name)["reason"].iloc[0] or "not run yet"
                reasons.setdefault(own, []).append(f"{name} ({set_name})")
    return [f"NA: {', '.join(dict.fromkeys(names))}: {reason}." for reason, names in reasons.items()]


def share_text(rho: float) -> str:
    """Print ρ, nothing for 0."""
    return f"{rho:g}" if rho else ""


def rules_of(families: pd.DataFrame) -> frozenset[int]:
    """Return the rows at which another system begins; controls stay together."""
    groups = ["" if name in CONTROLS else name for name in families["system"]]
    return frozenset(place for place in range(1, len(groups)) if groups[place] != groups[place - 1])


def spread_note(rows: pd.DataFrame) -> str:
    """Say what a mean and its ± are, and name the sets that took fewer repeats."""
    of_sets = rows.groupby("set")["n_repeats"].max()
    most = int(of_sets.max()) if len(rows) else 0
    fewer = [f"{name}: {n}" for name, n in of_sets.items() if 0 < n < most]
    spread = f"± is the standard deviation over {plural(most, 'repeat')}" + (f" ({', '.join(fewer)})" if fewer else "")
    return f"Means over utterances weighted by their length; {spread}."


def data_notes(sets: pd.DataFrame, names: Iterable[str]) -> list[str]:
    """Name mixtures, utterances, speakers and noises of some sets, a sentence each."""
    return [capitalised(text) for text in describe_data(sets, list(names)).split("; ") if text]


def network_notes(summaries: Summaries, families: pd.DataFrame) -> list[str]:
    """Say which of the shown networks are not trained, and on what Conv-TasNet was, for the paper had further data."""
    shown = set(zip(families["system"], families["variant"], strict=True))
    untrained = shown & set(untrained_networks(summaries.coverage, summaries.networks))
    notes = [status_text(summaries.networks, tuple(sorted(untrained)))]
    for network in sorted(shown - untrained):
        data = at(summaries.networks, system="conv_tasnet", variant=network[1])["data"]
        if network[0] == "conv_tasnet" and len(data) and data.iloc[0]:
            notes.append(f"Conv-TasNet was trained on {data.iloc[0]}, the paper's on LibriSpeech and MUSAN.")
    return [note for note in notes if note]
