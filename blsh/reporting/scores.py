"""The score tables: what a job of scoring wrote about every mixture, system, code length and repeat.

One row is one system on one mixture. The columns left of the metrics are the key:

``set, snr_db``
    The set of mixtures and its signal-to-noise ratio.
``system, variant``
    ``blsh`` and the like; what is special about it (``3x256``, ``weighted``), or ``''``.
``feature, target, profile``
    Frame feature; target similarity and switches of the training, or ``''``.
``rho, n_bits, n_neighbours``
    Share of frames in the dictionary, code length, K; 0 where there is none.
``repeat``
    The draw of the dictionary; 0 where nothing is drawn.
``utterance, speaker, gender, noise``
    The mixture.
``seconds``
    Its length, the weight of means.

The metrics are dB (``sdr, sir, sar, si_sdr, delta_sdr``), MOS (``pesq``) and shares (``estoi``, ``recall`` of
the neighbours of the raw features, ``mask_accuracy`` against the ideal binary mask). A metric that was not
asked for is NaN with an empty reason; one that cannot be computed is NaN with a reason that names it.
`RARE_METRICS` may be absent as columns, which says the same as NaN.

The first ten columns (`CELL`) name a cell of the results: all that is averaged into one number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from blsh.files.messages import one_line
from blsh.files.tables import read_parquet

__all__ = [
    "CELL",
    "DTYPES",
    "KEY",
    "METRICS",
    "MIXTURE",
    "RARE_METRICS",
    "check_scores",
    "conform",
    "read_scores",
]

CELL = (
    "set",
    "snr_db",
    "system",
    "variant",
    "feature",
    "target",
    "profile",
    "rho",
    "n_bits",
    "n_neighbours",
)
MIXTURE = ("utterance", "speaker", "gender", "noise", "seconds")
KEY = (*CELL, "repeat", *MIXTURE)
RARE_METRICS = ("recall", "mask_accuracy")
METRICS = ("sdr", "sir", "sar", "si_sdr", "pesq", "estoi", "delta_sdr", *RARE_METRICS)
STATUSES = ("ok", "ill-conditioned", "nan")

_NUMBERS = dict.fromkeys(("snr_db", "rho", "seconds", *METRICS), "float64")
_COUNTS = dict.fromkeys(("n_bits", "n_neighbours", "repeat"), "int64")
_ABSENT = dict.fromkeys(RARE_METRICS, np.nan)
DTYPES = {name: _NUMBERS.get(name, _COUNTS.get(name, "str")) for name in (*KEY, *METRICS, "status", "reason")}


def conform(
    frame: pd.DataFrame, columns: Mapping[str, str], source: str | Path, *, absent: Mapping[str, object] = _ABSENT
) -> pd.DataFrame:
    """Return the named columns in their order and types.

    Parameters
    ----------
    frame
        A table from a file or another room.
    columns
        Type of each column that it must have.
    source
        Where it came from, for the message.
    absent
        The value of columns that need not be there.

    Raises
    ------
    ValueError
        If any other column is missing, or a column's values are not of its type.
    """
    fill = {name: value for name, value in absent.items() if name in columns and name not in frame.columns}
    frame = frame.assign(**fill) if fill else frame
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise ValueError(f"column {missing[0]!r} is missing ({source}); write it again with this version of blsh")
    try:
        return frame[list(columns)].astype(columns).reset_index(drop=True)
    except (ValueError, TypeError) as error:
        raise ValueError(f"a column is not of its type ({source}): {one_line(error)}; write the table again") from None


def check_scores(frame: pd.DataFrame, source: str | Path) -> pd.DataFrame:
    """Return scores in the order of their key, after checking all that is said of them above.

    Parameters
    ----------
    frame
        Rows in any order.
    source
        Where they came from, for the message.

    Raises
    ------
    ValueError
        If a column is missing, a key occurs twice, a length is not positive, a status is unknown, a metric is
        infinite, or a metric is NaN for a reason that is not given.
    """
    scores = conform(frame, DTYPES, source)
    doubled = scores.duplicated(list(KEY))
    if doubled.any():
        row = scores.loc[doubled].iloc[0]
        named = ", ".join(f"{name}={row[name]}" for name in KEY if row[name] not in ("", 0))
        raise ValueError(f"two rows have the key {named:.400} ({source}); remove one of the two files")
    if not (scores["seconds"] > 0).all():
        raise ValueError(f"seconds={scores['seconds'].min()} is not above 0 ({source}); score that set again")
    unknown = set(scores["status"]) - set(STATUSES)
    if unknown:
        raise ValueError(
            f"status={min(unknown)!r:.80} is none of {', '.join(STATUSES)} ({source}); score that set again"
        )
    if np.isinf(scores[list(METRICS)].to_numpy()).any():
        raise ValueError(f"a metric is infinite ({source}); what cannot be computed is NaN with a reason")
    silent = (scores["status"] == "nan") & (scores["reason"] == "")
    if silent.any():
        raise ValueError(f"{silent.sum()} rows have the status 'nan' and no reason ({source}); score that set again")
    return scores.sort_values(list(KEY), kind="stable", ignore_index=True)


def read_scores(paths: Iterable[str | Path]) -> pd.DataFrame:
    """Read score files into one table, in the order of its key.

    Parameters
    ----------
    paths
        Parquet files; their order does not matter. None gives an empty table.

    Raises
    ------
    ValueError
        If a file is not a score table, or two files hold the same row.
    """
    frames = {path: conform(read_parquet(path), DTYPES, path) for path in sorted(Path(path) for path in paths)}
    if not frames:
        return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in DTYPES.items()})
    try:
        return check_scores(pd.concat(frames.values(), ignore_index=True), "all score files")
    except ValueError:
        # Which file it is, or else which two: a row twice is all that can be wrong with files that are right.
        for path, frame in frames.items():
            check_scores(frame, path)
        rows = pd.concat({path: frame[list(KEY)] for path, frame in frames.items()}, names=["path"]).reset_index("path")
        same = rows[rows.duplicated(list(KEY), keep=False)].sort_values(list(KEY), kind="stable")
        key, (path, other) = tuple(same[list(KEY)].iloc[0]), same["path"].iloc[:2]
        raise ValueError(f"{path} and {other} hold the same row {key!r:.300}; remove one of them") from None
