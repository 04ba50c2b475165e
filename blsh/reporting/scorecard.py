"""The scorecard: every number that the papers print, beside this run's.

Three kinds of number are compared in three ways.

* *Scores* are judged only where the data is the papers': TIMIT in Duan's noises and DEMAND, and as many training
  frames within 5 %. They agree within ±0.5 dB (SDR, SI-SDR, SAR, SIR), ±0.1 (PESQ), ±2 points (ESTOI). On other data
  they are context; there only the claims are judged (`blsh.reporting.verdicts`).
* *Sizes and counts* follow from the method: they are recomputed for the papers' T and agree to the printed digit.
* *Known slips* are shown and not judged.
"""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from blsh.denoising.architectures import count_parameters, parse_architecture, printed_megabytes
from blsh.denoising.complexity import FRAMES_OF_A_SECOND
from blsh.files.atomic import write_text
from blsh.files.tables import write_csv
from blsh.reporting.cells import at, main_snr, main_targets, number_at, set_at
from blsh.reporting.complexity_table import operations_of
from blsh.reporting.labels import NETWORKS, feature_name
from blsh.reporting.printed_numbers import last_digit, load_printed
from blsh.reporting.sizes import HASHED, codes_bytes, feature_dictionary_bytes, projection_bytes
from blsh.reporting.summaries import Summaries
from blsh.reporting.tables import Absent, Cell, Column, Number, Table, to_markdown
from blsh.reporting.training_status import untrained_networks
from blsh.signal.spectra import feature_width

__all__ = [
    "PAPERS_FRAMES",
    "SCORECARD_DTYPES",
    "data_of_papers",
    "make_scorecard",
    "scorecard_summary",
    "scorecard_table",
    "write_scorecard",
]

PAPERS_FRAMES = 2_453_960
FRAMES_TOLERANCE = 0.05
PAPERS_READERS = frozenset({"timit", "duan", "demand"})
TOLERANCES = {"sdr": 0.5, "si_sdr": 0.5, "sar": 0.5, "sir": 0.5, "pesq": 0.1, "estoi": 2.0}
AGREES, DIFFERS, CONTEXT, SLIP, ABSENT, NOT_TRAINED = (
    "agrees",
    "differs",
    "context",
    "known slip",
    "not in this run",
    "not trained",
)
VERDICTS = {
    AGREES: "agree",
    DIFFERS: "differ",
    CONTEXT: "stand beside ours as context",
    SLIP: "are known slips",
    NOT_TRAINED: "are of networks that are not trained",
    ABSENT: "are not in this run",
}
QUANTITIES = {
    "sdr": "SDR (dB)",
    "si_sdr": "SI-SDR (dB)",
    "sar": "SAR (dB)",
    "sir": "SIR (dB)",
    "pesq": "PESQ",
    "estoi": "ESTOI (%)",
    "size_mb": "size (MB)",
    "dictionary_mb": "size of the dictionary (MB)",
    "projections_mb": "size of the projections (MB)",
}

SCORECARD_DTYPES = {
    **dict.fromkeys(("source", "table", "row", "system", "variant", "feature"), "str"),
    "rho": "float64",
    "n_bits": "int64",
    "set": "str",
    "snr_db": "float64",
    "column": "str",
    **dict.fromkeys(("printed", "ours", "difference", "tolerance"), "float64"),
    **dict.fromkeys(("verdict", "note"), "str"),
}


def data_of_papers(summaries: Summaries) -> str:
    """Return '' if a run has the papers' data, else what is different."""
    readers = set(summaries.corpora["reader"]) - {""}
    if not readers >= PAPERS_READERS:
        return f"the data is {', '.join(sorted(readers)) or 'not named'}, not TIMIT, Duan's noises and DEMAND"
    n_frames = int(summaries.facts.get("Training frames T", 0))
    if abs(n_frames - PAPERS_FRAMES) > FRAMES_TOLERANCE * PAPERS_FRAMES:
        return f"T = {n_frames:,} training frames are not the papers' {PAPERS_FRAMES:,}"
    return ""


def make_scorecard(summaries: Summaries) -> pd.DataFrame:
    """Compare every printed number with this run's.

    Returns
    -------
    DataFrame
        Columns of `SCORECARD_DTYPES`, in the papers' order. ``ours`` and ``difference`` (ours minus printed) are
        NaN where there is nothing to compare; ``tolerance`` is what a difference may be.
    """
    printed = load_printed()
    whole = summaries.aggregated[summaries.aggregated["by"] == "all"]
    untrained = set(untrained_networks(summaries.coverage, summaries.networks))
    is_papers = not data_of_papers(summaries)
    rows = []
    for row in printed.to_dict("records"):
        is_score = row["column"] in TOLERANCES
        ours = _scored(whole, row) if is_score else _recomputed(row)
        tolerance = TOLERANCES[row["column"]] if is_score else last_digit(row["value"]) / 2
        difference = ours - row["printed"]
        if row["is_slip"]:
            verdict = SLIP
        elif is_score and (row["system"], row["variant"]) in untrained:
            verdict = NOT_TRAINED
        elif math.isnan(ours):
            verdict = ABSENT
        elif is_score and not is_papers:
            verdict = CONTEXT
        else:
            # A printed 0.285 may be 0.28 or 0.29: floats need a hair's breadth more.
            verdict = AGREES if abs(difference) <= tolerance * (1 + 1e-9) else DIFFERS
        rows.append({**row, "ours": ours, "difference": difference, "tolerance": tolerance, "verdict": verdict})
    return pd.DataFrame(rows)[list(SCORECARD_DTYPES)].astype(SCORECARD_DTYPES)


def scorecard_summary(scorecard: pd.DataFrame, summaries: Summaries) -> str:
    """Say in a sentence or two what the scorecard says."""
    counts = Counter(scorecard["verdict"])
    text = ", ".join(f"{counts[verdict]} {phrase}" for verdict, phrase in VERDICTS.items() if counts[verdict])
    other = data_of_papers(summaries)
    data = f"Scores are context and not judged here: {other}. " if other else "The data is the papers'. "
    return f"{data}Of {len(scorecard)} printed numbers: {text}."


def scorecard_table(scorecard: pd.DataFrame) -> Table:
    """Show the scorecard: what can be compared first to last as in the papers, with the setting in one column."""
    columns = [Column(name) for name in ("Source", "System", "Set", "Quantity", "Printed", "Ours", "Difference")]
    columns += [Column(name) for name in ("Tolerance", "Verdict", "Note")]
    body: list[tuple[Cell, ...]] = []
    rules = set()
    place = ""
    for row in scorecard.to_dict("records"):
        here = f"{row['source']} {row['table']}"
        rules |= {len(body)} if here != place else set()
        place = here
        decimals = _decimals(row["printed"], row["tolerance"], row["column"] in TOLERANCES)
        numbers = [Number(row[name], decimals=decimals) for name in ("printed", "ours", "difference")]
        if row["verdict"] == NOT_TRAINED:
            numbers[1] = Absent(NOT_TRAINED)
        body.append(
            (
                here,
                _setting(row),
                _set_text(row),
                QUANTITIES.get(row["column"], row["column"].replace("_", " ")),
                *numbers,
                Number(row["tolerance"], decimals=decimals) if row["column"] in TOLERANCES else "printed digit",
                row["verdict"],
                row["note"],
            )
        )
    caption = "Every number that the papers print, beside this run's"
    return Table("scorecard", caption, tuple(columns), tuple(body), (), frozenset(rules - {0}))


def write_scorecard(folder: str | Path, scorecard: pd.DataFrame, summary: str) -> tuple[Path, Path]:
    """Write ``scorecard.csv`` and ``scorecard.md``."""
    paths = (Path(folder) / "scorecard.csv", Path(folder) / "scorecard.md")
    write_csv(paths[0], scorecard)
    write_text(paths[1], f"# Scorecard\n\n{summary}\n\n{to_markdown(scorecard_table(scorecard))}")
    return paths


def _scored(whole: pd.DataFrame, row: dict[str, object]) -> float:
    """Return this run's mean of the cell that a printed score is of, ESTOI in percent.

    ``whole`` are the cells of whole sets.
    """
    snr_db = main_snr(whole, row["set"]) if np.isnan(row["snr_db"]) else row["snr_db"]
    cells = at(whole, set=set_at(whole, row["set"], snr_db), snr_db=snr_db)
    wanted = {name: row[name] for name in ("system", "variant", "n_bits")}
    if row["system"] not in NETWORKS:
        wanted |= {name: row[name] for name in ("feature", "rho")}
    own = at(cells, **wanted)
    own = own[own["target"].isin(("", *main_targets(own)))]
    return number_at(own, row["column"]) * (100 if row["column"] == "estoi" else 1)


def _recomputed(row: dict[str, object]) -> float:
    """Return a size or a count for the papers' T; NaN for a quantity that is none."""
    system, n_bits, rho, column = row["system"], row["n_bits"], row["rho"], row["column"]
    if system in NETWORKS:
        architecture = parse_architecture(system, row["variant"])
        if column == "size_mb":
            return printed_megabytes(architecture)
        if column == "parameters":
            return float(count_parameters(architecture))
    else:
        width = feature_width(row["feature"])
        if column == "parameters":
            return float(width * n_bits)
        if column == "projections_mb":
            return projection_bytes(n_bits, width) / 1e6
        if column in ("size_mb", "dictionary_mb"):
            is_hashed = system in HASHED
            n_bytes = codes_bytes(PAPERS_FRAMES, rho, n_bits) if is_hashed else 0.0
            return (n_bytes or feature_dictionary_bytes(PAPERS_FRAMES, rho, width)) / 1e6
    operations = operations_of(pd.Series(row), n_bits, n_rows=rho * PAPERS_FRAMES, n_neighbours=10)
    counts = {
        "macs_per_second": operations.macs,
        "bit_operations_per_second": operations.bit_operations,
        "bit_operations_per_frame": operations.bit_operations / FRAMES_OF_A_SECOND,
    }
    return counts.get(column, math.nan)


def _decimals(printed: float, tolerance: float, is_score: bool) -> int:
    return 2 if is_score or tolerance < 1 else 0


def _setting(row: dict[str, object]) -> str:
    parts = [row["row"], feature_name(row["feature"]) if row["rho"] else ""]
    parts += [f"ρ = {row['rho']:g}"] if row["rho"] else []
    parts += [f"L = {row['n_bits']}"] if row["n_bits"] else []
    return ", ".join(part for part in parts if part)


def _set_text(row: dict[str, object]) -> str:
    if row["column"] not in TOLERANCES:
        return ""
    return row["set"] if np.isnan(row["snr_db"]) else f"{row['set']}, {row['snr_db']:g} dB".replace("-", "−")
