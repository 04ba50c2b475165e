"""What is fuzzed: a reader, files to give it, and what must hold of what it returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

# A mutation whose name starts so is made of nothing; all others begin with a valid file.
GARBAGE = "garbage"


@dataclass(frozen=True)
class Target:
    """One reader.

    Attributes
    ----------
    name : str
        What stands in the table.
    write : callable
        (rng, folder) → name of the mutation; writes the files of one case into the empty folder.
    read : callable
        (folder) → None; reads them and asserts what must hold of everything that is accepted.
    code : mapping
        The reader's modules, below `blsh`, and of each the functions that do not read and are not counted.
    connects : bool
        Whether it may connect to this machine's own ports.
    subjects : tuple of str
        What an error may name in place of a file: an address, an option.
    """

    name: str
    write: Callable[[np.random.Generator, Path], str]
    read: Callable[[Path], None]
    code: Mapping[str, frozenset[str]] = field(default_factory=dict)
    connects: bool = False
    subjects: tuple[str, ...] = ()
