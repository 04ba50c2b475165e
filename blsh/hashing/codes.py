"""Binary codes of frames, packed into 64-bit words.

Bit l of a code is bit (l mod 64) of word (l div 64), so bit 0 is the lowest of the first word, and the bits
past ``n_bits`` in the last word are zero. The Hamming distance of two codes is then the number of set bits
in the exclusive or of their words, and the similarity of the papers, the number of equal bits, is
``n_bits`` minus it. Since bits are ordered by importance, the first n bits of a code are the code of the
n-bit model: a prefix is a slice of the words with the rest of the last one cleared.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass

import numpy as np

from blsh.hashing.plain_arrays import plain_array

__all__ = ["MAX_BITS", "WORD_BITS", "Codes", "pack_bits", "unpack_bits"]

WORD_BITS = 64
MAX_BITS = 65535
"""The longest codes that can be searched: distances are 16-bit."""

_ROWS_AT_ONCE = 1 << 16


@dataclass(frozen=True, eq=False)
class Codes:
    """Packed codes of a number of frames.

    Attributes
    ----------
    words : ndarray of uint64, shape (frames, ⌈n_bits/64⌉)
        Rows are codes, read-only; the bits past ``n_bits`` are zero. It may be a mapped file.
    n_bits : int > 0
        Length of a code.

    Raises
    ------
    TypeError
        When words are no uint64 array.
    ValueError
        When they have another width than ``n_bits`` needs, or a bit past ``n_bits`` is set.
    """

    words: np.ndarray
    n_bits: int

    def __post_init__(self):
        n_bits = operator.index(self.n_bits)
        if n_bits < 1:
            raise ValueError(f"n_bits={n_bits} must be at least 1: a code has a bit")
        words = plain_array("words", self.words, np.uint64, 2)
        n_words = _n_words(n_bits)
        if words.shape[1] != n_words:
            raise ValueError(f"words of shape {words.shape} must have {n_words} columns for n_bits={n_bits}")
        tail = ~_last_mask(n_bits)
        for start in range(0, len(words), _ROWS_AT_ONCE) if tail else ():
            if (words[start : start + _ROWS_AT_ONCE, -1] & tail).any():
                raise ValueError(f"words have bits set past n_bits={n_bits}: clear them, or give more n_bits")
        object.__setattr__(self, "words", words)
        object.__setattr__(self, "n_bits", n_bits)

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.words)

    def prefix(self, n_bits: int) -> Codes:
        """Return the codes of the first ``n_bits`` bits.

        Raises
        ------
        ValueError
            When there are fewer, or none is asked for.
        """
        if not 1 <= n_bits <= self.n_bits:
            raise ValueError(f"n_bits={n_bits} must lie in 1…{self.n_bits}, the bits of these codes")
        words = self.words[:, : _n_words(n_bits)].copy()
        words[:, -1] &= _last_mask(n_bits)
        return Codes(words, n_bits)


def pack_bits(bits: np.ndarray) -> Codes:
    """Pack bits, one a column, into codes.

    Parameters
    ----------
    bits : ndarray of bool, shape (frames, n_bits)

    Raises
    ------
    TypeError
        When they are not boolean.
    ValueError
        When the array is not two-dimensional, or has no column.
    """
    bits = plain_array("bits", bits, np.bool_, 2)
    n_frames, n_bits = bits.shape
    if n_bits < 1:
        raise ValueError(f"bits of shape {bits.shape} must have a column: a code has a bit")
    packed = np.zeros((n_frames, _n_words(n_bits) * 8), np.uint8)
    packed[:, : -(-n_bits // 8)] = np.packbits(bits, axis=1, bitorder="little")
    return Codes(packed.view("<u8").astype(np.uint64, copy=False), n_bits)


def unpack_bits(codes: Codes) -> np.ndarray:
    """Return the bits of codes.

    Returns
    -------
    ndarray of bool, shape (frames, n_bits)
    """
    packed = codes.words.astype("<u8", copy=False).view(np.uint8)
    return np.unpackbits(packed, axis=1, count=codes.n_bits, bitorder="little").view(np.bool_)


def _n_words(n_bits: int) -> int:
    return -(-n_bits // WORD_BITS)


def _last_mask(n_bits: int) -> np.uint64:
    """Mask of the last word's bits that belong to the code."""
    return np.uint64(2**64 - 1) >> np.uint64(-n_bits % WORD_BITS)
