"""The summaries of a run: everything that tables, figures and the report are made of, in a few small files.

``results/NAME/summaries/`` is the boundary between computing and showing. `summarise` makes it from scores
that may be gigabytes; whatever is shown is made from it alone, in seconds, also long afterwards and from a
copy in git.

========================
=============================================================================================
``aggregated.csv``        means of every cell, see `blsh.reporting.aggregation` ``utterances.parquet``
means over the repeats of every mixture, at the tables' code lengths ``best_bits.csv``         each system's
code length chosen on validation ``sizes.csv``             model sizes in MB, see `blsh.reporting.sizes`
``claims.csv``            verdicts, see `blsh.reporting.verdicts` ``training.csv``          β, ε, effective
number of pairs and passes of every boosting round ``coverage.csv``          how many of the expected cells
are scored ``failures.csv``          what was ill-conditioned or could not be computed ``sets.csv``
mixtures, speakers and hours of each set ``noises.csv``            overlap of each noise's long-term spectrum
with speech ``corpora.csv``           recordings used, by corpus and split, with their licence ``skipped.csv``
recordings that could not be used, with the reason ``costs.csv``             jobs, seconds and peak memory of
each rule ``facts.json``            what else a reader should know first, as pairs of a label and a value
``ssm.npz``               self-similarity matrices, 0 to 1 as uint8, named
``FEATURE/TARGET/PROFILE/{truth,bits_L}`` ========================
=============================================================================================
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from blsh.files.arrays import load_stamped, save_stamped
from blsh.files.atomic import write_json
from blsh.files.tables import read_csv, read_parquet, write_csv, write_parquet
from blsh.reporting.aggregation import (
    AGGREGATED_DTYPES,
    FAMILY,
    aggregate,
    best_bits,
    coverage,
    describe_sets,
    failures,
    mixture_means,
    rows_of_tables,
)
from blsh.reporting.claims import load_claims
from blsh.reporting.evidence import models_of
from blsh.reporting.scores import CELL, DTYPES, METRICS, MIXTURE, conform
from blsh.reporting.sizes import SIZES_DTYPES, model_sizes
from blsh.reporting.verdicts import CLAIMS_DTYPES, judge_claims

__all__ = ["SCHEMAS", "Summaries", "read_summaries", "summarise", "write_summaries"]

SSM_KIND, SSM_VERSION = "ssm", 1

SCHEMAS: dict[str, dict[str, str]] = {
    "aggregated": AGGREGATED_DTYPES,
    "utterances": {
        **{name: DTYPES[name] for name in (*CELL, *MIXTURE)},
        "n_repeats": "int64",
        **dict.fromkeys(METRICS, "float32"),
    },
    "best_bits": {
        **{name: DTYPES[name] for name in FAMILY if name != "set"},
        "metric": "str",
        "n_bits": "int64",
        "value": "float64",
    },
    "sizes": SIZES_DTYPES,
    "claims": CLAIMS_DTYPES,
    "training": {
        **dict.fromkeys(("feature", "target", "profile"), "str"),
        **dict.fromkeys(("seed", "round"), "int64"),
        **dict.fromkeys(("beta", "epsilon", "effective_pairs"), "float64"),
        "passes": "int64",
    },
    "coverage": {**{name: DTYPES[name] for name in FAMILY}, "n_expected": "int64", "n_done": "int64"},
    "failures": {
        "set": "str",
        "snr_db": "float64",
        "system": "str",
        "status": "str",
        "reason": "str",
        "n_rows": "int64",
    },
    "sets": {
        "set": "str",
        "snr_db": "float64",
        **dict.fromkeys(("mixtures", "utterances", "speakers", "female", "male", "noises"), "int64"),
        "hours": "float64",
    },
    "noises": {"set": "str", "noise": "str", "overlap": "float64"},
    "corpora": {
        **dict.fromkeys(("corpus", "split"), "str"),
        **dict.fromkeys(("recordings", "speakers"), "int64"),
        "hours": "float64",
        "licence": "str",
    },
    "skipped": {"corpus": "str", "path": "str", "reason": "str"},
    "costs": {"rule": "str", "jobs": "int64", "seconds": "float64", "peak_mb": "float64"},
}


def _empty(name: str) -> pd.DataFrame:
    return pd.DataFrame({column: pd.Series(dtype=dtype) for column, dtype in SCHEMAS[name].items()})


@dataclass(frozen=True)
class Summaries:
    """The tables of the module's docstring, by the names of their files.

    Every table has the columns of `SCHEMAS`, in that order; a further column is left out, a missing table is
    empty.
    """

    aggregated: pd.DataFrame = field(default_factory=partial(_empty, "aggregated"))
    utterances: pd.DataFrame = field(default_factory=partial(_empty, "utterances"))
    best_bits: pd.DataFrame = field(default_factory=partial(_empty, "best_bits"))
    sizes: pd.DataFrame = field(default_factory=partial(_empty, "sizes"))
    claims: pd.DataFrame = field(default_factory=partial(_empty, "claims"))
    training: pd.DataFrame = field(default_factory=partial(_empty, "training"))
    coverage: pd.DataFrame = field(default_factory=partial(_empty, "coverage"))
    failures: pd.DataFrame = field(default_factory=partial(_empty, "failures"))
    sets: pd.DataFrame = field(default_factory=partial(_empty, "sets"))
    noises: pd.DataFrame = field(default_factory=partial(_empty, "noises"))
    corpora: pd.DataFrame = field(default_factory=partial(_empty, "corpora"))
    skipped: pd.DataFrame = field(default_factory=partial(_empty, "skipped"))
    costs: pd.DataFrame = field(default_factory=partial(_empty, "costs"))
    facts: Mapping[str, str | int | float] = field(default_factory=dict)
    ssm: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, schema in SCHEMAS.items():
            object.__setattr__(self, name, conform(getattr(self, name), schema, f"summaries: {name}"))
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


def summarise(
    scores: pd.DataFrame,
    expected: pd.DataFrame,
    training: pd.DataFrame | None = None,
    *,
    table_bits: Collection[int],
    n_frames: int,
    feature_widths: Mapping[str, int],
    rng: np.random.Generator,
    n_resamples: int = 2000,
    noises: pd.DataFrame | None = None,
    corpora: pd.DataFrame | None = None,
    skipped: pd.DataFrame | None = None,
    costs: pd.DataFrame | None = None,
    facts: Mapping[str, str | int | float] | None = None,
    ssm: Mapping[str, np.ndarray] | None = None,
) -> Summaries:
    """Summarise a run, whole or partial.

    Parameters
    ----------
    scores
        All that has been scored, see `blsh.reporting.scores.read_scores`.
    expected
        The columns of `CELL` and ``repeat``, one row for each cell and repeat that the run is to score.
    training
        The columns of ``training.csv``; ``seed`` numbers the trainings of one model from 0.
    table_bits
        Code lengths that tables print.
    n_frames
        T, the frames of the training set.
    feature_widths
        D of every feature, ``{"stft": 513, "mel": 128}``.
    rng
        For the intervals of the claims.
    n_resamples
        Resamples of those intervals.
    noises, corpora, skipped, costs, facts, ssm
        Passed on; see the module's docstring.

    Raises
    ------
    ValueError
        If a table lacks a column, or a feature has no width.
    """
    given = {"training": training, "noises": noises, "corpora": corpora, "skipped": skipped, "costs": costs}
    given = {name: conform(table, SCHEMAS[name], name) for name, table in given.items() if table is not None}
    aggregated = aggregate(scores, table_bits=table_bits)
    return Summaries(
        aggregated=aggregated,
        utterances=mixture_means(scores[rows_of_tables(scores, table_bits)]),
        best_bits=best_bits(aggregated),
        sizes=model_sizes(aggregated, n_frames=n_frames, feature_widths=feature_widths),
        claims=judge_claims(
            load_claims(),
            scores,
            given.get("training", _empty("training")),
            expected=expected,
            models=models_of(expected),
            n_resamples=n_resamples,
            rng=rng,
        ),
        coverage=coverage(expected, scores),
        failures=failures(scores),
        sets=describe_sets(scores),
        facts=dict(facts or {}),
        ssm=dict(ssm or {}),
        **given,
    )


def write_summaries(folder: str | Path, summaries: Summaries) -> Sequence[Path]:
    """Write one file for each table; the same values give the same bytes."""
    folder = Path(folder)
    paths = []
    for name in SCHEMAS:
        write, suffix = (write_parquet, "parquet") if name == "utterances" else (write_csv, "csv")
        paths.append(folder / f"{name}.{suffix}")
        write(paths[-1], getattr(summaries, name))
    paths.append(folder / "facts.json")
    # A list of pairs: their order is the order of the page, and JSON objects are written with sorted keys.
    write_json(paths[-1], [[label, value] for label, value in summaries.facts.items()])
    paths.append(folder / "ssm.npz")
    # Array names must be plain; a target such as rbf-0.5 is not, so the names are in the stamp.
    names = sorted(summaries.ssm)
    matrices = {f"matrix_{place}": summaries.ssm[name] for place, name in enumerate(names)}
    save_stamped(paths[-1], SSM_KIND, SSM_VERSION, {"names": names}, matrices)
    return paths


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
    tables = {}
    for name, schema in SCHEMAS.items():
        path = folder / f"{name}.{'parquet' if name == 'utterances' else 'csv'}"
        if path.is_file():
            tables[name] = read_parquet(path, list(schema)) if name == "utterances" else read_csv(path, schema)
    facts, ssm = {}, {}
    if (folder / "facts.json").is_file():
        facts = _read_facts(folder / "facts.json")
    if (folder / "ssm.npz").is_file():
        stamp, matrices = load_stamped(folder / "ssm.npz", SSM_KIND, SSM_VERSION)
        ssm = {name: matrices[f"matrix_{place}"] for place, name in enumerate(stamp["names"])}
    return Summaries(**tables, facts=facts, ssm=ssm)


def _read_facts(path: Path) -> dict[str, str | int | float]:
    try:
        return {str(label): value for label, value in json.loads(path.read_text(encoding="utf-8"))}
    except (json.JSONDecodeError, TypeError, ValueError, UnicodeDecodeError):
        raise ValueError(f"{path}: not a list of pairs of a label and a value; write the summaries again") from None
