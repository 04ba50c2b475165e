"""What becomes part of a compiled kernel besides its own source: other kernels, and constants.

numba compiles a function anew after its own file has changed, but not after a change of what it takes from elsewhere.
So everything that a kernel names is followed here, kernel by kernel, and its sources and values make a stamp.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType

import numpy as np

__all__ = ["stamp_of_parts"]


@cache
def stamp_of_parts(function: FunctionType) -> str:
    """Hash the files of all functions that a kernel calls, and the global constants that they use.

    Raises
    ------
    TypeError
        If a kernel uses something of which it is not known how to notice a change.
    """
    functions: dict[FunctionType, None] = {}
    constants: set[bytes] = set()
    _follow(function, functions, constants)
    files = {_hash_of_file(inspect.getfile(part)) for part in functions}
    return hashlib.sha256(b"\0".join(sorted(files | constants))).hexdigest()


def _follow(function: FunctionType, functions: dict[FunctionType, None], constants: set[bytes]) -> None:
    if function in functions:
        return
    functions[function] = None
    for name, value in _named(function):
        value = inspect.unwrap(value)  # of kernels and intrinsics, the function
        if isinstance(value, FunctionType):
            _follow(value, functions, constants)
        elif isinstance(value, bool | int | float | str | np.generic | np.ndarray):
            array = np.asarray(value)
            constants.add(f"{name} {array.dtype} {array.shape} ".encode() + array.tobytes())
        elif not isinstance(value, type | BuiltinFunctionType | np.ufunc) and not _is_library(value):
            raise TypeError(
                f"kernel {function.__name__} uses {name}, a {type(value).__name__}: follow it in {__name__}"
            )


def _named(function: FunctionType) -> Iterator[tuple[str, object]]:
    """Yield what a function's names stand for, but for numbers that it closes over, which are in numba's own key."""
    for cell in function.__closure__ or ():
        if isinstance(inspect.unwrap(cell.cell_contents), FunctionType):
            yield "", cell.cell_contents
    for name in sorted(_names(function.__code__) & function.__globals__.keys()):
        yield name, function.__globals__[name]


def _is_library(value: object) -> bool:
    return isinstance(value, ModuleType) and value.__name__.split(".")[0] != __name__.split(".")[0]


def _names(code: CodeType) -> set[str]:
    inner = [_names(constant) for constant in code.co_consts if isinstance(constant, CodeType)]
    return set(code.co_names).union(*inner)


@cache
def _hash_of_file(path: str) -> bytes:
    return hashlib.sha256(Path(path).read_bytes()).digest()
