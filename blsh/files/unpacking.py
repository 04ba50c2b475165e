"""Unpacking of archives that strangers made: zip and tar, the latter plain or with gzip, bzip2 or xz.

An archive says where its files go, and a hostile one says `../../.profile`, or makes a link that leads out of
the folder and writes through it, or holds a petabyte of zeros. Here every name must stay inside the folder, a
member is a plain file or a folder and nothing else, permissions and owners are ignored, and the bytes and the
members are counted before they are written; a member that holds more than it says is an error.

All files go to a hidden folder inside the target first and are moved to their places when the archive has
been read to its end: what fails leaves nothing behind. A file of the same name is replaced.
"""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import os
import re
import secrets
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from blsh.files.atomic import require_free_space
from blsh.files.fail_points import fail_point
from blsh.files.messages import one_line

# What is left of these was left by a process that was killed.
SCRATCH_NAMES = ".unpacking-*.tmp"
MAX_BYTES = 1 << 38
MAX_MEMBERS = 1 << 20

Progress = Callable[[int, int], None]

_BLOCK = 1 << 20
# tarfile reads a member's extended header in one piece; a real one has some hundred bytes.
_HEADER_MAX = 1 << 22
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OverflowError,
    gzip.BadGzipFile,
    NotImplementedError,
    UnicodeError,
)
_COMPRESSIONS = ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ\x00", lzma.open))

_Member = tuple[str, bool, int, Callable[[], IO[bytes]]]


def unpack(
    archive: Path,
    folder: Path,
    *,
    max_bytes: int = MAX_BYTES,
    max_members: int = MAX_MEMBERS,
    reserved: Collection[str] = (),
    progress: Progress | None = None,
) -> tuple[str, ...]:
    """Unpack an archive into a folder.

    Parameters
    ----------
    archive : Path
        A zip or tar file; its content says which.
    folder : Path
        Made if it is missing.
    max_bytes, max_members : int
        Most bytes and members (files and folders) that it may hold.
    reserved : collection of str
        Names at the top of the folder that no member may have or lie in.
    progress : callable, optional
        Called with (bytes of the archive read, bytes of the archive) after each member; for a zip file, which
        is not read in order, with bytes written and bytes to write.

    Returns
    -------
    tuple of str
        The files' paths in the folder, sorted, with forward slashes.

    Raises
    ------
    FileNotFoundError
        If there is no such archive.
    ValueError
        If it is neither zip nor tar, is damaged, encrypted or truncated, exceeds a limit, or holds a name that
        leaves the folder or is reserved, a link, a device, or one name twice. Nothing is left in the folder.
    OSError
        With `errno.ENOSPC`, if the disk has no room for it.
    """
    archive, folder = Path(archive), Path(folder)
    if not archive.is_file():
        raise FileNotFoundError(f"archive {archive} does not exist: fetch it first")
    folder.mkdir(parents=True, exist_ok=True)
    scratch = folder / SCRATCH_NAMES.replace("*", secrets.token_hex(4))
    scratch.mkdir()
    try:
        files = _write_members(archive, scratch, max_bytes, max_members, progress)
        for name in files:
            if name.split("/")[0] in reserved:
                raise ValueError(f"archive {archive} holds {name!r:.300}, a name that is not its to give")
            _check_place(folder, name, archive)
        for name in files:
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            os.replace(scratch / name, place)
    except _BROKEN as error:
        raise ValueError(_damaged(archive, error)) from error
    except OSError as error:
        # Without a number: what bz2 says of bytes that are none of its own. EINVAL: an offset before the file's start.
        if error.errno not in (None, errno.EINVAL):
            raise
        raise ValueError(_damaged(archive, error)) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return tuple(sorted(files))


def _write_members(
    archive: Path, scratch: Path, max_bytes: int, max_members: int, progress: Progress | None
) -> list[str]:
    n_bytes, n_members = 0, 0
    files: list[str] = []
    folders: set[str] = set()
    with _opened(archive) as (members, done):
        for raw, is_folder, size, open_member in members:
            n_members += 1
            n_bytes += size
            if n_members > max_members or n_bytes > max_bytes:
                raise ValueError(
                    f"archive {archive} holds more than {max_members} members or {max_bytes} bytes: it is not unpacked"
                )
            name = _inner_name(raw, archive)
            if not name:
                continue
            place = scratch / name
            try:
                if is_folder:
                    place.mkdir(parents=True, exist_ok=True)
                    folders.add(name)
                else:
                    place.parent.mkdir(parents=True, exist_ok=True)
                    _copy(open_member, place, size, raw, archive)
                    files.append(name)
                    fail_point("unpack.member")
            except (FileExistsError, NotADirectoryError, IsADirectoryError):
                raise ValueError(
                    f"archive {archive} holds {raw!r:.300} twice, as file or folder: it is not unpacked"
                ) from None
            except OSError as error:
                if error.errno != errno.ENAMETOOLONG:
                    raise
                raise ValueError(
                    f"archive {archive} holds a name of {len(raw)} characters ({raw!r:.100}…), too long for this disk"
                ) from None
            if progress is not None:
                progress(*done(n_bytes))
    if not files:
        raise ValueError(f"archive {archive} holds no file: fetch it again")
    return files


def _copy(open_member: Callable[[], IO[bytes]], place: Path, size: int, raw: str, archive: Path) -> None:
    require_free_space(place.parent, size, f"{archive.name}: {raw}")
    left = size
    with open_member() as source, open(place, "xb") as target:
        while block := source.read(min(_BLOCK, left + 1)):
            left -= len(block)
            if left < 0:
                break
            target.write(block)
    if left:
        raise ValueError(
            f"archive {archive} is damaged, {raw!r:.300} is not of the {size} bytes that it says: "
            f"remove it and fetch it again"
        )


@contextmanager
def _opened(archive: Path) -> Iterator[tuple[Iterator[_Member], Callable[[int], tuple[int, int]]]]:
    """Members in their order, and a function from bytes written to (done, in all)."""
    with open(archive, "rb") as handle:
        magic = handle.read(8)
        handle.seek(0)
        if magic[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
            with zipfile.ZipFile(handle) as opened:
                infos = opened.infolist()
                total = sum(info.file_size for info in infos)
                yield _zip_members(opened, infos, archive), lambda n_bytes: (n_bytes, total)
            return
        opener = next((opener for start, opener in _COMPRESSIONS if magic.startswith(start)), None)
        plain = opener(handle) if opener else handle
        n_archive = archive.stat().st_size
        try:
            with _open_tar(plain) as tar:
                yield _tar_members(tar, archive), lambda _: (min(handle.tell(), n_archive), n_archive)
        except tarfile.ReadError as error:
            raise ValueError(
                f"archive {archive} is damaged, or neither zip nor tar ({one_line(error)}): fetch it again"
            ) from None
        finally:
            plain.close()


def _zip_members(opened: zipfile.ZipFile, infos: list[zipfile.ZipInfo], archive: Path) -> Iterator[_Member]:
    for info in infos:
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise ValueError(_not_plain(info.filename, archive))
        if info.flag_bits & 1:
            raise ValueError(f"archive {archive} is encrypted: unpack it by hand")
        # `orig_filename` is the name before zipfile makes it harmless, a NUL would cut it short; `is_dir` fails on ''.
        yield info.orig_filename, info.filename.endswith("/"), info.file_size, lambda info=info: opened.open(info)


def _tar_members(tar: tarfile.TarFile, archive: Path) -> Iterator[_Member]:
    while (member := _next_member(tar)) is not None:
        if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE) or member.issparse():
            raise ValueError(_not_plain(member.name, archive))
        yield member.name, member.isdir(), member.size, lambda member=member: tar.extractfile(member)
        tar.members.clear()  # the list of all that was read would grow with the archive


def _open_tar(plain: IO[bytes]) -> tarfile.TarFile:
    try:
        return tarfile.open(fileobj=_Bounded(plain), mode="r:")
    except ValueError as error:  # tarfile takes the numbers of extended headers for numbers
        raise tarfile.ReadError(one_line(error)) from error


def _next_member(tar: tarfile.TarFile) -> tarfile.TarInfo | None:
    try:
        return tar.next()
    except ValueError as error:  # as above
        raise tarfile.ReadError(one_line(error)) from error


class _Bounded:
    """A file of which no more than `_HEADER_MAX` bytes are read at once."""

    def __init__(self, plain: IO[bytes]) -> None:
        self._plain = plain
        self.seek, self.tell = plain.seek, plain.tell

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _HEADER_MAX:
            raise tarfile.ReadError(f"a header of {size} bytes")
        return self._plain.read(size)


def _damaged(archive: Path, error: Exception) -> str:
    return f"archive {archive} is damaged ({one_line(error)}): remove it and fetch it again"


def _not_plain(name: str, archive: Path) -> str:
    return f"archive {archive} holds {name!r:.300}, a link or device: only plain files and folders are unpacked"


def _inner_name(raw: str, archive: Path) -> str:
    """Return a member's path inside the folder, '' for the folder itself."""
    parts = [part for part in raw.rstrip("/").split("/") if part != "."]
    outside = raw.startswith("/") or "\\" in raw or raw[1:2] == ":" or any(part in ("", "..") for part in parts)
    if (outside and raw not in (".", "./")) or _UNPRINTABLE.search(raw):
        raise ValueError(f"archive {archive} holds the name {raw!r:.300}, which leaves the folder: it is not unpacked")
    return "/".join(parts)


def _check_place(folder: Path, name: str, archive: Path) -> None:
    """Refuse to write through a link that the folder itself holds and that leads out of it."""
    root = folder.resolve()
    place = folder / name
    if not place.parent.resolve().is_relative_to(root):
        raise ValueError(f"{place} lies behind a link that leaves {folder}: {archive} is not unpacked")
    if place.is_dir():
        raise ValueError(f"{place} is a folder, and a file in {archive}: move it away")
    parent = folder
    for part in name.split("/")[:-1]:
        parent = parent / part
        if os.path.lexists(parent) and not parent.is_dir():
            raise ValueError(f"{parent} is no folder, and one in {archive}: move it away")
