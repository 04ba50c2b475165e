r"""Tables: CSV for what people read, Parquet for the scores of every utterance.

CSV here is UTF-8 with `\n` line ends and one header row. A float is written with the shortest digits that
give the same float back, a missing one as an empty field; text stays text ("007" and "NA" too). Reading
asks for columns and their dtypes and checks every row's width, so a table cut short in the middle of a line
is an error and not a row.

Parquet files carry no pandas metadata, so the same values give the same bytes whatever the frame's index was.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from blsh.files.atomic import atomic_path, write_text
from blsh.files.fail_points import fail_point
from blsh.files.messages import one_line

if TYPE_CHECKING:  # pandas and pyarrow take half a second to import: only jobs that touch a table pay it
    import pandas as pd
    import pyarrow as pa


def write_csv(path: str | Path, frame: pd.DataFrame) -> None:
    """Write a table of text, numbers and booleans, without its index.

    Raises
    ------
    TypeError
        If a value is something else.
    """
    columns = [[_text(value, name, path) for value in frame[name].to_numpy()] for name in frame.columns]
    lines = [",".join(map(_quoted, map(str, frame.columns)))]
    lines += [",".join(map(_quoted, row)) or '""' for row in zip(*columns, strict=True)]
    write_text(path, "\n".join(lines) + "\n")


def read_csv(path: str | Path, columns: Mapping[str, type | str]) -> pd.DataFrame:
    """Read some columns of a CSV file, in the order asked for.

    Parameters
    ----------
    path
        The file.
    columns
        Name → dtype: `str`, `bool`, or an integer or float dtype. An empty field is "" as text, NaN as a
        float, and an error as anything else. Further columns of the file are left out.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a column is missing, a row has another number of fields than the header, or a value is not of its
        dtype.
    """
    import pandas as pd

    with open(path, encoding="utf-8-sig", newline="") as handle:
        reader = csv.reader(handle, strict=True)
        try:
            header = next(reader, [])
            for name in columns:
                if header.count(name) != 1:
                    raise ValueError(f"column {name!r} must be there once; it has {str(header)[1:-1] or 'none':.300}")
            indices = [header.index(name) for name in columns]
            rows = []
            for row in filter(None, reader):  # blank lines, as a text editor leaves them
                if len(row) != len(header):
                    raise ValueError(f"line {reader.line_num} has {len(row)} fields and the header {len(header)}")
                rows.append([row[index] for index in indices])
            fields = zip(*rows, strict=True) if rows else [()] * len(columns)
            values = {
                name: _parsed(texts, name, dtype) for (name, dtype), texts in zip(columns.items(), fields, strict=True)
            }
        except (csv.Error, ValueError) as error:
            raise ValueError(_unreadable(path, error)) from error
    return pd.DataFrame(
        {name: pd.Series(value, dtype=value.dtype if value.dtype != object else str) for name, value in values.items()}
    )


def csv_columns(path: str | Path) -> tuple[str, ...]:
    """Names of the columns of a CSV file, in its order.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a CSV file.
    """
    with open(path, encoding="utf-8-sig", newline="") as handle:
        try:
            return tuple(next(csv.reader(handle, strict=True), ()))
        except (csv.Error, ValueError) as error:
            raise ValueError(_unreadable(path, error)) from error


def _unreadable(path: str | Path, error: Exception) -> str:
    reason = "it is not UTF-8 text, as which it is saved" if isinstance(error, UnicodeDecodeError) else error
    return f"{path} is not the table that is needed: {reason}; make it again or correct it"


def write_parquet(path: str | Path, frame: pd.DataFrame) -> None:
    """Write a table of text, numbers and booleans, without its index.

    Raises
    ------
    TypeError
        If a column is neither numbers nor all text.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({str(name): _arrow_column(frame[name], path) for name in frame.columns})
    with atomic_path(path) as temporary, open(temporary, "wb") as handle:
        pq.write_table(table, handle, compression="zstd", store_schema=False)
        fail_point("table.parquet")


def read_parquet(path: str | Path) -> pd.DataFrame:
    """Read a Parquet file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a whole Parquet file, or has a column twice.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with open(path, "rb") as handle:
        try:
            source = pq.ParquetFile(handle)
            names = source.schema_arrow.names
            if len(set(names)) < len(names):
                raise ValueError(f"it has a column twice: {str(names)[1:-1]:.300}")
            table = source.read(use_threads=False)
            table.validate(full=True)  # among other things that text is text
            return table.to_pandas(use_threads=False, ignore_metadata=True)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise ValueError(f"{path} is not the table that is needed: {one_line(error)}; make it again") from error


def _text(value: object, column: str, path: str | Path) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (float, np.floating)):
        # str() of a NumPy float has the fewest digits for its own width: 0.1 for float32, not
        # 0.10000000149011612.
        return "" if np.isnan(value) else str(value)
    if isinstance(value, (bool, int, np.bool_, np.integer)):
        return str(value)
    raise TypeError(f"column {column!r} holds {value!r}: a table holds text, numbers and booleans ({path})")


def _quoted(field: str) -> str:
    # csv.writer with "\n" line ends leaves a carriage return bare, which a reader takes for the end of the
    # row.
    return '"' + field.replace('"', '""') + '"' if any(mark in field for mark in ',"\r\n') else field


_BOOLEANS = {"True": True, "False": False}


def _parsed(texts: Sequence[str], column: str, dtype: type | str) -> np.ndarray:
    """One column's values; text as an object array."""
    if dtype in (str, "str"):
        return np.array([*texts, None], object)[:-1]
    dtype = np.dtype(dtype)
    parsers: dict[str, Callable[[str], object]] = {
        "b": _BOOLEANS.__getitem__,
        "i": int,
        "u": int,
        "f": lambda text: float(text or "nan"),
    }
    if dtype.kind not in parsers:
        raise ValueError(f"column {column!r} is asked for as {dtype}: choose text, bool, integers or floats")
    parse = parsers[dtype.kind]
    values = []
    for row, text in enumerate(texts, start=1):
        try:
            values.append(parse(text))
        except (KeyError, ValueError) as error:
            raise ValueError(f"column {column!r} of row {row} is {text!r:.80}, not {dtype}") from error
    try:
        return np.array(values, dtype)
    except OverflowError as error:
        raise ValueError(f"column {column!r} holds a number beyond {dtype}") from error


def _arrow_column(values: pd.Series, path: str | Path) -> pa.Array:
    import pyarrow as pa

    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "biuf":
        return pa.array(values.to_numpy())
    texts = values.tolist()
    if not all(isinstance(text, str) for text in texts):
        raise TypeError(f"column {values.name!r} of dtype {values.dtype} is neither numbers nor all text ({path})")
    return pa.array(texts, pa.string())
