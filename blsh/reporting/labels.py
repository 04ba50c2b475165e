"""The names and the order in which systems, features and targets are shown."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import pandas as pd

from blsh.denoising.architectures import NETWORKS

__all__ = [
    "CONTROLS",
    "IDENTITY",
    "NETWORKS",
    "ORACLES",
    "RIVALS",
    "SYSTEM_NAMES",
    "capitalised",
    "describe_data",
    "families_of",
    "feature_name",
    "level_text",
    "network_name",
    "noise_name",
    "plural",
    "system_name",
    "target_name",
    "variant_name",
]

# In the order of tables: the ends of the scale, then from raw features to learned codes, then networks.
SYSTEM_NAMES = {
    "mixture": "Mixture",
    "constant": "Constant mask",
    "ibm": "Oracle (IBM)",
    "irm": "Oracle (IRM)",
    "knn": "KNN",
    "lsh": "LSH",
    "lsh_fixed": "LSH, one matrix",
    "pca_sign": "PCA signs",
    "itq": "ITQ",
    "projections": "Given projections",
    "blsh": "BLSH",
    "residual": "Residual boosting",
    "fc": "FC",
    "bilstm": "BiLSTM",
    "conv_tasnet": "Conv-TasNet",
}
FEATURE_NAMES = {"stft": "STFT", "mel": "mel"}
ORACLES = ("ibm", "irm")
CONTROLS = ("mixture", "constant", *ORACLES)
RIVALS = ("pca_sign", "itq", "projections", "residual")

# What tells two systems apart, at any code length.
IDENTITY = ("system", "variant", "feature", "target", "profile", "rho")

_LAYERS = re.compile(r"(\d+)x(\d+)")
_CONTEXT = re.compile(r"context(\d+)")


def feature_name(feature: str) -> str:
    """Print a feature: ``STFT``."""
    return FEATURE_NAMES.get(feature, feature)


def target_name(target: str) -> str:
    """Print a target: ``SSM``, ``RBF, σ² = 0.5``."""
    name, _, parameter = target.partition("-")
    forms = {"ssm": "SSM", "rbf": "RBF, σ² = {}", "power": "SSM to the power {}", "mix": "mix with masks, w = {}"}
    return forms.get(name, target).format(parameter)


def variant_name(variant: str) -> str:
    """Print what is special about a system: ``3×256``, ``β-weighted``, ``5 stacked frames``."""
    if _LAYERS.fullmatch(variant):
        return variant.replace("x", "×")
    if context := _CONTEXT.fullmatch(variant):
        return f"{context[1]} stacked frames"
    if variant.startswith("switch-"):
        return variant.removeprefix("switch-").replace("_", " ")
    return {"weighted": "β-weighted"}.get(variant, variant)


def network_name(system: str, variant: str) -> str:
    """Print a network: ``FC 3×256``; of Conv-TasNet the papers have one."""
    name = SYSTEM_NAMES[system]
    return name if (system, variant) == ("conv_tasnet", "3x8") else f"{name} {variant_name(variant)}"


def system_name(family: pd.Series, among: pd.DataFrame) -> str:
    """Print a system; its target and profile only where others of the same name differ in them."""
    own = among[among["system"] == family["system"]]
    if family["system"] in NETWORKS:
        return network_name(family["system"], family["variant"])
    name = SYSTEM_NAMES.get(family["system"], family["system"])
    if family["system"] == "projections" and family["variant"]:
        name = f"Projections {family['variant']}"
    elif family["variant"] and own["variant"].nunique() > 1:
        name += f", {variant_name(family['variant'])}"
    parts = [name]
    for column in ("target", "profile"):
        parts += [family[column]] if family[column] and own[column].nunique() > 1 else []
    return " ".join(parts)


def families_of(cells: pd.DataFrame, *, by_rho: bool = False) -> pd.DataFrame:
    """Return the distinct systems (`IDENTITY`) in the order of tables: system, feature, falling ρ.

    Parameters
    ----------
    cells
        Rows with the columns of `IDENTITY`.
    by_rho
        Put ρ before the feature, as TASLP's tables do.
    """
    families = cells[list(IDENTITY)].drop_duplicates()
    places = {name: place for place, name in enumerate(SYSTEM_NAMES)}
    features = {name: place for place, name in enumerate(FEATURE_NAMES)}
    keys = {
        "system": families["system"].map(lambda name: (places.get(name, len(places)), name)),
        "feature": families["feature"].map(lambda name: (features.get(name, len(features)), name)),
        "rho": -families["rho"],
        "target": families["target"],
        "profile": families["profile"],
        "variant": families["variant"].map(_variant_place),
    }
    columns = ["system", *(("rho", "feature") if by_rho else ("feature", "rho")), "target", "profile", "variant"]
    order = pd.DataFrame(keys).sort_values(columns, kind="stable")
    return families.loc[order.index].reset_index(drop=True)


def plural(number: int, thing: str) -> str:
    """Print ``1 speaker``, ``2 speakers``; a thing that ends otherwise is given with its plural, ``a/b``."""
    one, _, many = thing.partition("/")
    return f"{number} {one if number == 1 else many or one + 's'}"


def capitalised(text: str) -> str:
    """Make a sentence of a phrase."""
    return f"{text[0].upper()}{text[1:]}." if text else ""


def noise_name(noise: str) -> str:
    """Print a class of noise: ``sea waves``."""
    return noise.replace("_", " ")


def level_text(snr_db: float) -> str:
    """Say at which SNR a set is, after its name: `` at −5 dB``; nothing for real recordings."""
    return "" if math.isnan(snr_db) else f" at {snr_db:g} dB".replace("-", "−")


def describe_data(sets: pd.DataFrame, names: Sequence[str]) -> str:
    """Print how much data the sets have: ``open set: 180 mixtures of 60 utterances, 6 speakers, 3 noises``."""
    parts = []
    for name in names:
        rows = sets[sets["set"] == name]
        if len(rows):
            row = rows.iloc[0]
            counts = [plural(row[f"{thing}s"], thing) for thing in ("utterance", "speaker", "noise")]
            parts.append(f"{name} set: {plural(row['mixtures'], 'mixture')} of {', '.join(counts)}")
    return "; ".join(parts)


def _variant_place(variant: str) -> tuple[int, int, str]:
    """Order networks by falling layers and units, contexts by their length, and the plain system first."""
    if layers := _LAYERS.fullmatch(variant):
        return (-int(layers[1]), -int(layers[2]), variant)
    if context := _CONTEXT.fullmatch(variant):
        return (1, int(context[1]), variant)
    return (0, 0, variant) if not variant else (2, 0, variant)
