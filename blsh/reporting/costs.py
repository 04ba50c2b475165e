"""What a run cost: the benchmark files of the workflow, added up for each rule.

Snakemake writes a TSV for every job: seconds of wall time in ``s``, and in ``max_uss`` the peak of the
private memory of the process tree in MB (page cache, which is the system's, does not count). The folder's
first level names the rule: ``RULE.tsv``, or ``RULE/….tsv`` for a rule of many jobs.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd

__all__ = ["read_benchmarks"]


def read_benchmarks(folder: str | Path) -> pd.DataFrame:
    """Add up the benchmark files below a folder.

    Returns
    -------
    DataFrame
        ``rule``, ``jobs``, ``seconds`` (their sum) and ``peak_mb`` (the largest; NaN where none was measured,
        as for jobs that end within a sample), the costliest rule first. Empty if there is no such folder.

    Raises
    ------
    ValueError
        If a file is not a benchmark of Snakemake.
    """
    folder = Path(folder)
    rows = []
    for path in sorted(folder.rglob("*.tsv")):
        parts = path.relative_to(folder).parts
        rule = parts[0] if len(parts) > 1 else path.stem
        with path.open(encoding="utf-8", newline="") as handle:
            for row in csv.DictReader(handle, delimiter="\t"):
                try:
                    rows.append((rule, float(row["s"]), _number(row["max_uss"])))
                except (KeyError, TypeError, ValueError):
                    raise ValueError(f"{path}: no benchmark of Snakemake (columns s, max_uss); remove it") from None
    jobs = pd.DataFrame(rows, columns=["rule", "seconds", "peak_mb"])
    grouped = jobs.groupby("rule")
    table = pd.DataFrame(
        {"jobs": grouped.size(), "seconds": grouped["seconds"].sum(), "peak_mb": grouped["peak_mb"].max()}
    )
    return table.reset_index().sort_values(["seconds", "rule"], ascending=[False, True], ignore_index=True)


def _number(text: str) -> float:
    # Snakemake writes "-" or "NA" where it has no measurement.
    return float("nan") if text in ("-", "NA", "") else float(text)
