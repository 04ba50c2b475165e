"""Any folder of recordings: labels from a table, or from the names of the folders.

With `table`: a CSV file with the column `path` (relative to the corpus' folder, forward slashes) and any of
`split`, `speaker`, `gender` (F, M or empty), `class` and `licence`; only the files that it names are used.

With `levels`: what the folders mean, from the top. `["speaker"]` is `SPEAKER/…/*.wav`, `["class"]` is
`CLASS/…/*.wav`, `["split", "speaker"]` is `SPLIT/SPEAKER/…/*.wav`; folders further down mean nothing. A file
that lies where the last level's folders are expected is a speaker, or a class, of its own, named after
itself: a noise class may be one file `CLASS.wav`. Genders are unknown in a tree; `gender` is a level like the
others (`["gender", "speaker"]` with folders `F` and `M`).

Every recording needs a speaker or a class. A recording's id is its path without the suffix. Files with other
than audio suffixes, and names that start with a dot, are not looked at.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from blsh.corpora.listing import Layout
from blsh.corpora.manifest import GENDERS, Manifest, check_path, without_suffix
from blsh.corpora.scanning import Labels, Progress, require_folder, scan
from blsh.files import tables

LEVELS = ("split", "speaker", "gender", "class")

# What people call audio. Some of these cannot be decoded here: they are skipped with that reason, not passed
# over.
SUFFIXES = frozenset(
    ".wav .flac .ogg .oga .opus .mp3 .aif .aiff .aifc .au .snd .caf .w64 .rf64 .sph .nist .m4a .wma".split()
)


def read(
    folder: Path,
    *,
    corpus: str,
    levels: Sequence[str] | None = None,
    table: str | None = None,
    licence: str = "unknown",
    listing: Path | None = None,
    progress: Progress | None = None,
) -> Manifest:
    """Make the manifest of any folder.

    Parameters
    ----------
    folder : Path
        The corpus' folder.
    corpus : str
        Name of the corpus.
    levels : sequence of str, optional
        Meaning of the folders from the top, out of `LEVELS`, with `speaker` or `class` among them.
    table : str, optional
        CSV file, relative to the folder; exactly one of `levels` and `table` is given.
    licence : str, default 'unknown'
        Licence of the recordings for which the table states none.
    listing, progress
        See `blsh.corpora.scanning.scan`; the layout is called `folder`.

    Returns
    -------
    Manifest
        Recordings of speech (with a speaker) or of noise (with a class).

    Raises
    ------
    FileNotFoundError
        If the folder or the table is missing.
    ValueError
        If the options or the table are invalid, or no usable recording is left.
    """
    folder = require_folder(folder)
    if (levels is None) == (table is None):
        raise ValueError(
            f"corpus {corpus!r} needs exactly one of 'levels' (for instance [speaker] or [class]) and "
            f"'table' (a CSV file) to say what is in {folder}"
        )
    if table is not None:
        labels = _read_table(folder / table, licence)
        paths: Iterator[str] = iter(labels)

        def describe(path: str) -> Labels:
            if path not in labels:
                raise ValueError(f"not in the table {table}")
            return labels[path]

    else:
        names = check_levels(levels)
        paths = _audio_files(folder)

        def describe(path: str) -> Labels:
            return _labels_of_tree(path, names, licence)

    return scan(folder, Layout("folder", folder), paths, describe, corpus=corpus, listing=listing, progress=progress)


def find_layout(folder: Path) -> Layout:
    """Any folder has the layout `folder`."""
    return Layout("folder", require_folder(folder))


def check_levels(levels: Sequence[str]) -> tuple[str, ...]:
    """Return what the folders mean; raise ValueError unless each is one of `LEVELS` and they name whom or what."""
    for level in levels:
        if level not in LEVELS:
            raise ValueError(f"level {level!r} is unknown: choose from {', '.join(LEVELS)}")
    if len(set(levels)) != len(levels) or not {"speaker", "class"} & set(levels):
        raise ValueError(f"levels={list(levels)} must name 'speaker' or 'class', and none twice")
    return tuple(levels)


def _labels_of_tree(path: str, levels: tuple[str, ...], licence: str) -> Labels:
    parts = list(PurePosixPath(path).parts[:-1])
    if len(parts) == len(levels) - 1 and levels[-1] in ("speaker", "class"):
        parts.append(PurePosixPath(path).stem)
    if len(parts) < len(levels):
        raise ValueError(f"lies above the folders of level {levels[len(parts)]!r}")
    return _labels(path, dict(zip(levels, parts, strict=False)), licence)


def _labels(path: str, values: dict[str, str], licence: str) -> Labels:
    gender = values.get("gender", "")
    if gender not in GENDERS:
        raise ValueError(f"gender {gender!r:.80} is not F, M or empty")
    if not values.get("speaker") and not values.get("class"):
        raise ValueError("has neither a speaker nor a class")
    return Labels(
        id=without_suffix(path),
        split=values.get("split", ""),
        speaker=values.get("speaker", ""),
        gender=gender,
        noise_class=values.get("class", ""),
        licence=values.get("licence") or licence,
    )


def _audio_files(folder: Path) -> Iterator[str]:
    # Links to folders are followed, as large corpora are often linked together; `seen` ends a circle of
    # links.
    seen = set()
    for parent, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(parent)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        # Sorted, so that of two links to one folder the same one is taken everywhere.
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in files:
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                yield (Path(parent) / name).relative_to(folder).as_posix()


def _read_table(path: Path, licence: str) -> dict[str, Labels]:
    header = tables.csv_columns(path)
    columns = [c for c in ("path", "split", "speaker", "gender", "class", "licence") if c in header or c == "path"]
    if "path" in header and not {"speaker", "class"} & set(header):
        raise ValueError(f"{path} has no column 'speaker' or 'class' (it has: {str(header)[1:-1]:.300}); add one")
    frame = tables.read_csv(path, dict.fromkeys(columns, str))
    labels: dict[str, Labels] = {}
    for row, record in enumerate(zip(*(frame[column].tolist() for column in columns), strict=True), start=1):
        values = dict(zip(columns, record, strict=True))
        try:
            name = values["path"]
            check_path(name)
            if name in labels:
                raise ValueError(f"path {name!r} is listed twice")
            labels[name] = _labels(name, values, licence)
        except ValueError as error:
            raise ValueError(f"row {row} of {path}: {error}") from None
    return labels
