"""The stamped `.npz` format: an uncompressed zip of `stamp.json`, first, and of one `.npy` per array by name.

    stamp.json = {"kind": …, "version": …, "metadata": {…}, "sha256": digest of these three and of the arrays}

`numpy.load` reads the arrays and `unzip -p FILE stamp.json` shows what they are. Equal values give equal
bytes: names are sorted, the zip's dates and systems fixed, nothing is compressed (which depends on zlib's
version).

Reading trusts nothing. Compressed members are refused, so there is no bomb; the members' sizes must fit
into the file together, so no header makes the reader allocate what is not there; and the digest sees what
the zip's own 32-bit sums miss.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from blsh.files import _npy
from blsh.files.checksums import canonical_json
from blsh.files.fail_points import fail_point
from blsh.files.messages import one_line

_STAMP = "stamp.json"
_STAMP_KEYS = {"kind", "version", "metadata", "sha256"}
_STAMP_BYTES_MAX = 1 << 24
_ARRAY_NAME = re.compile(r"[A-Za-z0-9_]+")
_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say
_UNIX = 3
_MEMBER_RECORDS_MAX = 1024  # bytes of the zip's own about a member: more than enough
# What zipfile and json raise for bytes that are not theirs; RuntimeError is encryption or endless nesting.
_DAMAGE = (
    *(ValueError, EOFError, OSError, RuntimeError, OverflowError),
    *(struct.error, zlib.error, lzma.LZMAError, zipfile.BadZipFile),
)


def check_size(stamp: Mapping[str, Any], arrays: Mapping[str, np.ndarray], path: str | Path) -> int:
    """Return an upper bound of the file's bytes.

    Raises
    ------
    ValueError
        If a name, a dtype or the stamp's size cannot be stored.
    """
    stamp_bytes = len(_stamp_text(stamp, "0" * 64))
    if stamp_bytes > _STAMP_BYTES_MAX:
        raise ValueError(f"metadata of {stamp_bytes} bytes exceeds {_STAMP_BYTES_MAX}: use arrays ({path})")
    for name in arrays:
        if not _ARRAY_NAME.fullmatch(name):
            raise ValueError(f"array name {name!r} must be letters, digits and underscores ({path})")
    sizes = [len(_npy.header_bytes(array.dtype, array.shape)) + array.nbytes for array in arrays.values()]
    return stamp_bytes + sum(sizes) + _MEMBER_RECORDS_MAX * (1 + len(sizes))


def write(path: Path, stamp: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Write C-contiguous arrays and the stamp, to which the digest is added."""
    text = _stamp_text(stamp, _digest(stamp, arrays))
    with zipfile.ZipFile(path, "w") as archive:
        with archive.open(_member(_STAMP, len(text)), "w") as handle:
            handle.write(text)
        for name, array in sorted(arrays.items()):
            header = _npy.header_bytes(array.dtype, array.shape)
            with archive.open(_member(f"{name}.npy", len(header) + array.nbytes), "w") as handle:
                handle.write(header)
                _npy.write_body(handle, array)
            fail_point("archive.member")


def read(handle: BinaryIO, n_bytes: int) -> tuple[dict[str, Any], dict[str, np.ndarray], bool]:
    """Read a file of `n_bytes`.

    Returns
    -------
    stamp, arrays, intact
        The stamp without its digest; whether the digest is that of the contents.

    Raises
    ------
    ValueError
        If the file is not in this format.
    """
    try:
        with zipfile.ZipFile(handle) as archive:
            members = archive.infolist()
            _require_modest(members, n_bytes)
            stamp = json.loads(archive.read(members[0]))
            if not isinstance(stamp, dict) or set(stamp) != _STAMP_KEYS:
                raise ValueError(f"{_STAMP} has not the entries {', '.join(sorted(_STAMP_KEYS))}")
            if not isinstance(stamp["metadata"], dict):
                raise ValueError(f"the metadata in {_STAMP} is not an object")
            arrays = {}
            for member in members[1:]:
                with archive.open(member) as stream:
                    arrays[member.filename.removesuffix(".npy")] = _npy.read_array(stream, member.file_size)
        digest = stamp.pop("sha256")
        return stamp, arrays, digest == _digest(stamp, arrays)
    except _DAMAGE as error:
        raise ValueError(one_line(error)) from error


def read_unstamped(handle: BinaryIO, names: Sequence[str], max_bytes: int) -> dict[str, np.ndarray]:
    """Read some arrays of an `.npz` that anyone made, compressed or not.

    Raises
    ------
    ValueError
        If it is none, an array is missing or no plain one, or they take more than `max_bytes` together.
    """
    try:
        with zipfile.ZipFile(handle) as archive:
            sizes = {member.filename: member.file_size for member in archive.infolist()}
            for name in names:
                if f"{name}.npy" not in sizes:
                    raise ValueError(f"it has no array {name!r}")
            claimed = sum(sizes[f"{name}.npy"] for name in names)
            if claimed > max_bytes:
                raise ValueError(f"its arrays claim {claimed} bytes, more than {max_bytes}")
            arrays = {}
            for name in names:
                with archive.open(f"{name}.npy") as stream:
                    arrays[name] = _npy.read_any_array(stream, sizes[f"{name}.npy"])
            return arrays
    except _DAMAGE as error:
        raise ValueError(one_line(error)) from error


def _require_modest(members: list[zipfile.ZipInfo], n_bytes: int) -> None:
    """Check names and sizes as the zip's directory gives them, before anything is read by them."""
    names = [member.filename for member in members]
    if names[:1] != [_STAMP] or len(set(names)) != len(names):
        raise ValueError(f"its first member must be {_STAMP} and every name unique")
    for member in members[1:]:
        if not member.filename.endswith(".npy") or not _ARRAY_NAME.fullmatch(member.filename[:-4]):
            raise ValueError(f"member {member.filename!r:.80} is not the .npy of a plain name")
    for member in members:
        if member.compress_type != zipfile.ZIP_STORED or member.file_size != member.compress_size:
            raise ValueError(f"member {member.filename!r:.80} is compressed")
    claimed = sum(member.file_size for member in members)
    if claimed > n_bytes or members[0].file_size > _STAMP_BYTES_MAX:
        raise ValueError(
            f"its members claim {claimed} bytes, {members[0].file_size} of them for {_STAMP}; "
            f"the file has {n_bytes} and a stamp at most {_STAMP_BYTES_MAX}"
        )


def _stamp_text(stamp: Mapping[str, Any], digest: str) -> bytes:
    return json.dumps({**stamp, "sha256": digest}, sort_keys=True, indent=2, allow_nan=False).encode() + b"\n"


def _digest(stamp: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256(canonical_json(stamp).encode() + b"\n")
    for name, array in sorted(arrays.items()):
        # The header says dtype and shape, hence where the bytes end and the next name begins.
        digest.update(name.encode() + b"\n" + _npy.header_bytes(array.dtype, array.shape))
        digest.update(_npy.as_bytes(array))
    return digest.hexdigest()


def _member(name: str, n_bytes: int) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, _DATE)
    member.file_size = n_bytes  # from 2 GiB on, the zip needs its 64-bit records
    member.create_system = _UNIX
    return member
