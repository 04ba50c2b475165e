"""Projections that somebody brings: their own codes, to be scored beside the project's.

The file is an ``.npz`` of two arrays of numbers, ``P`` (n_bits, D) and ``b`` (n_bits,): a frame x has the code
``[P x + b ≥ 0]``. Its rows are taken for bits ordered by importance, so that a grid's shorter codes are prefixes;
where they are not, each length is a file of its own. The width D says which feature it is for.

A file from a stranger is only read for its numbers; nothing in it is run.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from blsh.files.arrays import load_unstamped
from blsh.hashing.projections import Projections

__all__ = ["read_brought_projections"]


def read_brought_projections(path: str | Path, widths: dict[str, int]) -> tuple[str, Projections]:
    """Read a file of projections and tell the feature that it is for.

    Parameters
    ----------
    path
        An ``.npz`` of ``P`` and ``b``.
    widths
        D of every feature, ``{"stft": 513, "mel": 128}``.

    Returns
    -------
    feature : str
    projections : Projections

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    ValueError
        When it is no such file, or shapes, values or the width are wrong: one line that names the file.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file of projections; correct the path")
    try:
        arrays = load_unstamped(path, ("P", "b"))
    except ValueError as error:
        raise ValueError(f"{error}; save it with np.savez(file, P=P, b=b)") from None
    matrix, bias = arrays["P"], arrays["b"]
    for name, array, ndim in (("P", matrix, 2), ("b", bias, 1)):
        if array.dtype.kind not in "fiu" or array.ndim != ndim:
            raise ValueError(
                f"{path}: {name} is {array.dtype} of shape {array.shape}; real numbers of {ndim} axes are needed"
            )
    features = [name for name, width in widths.items() if width == matrix.shape[1]]
    if not features:
        known = ", ".join(f"{width} ({name})" for name, width in widths.items())
        hint = "; give its transpose, a row per bit" if matrix.shape[0] in widths.values() else ""
        raise ValueError(f"{path}: P of shape {matrix.shape} has {matrix.shape[1]} columns, not {known}{hint}")
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is named below
        matrix, bias = matrix.astype(np.float32), bias.astype(np.float32)
    try:
        return features[0], Projections(matrix, bias)
    except ValueError as error:
        raise ValueError(f"{path}: P or b: {error}") from None
