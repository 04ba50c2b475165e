"""Mutated results: the tables, facts and matrices of a run's summaries, and score files."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from blsh.reporting.scores import DTYPES, KEY, METRICS, read_scores
from blsh.reporting.summaries import read_summaries, write_summaries
from tests.long.fuzzing.array_files import mutate_stamped
from tests.long.fuzzing.csv_files import mutate_file
from tests.long.fuzzing.mutating import (
    HOSTILE_TEXTS,
    chance,
    choose,
    damaged,
    garbage,
    other_integer,
    other_json,
    truncated,
)
from tests.long.fuzzing.target import Target

PUBLISHED = Path(__file__).resolve().parents[3] / "results/published/open_small/summaries"
# Arrow's own pool keeps gigabytes of addresses, which the limit of memory would count.
pa.set_memory_pool(pa.system_memory_pool())


def targets() -> list[Target]:
    summaries = {"reporting/summaries.py": frozenset({"write_summaries"})}
    scores = {"reporting/scores.py": frozenset()}
    not_of_parquet = {"write_csv", "read_csv", "csv_columns", "_parsed", "_text", "_quoted", "write_parquet"}
    parquet = {"files/tables.py": frozenset(not_of_parquet | {"_arrow_column"})}
    return [
        Target("summaries", _write_summaries, _read_summaries, summaries),
        Target("scores", _write_scores, _read_scores, {**scores, **parquet}),
    ]


@cache
def _valid_summaries() -> dict[str, bytes]:
    """The published ones, some rows of each: what is read again and again should be small."""
    made = {path.name: path.read_bytes() for path in sorted(PUBLISHED.iterdir())}
    for name, data in made.items():
        if name.endswith(".csv"):
            made[name] = b"\n".join(data.split(b"\n")[:6]) + b"\n"
        elif name.endswith(".parquet"):
            made[name] = _parquet(pq.read_table(io.BytesIO(data)).slice(0, 20))
    return made


@cache
def _valid_scores() -> pa.Table:
    columns: dict[str, list] = {}
    for name, dtype in DTYPES.items():
        if dtype == "str":
            columns[name] = [f"{name} {k % 3}" for k in range(20)]
        else:
            columns[name] = [float(k % 4 + 1) if dtype == "float64" else k % 4 for k in range(20)]
    columns |= {"utterance": [f"u{k}" for k in range(20)], "status": ["ok"] * 20, "reason": [""] * 20}
    return pa.table(columns)


def _write_summaries(rng: np.random.Generator, folder: Path) -> str:
    files = _valid_summaries()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    path = folder / choose(rng, [name for name in sorted(files) if name.endswith(".csv")])
    kind = choose(rng, ["csv", "csv", "csv", "parquet", "facts.json", "ssm.npz", "lost"])
    if kind == "csv":
        return mutate_file(rng, path)
    if kind == "parquet":
        table = pq.read_table(io.BytesIO(files["utterances.parquet"]))
        return _mutate_parquet(rng, folder / "utterances.parquet", table)
    if kind == "facts.json":
        text = files[kind].decode()
        changed = choose(rng, [other_json(rng, text).encode("utf-8", "surrogatepass"), damaged(rng, text.encode())])
        (folder / kind).write_bytes(changed)
    elif kind == "ssm.npz":
        (folder / kind).write_bytes(mutate_stamped(rng, files[kind])[1])
    else:
        (folder / choose(rng, sorted(files))).unlink()
        path = folder / choose(rng, sorted(files))
        path.unlink(missing_ok=True)
        path.mkdir()
    return f"summaries {kind}"


def _write_scores(rng: np.random.Generator, folder: Path) -> str:
    half = len(_valid_scores()) // 2
    first, second = _valid_scores().slice(0, half), _valid_scores().slice(half)
    (folder / "first.parquet").write_bytes(_parquet(first))
    path = folder / "second.parquet"
    if chance(rng, 0.7):
        return _mutate_parquet(rng, path, second)
    return _mutate_meaning(rng, path, second, first)


def _mutate_meaning(rng: np.random.Generator, path: Path, table: pa.Table, other: pa.Table) -> str:
    """Write a table whose columns are all right and whose rows may not be."""
    kind = choose(rng, ["status", "status", "reason", "seconds", "metric", "the same row", "no rows", "no files"])
    if kind == "no files":
        for one in path.parent.glob("*.parquet"):
            one.unlink()
        return "scores no files"
    rows = table.to_pylist()
    row = choose(rng, rows)
    if kind == "status":
        row["status"] = choose(rng, ["nan", "ill-conditioned", "", "OK", *HOSTILE_TEXTS[:10]])
        row["reason"] = choose(rng, ["", "silent"])
    elif kind == "reason":
        row |= {"status": "nan", "reason": choose(rng, HOSTILE_TEXTS), "sdr": float("nan")}
    elif kind == "seconds":
        row["seconds"] = choose(rng, [0.0, -1.0, float("nan"), 1e-300])
    elif kind == "metric":
        row[choose(rng, METRICS)] = choose(rng, [float("inf"), -float("inf"), float("nan"), -0.0])
    elif kind == "the same row":
        rows.append(choose(rng, [*other.to_pylist(), *rows]))
    else:
        rows = []
    try:
        made = pa.Table.from_pylist(rows, table.schema)
    except (pa.ArrowException, UnicodeError):  # a text that no file of this kind can hold
        made = table
    path.write_bytes(_parquet(made))
    return f"scores {kind}"


def _read_summaries(folder: Path) -> None:
    found = read_summaries(folder)
    assert 0 <= found.n_done or 0 <= found.n_expected
    if (folder / "facts.json").exists() and (folder / "facts.json").stat().st_size % 8 == 0:
        write_summaries(folder / "out", found)


def _read_scores(folder: Path) -> None:
    scores = read_scores(sorted(folder.glob("*.parquet")))
    assert not scores.duplicated(list(KEY)).any()
    assert not np.isinf(scores[list(METRICS)].to_numpy()).any()


def _parquet(table: pa.Table, **options: object) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, **({"compression": "zstd", "store_schema": False} | options))
    return buffer.getvalue()


def _mutate_parquet(rng: np.random.Generator, path: Path, table: pa.Table) -> str:
    if chance(rng, 0.03):
        path.write_bytes(garbage(rng, [b"PAR1", b"PAR1\0\0\0\0PAR1"]))
        return "garbage"
    kind = choose(rng, ["column", "column", "cell", "cell", "rows", "form", "footer", "footer", "pages", "truncation"])
    k = int(rng.integers(table.num_columns))
    name = table.column_names[k]
    options: dict[str, object] = {}
    if kind == "column":
        other = choose(rng, table.column_names)
        made = _other_column(rng, len(table))
        renamed = [
            choose(rng, [other, name.upper(), *HOSTILE_TEXTS[:20]]) if c == name else c for c in table.column_names
        ]
        options_of_table = [
            table.drop_columns([name]),
            table.set_column(k, name, made),
            table.set_column(k, name, table[other]),
            table.append_column(name, table[other]),
            table.rename_columns(renamed),
            table.append_column("more", made),
        ]
        table = choose(rng, options_of_table)
    elif kind == "cell":
        values = table[name].to_pylist()
        row = int(rng.integers(len(values)))
        number = [0, -1, 1e308, float("nan"), float("inf"), -0.0, None, 2**31, -(2**63)]
        values[row] = choose(rng, number if not isinstance(values[row], str) else [*HOSTILE_TEXTS, None])
        try:
            table = table.set_column(k, name, pa.array(values, table.schema.field(k).type))
        except (pa.ArrowException, ValueError, TypeError, OverflowError, UnicodeError):
            table = table.set_column(k, name, pa.nulls(len(values), table.schema.field(k).type))
    elif kind == "rows":
        table = choose(rng, [table.slice(0, 0), pa.concat_tables([table, table]), table.slice(1), table.slice(0, 1)])
    elif kind == "form":
        options = {
            "compression": choose(rng, ["none", "snappy", "gzip", "brotli", "lz4"]),
            "store_schema": chance(rng, 0.5),
        }
        options |= {"use_dictionary": chance(rng, 0.5), "data_page_version": choose(rng, ["1.0", "2.0"])}
        options |= {"row_group_size": choose(rng, [1, 3, 1000]), "version": choose(rng, ["1.0", "2.4", "2.6"])}
    data = _parquet(table, **options)
    size = int.from_bytes(data[-8:-4], "little")
    if kind == "footer":
        footer = damaged(rng, data[-8 - size : -8])
        length = other_integer(rng, len(footer), 32) if chance(rng, 0.1) else len(footer)
        data = (
            data[: -8 - size] + footer + length.to_bytes(4, "little") + choose(rng, [b"PAR1"] * 20 + [b"PARE", b"PAR2"])
        )
    elif kind == "pages":
        data = damaged(rng, data, 4, len(data) - size - 8)
    elif kind == "truncation":
        data = truncated(rng, data)
    path.write_bytes(data)
    return f"parquet {kind}"


def _other_column(rng: np.random.Generator, n_rows: int) -> pa.Array:
    makers = [
        lambda: pa.nulls(n_rows),
        lambda: pa.array([b"\xff\xfe"] * n_rows, pa.binary()),
        lambda: pa.array([1] * n_rows, pa.int8()),
        lambda: pa.array(["1"] * n_rows),
        lambda: pa.array(["x"] * n_rows).dictionary_encode(),
        lambda: pa.array([True] * n_rows),
        lambda: pa.array([[1, 2]] * n_rows),
        lambda: pa.array([{"a": 1}] * n_rows),
        lambda: pa.array([0] * n_rows, pa.timestamp("ns")),
        lambda: pa.array([0] * n_rows, pa.date32()),
        lambda: pa.array([2**64 - 1] * n_rows, pa.uint64()),
        lambda: pa.array([1.5] * n_rows, pa.float16()),
        lambda: pa.array([None] * n_rows, pa.int64()),
        lambda: pa.array([1] * n_rows, pa.decimal128(20, 2)),
    ]
    return choose(rng, makers)()
