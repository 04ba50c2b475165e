"""Writes that are whole or absent.

A reader, or a workflow that looks at what exists, must never meet half a file: not after a crash, a full
disk or a killed job. So every file is written under a temporary name *in its own folder* (a rename is
atomic only within one file system), flushed to the disk, and then renamed over the final name. What fails
leaves the old file, or none. Links are followed. A pipe or a device keeps its place: what is whole is copied into it.
"""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from blsh.files.destination import Destination, destination
from blsh.files.fail_points import fail_point

# What a killed process leaves behind matches this; `blsh run` and `blsh denoise` remove it.
TEMPORARY_NAMES = ".*-????????.tmp*"
_TEMPORARY_NAME = re.compile(r"\.(.*)-[0-9a-f]{8}\.tmp(.*)", re.DOTALL)
_ABANDONED_SECONDS = 60.0  # a file that is being written changes all the time

_unfinished: set[Path] = set()  # of this process


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Give a temporary name to write to; rename it to `path` if the block succeeds, remove it if it fails.

    Parameters
    ----------
    path
        The final name. Its folder is made; a file that has this name is replaced, through links that lead to it. What
        is written for a pipe or a device is copied into it.

    Yields
    ------
    Path
        A hidden name in the same folder with the same suffix (libraries choose a format by it). The block
        creates the file, so it gets the permissions of any new file.

    Raises
    ------
    ValueError
        If `path` is a folder, a socket, a disk, write-protected, or a link to nowhere, or the block wrote nothing.
    """
    place = destination(path)
    if place.is_through:
        with _copied_through(place) as temporary:
            yield temporary
        return
    path = place.path
    path.parent.mkdir(parents=True, exist_ok=True)
    # 40 characters of the stem keep the temporary name below the 255 bytes of most file systems.
    temporary = path.parent / f".{path.stem[:40]}-{secrets.token_hex(4)}.tmp{path.suffix}"
    _unfinished.add(temporary)
    try:
        yield temporary
        _require_written(temporary, path)
        fail_point("atomic.written")
        _flush_to_disk(temporary)
        os.replace(temporary, path)
        fail_point("atomic.renamed")
    except OSError as error:
        # The system does not say which file found the disk full.
        if error.errno in (errno.ENOSPC, errno.EDQUOT) and error.filename is None:
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)
        _unfinished.discard(temporary)
    _flush_to_disk(path.parent)


@contextmanager
def _copied_through(place: Destination) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="blsh-") as folder:
        temporary = Path(folder, f"whole{place.path.suffix}")
        yield temporary
        _require_written(temporary, place.path)
        place.write_through(temporary)


def _require_written(temporary: Path, path: Path) -> None:
    if not temporary.is_file():
        raise ValueError(f"nothing was written for {path}: write to the name that atomic_path yields")


def remove_unfinished() -> None:
    """Remove what this process has begun to write, before it ends without a word."""
    for temporary in list(_unfinished):
        temporary.unlink(missing_ok=True)


def remove_abandoned(paths: Iterable[Path]) -> None:
    """Remove what killed processes had begun to write for these files, and have not touched for a minute."""
    names: dict[Path, set[tuple[str, str]]] = {}
    for path in paths:
        names.setdefault(path.parent, set()).add((path.stem[:40], path.suffix))
    for folder, ours in names.items():
        for temporary in folder.glob(TEMPORARY_NAMES):
            found = _TEMPORARY_NAME.fullmatch(temporary.name)
            if found and found.groups() in ours:
                with suppress(OSError):  # its process has just ended, or it is not ours to remove
                    if time.time() - temporary.stat().st_mtime > _ABANDONED_SECONDS:
                        temporary.unlink()


def write_text(path: str | Path, text: str) -> None:
    r"""Write `text` as UTF-8 with `\n` line ends."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: str | Path, obj: object) -> None:
    """Write `obj` as JSON: sorted keys, two spaces, a final newline.

    Raises
    ------
    ValueError
        If it holds NaN or an infinite number, which JSON cannot say.
    TypeError
        If it holds something else that JSON cannot say.
    """
    try:
        text = json.dumps(obj, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{path} cannot be written as JSON: {error}") from error
    write_text(path, text + "\n")


def require_free_space(place: str | Path, n_bytes: int, purpose: str) -> None:
    """Raise before a long write rather than in the middle of it.

    Parameters
    ----------
    place
        The file, or the folder where it will be; it need not exist yet. Of a pipe or a device nothing is asked.
    n_bytes : int >= 0
        What will be written.
    purpose
        What needs the space, for the message.

    Raises
    ------
    OSError
        With `errno.ENOSPC`, if its file system has fewer free bytes.
    """
    existing = Path(place).absolute()
    while not existing.exists():
        existing = existing.parent
    if not existing.is_dir():
        if not existing.is_file():
            return
        existing = existing.resolve().parent
    free = shutil.disk_usage(existing).free
    if n_bytes > free:
        raise OSError(
            errno.ENOSPC,
            f"{purpose} needs {n_bytes} bytes and {free} are free in {existing}: make room or choose another folder",
        )


def _flush_to_disk(path: Path) -> None:
    # A folder is flushed too, or a power cut could forget the rename; not every file system can do that.
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)
