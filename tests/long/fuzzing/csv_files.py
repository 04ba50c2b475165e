"""Mutated tables: manifests, listings, recipes, units of speech, labels of a folder."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from blsh.corpora import folder as any_folder
from blsh.corpora.listing import Entry, Layout, make_listing, read_listing, write_listing
from blsh.corpora.manifest import Manifest, Skipped, read_manifest, skipped_path, write_manifest
from blsh.mixtures.recipes import Piece, read_recipes, write_recipes
from blsh.mixtures.unit_table import read_units, write_units
from blsh.mixtures.units import SpeechUnit
from tests.corpora.making import noise, recording, write
from tests.long.fuzzing.mutating import (
    HOSTILE_TEXTS,
    NUMBERS,
    chance,
    choose,
    damaged,
    garbage,
    other_json,
    truncated,
)
from tests.long.fuzzing.target import Target
from tests.mixtures.making import recipe

NAME = "table.csv"
LISTING = "listing.csv"
NOT_OF_CSV = frozenset({"write_csv", "_text", "_quoted", "write_parquet", "read_parquet", "_arrow_column"})


def targets() -> list[Target]:
    return [
        _target("manifest", _manifest, _read_manifest, {"corpora/manifest.py": frozenset({"write_manifest"})}),
        _target("listing", _listing, _read_listing, {"corpora/listing.py": _NOT_OF_LISTINGS}),
        _target("recipes", _recipes, _read_recipes, {"mixtures/recipes.py": frozenset({"write_recipes"})}),
        _target("units", _units, _read_units, {"mixtures/unit_table.py": frozenset({"write_units"})}),
        _target("labels", _labels, _read_labels, {"corpora/folder.py": _NOT_OF_LABELS}),
    ]


_NOT_OF_LISTINGS = frozenset({"make_listing", "write_listing", "prefix_of"})
_NOT_OF_LABELS = frozenset({"check_levels", "_labels_of_tree", "_audio_files", "find_layout"})


def _target(name: str, make: Callable, read: Callable, code: dict[str, frozenset[str]]) -> Target:
    @cache
    def valid() -> dict[str, bytes]:
        with TemporaryDirectory() as scratch:
            make(Path(scratch))
            files = [path for path in Path(scratch).rglob("*") if path.is_file()]
            return {str(path.relative_to(scratch)): path.read_bytes() for path in files}

    def write(rng: np.random.Generator, folder: Path) -> str:
        mutation = ""
        for file, content in sorted(valid().items()):
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            if file == NAME or (path.suffix == ".csv" and chance(rng, 0.3)):
                mutation = mutate_file(rng, path)
        return mutation

    return Target(name, write, read, {"files/tables.py": NOT_OF_CSV, **code})


# Valid tables


def _manifest(folder: Path) -> None:
    rows = (recording(), recording("b/c d.ogg", id="é, x", gender=""), recording("c.wav", noise_class="dog", start=5))
    write_manifest(folder / NAME, Manifest(rows, (Skipped("x/y.wav", "silent"),)))


def _listing(folder: Path) -> None:
    write_listing(folder / NAME, [Entry(f"id{k}", "ab"[k % 2], f"x/{k}.wav", "0f" * 32) for k in range(4)])


def _recipes(folder: Path) -> None:
    long = (Piece("noise", "x.ogg", 0, 400), Piece("noise", "y.ogg", 7, 360), Piece("noise", "z.ogg", 9, 360))
    recipes = [recipe(), recipe(utterance="2", snr_db=-5.0), recipe(noise="cat", noise_pieces=long)]
    write_recipes(folder / NAME, recipes)


def _units(folder: Path) -> None:
    units = [SpeechUnit(f"00{k}@1", "007", "FM"[k % 2], Piece("speech", f"{k}.flac", k, 9)) for k in range(3)]
    write_units(folder / NAME, {"train": units[:2], "open": units[2:]})


def _labels(folder: Path) -> None:
    for k in range(2):
        write(folder / f"a/{k}.wav", noise(0.02, seed=k))
    lines = ["path,split,speaker,gender,class,licence", "a/0.wav,train,s1,F,,CC0", "a/1.wav,test,,,dog,"]
    (folder / NAME).write_text("\n".join(lines) + "\n")
    manifest = any_folder.read(folder, corpus="x", table=NAME)
    write_listing(folder / LISTING, make_listing(manifest, Layout("folder", folder), folder))


# Readers, and what must hold of all that they accept


def _read_manifest(folder: Path) -> None:
    manifest = read_manifest(folder / NAME)
    if _seldom(folder):
        write_manifest(folder / "out" / NAME, manifest)
        assert read_manifest(folder / "out" / NAME) == manifest, "it is not the same when it is written and read again"
    assert skipped_path(folder / NAME).is_file()
    for row in manifest.recordings:
        assert_inside(folder, row.path)
        assert row.n_samples_16k >= 0


def _read_listing(folder: Path) -> None:
    for layout in "ab":
        for path in read_listing(folder / NAME, layout):
            assert_inside(folder, path)


def _read_recipes(folder: Path) -> None:
    recipes = read_recipes(folder / NAME, corpora=("speech", "noise"))
    if _seldom(folder):
        write_recipes(folder / "out" / NAME, recipes)
        assert read_recipes(folder / "out" / NAME) == recipes, "it is not the same when it is written and read again"
    for one in recipes:
        for piece in (one.speech, *one.noise_pieces):
            assert_inside(folder, piece.path)


def _read_units(folder: Path) -> None:
    units = read_units(folder / NAME)
    if _seldom(folder):
        write_units(folder / "out" / NAME, units)
        assert read_units(folder / "out" / NAME) == units, "it is not the same when it is written and read again"
    for members in units.values():
        for unit in members:
            assert_inside(folder, unit.piece.path)
            assert unit.utterance and unit.speaker and unit.gender in ("F", "M", "")


def _read_labels(folder: Path) -> None:
    is_odd = (folder / NAME).is_file() and (folder / NAME).stat().st_size % 64 == 1
    options = {"levels": ["class"]} if is_odd else {}  # both at once are refused
    manifest = any_folder.read(folder, corpus="x", table=NAME, listing=folder / LISTING, **options)
    assert not options
    if _seldom(folder):
        assert len(any_folder.read(folder, corpus="x", levels=["class"]).recordings) == 2
    for row in manifest.recordings:
        assert_inside(folder, row.path)
        assert row.speaker or row.noise_class


def _seldom(folder: Path) -> bool:
    """One case in eight: writing and reading again takes longer than all else."""
    return (folder / NAME).stat().st_size % 8 == 0


def assert_inside(folder: Path, path: str) -> None:
    """The path stays below its folder and can be written into a table."""
    assert not Path(path).is_absolute() and (folder / path).resolve().is_relative_to(folder), f"path {path!r}"
    assert "\n" not in path and "\0" not in path, f"path {path!r}"


# Mutations


def mutate_file(rng: np.random.Generator, path: Path) -> str:
    """Change a valid table; return the mutation's name."""
    data = path.read_bytes()
    if chance(rng, 0.03):
        path.write_bytes(garbage(rng, [data[:40], b"\xef\xbb\xbf", b"\xff\xfe"]))
        return "garbage"
    rows = list(csv.reader(io.StringIO(data.decode("utf-8"), newline="")))
    kinds = ["bytes", "text", "truncation", "file"]
    # A table of results may have no row, and a line of one empty cell is read as none.
    if len(rows) > 1 and all(rows):
        kinds += ["cell", "cell", "cell", "cells", "rows", "columns"]
    kind = choose(rng, kinds)
    if kind in ("cell", "cells"):
        for _ in range(1 if kind == "cell" else int(rng.integers(2, 6))):
            row = rows[int(rng.integers(len(rows)))] if chance(rng, 0.05) else rows[int(rng.integers(1, len(rows)))]
            k = int(rng.integers(len(row)))
            row[k] = other_cell(rng, row[k], [other[k] for other in rows[1:] if k < len(other)])
    elif kind == "rows":
        k, j = int(rng.integers(len(rows))), int(rng.integers(1, len(rows)))
        options = [[*rows, rows[k]], rows[:k] + rows[k + 1 :], rows[:1], [], [*rows, rows[j][:-1]], [*rows, []]]
        rows = choose(rng, [*options, [*rows, [*rows[j], ""]], rows[::-1], [rows[0], rows[j]] * 2, [*rows, [""]]])
    elif kind == "columns":
        k, j = (int(i) for i in rng.integers(len(rows[0]), size=2))
        order = list(range(len(rows[0])))
        more = ["other", *("" for _ in rows[1:])]
        action = choose(rng, ["drop", "double", "swap", "add", "rename"])
        if action == "add":
            rows = [[*row, cell] for row, cell in zip(rows, more, strict=True)]
        elif action == "rename":
            rows[0] = [*rows[0]]
            rows[0][k] = choose(rng, ["", rows[0][j], rows[0][k].upper(), f" {rows[0][k]}", "é"])
        else:
            order[k], order[j] = order[j], order[k]
            order = {"drop": [i for i in order if i != k], "double": [*order, k], "swap": order}[action]
            rows = [[row[i] for i in order] for row in rows]
    text = io.StringIO()
    line_end = choose(rng, ["\n"] * 8 + ["\r\n", "\r"])
    csv.writer(text, lineterminator=line_end, quoting=choose(rng, [csv.QUOTE_MINIMAL] * 9 + [csv.QUOTE_ALL])).writerows(
        rows
    )
    changed = text.getvalue().encode("utf-8", "surrogatepass")
    if kind == "bytes":
        changed = damaged(rng, data)
    elif kind == "text":
        changed = _other_text(rng, data)
    elif kind == "truncation":
        changed = truncated(rng, data)
    elif kind == "file":
        return _other_file(rng, path)
    path.write_bytes(changed)
    return f"csv {kind}"


def other_cell(rng: np.random.Generator, cell: str, column: list[str]) -> str:
    """A cell of another value: of the same column, a number for a number, JSON for JSON, or a hostile text."""
    if chance(rng, 0.15) and column:
        return choose(rng, column)
    if cell.startswith("[") and chance(rng, 0.8):
        return other_json(rng, cell)
    try:
        value = float(cell)
    except ValueError:
        pass
    else:
        if chance(rng, 0.7):
            return choose(
                rng, [choose(rng, NUMBERS), f"{value + 1:.0f}", f"{value - 1:.0f}", str(value + 0.5), str(-value)]
            )
    if chance(rng, 0.2):
        return damaged(rng, cell.encode() or b"x").decode("utf-8", "replace")
    return choose(rng, HOSTILE_TEXTS)


def _other_text(rng: np.random.Generator, data: bytes) -> bytes:
    """Things that a text editor, a spreadsheet or a transfer does."""
    half = data[: len(data) // 2]
    return choose(
        rng,
        [
            b"\xef\xbb\xbf" + data,
            data.decode().encode("utf-16"),
            data.decode().encode("latin-1", "replace"),
            data.replace(b",", b";"),
            data.replace(b",", b"\t"),
            data.replace(b"\n", b"\n\n"),
            data.replace(b"\n", b"\r\r\n"),
            data + b"\0",
            data + b'"',
            half + b'"' + data[len(half) :],
            half + b"\xed\xa0\x80" + data[len(half) :],
            half + b"\xff" + data[len(half) :],
            data + b"x" * 200_000,
            data + b'"' + b"\n" * 5000,
            data * 50,
            b"",
            b"\n",
        ],
    )


def _other_file(rng: np.random.Generator, path: Path) -> str:
    """No file, or something else of its name."""
    path.unlink()
    if chance(rng, 0.5):
        path.mkdir()
    return "csv file"
