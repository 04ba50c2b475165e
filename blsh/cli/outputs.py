"""What a verb writes: never what it reads, and nothing that is there already unless that was asked for.

This is looked at after the words have been parsed and before any work, for all verbs. A verb says what it writes with
``outputs(arguments)``: a dict from the names of its arguments to files. Without that function it writes ``-o``. All
other words that name files or folders, as NAME=PATH too, are read. A verb with ``--overwrite`` does not replace what
is there without it.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType

from blsh.files.destination import destination
from blsh.files.walking import walk

__all__ = ["add_overwrite", "check_outputs", "identity", "outputs_of", "require_writable"]

# What blsh wrote into a folder of recordings may be made again; ESC's own table ends like ours.
_MADE_HERE = frozenset({".blsh", ".csv", ".html", ".json", ".parquet"})
_TABLES_OF_CORPORA = frozenset({"esc50.csv"})


def add_overwrite(parser: argparse.ArgumentParser) -> None:
    """Add ``--overwrite``, without which an output that exists is refused."""
    parser.add_argument("--overwrite", action="store_true", help="replace an output that exists")


def outputs_of(module: ModuleType, arguments: argparse.Namespace) -> Mapping[str, Sequence[Path]]:
    """Return the files that a verb will write, by the argument that names them."""
    if hasattr(module, "outputs"):
        return module.outputs(arguments)
    output = getattr(arguments, "output", None)
    return {"output": [] if output is None else [Path(output)]}


def check_outputs(module: ModuleType, arguments: argparse.Namespace) -> None:
    """Refuse what cannot be written, is read, is written twice, or is there already.

    Raises
    ------
    ValueError
        With the output, the rule and what to do.
    OSError
        If an output cannot be looked at.
    """
    outputs = outputs_of(module, arguments)
    words = [word for name, value in vars(arguments).items() if name not in outputs for word in _words(value)]
    written: set[str] = set()
    for path in (path for paths in outputs.values() for path in paths):
        place = destination(path)
        if place.is_through:
            continue
        if (real := os.path.realpath(path)) in written:
            raise ValueError(f"{path} is the name of two outputs: give each a name of its own")
        written.add(real)
        require_writable(place.path.parent)
        if not place.exists:
            continue
        if read := _reader_of(place.path, words):
            raise ValueError(f"{path} is an input ({read}): inputs are never overwritten, give another output")
        if not getattr(arguments, "overwrite", True):
            raise ValueError(f"{path} exists: give another output, or --overwrite to replace it")


def _words(value: object) -> Iterator[str | Path]:
    if isinstance(value, str | Path):
        yield value
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _words(one)


def require_writable(folder: Path) -> None:
    """Raise unless files can be made in a folder, which need not exist yet."""
    existing = folder.absolute()
    while not os.path.lexists(existing):
        existing = existing.parent
    if not existing.is_dir():
        raise ValueError(f"{existing} is a file, so {folder} cannot lie in it: name another output")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise ValueError(f"{existing} cannot be written: change its permissions, or name another output")


def _reader_of(output: Path, words: Sequence[str | Path]) -> str:
    """Return the word by which an existing file would be read, or ''."""
    wanted = identity(output)
    named = [(word, *found) for word in words for found in _paths(word)]
    folders = [(word, path) for word, path, may_be_folder in named if may_be_folder and os.path.isdir(path)]
    for word, path, _ in named:
        # Some names are relative to a folder that is named too.
        if wanted in map(identity, (path, *(folder / path for _, folder in folders))):
            return str(word)
    for word, folder in folders:
        for path in walk(folder):
            is_made = path.suffix.lower() in _MADE_HERE and path.name.lower() not in _TABLES_OF_CORPORA
            if not is_made and identity(folder / path) == wanted:
                return f"{path} in {word}"
    return ""


def _paths(word: str | Path) -> Iterator[tuple[Path, bool]]:
    """Yield what a word may name, and whether as a folder: a plain word is more often the name of something else."""
    yield Path(word), isinstance(word, Path)
    name, sign, path = str(word).partition("=")
    if sign and name:
        yield Path(path), True


def identity(path: Path) -> tuple[int, int] | None:
    """Return what all names of one file share; None of what is not there, or cannot be a name."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino
