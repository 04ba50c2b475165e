"""A file that is read as if it were another: parts of it, and bytes in the place of others."""

from __future__ import annotations

import io
from typing import BinaryIO


class Pieces:
    """Pieces of a file and bytes that it lacks, one after another, to be read as one file.

    Parameters
    ----------
    handle : BinaryIO
        The file.
    pieces : list of bytes or range
        A range stands for the bytes of the file at these positions.
    """

    def __init__(self, handle: BinaryIO, pieces: list[bytes | range]) -> None:
        self._handle, self._pieces, self._position = handle, pieces, 0

    def read(self, n_bytes: int) -> bytes:
        """Return the next bytes, at most `n_bytes`."""
        start, found = self._position, b""
        for piece in self._pieces:
            part = piece[max(start, 0) : max(start + n_bytes, 0)]
            found += part if isinstance(part, bytes) else self._read_file(part)
            start -= len(piece)
        self._position += len(found)
        return found

    def _read_file(self, part: range) -> bytes:
        self._handle.seek(part.start)
        return self._handle.read(len(part))

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move as `io.IOBase.seek` does."""
        self._position = offset + (0, self._position, sum(map(len, self._pieces)))[whence]
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position

    @property
    def source(self) -> int | Pieces:
        """What libsndfile is to read from: the descriptor of a file that is taken as it is, or else this.

        It calls back for pieces, and an interrupt of the user that comes meanwhile would be lost.
        """
        is_whole = self._pieces == [range(self._handle.seek(0, io.SEEK_END))]
        self._handle.seek(0)
        self._position = 0
        return self._handle.fileno() if is_whole else self

    def replaced(self, position: int, new: bytes) -> Pieces:
        """Return the same with other bytes from a position in the first piece on."""
        first, *rest = self._pieces
        return Pieces(self._handle, [first[:position], new, first[position + len(new) :], *rest])
