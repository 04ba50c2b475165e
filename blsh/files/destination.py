"""Where a write goes: to the file behind a link, or through a pipe or a device.

A rename onto a name puts a regular file there, whatever was there before: in place of a link its file would stay as it
was, and in place of ``/dev/null`` every program of the machine would fill a disk. So links are followed, as by any
program that opens a file, and what is no regular file keeps its place.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Destination", "destination"]

_LINKS_MAX = 40
_DESCRIPTORS = ("/dev/fd", "/proc/self/fd")


@dataclass(frozen=True)
class Destination:
    """What a name stands for, all links followed.

    Parameters
    ----------
    path
        The file to make or to replace, or the pipe or device to write through.
    is_through
        Whether it is written through.
    exists
        Whether it is there.
    descriptor
        Where the name is that of an open file of this process, such as ``/dev/stdout``, its number.
    """

    path: Path
    is_through: bool
    exists: bool
    descriptor: int | None = None

    def write_through(self, whole: Path) -> None:
        """Copy a file that is whole into the pipe or device; a pipe is waited for until it is read."""
        # Opened by its name, a redirected standard output would be cut to nothing and written from its beginning.
        target = self.path if self.descriptor is None else os.dup(self.descriptor)
        with open(target, "wb") as to, open(whole, "rb") as handle:
            shutil.copyfileobj(handle, to)


def destination(path: str | Path) -> Destination:
    """Follow the links of a name that is to be written.

    Raises
    ------
    ValueError
        If a file cannot or must not be there: it is a folder, a socket, a disk or write-protected, or a link into a
        folder that does not exist.
    OSError
        If links form a circle, or the name cannot be looked at.
    """
    named, path = Path(path), Path(path)
    for _ in range(_LINKS_MAX):
        if (descriptor := _descriptor(path)) is not None:
            return Destination(path, True, True, descriptor)
        if not path.is_symlink():
            break
        path = path.parent / os.readlink(path)
    else:
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(named))
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        if path != named and not path.parent.is_dir():
            raise ValueError(f"{named} is a link to {path}, whose folder does not exist: give another name") from None
        return Destination(path, False, False)
    if stat.S_ISDIR(mode):
        raise ValueError(f"{named} is a folder, not a file: give the name of a file in it")
    if stat.S_ISREG(mode):
        # Root may write everywhere; that does not make it a wish.
        if not mode & 0o222 or not os.access(path, os.W_OK):
            raise ValueError(f"{named} is write-protected: give another name, or permit writing (chmod u+w)")
        return Destination(path, False, True)
    if stat.S_ISFIFO(mode) or stat.S_ISCHR(mode):
        return Destination(path, True, True)
    raise ValueError(f"{named} is a socket or a disk, not a file: give another name")


def _descriptor(path: Path) -> int | None:
    """Return the number of the open file that a name in the folder of open files stands for."""
    if not path.name.isdecimal():
        return None
    folder = os.path.realpath(path.parent)
    return int(path.name) if any(folder == os.path.realpath(known) for known in _DESCRIPTORS) else None
