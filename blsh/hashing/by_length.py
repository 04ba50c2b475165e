"""Projections without the prefix property: a model for each code length.

The bits of most codes are ordered by importance, so one model serves every length. Those of iterative quantisation
are not, and the random ones of the authors' code are drawn anew for every length. These are a mapping, code length →
`Projections` of so many bits; a file of it holds all lengths.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from blsh.files.arrays import load_stamped, save_stamped
from blsh.files.messages import one_line
from blsh.hashing.projections import Projections

__all__ = ["load_projections_by_length", "save_projections_by_length"]

_KIND, _VERSION = "projections by length", 1


def save_projections_by_length(path: str | Path, by_length: Mapping[int, Projections]) -> None:
    """Write projections of several code lengths as one stamped file."""
    arrays = {f"matrix_{n_bits}": projections.matrix for n_bits, projections in by_length.items()}
    arrays |= {f"bias_{n_bits}": projections.bias for n_bits, projections in by_length.items()}
    save_stamped(path, _KIND, _VERSION, {"n_bits": sorted(by_length)}, arrays)


def load_projections_by_length(path: str | Path) -> dict[int, Projections]:
    """Read what `save_projections_by_length` wrote, by rising code length.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    ValueError
        When it is not a whole file of projections by length.
    """
    stamp, arrays = load_stamped(path, _KIND, _VERSION)
    try:
        found = {n: Projections(arrays[f"matrix_{n}"], arrays[f"bias_{n}"]) for n in stamp["n_bits"]}
        if any(projections.n_bits != n_bits for n_bits, projections in found.items()):
            raise ValueError("a matrix has another number of bits than its name says")
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} does not hold projections by length: {one_line(error)}") from error
    return found
