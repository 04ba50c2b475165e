"""The summaries of a run as a value: everything that tables, figures and the report are made of.

`blsh.reporting.schemas` says what each table is; `blsh.reporting.summarising` makes them of scores.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from blsh.files.arrays import load_stamped, save_stamped
from blsh.files.atomic import write_json
from blsh.files.fail_points import fail_point
from blsh.files.tables import csv_columns, read_csv, read_parquet, write_csv, write_parquet
from blsh.reporting.schemas import ABSENT, SCHEMAS, empty_table
from blsh.reporting.scores import conform

__all__ = ["Summaries", "read_summaries", "run_folder", "write_summaries"]

SSM_KIND, SSM_VERSION = "ssm", 1
# The scores of every mixture: too many rows for text.
IN_PARQUET = ("utterances",)


@dataclass(frozen=True)
class Summaries:
    """The tables of `blsh.reporting.schemas`, by the names of their files.

    Every table has the columns of `SCHEMAS`, in that order; a further column is left out, a missing table is
    empty.
    """

    aggregated: pd.DataFrame = field(default_factory=partial(empty_table, "aggregated"))
    utterances: pd.DataFrame = field(default_factory=partial(empty_table, "utterances"))
    best_bits: pd.DataFrame = field(default_factory=partial(empty_table, "best_bits"))
    sizes: pd.DataFrame = field(default_factory=partial(empty_table, "sizes"))
    exports: pd.DataFrame = field(default_factory=partial(empty_table, "exports"))
    speed: pd.DataFrame = field(default_factory=partial(empty_table, "speed"))
    networks: pd.DataFrame = field(default_factory=partial(empty_table, "networks"))
    claims: pd.DataFrame = field(default_factory=partial(empty_table, "claims"))
    training: pd.DataFrame = field(default_factory=partial(empty_table, "training"))
    coverage: pd.DataFrame = field(default_factory=partial(empty_table, "coverage"))
    failures: pd.DataFrame = field(default_factory=partial(empty_table, "failures"))
    sets: pd.DataFrame = field(default_factory=partial(empty_table, "sets"))
    noises: pd.DataFrame = field(default_factory=partial(empty_table, "noises"))
    corpora: pd.DataFrame = field(default_factory=partial(empty_table, "corpora"))
    skipped: pd.DataFrame = field(default_factory=partial(empty_table, "skipped"))
    costs: pd.DataFrame = field(default_factory=partial(empty_table, "costs"))
    facts: Mapping[str, str | int | float] = field(default_factory=dict)
    ssm: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, schema in SCHEMAS.items():
            table = conform(getattr(self, name), schema, f"summaries: {name}", absent=ABSENT.get(name, {}))
            object.__setattr__(self, name, table)
        for name, matrix in self.ssm.items():
            if matrix.dtype != np.uint8 or matrix.ndim != 2:
                raise ValueError(f"ssm {name!r} is {matrix.dtype} of {matrix.ndim} axes; store a uint8 matrix")

    @property
    def n_expected(self) -> int:
        """Cells (counted once a repeat) that the run is to score."""
        return int(self.coverage["n_expected"].sum())

    @property
    def n_done(self) -> int:
        """Cells that are scored."""
        return int(self.coverage["n_done"].sum())

    @property
    def is_complete(self) -> bool:
        """Whether every expected cell is scored."""
        return self.n_done == self.n_expected


def write_summaries(folder: str | Path, summaries: Summaries) -> Sequence[Path]:
    """Write one file for each table; the same values give the same bytes."""
    paths = []
    for name in SCHEMAS:
        paths.append(_path(folder, name))
        write = write_parquet if name in IN_PARQUET else write_csv
        write(paths[-1], getattr(summaries, name))
        fail_point("summaries.table")
    paths.append(Path(folder) / "facts.json")
    # A list of pairs: their order is the order of the page, and JSON objects are written with sorted keys.
    write_json(paths[-1], [[label, value] for label, value in summaries.facts.items()])
    paths.append(Path(folder) / "ssm.npz")
    # Array names must be plain; a target such as rbf-0.5 is not, so the names are in the stamp.
    names = sorted(summaries.ssm)
    matrices = {f"matrix_{place}": summaries.ssm[name] for place, name in enumerate(names)}
    save_stamped(paths[-1], SSM_KIND, SSM_VERSION, {"names": names}, matrices)
    return paths


def run_folder(folder: str | Path) -> Path:
    """Return the folder of a run, of which its ``summaries/`` may be named too.

    Raises
    ------
    FileNotFoundError
        If there are no summaries.
    """
    folder = Path(folder)
    if (folder / "summaries" / "aggregated.csv").is_file():
        return folder
    if (folder / "aggregated.csv").is_file() and folder.resolve().name == "summaries":
        return folder.resolve().parent
    raise FileNotFoundError(
        f"{folder} holds no summaries/aggregated.csv: name the folder of a run that has ended, such as results/demo"
    )


def read_summaries(folder: str | Path) -> Summaries:
    """Read what `write_summaries` wrote.

    Raises
    ------
    FileNotFoundError
        If the folder or ``aggregated.csv`` is not there; every other file may be missing.
    ValueError
        If a file is not what its name says.
    """
    folder = Path(folder)
    if not (folder / "aggregated.csv").is_file():
        raise FileNotFoundError(f"{folder}: no aggregated.csv; name the folder summaries/ of a run")
    tables = {name: _read_table(_path(folder, name), name) for name in SCHEMAS if _path(folder, name).is_file()}
    facts, ssm = {}, {}
    if (folder / "facts.json").is_file():
        facts = _read_facts(folder / "facts.json")
    if (folder / "ssm.npz").is_file():
        stamp, matrices = load_stamped(folder / "ssm.npz", SSM_KIND, SSM_VERSION)
        names = stamp.get("names")
        if type(names) is not list or set(matrices) != {f"matrix_{place}" for place in range(len(names))}:
            raise ValueError(f"{folder / 'ssm.npz'} does not name its {len(matrices)} matrices; make it again")
        ssm = {str(name): matrices[f"matrix_{place}"] for place, name in enumerate(names)}
    try:
        return Summaries(**tables, facts=facts, ssm=ssm)
    except ValueError as error:
        raise ValueError(f"{folder}: {error}") from None


def _path(folder: str | Path, name: str) -> Path:
    return Path(folder) / f"{name}.{'parquet' if name in IN_PARQUET else 'csv'}"


def _read_table(path: Path, name: str) -> pd.DataFrame:
    """Read the columns that the table must have, and those that it need not have if they are there."""
    may_lack = ABSENT.get(name, {})
    if name in IN_PARQUET:
        return conform(read_parquet(path), SCHEMAS[name], path, absent=may_lack)
    header = csv_columns(path)
    wanted = {column: dtype for column, dtype in SCHEMAS[name].items() if column in header or column not in may_lack}
    return conform(read_csv(path, wanted), SCHEMAS[name], path, absent=may_lack)


def _read_facts(path: Path) -> dict[str, str | int | float]:
    try:
        pairs = json.loads(path.read_text(encoding="utf-8"))
        if not all(isinstance(value, str | int | float) for _, value in pairs):
            raise ValueError
        return {str(label): value for label, value in pairs}
    except (TypeError, ValueError, RecursionError):
        raise ValueError(f"{path}: not a list of pairs of a label and a value; write the summaries again") from None
