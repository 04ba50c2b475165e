"""The note of a folder of cleaned recordings: what each was made from, and how.

``denoised.json`` has a line of JSON for each step. A line is added before a file is begun, and another when it is
finished; of lines for one file the last counts. So a run that is killed loses no note of a finished file, a note of
thousands of files costs no more than its lines, and a file that was renamed into place in the moment of the kill is
known as one that blsh began.

A file is *known* if it is what was noted when it was written, by size and time, or was begun and is no longer what was
there before. A file that is not known is somebody else's work: it was there before, or has been edited since.
A file is *finished* if it is known, and its source, the source's size and time, the settings, the model and the version
of the code are those of its note. Sources are noted relative to the folder, so that both may move together.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from blsh.files.atomic import write_text

__all__ = ["NOTE", "CleaningNote"]

NOTE = "denoised.json"
_HEAD = {"kind": "what blsh denoise wrote here", "version": 2}

_State = list[int]


class CleaningNote:
    """The note of one output folder, read and continued.

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
        If there is something else under its name, and not `anew`.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any], *, anew: bool = False) -> None:
        self._folder, self._settings = folder, dict(settings)
        self._path = folder / NOTE
        self._finished: dict[str, dict[str, Any]] = {}
        self._begun: dict[str, dict[str, Any]] = {}
        self._source_states: dict[str, _State | None] = {}
        if self._path.exists() and not self._path.is_file():
            raise ValueError(f"{self._path} is no file, and a note is kept under this name: clean into another folder")
        text = self._path.read_text(encoding="utf-8", errors="replace") if self._path.exists() else ""
        head, *lines = text.split("\n")
        self._is_there = _parsed(head) == _HEAD
        if self._is_there:
            for line in lines:
                self._take(_parsed(line))
        elif text and not anew:
            raise ValueError(
                f"{self._path} does not say what each file was made from (an older blsh wrote less, or it is no note "
                "of blsh's): clean into another folder, or give --overwrite to clean all again"
            )

    def knows(self, target: Path) -> bool:
        """Return whether an existing file is as it was written here."""
        return self._entry(target) is not None

    def other_source(self, target: Path, source: Path) -> Path | None:
        """Return what a known file was made from, if that is not this source."""
        entry = self._entry(target)
        if entry is None or entry["source"] == self._relative(source):
            return None
        return Path(os.path.normpath(os.path.join(os.path.realpath(self._folder), entry["source"])))

    def has_finished(self, target: Path, source: Path) -> bool:
        """Return whether a file is what would be made now."""
        wanted = {"source": self._relative(source), "source_state": _state(source), "settings": self._settings}
        entry = self._entry(target) or {}
        return all(entry.get(key) == value for key, value in wanted.items())

    def begin(self, target: Path, source: Path) -> None:
        """Note that a file is about to be made; the line is on the disk before the file can be."""
        name = self._name(target)
        self._source_states[name] = _state(source)
        self._add({"target": name, "source": self._relative(source), "begun": _state(target)}, flush=True)

    def end(self, target: Path, source: Path, *, failed: bool) -> None:
        """Note that a file that was begun has been made, or that nothing was."""
        name, now = self._name(target), _state(target)
        line: dict[str, Any] = {"target": name}
        if not failed:
            line |= {"target_state": now, "source": self._relative(source)}
            line |= {"source_state": self._source_states[name], "settings": self._settings}
        elif self._begun[name]["begun"] != now:
            return  # it failed in the moment after the file appeared
        self._add(line)

    def _add(self, line: dict[str, Any], *, flush: bool = False) -> None:
        if not self._is_there:
            write_text(self._path, json.dumps(_HEAD) + "\n")
            self._is_there = True
        with open(self._path, "a+b") as handle:
            handle.seek(-1, os.SEEK_END)
            torn = handle.read(1) != b"\n"  # the last line of a run that was killed
            handle.write(b"\n" * torn + json.dumps(line).encode() + b"\n")
            if flush:
                handle.flush()
                os.fsync(handle.fileno())
        self._take(line)

    def _take(self, line: dict[str, Any]) -> None:
        name, source = line.get("target"), line.get("source", "")
        if not isinstance(name, str) or not isinstance(source, str):
            return
        if "begun" in line:
            self._begun[name] = line
            return
        self._begun.pop(name, None)
        if "target_state" in line:
            self._finished[name] = line

    def _entry(self, target: Path) -> dict[str, Any] | None:
        """Return the line that tells how an existing file came to be as it is."""
        name, now = self._name(target), _state(target)
        if now is None:
            return None
        begun, finished = self._begun.get(name), self._finished.get(name)
        if begun is not None and begun["begun"] != now:
            return begun
        return finished if finished is not None and finished["target_state"] == now else None

    def _name(self, target: Path) -> str:
        return target.relative_to(self._folder).as_posix()

    def _relative(self, source: Path) -> str:
        return os.path.relpath(os.path.realpath(source), os.path.realpath(self._folder))


def _parsed(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _state(path: Path) -> _State | None:
    """Return size in bytes and time of the last change in ns, of what is there."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]
