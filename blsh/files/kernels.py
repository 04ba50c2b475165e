"""Compiled kernels: numba's decorator, with a cache on disk that can be trusted.

Numba's own cache can hand out wrong code without a word, in two ways, and this one cannot:

- For each function numba keeps an index of what it has compiled, by signature and by the values that the function
  closes over, and a numbered file for each. Two processes that compile at the same time can both take the same number
  for different entries, and one that reads can find the number of an entry whose file is still an older version's
  [1]_. The entry then holds another function's code, in all later processes as well. So each use of an index waits
  here for the one before.
- A function is compiled anew after its own file has changed, but not after a change of one that became part of it
  [2]_. So the cache here also asks for the modules whose functions become parts of others: the hashing package's with
  an underscore.

References
----------
.. [1] https://github.com/numba/numba/issues/10128
.. [2] Numba's manual, "Notes on Caching", limitations.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numba
from numba import config, prange

__all__ = ["njit", "prange"]

_MODULES_OF_PARTS = "hashing/_[!_]*.py"


def njit(**options: object) -> Callable:
    """Compile a function when it is first called, as `numba.njit` does, and keep the result on disk."""

    def decorate(function: Callable) -> Callable:
        kernel = numba.njit(cache=True, **options)(function)
        if not config.DISABLE_JIT:
            kernel._cache._cache_file = _SharedFiles(kernel._cache._cache_file)
        return kernel

    return decorate


class _SharedFiles:
    """The index and data files of one function, used by one process at a time."""

    def __init__(self, files) -> None:
        self._files = files
        files._source_stamp = files._source_stamp, _stamp_of_parts()

    def save(self, key: object, data: object) -> None:
        with self._alone(os.O_CREAT):
            self._files.save(key, data)

    def load(self, key: object) -> object:
        try:
            with self._alone():
                return self._files.load(key)
        except FileNotFoundError:  # nothing was ever saved
            return None

    @contextmanager
    def _alone(self, create: int = 0) -> Iterator[None]:
        path = f"{self._files._index_path}.lock"
        handle = os.open(path, os.O_RDONLY | create)  # to read, so that it may be another user's
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
            except OSError as error:
                text = f"{path} cannot be locked: set NUMBA_CACHE_DIR to a folder on a local disk"
                raise OSError(error.errno, text) from error
            yield
        finally:
            os.close(handle)


@cache
def _stamp_of_parts() -> str:
    folder = Path(__file__).parents[1]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(folder.glob(_MODULES_OF_PARTS)))).hexdigest()
