"""The table of speech units: which stretch of speech serves which purpose.

Columns: ``source`` (train, closed, validation or open), ``utterance, speaker, gender``, and the piece of a recording
``corpus, path, start, n_samples`` in samples at 16 kHz.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import astuple
from pathlib import Path

import pandas as pd

from blsh.corpora.manifest import GENDERS
from blsh.files.tables import read_csv, write_csv
from blsh.mixtures.recipes import Piece
from blsh.mixtures.units import SpeechUnit

__all__ = ["SOURCES", "read_units", "write_units"]

SOURCES = ("train", "closed", "validation", "open")
COLUMNS = {
    "source": str,
    "utterance": str,
    "speaker": str,
    "gender": str,
    "corpus": str,
    "path": str,
    "start": int,
    "n_samples": int,
}


def write_units(path: Path, units: Mapping[str, Iterable[SpeechUnit]]) -> None:
    """Write the units of every source, in their order."""
    rows = [
        (source, unit.utterance, unit.speaker, unit.gender, *astuple(unit.piece))
        for source, members in units.items()
        for unit in members
    ]
    write_csv(path, pd.DataFrame(rows, columns=list(COLUMNS)))


def read_units(path: Path) -> dict[str, tuple[SpeechUnit, ...]]:
    """Read what `write_units` wrote.

    Raises
    ------
    FileNotFoundError, ValueError
        If the file is missing, lacks a column or holds an invalid value.
    """
    units: dict[str, list[SpeechUnit]] = {source: [] for source in SOURCES}
    frame = read_csv(path, COLUMNS)
    for row, record in enumerate(zip(*(frame[column].tolist() for column in COLUMNS), strict=True), start=1):
        source, utterance, speaker, gender, *piece = record
        try:
            if source not in units:
                raise ValueError(f"source={source!r:.80} is none of {', '.join(SOURCES)}")
            if not utterance or not speaker or gender not in GENDERS:
                raise ValueError(
                    f"utterance={utterance!r:.80}, speaker={speaker!r:.80}, gender={gender!r:.80}: "
                    "need the first two, and 'F', 'M' or ''"
                )
            units[source].append(SpeechUnit(utterance, speaker, gender, Piece(*piece)))
        except ValueError as error:
            raise ValueError(f"row {row} of {path}: {error}; run 'blsh units' again") from None
    return {source: tuple(members) for source, members in units.items()}
