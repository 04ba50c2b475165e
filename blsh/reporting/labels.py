"""The order and the names in which systems are shown, and how one of them is picked out of the summaries."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

__all__ = [
    "ORACLES",
    "SYSTEM_NAMES",
    "at",
    "describe_data",
    "families_of",
    "feature_name",
    "main_snr",
    "plural",
    "system_name",
]

# In the order of tables: the ends of the scale, then from raw features to learned codes.
SYSTEM_NAMES = {
    "mixture": "Mixture",
    "constant": "Constant mask",
    "ibm": "Oracle (IBM)",
    "irm": "Oracle (IRM)",
    "knn": "KNN",
    "lsh": "LSH",
    "lsh_fixed": "LSH, one matrix",
    "blsh": "BLSH",
}
FEATURE_NAMES = {"stft": "STFT", "mel": "mel"}
ORACLES = ("ibm", "irm")

# What tells two systems apart, at any code length.
IDENTITY = ("system", "variant", "feature", "target", "profile", "rho")


def feature_name(feature: str) -> str:
    """Print a feature: ``STFT``."""
    return FEATURE_NAMES.get(feature, feature)


def system_name(family: pd.Series, among: pd.DataFrame) -> str:
    """Print a system; its target and profile only where others of the same name differ in them."""
    own = among[among["system"] == family["system"]]
    parts = [SYSTEM_NAMES.get(family["system"], family["system"])]
    for name in ("variant", "target", "profile"):
        parts += [family[name]] if family[name] and own[name].nunique() > 1 else []
    return " ".join(parts)


def families_of(aggregated: pd.DataFrame) -> pd.DataFrame:
    """Return the distinct systems (`IDENTITY`) in the order of tables: system, feature, falling ρ."""
    families = aggregated[list(IDENTITY)].drop_duplicates()
    places = {name: place for place, name in enumerate(SYSTEM_NAMES)}
    features = {name: place for place, name in enumerate(FEATURE_NAMES)}
    order = pd.DataFrame(
        {
            "system": families["system"].map(lambda name: (places.get(name, len(places)), name)),
            "feature": families["feature"].map(lambda name: (features.get(name, len(features)), name)),
            "rho": -families["rho"],
            "target": families["target"],
            "profile": families["profile"],
            "variant": families["variant"],
        }
    )
    return families.loc[order.sort_values(list(order.columns), kind="stable").index].reset_index(drop=True)


def at(aggregated: pd.DataFrame, family: pd.Series | None = None, **values: object) -> pd.DataFrame:
    """Return the rows of one system (`IDENTITY`) that have the given values in further columns."""
    chosen = np.ones(len(aggregated), dtype=bool)
    wanted = {name: family[name] for name in IDENTITY} if family is not None else {}
    for name, value in (wanted | values).items():
        chosen &= (aggregated[name] == value).to_numpy()
    return aggregated[chosen]


def main_snr(aggregated: pd.DataFrame, set_name: str) -> float:
    """Return the SNR at which a set is shown: 0 dB, or the lowest it has."""
    levels = sorted(set(aggregated.loc[aggregated["set"] == set_name, "snr_db"]))
    return 0.0 if 0.0 in levels or not levels else levels[0]


def plural(number: int, thing: str) -> str:
    """Print ``1 speaker``, ``2 speakers``; a thing that ends otherwise is given with its plural, ``a/b``."""
    one, _, many = thing.partition("/")
    return f"{number} {one if number == 1 else many or one + 's'}"


def describe_data(sets: pd.DataFrame, names: Sequence[str]) -> str:
    """Print how much data the sets have: ``open: 180 mixtures of 60 utterances, 6 speakers, 3 noises``."""
    parts = []
    for name in names:
        rows = sets[sets["set"] == name]
        if len(rows):
            row = rows.iloc[0]
            counts = [plural(row[f"{thing}s"], thing) for thing in ("utterance", "speaker", "noise")]
            parts.append(f"{name} set: {plural(row['mixtures'], 'mixture')} of {', '.join(counts)}")
    return "; ".join(parts)
