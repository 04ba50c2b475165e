"""The files below a folder, links to folders followed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["walk"]


def walk(folder: Path, *, leave_out: Path | None = None) -> Iterator[Path]:
    """Yield the paths of files relative to `folder`, but hidden ones and those of hidden folders.

    A folder that can be reached in several ways is entered once, where it lies if that is below `folder`; so circles
    of links end. The folder `leave_out`, and what lies in it, is not entered, unless `folder` itself lies in it.
    """
    closed = None if leave_out is None else Path(os.path.realpath(leave_out))
    if closed is not None and Path(os.path.realpath(folder)).is_relative_to(closed):
        closed = None
    seen = set()
    tops = [folder]
    for top in tops:  # grows: links wait until all that really lies here has been entered
        for parent, folders, files in os.walk(top):
            real = os.path.realpath(parent)
            if real in seen or (closed is not None and Path(real).is_relative_to(closed)):
                folders.clear()
                continue
            seen.add(real)
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            tops += [path for name in folders if (path := Path(parent, name)).is_symlink()]
            yield from (Path(parent, name).relative_to(folder) for name in files if not name.startswith("."))
