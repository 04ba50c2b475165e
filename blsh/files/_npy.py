"""The `.npy` format (NEP 1), version 1.0: a magic number, a one-line header, then the array's bytes.

NumPy's own reader evaluates the header as a Python literal, warns about old ones, and hands pickles on.
These files may come from strangers, so here the header must match one pattern (the text that NumPy itself
writes for a plain C-ordered array), and nothing is allocated before the bytes it claims are known to be
there.
"""

from __future__ import annotations

import io
import math
import re
from typing import BinaryIO

import numpy as np

_PREFIX = b"\x93NUMPY\x01\x00"
_SHAPE = rb"'shape': \((?P<shape>(?:[0-9]{1,18}, ){0,31}[0-9]{0,18},?)\), \} *\n"
# bool, integers of 8 to 64 bits, floats of 16 to 64, complex numbers of 64 and 128.
_HEADER = re.compile(
    rb"\{'descr': '(?P<dtype>\|b1|\|[iu]1|<[iu][248]|<f[248]|<c(?:8|16))', 'fortran_order': False, " + _SHAPE
)
_ANY_HEADER = re.compile(
    rb"\{'descr': '(?P<dtype>\|b1|\|[iu]1|[<>][iu][248]|[<>]f[248]|[<>]c(?:8|16))', "
    rb"'fortran_order': (?P<is_fortran>False|True), " + _SHAPE
)
_BLOCK_BYTES = 1 << 20


def header_bytes(dtype: np.dtype, shape: tuple[int, ...]) -> bytes:
    """Return what stands before the bytes of a C-ordered array.

    Raises
    ------
    ValueError
        If the dtype is not a plain little-endian number; objects would need pickle.
    """
    text = io.BytesIO()
    plain_shape = tuple(int(size) for size in shape)  # np.int64(3) would be written as such
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": plain_shape}
    np.lib.format.write_array_header_1_0(text, header)
    if not _HEADER.fullmatch(text.getvalue()[len(_PREFIX) + 2 :]):
        raise ValueError(
            f"an array of dtype {dtype} and shape {plain_shape} cannot be stored: "
            "only little-endian bool, integer, float and complex numbers"
        )
    return text.getvalue()


def write_body(handle: BinaryIO, array: np.ndarray) -> None:
    """Write a C-contiguous array's bytes with ordinary writes."""
    handle.write(as_bytes(array))


def as_bytes(array: np.ndarray) -> memoryview:
    """View a C-contiguous array as its bytes."""
    return memoryview(array.reshape(-1).view(np.uint8))


def read_array(handle: BinaryIO, n_bytes: int) -> np.ndarray:
    """Read the array that is the next `n_bytes` of `handle`.

    Raises
    ------
    ValueError
        If the header is not a plain one, or claims another size than `n_bytes`.
    """
    dtype, shape, offset = read_header(handle, n_bytes)
    return _read_body(handle, np.empty(shape, dtype), n_bytes - offset)


def read_any_array(handle: BinaryIO, n_bytes: int) -> np.ndarray:
    """Read an array of numbers that NumPy wrote on any machine: of either byte order, C- or Fortran-ordered.

    Raises
    ------
    ValueError
        As `read_array`.
    """
    match, offset = _read_start(handle, n_bytes, _ANY_HEADER)
    dtype, shape = _dtype_and_shape(match, n_bytes - offset)
    if match["is_fortran"] == b"True":
        return _read_body(handle, np.empty(shape[::-1], dtype), n_bytes - offset).T
    return _read_body(handle, np.empty(shape, dtype), n_bytes - offset)


def read_header(handle: BinaryIO, n_bytes: int) -> tuple[np.dtype, tuple[int, ...], int]:
    """Read a header and check it against the `n_bytes` of header and array together.

    Returns
    -------
    dtype, shape, offset
        `offset` is the number of bytes before the array's own.

    Raises
    ------
    ValueError
        If the header is not a plain one, or claims another size than `n_bytes`.
    """
    match, offset = _read_start(handle, n_bytes, _HEADER)
    return *_dtype_and_shape(match, n_bytes - offset), offset


def _read_start(handle: BinaryIO, n_bytes: int, pattern: re.Pattern[bytes]) -> tuple[re.Match[bytes], int]:
    """Match what stands before the bytes of an array; also its length."""
    start = handle.read(len(_PREFIX) + 2)
    if start[: len(_PREFIX)] != _PREFIX or len(start) != len(_PREFIX) + 2:
        raise ValueError("not an .npy array of format 1.0")
    length = int.from_bytes(start[len(_PREFIX) :], "little")
    match = pattern.fullmatch(handle.read(length))
    if not match:
        kind = "a plain little-endian C-ordered array" if pattern is _HEADER else "an array of plain numbers"
        raise ValueError(f"its .npy header does not describe {kind}")
    return match, len(start) + length


def _dtype_and_shape(match: re.Match[bytes], held: int) -> tuple[np.dtype, tuple[int, ...]]:
    dtype = np.dtype(match["dtype"].decode())
    shape = tuple(int(size) for size in match["shape"].split(b",") if size.strip())
    claimed = math.prod(shape) * dtype.itemsize
    if claimed != held:
        raise ValueError(f"its header claims {claimed} bytes of {dtype} {shape}, {held} are there")
    return dtype, shape


def _read_body(handle: BinaryIO, array: np.ndarray, n_bytes: int) -> np.ndarray:
    view = as_bytes(array)
    for start in range(0, n_bytes, _BLOCK_BYTES):
        block = view[start : start + _BLOCK_BYTES]
        if handle.readinto(block) != len(block):
            raise ValueError("the file ends before its array does")
    return array
