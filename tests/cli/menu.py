"""The menu: every argument of every verb with a value of each wrong kind, from the verbs' own parsers.

A case is a valid command with one value changed. So a new verb needs a valid command (`tests.cli.commands`), and a new
argument needs nothing.
"""

from __future__ import annotations

import argparse
import builtins
import errno
import importlib
import io
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from blsh.cli import main as cli
from blsh.cli.numbers import Real, Whole

NOT_UTF8 = "caf\udce9"
NUMBERS = {
    "text": "many",
    "empty": "",
    "negative": "-3",
    "zero": "0",
    "NaN": "nan",
    "infinite": "inf",
    "huge": "9" * 30,
    "not UTF-8": NOT_UTF8,
}

# What rules would refuse and is good all the same.
GOOD = {"denoise -o a folder for a file": "there the file gets the name of the recording"}


@dataclass(frozen=True)
class Case:
    """A command and what may come of it."""

    verb: str
    argument: str
    kind: str
    words: tuple[str, ...]
    may_succeed: bool
    is_number: bool = False
    closed: Path | None = None  # what cannot be opened

    def __str__(self) -> str:
        return f"{self.verb} {self.argument} {self.kind}"

    @property
    def is_refused(self) -> bool:
        """Whether it must be."""
        return not self.may_succeed and str(self) not in GOOD


def arguments_of(verb: str) -> list[argparse.Action]:
    """Return the arguments of a verb that take a value."""
    module = importlib.import_module(f"blsh.cli.{verb.replace('-', '_')}")
    parser = cli._verb_parser(verb, module)
    if getattr(module, "PASSES_ARGUMENTS_ON", False):  # Snakemake's parser reads them
        parser.add_argument("--configfile", type=Path)
        parser.add_argument("--config", metavar="KEY=VALUE")
        parser.add_argument("--profile", type=Path)
        for name in ("--cores", "--jobs"):
            parser.add_argument(name, type=Whole(1))
    return [action for action in parser._actions if action.nargs != 0]


def cases_of(verb: str, words: Sequence[str], folder: Path) -> Iterator[Case]:
    """Give every argument of a valid command a value of each kind; `folder` holds nothing that the command reads."""
    # The arguments that all verbs have are tried with one of them.
    actions = [action for action in arguments_of(verb) if verb == "info" or action.dest != "threads"]
    options = {word for action in actions for word in action.option_strings}
    positionals = [action for action in actions if not action.option_strings]
    for action in actions:
        if action.option_strings:
            name = action.option_strings[0]
            first = next((k + 1 for k, word in enumerate(words) if word in action.option_strings), 0)
        else:
            name, first = action.metavar or action.dest, 1 + positionals.index(action)
        end = next((k for k in range(first, len(words)) if words[k] in options), len(words)) if first else 0
        old = list(words[first:end] if action.option_strings else words[first : first + 1])
        for kind, value, may_succeed, closed in _values(action, old[0] if old else "", folder):
            new = [*words, name, value] if not first else [*words[:first], value, *words[first + len(old[:1]) :]]
            is_number = isinstance(action.type, (Whole, Real))
            yield Case(verb, name, kind, tuple(new), may_succeed, is_number, closed)


def spread(cases: Sequence[Case]) -> list[Case]:
    """Choose two cases of every argument, rare kinds first, and of every kind one.

    What may be good takes longer: one case where there is no other.
    """
    used: Counter = Counter()
    chosen = []
    for name in dict.fromkeys(case.argument for case in cases):
        own = sorted((case for case in cases if case.argument == name), key=lambda case: used[case.kind])
        own = [case for case in own if not case.may_succeed][:2] or own[:1]
        used.update(case.kind for case in own)
        chosen += own
    return chosen + [case for kind, case in {case.kind: case for case in cases}.items() if not used[kind]]


def _values(action: argparse.Action, old: str, folder: Path) -> Iterator[tuple[str, str, bool, Path | None]]:
    """Yield kind, value, whether it may be good, and what cannot be opened."""
    if isinstance(action.type, (Whole, Real)):
        yield from ((kind, value, _is_good(action.type, value), None) for kind, value in NUMBERS.items())
        if isinstance(action.type, Whole) and action.type.most:
            yield "largest", str(action.type.most), True, None
    elif action.choices is not None:
        yield from ((kind, value, False, None) for kind, value in _texts().items())
    else:
        # NAME=FILE, or a file, or a text that may be anything.
        name, sign, path = old.rpartition("=") if action.metavar and "=" in action.metavar else ("", "", old)
        is_file = action.type is Path or (os.sep in path and not path.startswith(("{", "http")))
        if is_file or not sign:
            yield "empty", "", action.type is not Path, None
        if is_file:
            yield from (
                (kind, f"{name}{sign}{value}", may, closed)
                for kind, value, may, closed in _paths(path, folder, is_alone=not sign)
            )
        else:
            yield from ((kind, f"{name}{sign}{value}", True, None) for kind, value in _texts().items())


def _is_good(kind: Whole | Real, value: str) -> bool:
    try:
        return kind(value) is not None
    except ValueError:
        return False


def _texts() -> dict[str, str]:
    return {"unknown": "no such thing", "not UTF-8": NOT_UTF8, "many words": "a\nb\x1b[31m" * 99}


def _paths(old: str, folder: Path, *, is_alone: bool) -> Iterator[tuple[str, str, bool, Path | None]]:
    path = Path(old)
    text, empty = folder / "some.txt", folder / "empty"
    text.write_text("hello\n" * 9, encoding="utf-8")
    empty.mkdir(exist_ok=True)
    is_input = bool(old) and path.exists()
    # Of several files not all are read, and what belongs to another option is not read at all.
    is_read = bool(old) and is_alone
    yield "in a file", f"{text}/x{path.suffix}", not is_read, None
    yield "not UTF-8", f"{folder}/{NOT_UTF8}{path.suffix}", not (is_read and is_input), None
    if is_input:
        yield "missing", f"{folder}/none{path.suffix}", not is_read, None
        yield "not to be opened", old, True, path
        if path.is_dir():
            yield "a file for a folder", str(text), not is_read, None
            yield "an empty folder", str(empty), True, None
        else:
            yield "a folder for a file", str(empty), not is_read, None
            yield "another file", str(text), True, None
    elif path.suffix:
        yield "a folder for a file", str(empty), not is_read, None
    else:
        yield "a file for a folder", str(text), True, None


@contextmanager
def not_to_be_opened(path: Path) -> Iterator[list[str]]:
    """Refuse to open a file, or any below a folder, as root is never refused; the list has what was refused."""
    refused = []

    def guarded(opener):
        def guard(name, *arguments, **options):
            if isinstance(name, (str, os.PathLike)) and Path(name).is_relative_to(path):
                refused.append(os.fspath(name))
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(name))
            return opener(name, *arguments, **options)

        return guard

    with pytest.MonkeyPatch.context() as patch:
        for module in (builtins, io, os):
            patch.setattr(module, "open", guarded(module.open))
        yield refused


def contents(*folders: Path) -> dict[Path, tuple[int, ...]]:
    """Return every file with its size, its time and its number on the disk."""
    found = {}
    for folder in folders:
        for path in folder.rglob("*"):
            state = path.lstat()
            if not path.is_dir():
                found[path] = (state.st_size, state.st_mtime_ns, state.st_ino)
    return found
