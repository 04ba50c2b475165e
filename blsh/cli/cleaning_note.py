"""The note of a folder of cleaned recordings: what each was made from, and how.

``denoised.json`` has a line of JSON for each file. It is added when the file is whole and not yet under its name, with
the size and time that it keeps when it gets the name. So a run that is killed at any moment loses no note of a finished
file, and a note of thousands of files costs no more than its lines. Nothing is ever replaced in it: lines of files that
never appeared, or are there no more, speak of nothing.

A file is *known* if a line tells its size and time. A file that is not known is somebody else's work: it was there
before, has come since, or has been edited since.
A file is *finished* if it is known, and its source, the source's size and time, the settings, the model and the version
of the code are those of its note. Sources are noted relative to the folder, so that both may move together.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

__all__ = ["NOTE", "CleaningNote", "NoteLines", "state_of"]

NOTE = "denoised.json"
_HEAD = {"kind": "what blsh denoise wrote here", "version": 2}
_KEYS = {"target": str, "target_state": list, "source": str, "source_state": list, "settings": dict}

State = list[int]


class CleaningNote:
    """The note of one output folder as it was when the run began.

    Parameters
    ----------
    folder
        The output folder; it need not exist yet.
    settings
        What the files of this run are made with.
    anew
        Begin the note anew if it cannot be read.

    Raises
    ------
    ValueError
        If there is something else under its name, and not `anew`, or another run writes into the folder.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any], *, anew: bool = False) -> None:
        self._folder, self._settings = folder, dict(settings)
        self._path = folder / NOTE
        if self._path.exists() and not self._path.is_file():
            raise ValueError(f"{self._path} is no file, and a note is kept under this name: clean into another folder")
        self._read = b""
        if self._path.exists():
            with open(self._path, "rb") as handle:
                _lock(handle, folder, fcntl.LOCK_SH)
                self._read = handle.read()
        head, *lines = self._read.decode(errors="replace").split("\n")
        self._is_readable = _parsed(head) == _HEAD
        if self._read and not self._is_readable and not anew:
            raise ValueError(
                f"{self._path} does not say what each file was made from (an older blsh wrote less, or it is no note "
                "of blsh's): clean into another folder, or give --overwrite to clean all again"
            )
        self._entries: dict[str, list[dict[str, Any]]] = {}
        for entry in map(_parsed, lines if self._is_readable else []):
            if all(isinstance(entry.get(key), kind) for key, kind in _KEYS.items()):  # or it is torn
                self._entries.setdefault(entry["target"], []).append(entry)

    def knows(self, target: Path) -> bool:
        """Return whether an existing file is as it was written here."""
        return self._entry(target) is not None

    def other_source(self, target: Path, source: Path) -> Path | None:
        """Return what a known file was made from, if that is not this source."""
        entry = self._entry(target)
        if entry is None or entry["source"] == _relative(source, self._folder):
            return None
        return Path(os.path.normpath(os.path.join(os.path.realpath(self._folder), entry["source"])))

    def has_finished(self, target: Path, source: Path) -> bool:
        """Return whether a file is what would be made now."""
        source_is = {"source": _relative(source, self._folder), "source_state": state_of(source)}
        wanted = {**source_is, "settings": self._settings}
        entry = self._entry(target) or {}
        return all(entry.get(key) == value for key, value in wanted.items())

    @contextmanager
    def continued(self) -> Iterator[NoteLines]:
        """Keep other runs out of the folder, and give what adds lines.

        Raises
        ------
        ValueError
            If another run writes into the folder, or has since this note was read.
        OSError
            If the note cannot be written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        with open(self._path, "a+b") as handle:
            _lock(handle, self._folder, fcntl.LOCK_EX)
            if os.fstat(handle.fileno()).st_size != len(self._read):
                raise ValueError(f"another blsh denoise has just written into {self._folder}: run this again")
            if not self._is_readable:
                handle.truncate(0)
                handle.write(json.dumps(_HEAD).encode() + b"\n")
                handle.flush()
            yield NoteLines(self._folder, self._settings)

    def _entry(self, target: Path) -> dict[str, Any] | None:
        """Return the last line that speaks of a file as it is now."""
        now = state_of(target)
        entries = self._entries.get(target.relative_to(self._folder).as_posix(), [])
        return next((entry for entry in reversed(entries) if entry["target_state"] == now), None)


@dataclass(frozen=True)
class NoteLines:
    """What adds lines to a note, from any process of a run."""

    folder: Path
    settings: Mapping[str, Any]

    def require_there(self) -> None:
        """Raise ValueError if the note was removed or emptied under the run."""
        path = self.folder / NOTE
        size, _ = state_of(path) or (0, 0)
        if not size:
            raise ValueError(
                f"{path} was removed or emptied while files were cleaned: run the same command again, with --overwrite "
                "if files are there that it does not know"
            )

    def add(self, target: Path, whole: Path, source: Path, source_state: State | None) -> None:
        """Note a file that is whole under a temporary name, before it gets its own.

        Parameters
        ----------
        target, whole
            Its own name, and its temporary one.
        source, source_state
            What it was made from, and ``state_of`` that before it was read.
        """
        self.require_there()
        line = {"target": target.relative_to(self.folder).as_posix(), "target_state": state_of(whole)}
        line |= {"source": _relative(source, self.folder), "source_state": source_state, "settings": self.settings}
        # One write at the end of the file: lines of several processes do not mix.
        with open(self.folder / NOTE, "a+b") as handle:
            handle.seek(-1, os.SEEK_END)
            torn = handle.read(1) != b"\n"  # the last line of a run that was killed
            handle.write(b"\n" * torn + json.dumps(line).encode() + b"\n")
            handle.flush()
            os.fsync(handle.fileno())


def state_of(path: Path) -> State | None:
    """Return size in bytes and time of the last change in ns, of what is there."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]


def _lock(handle: BinaryIO, folder: Path, kind: int) -> None:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ValueError(f"another blsh denoise writes into {folder}: wait for it, or name another folder") from None
    except OSError:
        pass  # some network file systems have no locks


def _relative(source: Path, folder: Path) -> str:
    return os.path.relpath(os.path.realpath(source), os.path.realpath(folder))


def _parsed(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
