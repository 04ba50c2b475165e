"""Numba's cache of compiled functions, made so that it can be trusted, and that its failures cost time alone.

Numba's own can hand out wrong code without a word, in two ways, and this one cannot:

- For each function numba keeps an index of what it has compiled, by signature and by the values that the function
  closes over, and a numbered file for each. Two processes that compile at the same time can both take the same number
  for different entries, and one that reads can find the number of an entry whose file is still an older version's
  [1]_. The entry then holds another function's code, in all later processes as well. So each use of an index waits
  here for the one before.
- A function is compiled anew after its own file has changed, but not after a change of one that became part of it
  [2]_. So the index here also holds a stamp of those (`stamp_of_parts`).

Where numba finds no folder that can be written it raises as soon as a function is defined, and where a file is damaged
or the disk is full, later. Here the folder beside the source is then read, as that of a container's image can be, and
what cannot be read or kept is compiled. The log says so: once, before the first function is compiled.

References
----------
.. [1] https://github.com/numba/numba/issues/10128
.. [2] Numba's manual, "Notes on Caching", limitations.
"""

from __future__ import annotations

import fcntl
import itertools
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile, InTreeCacheLocator

from blsh.files._kernel_parts import stamp_of_parts

__all__ = ["KernelCache"]

_log = logging.getLogger(__name__)
_told: set[int] = set()  # levels


class _ReadOnlyLocator(InTreeCacheLocator):
    """The folder beside the source, whether it can be written or not."""

    @classmethod
    def from_function(cls, py_func: Callable, py_file: str) -> _ReadOnlyLocator:
        return cls(py_func, py_file)


class _Results(CompileResultCacheImpl):
    _locator_classes = (*CompileResultCacheImpl._locator_classes, _ReadOnlyLocator)


class KernelCache(FunctionCache):
    """The compiled forms of one function, on disk."""

    _impl_class = _Results

    def __init__(self, function: Callable) -> None:
        super().__init__(function)
        stamp = self._impl.locator.get_source_stamp()
        self._cache_file = _SharedFiles(self._cache_path, self._impl.filename_base, stamp, function)

    def load_overload(self, sig: object, target_context: object) -> object:
        """Return the compiled form for a signature, or None: then numba compiles it."""
        try:
            found = super().load_overload(sig, target_context)
        except OSError:
            found = None
        if found is None and not _told:
            self._tell()
        return found

    def save_overload(self, sig: object, data: object) -> None:
        """Keep a compiled form, if that is possible."""
        try:
            super().save_overload(sig, data)
        except OSError as error:
            _tell_of_failure(error)

    def _tell(self) -> None:
        try:
            self._impl.locator.ensure_cache_path()
        except OSError as error:
            _tell_of_failure(error)
        else:
            _tell_once(logging.INFO, "compiling the kernels for this machine, once: about ten seconds")


class _SharedFiles(IndexDataCacheFile):
    """The index and data files of one function, used by one process at a time."""

    def __init__(self, cache_path: str, filename_base: str, source_stamp: object, function: Callable) -> None:
        super().__init__(cache_path, filename_base, source_stamp)
        self._own_stamp = source_stamp
        self._function = function

    def save(self, key: object, data: object) -> None:
        with self._alone(os.O_CREAT):
            names = self._load_index()
            free = (name for name in map(self._data_name, itertools.count(1)) if name not in names.values())
            names.setdefault(key, next(free))
            # Before the index, which may not name an older version's file: not after a kill either, or on a full disk.
            self._save_data(names[key], data)
            self._save_index(names)

    def load(self, key: object) -> object:
        try:
            with self._alone():
                return super().load(key)
        except FileNotFoundError:  # nothing was ever saved
            return None

    def _load_index(self) -> dict:
        # Not before the first use: a kernel may name what its module defines after it.
        self._source_stamp = self._own_stamp, stamp_of_parts(self._function)
        try:
            return super()._load_index()
        except OSError:
            raise
        except Exception:  # half a pickle can raise anything
            return {}

    def _load_data(self, name: str) -> object:
        try:
            return super()._load_data(name)
        except Exception as error:
            raise OSError(f"{name} cannot be read") from error

    @contextmanager
    def _alone(self, create: int = 0) -> Iterator[None]:
        path = f"{self._index_path}.lock"
        handle = os.open(path, os.O_RDONLY | create)  # to read, so that it may be another user's
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
            except OSError as error:
                raise OSError(error.errno, f"{path} cannot be locked: {error.strerror}") from error
            yield
        finally:
            os.close(handle)


def _tell_of_failure(error: OSError) -> None:
    text = "compiling the kernels, about ten seconds at each start, as they cannot be kept (%s)"
    _tell_once(logging.WARNING, f"{text}: set NUMBA_CACHE_DIR to a folder on a local disk that can be written", error)


def _tell_once(level: int, text: str, *values: object) -> None:
    """Log, if nothing of this or a higher level was told."""
    if all(level > told for told in _told):
        _told.add(level)
        _log.log(level, text, *values)
