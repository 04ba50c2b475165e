"""Which file goes where, and which are finished: many inputs, one output folder, the tree kept.

A file of a folder IN goes to OUT under its path below IN, a file that was named itself to OUT under its own name. OUT
holds a note, `denoised.json`, of the settings and the model that made it. A file is finished if it is newer than its
input and than the note, and the note is written anew when the settings are others. So an interrupted run goes on, and
other settings start over.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blsh.files.atomic import write_json

__all__ = ["NOTE", "Task", "plan_tasks", "unfinished_tasks"]

NOTE = "denoised.json"
SUFFIXES = frozenset({".wav", ".wave", ".flac", ".ogg", ".oga", ".opus"})


@dataclass(frozen=True)
class Task:
    """A file to clean and where to write it."""

    source: Path
    target: Path


def plan_tasks(inputs: Sequence[Path], output: Path, spelled: str) -> tuple[list[Task], bool]:
    """Find the files and their outputs.

    Parameters
    ----------
    inputs
        Files and folders.
    output
        A file for one file, otherwise a folder.
    spelled
        The output as it was written: a final slash makes it a folder.

    Returns
    -------
    tasks, is_tree
        Whether the output is a folder.

    Raises
    ------
    FileNotFoundError
        If an input does not exist.
    ValueError
        If the output cannot be there, two inputs would have one output, an output is an input, a folder holds no
        sound file, or the output of one file has another suffix.
    """
    for path in inputs:
        if not path.exists():
            raise FileNotFoundError(f"{path} does not exist: name a sound file or a folder")
    for folder in output.parents:
        if folder.is_file():
            raise ValueError(f"{folder} is a file, so {output} cannot lie in it: name another output")
    is_tree = len(inputs) > 1 or inputs[0].is_dir() or output.is_dir() or spelled.endswith(("/", os.sep))
    if not is_tree:
        if output.suffix.lower() != inputs[0].suffix.lower():
            raise ValueError(f"{output} must end in {inputs[0].suffix!r} as {inputs[0]} does: the format is kept")
        tasks = [Task(inputs[0], output)]
    else:
        if output.exists() and not output.is_dir():
            raise ValueError(f"{output} is a file: several files, or a folder, need a folder to go to")
        tasks = [
            Task(base / name, output / name)
            for path in inputs
            for base in [path if path.is_dir() else path.parent]
            for name in _sound_files(path, output)
        ]
    sources = {task.source.resolve() for task in tasks}
    planned: dict[Path, Task] = {}
    for task in tasks:
        if task.target.resolve() in sources:
            raise ValueError(f"{task.target} is an input: recordings are never overwritten, give another output")
        other = planned.setdefault(task.target, task)
        if other.source.resolve() != task.source.resolve():
            raise ValueError(f"{other.source} and {task.source} would both become {task.target}: clean them apart")
    return list(planned.values()), is_tree


def unfinished_tasks(tasks: Sequence[Task], output: Path, settings: Mapping[str, Any]) -> list[Task]:
    """Return what is still to do with these settings, and note them in the output folder."""
    path = output / NOTE
    try:
        noted = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        noted = None
    if noted != dict(settings):
        write_json(path, dict(settings))
        return list(tasks)
    since = path.stat().st_mtime_ns
    return [task for task in tasks if not _is_newer(task.target, max(since, task.source.stat().st_mtime_ns))]


def _is_newer(path: Path, time_ns: int) -> bool:
    return path.is_file() and path.stat().st_mtime_ns >= time_ns


def _sound_files(path: Path, output: Path) -> list[Path]:
    """Names of an input below itself; of a file, its name below its folder."""
    if not path.is_dir():
        return [Path(path.name)]
    found = sorted(_walk(path, output.resolve()))
    names = [name for name in found if name.suffix.lower() in SUFFIXES]
    if not names:
        raise ValueError(f"{path} holds no sound file ({', '.join(sorted(SUFFIXES))})")
    if len(names) < len(found):
        print(f"{len(found) - len(names)} files in {path} are not WAV, FLAC or Ogg and left out", file=sys.stderr)
    return names


def _walk(folder: Path, output: Path) -> Iterator[Path]:
    """Files below a folder, but hidden ones and what lies in the output folder."""
    for parent, folders, files in os.walk(folder):
        inside = (name for name in folders if not name.startswith(".") and (Path(parent) / name).resolve() != output)
        folders[:] = sorted(inside)
        yield from ((Path(parent) / name).relative_to(folder) for name in files if not name.startswith("."))
