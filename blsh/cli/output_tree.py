"""Which file goes where, and which are left to do: many inputs, one output folder, the tree kept.

A file of a folder IN goes to OUT under its path below IN, links to folders followed; a file that was named itself goes
to OUT under its own name. What OUT's note says is finished is skipped, so an interrupted run goes on, and files whose
input or settings have changed are cleaned again. What the note does not know, or was made from another recording of
the same name, is replaced only when that is asked for.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from blsh.cli.cleaning_note import NOTE, CleaningNote
from blsh.cli.outputs import identity
from blsh.files.destination import destination
from blsh.files.walking import walk

__all__ = ["Task", "goes_to_folder", "plan_tasks", "unfinished_tasks"]

SUFFIXES = frozenset({".wav", ".wave", ".flac", ".ogg", ".oga", ".opus"})


@dataclass(frozen=True)
class Task:
    """A file to clean and where to write it."""

    source: Path
    target: Path


def goes_to_folder(inputs: Sequence[Path], output: Path, spelled: str) -> bool:
    """Return whether the output is a folder: of several files or a folder, or because it is one or is spelled so."""
    return len(inputs) > 1 or inputs[0].is_dir() or output.is_dir() or spelled.endswith(("/", os.sep))


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
        If the output cannot be there, two inputs would have one output, an output is an input or lies where the
        note is kept, a folder holds no sound file, or the output of one file has another suffix.
    """
    for path in inputs:
        if not path.exists():
            raise FileNotFoundError(f"{path} does not exist: name a sound file or a folder")
    for folder in output.parents:
        if folder.is_file():
            raise ValueError(f"{folder} is a file, so {output} cannot lie in it: name another output")
    is_tree = goes_to_folder(inputs, output, spelled)
    if not is_tree:
        if output.suffix.lower() != inputs[0].suffix.lower() and not destination(output).is_through:
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
        if below := [task.target for task in tasks if output / NOTE in task.target.parents]:
            raise ValueError(
                f"{below[0]} cannot be: {output / NOTE} is the note of the output folder; rename the folder"
            )
    sources = {identity(task.source) for task in tasks} - {None}
    planned: dict[Path, Task] = {}
    for task in tasks:
        if identity(task.target) in sources:
            raise ValueError(f"{task.target} is an input: recordings are never overwritten, give another output")
        other = planned.setdefault(task.target, task)
        if other.source.resolve() != task.source.resolve():
            raise ValueError(f"{other.source} and {task.source} would both become {task.target}: clean them apart")
    return list(planned.values()), is_tree


def unfinished_tasks(tasks: Sequence[Task], note: CleaningNote) -> list[Task]:
    """Return what is left to do.

    Raises
    ------
    ValueError
        If a file would be replaced that the note does not know, or that was made from another recording.
    """
    there = [task for task in tasks if os.path.lexists(task.target)]
    if unknown := [task.target for task in there if not note.knows(task.target)]:
        raise ValueError(
            f"{unknown[0]}{_and_more(unknown)} would be replaced, and {NOTE} does not know it as blsh wrote it: "
            "clean into another folder, or give --overwrite"
        )
    others = [(task, other) for task in there if (other := note.other_source(task.target, task.source))]
    if others:
        task, other = others[0]
        raise ValueError(
            f"{task.target}{_and_more(others)} was made from {other}, and {task.source} would replace it: "
            "clean into another folder, or give --overwrite"
        )
    return [task for task in tasks if not note.has_finished(task.target, task.source)]


def _and_more(found: Sequence[object]) -> str:
    return f" (the first of {len(found)} files)" if len(found) > 1 else ""


def _sound_files(path: Path, output: Path) -> list[Path]:
    """Names of an input below itself; of a file, its name below its folder."""
    if not path.is_dir():
        return [Path(path.name)]
    found = sorted(walk(path, leave_out=output))
    names = [name for name in found if name.suffix.lower() in SUFFIXES]
    if not names:
        raise ValueError(f"{path} holds no sound file ({', '.join(sorted(SUFFIXES))})")
    if len(names) < len(found):
        print(f"{len(found) - len(names)} files in {path} are not WAV, FLAC or Ogg and left out", file=sys.stderr)
    return names
