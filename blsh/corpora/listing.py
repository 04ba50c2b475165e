"""Listings: a committed table of the files that a data definition uses, with a hash for each.

A corpus that is downloaded in full, and an excerpt of it, give the same experiment when both are restricted
to the same files. A listing (CSV, columns `id, layout, path, sha256`) names them: `id` is the recording,
`layout` the form in which the corpus comes, `path` the file's place relative to that layout's own root,
`sha256` its content. One recording may have a row for each layout (ESC-10's Vorbis files and ESC-50's WAV
files hold the same clips with different bytes); a reader uses the rows of the layout it finds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from blsh.corpora.manifest import Manifest, check_path
from blsh.files import tables

_COLUMNS = {"id": str, "layout": str, "path": str, "sha256": str}
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Layout:
    """A form in which a corpus comes (`esc-10`, `esc-50`, …), and the folder in which it was found."""

    name: str
    root: Path


@dataclass(frozen=True)
class Entry:
    """One row of a listing.

    Raises
    ------
    ValueError
        If the path leaves its root, a name is empty or the hash is no SHA-256.
    """

    id: str
    layout: str
    path: str
    sha256: str

    def __post_init__(self) -> None:
        check_path(self.path)
        if not self.id or not self.layout:
            raise ValueError(f"id={self.id!r:.80}, layout={self.layout!r:.80}: both must be given ({self.path})")
        if not _SHA256.fullmatch(self.sha256):
            raise ValueError(f"sha256={self.sha256!r:.80} is not 64 lower-case hexadecimal digits ({self.path})")


def make_listing(manifest: Manifest, layout: Layout, folder: Path) -> tuple[Entry, ...]:
    """List every recording of a manifest that was made from `folder`, in which `layout` was found."""
    prefix = prefix_of(layout, folder)
    return tuple(
        Entry(r.id, layout.name, r.path.removeprefix(prefix), r.sha256)
        for r in sorted(manifest.recordings, key=lambda r: r.path)
    )


def write_listing(path: Path, entries: Iterable[Entry]) -> None:
    """Write a listing as CSV, sorted by (layout, path)."""
    rows = sorted(entries, key=lambda entry: (entry.layout, entry.path))
    values = [[getattr(row, column) for column in _COLUMNS] for row in rows]
    tables.write_csv(path, pd.DataFrame(values, columns=list(_COLUMNS), dtype=object))


def read_entries(path: Path) -> tuple[Entry, ...]:
    """Read the rows of all layouts; errors as `read_listing`, but for what only one layout tells."""
    frame = tables.read_csv(Path(path), _COLUMNS)
    entries = []
    for row, record in enumerate(zip(*(frame[column].tolist() for column in _COLUMNS), strict=True), start=1):
        try:
            entries.append(Entry(*record))
        except ValueError as error:
            raise ValueError(f"row {row} of {path}: {error}") from None
    return tuple(entries)


def read_listing(path: Path, layout: str) -> dict[str, str]:
    """Read the rows of one layout: SHA-256 by path, sorted by path.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a column is missing, a value is invalid, a path is listed twice or nothing is listed for this
        layout.
    """
    hashes: dict[str, str] = {}
    layouts = set()
    for row, entry in enumerate(read_entries(path), start=1):
        layouts.add(entry.layout)
        if entry.layout != layout:
            continue
        if entry.path in hashes:
            raise ValueError(f"row {row} of {path}: path={entry.path!r} is listed twice for layout {layout!r}")
        hashes[entry.path] = entry.sha256
    if not hashes:
        raise ValueError(
            f"{path} lists no file of layout {layout!r} (it has: {str(sorted(layouts))[1:-1] or 'none':.300}); "
            f"give the corpus in a layout that is listed"
        )
    return dict(sorted(hashes.items()))


def prefix_of(layout: Layout, folder: Path) -> str:
    """Path of the layout's root inside `folder`: '' or `NAME/`."""
    inside = layout.root.relative_to(folder).as_posix()
    return "" if inside == "." else f"{inside}/"
