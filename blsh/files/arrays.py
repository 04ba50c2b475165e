"""Arrays on disk: plain `.npy` files, files written row by row, and stamped `.npz` models.

A plain file is written with ordinary writes after a look at the free space, and may be mapped for reading
(a mapped *write* dies with SIGBUS on a full disk). A stamped file also says what it is, of which version,
with which settings it was made, and a checksum of all that: see `_archive` for its format. There is no
pickle in either, and loading allocates no more than the file really holds. `.npz` files of others are read
for their numbers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from blsh.files import _archive, _npy
from blsh.files.atomic import atomic_path, require_free_space
from blsh.files.checksums import canonical_json
from blsh.files.fail_points import fail_point


def save_array(path: str | Path, array: np.ndarray) -> None:
    """Write one array as `.npy`, in C order.

    Raises
    ------
    ValueError
        If its dtype needs pickle or is big-endian.
    OSError
        If the disk has no room for it.
    """
    array = np.asarray(array, order="C")
    header = _npy.header_bytes(array.dtype, array.shape)
    require_free_space(path, len(header) + array.nbytes, Path(path).name)
    with atomic_path(path) as temporary, open(temporary, "wb") as handle:
        handle.write(header)
        fail_point("array.header")
        _npy.write_body(handle, array)


def load_array(path: str | Path, *, mapped: bool = False) -> np.ndarray:
    """Load an array that `save_array` or `RowWriter` wrote.

    Parameters
    ----------
    path
        A `.npy` file.
    mapped
        Map the file read-only instead of reading it: its pages are the system's, not the process's.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a whole `.npy` file of a plain array.
    """
    path = Path(path)
    with open(path, "rb") as handle:
        n_bytes = path.stat().st_size
        try:
            if not mapped:
                return _npy.read_array(handle, n_bytes)
            dtype, shape, offset = _npy.read_header(handle, n_bytes)
            return np.memmap(path, dtype, "r", offset, shape).view(np.ndarray)
        except ValueError as error:
            raise ValueError(f"{path} cannot be loaded: {error}; make the file again") from error


class RowWriter:
    """Write a `.npy` array of known size row by row, for what is larger than memory.

    Parameters
    ----------
    path
        The final name; it appears when the last row is written and the block ends.
    n_rows, width : int >= 0
        Shape of the array.
    dtype
        Its type; appended rows must have it.

    Raises
    ------
    OSError
        On entering the block, if the disk has no room for the whole array.
    ValueError
        When rows of another width or dtype are appended, or more or fewer than `n_rows` in all.

    Examples
    --------
    >>> with RowWriter("features.npy", n_rows=4, width=2, dtype=np.float32) as writer:  # doctest: +SKIP
    ...     writer.append(np.zeros((3, 2), np.float32))
    ...     writer.append(np.ones((1, 2), np.float32))
    """

    def __init__(self, path: str | Path, n_rows: int, width: int, dtype: np.typing.DTypeLike):
        self.path = Path(path)
        self.shape = (n_rows, width)
        self.dtype = np.dtype(dtype)
        self._n_written = 0
        self._header = _npy.header_bytes(self.dtype, self.shape)

    def __enter__(self) -> RowWriter:
        n_rows, width = self.shape
        n_bytes = len(self._header) + n_rows * width * self.dtype.itemsize
        require_free_space(self.path, n_bytes, self.path.name)
        with ExitStack() as stack:
            temporary = stack.enter_context(atomic_path(self.path))
            self._handle = stack.enter_context(open(temporary, "wb"))
            self._handle.write(self._header)
            stack.push(self._require_all_rows)  # seen first on leaving, so a short file is never renamed
            self._stack = stack.pop_all()
        return self

    def append(self, rows: np.ndarray) -> None:
        """Write the next rows, of shape (any number, width)."""
        n_rows, width = self.shape
        if rows.ndim != 2 or rows.shape[1] != width or rows.dtype != self.dtype:
            raise ValueError(
                f"rows of shape {rows.shape} and dtype {rows.dtype} do not fit {self.path}: "
                f"it takes (any, {width}) of {self.dtype}"
            )
        self._n_written += len(rows)
        if self._n_written > n_rows:
            raise ValueError(f"row {self._n_written} exceeds the {n_rows} rows announced for {self.path}")
        _npy.write_body(self._handle, np.ascontiguousarray(rows))
        fail_point("array.rows")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return self._stack.__exit__(kind, error, trace)

    def _require_all_rows(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and self._n_written != self.shape[0]:
            raise ValueError(f"{self._n_written} of the {self.shape[0]} rows announced for {self.path} were written")


def save_stamped(
    path: str | Path, kind: str, version: int, metadata: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> None:
    """Write arrays with a stamp that says what they are.

    Parameters
    ----------
    path
        A `.npz` file.
    kind
        What the file is, `"projections"` say.
    version : int
        Version of this kind's layout.
    metadata
        A JSON object: keys are strings, tuples come back as lists.
    arrays
        Numbers, by name (letters, digits, underscores).

    Raises
    ------
    ValueError, TypeError
        If a name, a dtype or the metadata cannot be stored.
    OSError
        If the disk has no room for it.
    """
    contents = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    # Through JSON and back: the digest is of what a reader will see.
    stamp = json.loads(canonical_json({"kind": kind, "version": version, "metadata": dict(metadata)}))
    n_bytes = _archive.check_size(stamp, contents, path)
    require_free_space(path, n_bytes, Path(path).name)
    with atomic_path(path) as temporary:
        _archive.write(temporary, stamp, contents)


def load_stamped(path: str | Path, kind: str, version: int) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Load what `save_stamped` wrote, if it is of this kind and version and no bit of it has changed.

    Returns
    -------
    metadata, arrays

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is anything else than a whole file of this kind and version.
    """
    path = Path(path)
    if path.exists() and not path.is_file():  # a device may have no end
        raise ValueError(f"{path} is not a regular file: give a {kind} file of blsh")
    with open(path, "rb") as handle:
        try:
            stamp, arrays, intact = _archive.read(handle, path.stat().st_size)
        except ValueError as error:
            raise ValueError(f"{path} is no {kind} file of blsh: {error}; make or fetch it again") from error
    if stamp["kind"] != kind:
        raise ValueError(f"{path} holds kind {stamp['kind']!r:.40} where {kind!r} is needed: give another file")
    if stamp["version"] != version:
        raise ValueError(
            f"{path} has version {stamp['version']!r:.40} of kind {kind!r} and this blsh reads "
            f"version {version}: make the file again with this blsh"
        )
    if not intact:
        raise ValueError(f"{path} is damaged, its sha256 is not its contents': make or fetch it again")
    return stamp["metadata"], arrays


def load_unstamped(path: str | Path, names: Sequence[str], *, max_bytes: int = 1 << 28) -> dict[str, np.ndarray]:
    """Load arrays of numbers from an `.npz` that somebody else made, with `numpy.savez` or `savez_compressed`.

    Parameters
    ----------
    path
        A `.npz` file.
    names
        The arrays to read; the file may hold others.
    max_bytes : int > 0
        Most bytes that they may have together, whatever the file's size: it may be compressed.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no such file; if an array is missing, or does not hold plain numbers.
    """
    with open(path, "rb") as handle:
        try:
            return _archive.read_unstamped(handle, names, max_bytes)
        except ValueError as error:
            raise ValueError(f"{path} is no .npz of numbers: {error}") from error
