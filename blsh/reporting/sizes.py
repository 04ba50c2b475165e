"""Model sizes, counted as the papers count them.

With T training frames, D feature values, L bits and the share ρ of the frames kept:

====================  =========================
dictionary of `knn`   4 · D · ρT bytes
dictionary of codes   L · ρT / 8 bytes
projections           4 · D · L bytes
masks                 513 · ρT / 8 bytes
network               4 bytes for each parameter
====================  =========================

A megabyte is 10⁶ bytes and ρT is not rounded: only so does the raw STFT dictionary at ρ = 0.01 print as 50.36
MB (TASLP 2022, Table I). The papers leave out the masks, without which nothing can be denoised and which take
more than the codes; they are counted beside. The bias of each bit is left out, as in the papers. Projections of
N stacked frames (variant ``contextN``) have N · D values.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from blsh.reporting.labels import RIVALS
from blsh.reporting.scores import CELL

__all__ = [
    "HASHED",
    "SIZES_DTYPES",
    "codes_bytes",
    "feature_dictionary_bytes",
    "mask_bytes",
    "model_sizes",
    "network_bytes",
    "projection_bytes",
]

MEGABYTE = 1e6
N_MASK_BINS = 513
HASHED = ("lsh", "lsh_fixed", "blsh", *RIVALS)

SIZES_COLUMNS = tuple(name for name in CELL if name not in ("set", "snr_db"))
PARTS = ("dictionary_mb", "projections_mb", "size_mb", "masks_mb", "size_with_masks_mb")
SIZES_DTYPES = {
    **dict.fromkeys(SIZES_COLUMNS, "str"),
    "rho": "float64",
    **dict.fromkeys(("n_bits", "n_neighbours"), "int64"),
    **dict.fromkeys(PARTS, "float64"),
}


def feature_dictionary_bytes(n_frames: int, rho: float, n_features: int) -> float:
    """Bytes of a dictionary of single-precision features, of unrounded ρT frames."""
    return 4.0 * n_features * rho * n_frames


def codes_bytes(n_frames: int, rho: float, n_bits: int) -> float:
    """Bytes of a dictionary of codes, of unrounded ρT frames."""
    return n_bits * rho * n_frames / 8


def projection_bytes(n_bits: int, n_features: int) -> float:
    """Bytes of the single-precision projections, without biases."""
    return 4.0 * n_features * n_bits


def mask_bytes(n_frames: int, rho: float) -> float:
    """Bytes of the binary masks that belong to a dictionary, one bit for each of 513 bins."""
    return N_MASK_BINS * rho * n_frames / 8


def network_bytes(n_parameters: int) -> float:
    """Bytes of a network in single precision."""
    return 4.0 * n_parameters


def model_sizes(cells: pd.DataFrame, *, n_frames: int, feature_widths: Mapping[str, int]) -> pd.DataFrame:
    """Size every model that has a dictionary.

    Parameters
    ----------
    cells
        Rows with the columns of `CELL`; sets and doubles are ignored.
    n_frames
        T, the frames of the training set.
    feature_widths
        D of every feature.

    Returns
    -------
    DataFrame
        Columns of `SIZES_DTYPES`, in MB: the parts, their sum as in the papers, and the sum with masks.

    Raises
    ------
    ValueError
        If a feature's width is not given.
    """
    rows = []
    kept = cells[cells["rho"] > 0][list(SIZES_COLUMNS)].drop_duplicates().sort_values(list(SIZES_COLUMNS))
    for cell in kept.itertuples(index=False):
        if cell.feature not in feature_widths:
            raise ValueError(f"feature={cell.feature!r} has no width; known are {', '.join(feature_widths)}")
        n_features = feature_widths[cell.feature] * _n_stacked(cell.variant)
        if cell.system in HASHED:
            dictionary = codes_bytes(n_frames, cell.rho, cell.n_bits)
            projections = projection_bytes(cell.n_bits, n_features)
        else:
            dictionary = feature_dictionary_bytes(n_frames, cell.rho, n_features)
            projections = 0.0
        masks = mask_bytes(n_frames, cell.rho)
        size = dictionary + projections
        sizes = (dictionary, projections, size, masks, size + masks)
        rows.append((*cell, *(round(part / MEGABYTE, 9) for part in sizes)))
    return pd.DataFrame(rows, columns=list(SIZES_DTYPES)).astype(SIZES_DTYPES)


def _n_stacked(variant: str) -> int:
    return int(variant.removeprefix("context")) if variant.startswith("context") else 1
