"""The masks of a dictionary: 65 bytes a row, or a byte for each of a few frequency bands.

A row's ideal binary mask takes 65 bytes, more than its code of 300 bits (38 bytes). Masks of speech resemble each
other, so a store can be compressed: the 65 bytes are cut into bands, each band has a table of at most 256 patterns,
and a row keeps the number of one pattern of each band. The tables lie side by side as whole masks: pattern i of a
band is the band's bytes of mask i. (``mask_codebook`` learns them.) One band is a codebook of whole masks.

Compressed masks are put together once, when they are first used; to average them is then the same in both forms.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from blsh.denoising.mask_estimation import average_masks
from blsh.hashing.plain_arrays import plain_array
from blsh.signal.spectra import N_BINS

__all__ = ["N_MASK_BYTES", "N_PATTERNS_MAX", "MaskStore", "require_bands"]

N_MASK_BYTES = -(-N_BINS // 8)
N_PATTERNS_MAX = 256
_SPARE_BITS = N_BINS % 8


def require_bands(bands: tuple[int, ...]) -> None:
    """Raise ValueError unless widths of bands, in bytes, make up a mask."""
    if min(bands, default=0) < 1 or sum(bands) != N_MASK_BYTES:
        raise ValueError(f"bands={bands} must be positive and sum to {N_MASK_BYTES} bytes")


@dataclass(frozen=True, eq=False)
class MaskStore:
    """The binary masks of N dictionary rows.

    Attributes
    ----------
    packed : ndarray of uint8, shape (C, 65)
        Masks as ``pack_masks`` packs them: bit i of byte j is bin 8·j + i, the 7 bits beyond bin 512 are 0.
    index : ndarray of uint8, shape (N, B), or None
        Of each row and band, which of `packed` has the band's bytes. Without it row i has mask i, and N = C.
    bands : tuple of int
        Widths of the B bands in bytes, in the order of frequency; they sum to 65.

    Raises
    ------
    TypeError
        When an array has another dtype.
    ValueError
        When there is no mask, a mask has another width or bits beyond bin 512, or index and bands do not fit.
    """

    packed: np.ndarray
    index: np.ndarray | None = None
    bands: tuple[int, ...] = (N_MASK_BYTES,)

    def __post_init__(self) -> None:
        packed = plain_array("packed masks", self.packed, np.uint8, 2)
        if packed.shape[1] != N_MASK_BYTES or len(packed) == 0:
            raise ValueError(f"packed masks of shape {packed.shape} must be (at least 1, {N_MASK_BYTES})")
        if (packed[:, -1] >> _SPARE_BITS).any():
            raise ValueError(f"packed masks have bits set beyond bin {N_BINS - 1}: pack them with pack_masks")
        object.__setattr__(self, "packed", packed)
        bands = tuple(int(width) for width in self.bands)
        require_bands(bands)
        object.__setattr__(self, "bands", bands)
        if self.index is None:
            if len(bands) > 1:
                raise ValueError(f"bands={bands} need an index, which says where each row's patterns are")
            return
        index = plain_array("mask index", self.index, np.uint8, 2)
        if len(index) == 0 or index.shape[1] != len(bands) or index.max() >= len(packed):
            raise ValueError(
                f"mask index of shape {index.shape} must be (at least 1, {len(bands)}) of masks 0…{len(packed) - 1}"
            )
        object.__setattr__(self, "index", index)

    def __len__(self) -> int:
        """Return N, the number of dictionary rows."""
        return len(self.packed if self.index is None else self.index)

    @cached_property
    def rows(self) -> np.ndarray:
        """The mask of every dictionary row, packed: uint8 of shape (N, 65)."""
        if self.index is None:
            return self.packed
        rows = np.empty((len(self), N_MASK_BYTES), np.uint8)
        for band, columns in enumerate(self.columns):
            rows[:, columns] = self.packed[self.index[:, band], columns]
        rows.flags.writeable = False
        return rows

    @property
    def columns(self) -> tuple[slice, ...]:
        """Which bytes each band has."""
        ends = np.cumsum(self.bands).tolist()
        return tuple(slice(end - width, end) for end, width in zip(ends, self.bands, strict=True))

    @property
    def n_bytes(self) -> int:
        """Bytes of masks and index."""
        return self.packed.nbytes + (0 if self.index is None else self.index.nbytes)

    def masks_of(self, rows: np.ndarray) -> np.ndarray:
        """Return the packed masks of some dictionary rows: uint8 of shape (rows, 65)."""
        return self.rows[rows]

    def average(self, neighbours: np.ndarray) -> np.ndarray:
        """Average the masks of each frame's neighbours, ŷ = (1/K) Σ y_i.

        Parameters
        ----------
        neighbours : ndarray of int64, shape (frames, K)
            Dictionary rows.

        Returns
        -------
        ndarray of float32, shape (frames, 513)

        Raises
        ------
        ValueError
            When a row is not in the dictionary.
        """
        return average_masks(self.rows, neighbours)
