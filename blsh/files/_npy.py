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
# bool, integers of 8 to 64 bits, floats of 16 to 64, complex numbers of 64 and 128.
_HEADER = re.compile(
    rb"\{'descr': '(\|b1|\|[iu]1|<[iu][248]|<f[248]|<c(?:8|16))', 'fortran_order': False, "
    rb"'shape': \(((?:[0-9]{1,18}, ){0,31}[0-9]{0,18},?)\), \} *\n"
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
    array = np.empty(shape, dtype)
    view = as_bytes(array)
    for start in range(0, n_bytes - offset, _BLOCK_BYTES):
        block = view[start : start + _BLOCK_BYTES]
        if handle.readinto(block) != len(block):
            raise ValueError("the file ends before its array does")
    return array


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
    start = handle.read(len(_PREFIX) + 2)
    if start[: len(_PREFIX)] != _PREFIX or len(start) != len(_PREFIX) + 2:
        raise ValueError("not an .npy array of format 1.0")
    length = int.from_bytes(start[len(_PREFIX) :], "little")
    match = _HEADER.fullmatch(handle.read(length))
    if not match:
        raise ValueError("its .npy header does not describe a plain little-endian C-ordered array")
    dtype = np.dtype(match[1].decode())
    shape = tuple(int(size) for size in match[2].split(b",") if size.strip())
    claimed = math.prod(shape) * dtype.itemsize
    held = n_bytes - len(start) - length
    if claimed != held:
        raise ValueError(f"its header claims {claimed} bytes of {dtype} {shape}, {held} are there")
    return dtype, shape, len(start) + length
