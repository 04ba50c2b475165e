"""Ideal masks, from the true speech and noise, and the packed form in which a dictionary keeps them.

With the spectra S of the speech and N of the noise, bin by bin:

    ideal binary mask (IBM)    1 if |S| > |N|, else 0 (so 0 where both are silent)
    ideal ratio mask (IRM)     |S|² / (|S|² + |N|²), or its square root; 0 where both are silent

A binary mask is stored as bits: bit i of byte j is bin 8·j + i (little bit order), 65 bytes a frame; the
seven bits beyond bin 512 are 0.
"""

from __future__ import annotations

import numpy as np

from blsh.files.kernels import njit
from blsh.signal.spectra import N_BINS


def ideal_binary_mask(speech: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Return where the speech is stronger than the noise.

    Parameters
    ----------
    speech, noise : np.ndarray, complex, shape (frames, bins)
        Spectra of the two parts of a mixture.

    Returns
    -------
    np.ndarray, bool, shape (frames, bins)

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    _require_equal_shapes(speech, noise)
    return np.abs(speech) > np.abs(noise)


def ideal_ratio_mask(speech: np.ndarray, noise: np.ndarray, *, root: bool = False) -> np.ndarray:
    """Return the share of the speech in the power of each bin.

    Parameters
    ----------
    speech, noise : np.ndarray, complex, shape (frames, bins)
        Spectra of the two parts of a mixture.
    root
        Take the square root of the share.

    Returns
    -------
    np.ndarray, float32, shape (frames, bins)
        Within [0, 1].

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    _require_equal_shapes(speech, noise)
    # float64, because the square of a faint float32 magnitude is 0.
    speech_power = np.square(np.abs(speech), dtype=np.float64)
    total = speech_power + np.square(np.abs(noise), dtype=np.float64)
    share = np.divide(speech_power, total, out=np.zeros_like(total), where=total > 0)
    return (np.sqrt(share) if root else share).astype(np.float32)


def apply_mask(mask: np.ndarray, spectrum: np.ndarray) -> np.ndarray:
    """Multiply a spectrum by a mask, bin by bin.

    Parameters
    ----------
    mask : np.ndarray, float32, shape (frames, bins)
    spectrum : np.ndarray, complex64, shape (frames, bins)

    Returns
    -------
    np.ndarray, complex64, shape (frames, bins)
        ``mask * spectrum``, but that numpy makes the mask complex first.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    if mask.shape != spectrum.shape:
        raise ValueError(f"mask.shape={mask.shape} and spectrum.shape={spectrum.shape} must be equal")
    masked = np.empty(spectrum.shape, np.complex64)
    parts = np.ascontiguousarray(spectrum, np.complex64).view(np.float32)
    _multiply_parts(np.ascontiguousarray(mask, np.float32), parts, masked.view(np.float32))
    return masked


def pack_masks(masks: np.ndarray) -> np.ndarray:
    """Store binary masks as bits.

    Parameters
    ----------
    masks : np.ndarray, bool, shape (frames, bins)

    Returns
    -------
    np.ndarray, uint8, shape (frames, ⌈bins/8⌉)

    Raises
    ------
    TypeError
        If the masks are not boolean.
    """
    if masks.dtype != bool:
        raise TypeError(f"masks.dtype={masks.dtype} must be bool: only binary masks can be packed")
    return np.packbits(masks, axis=-1, bitorder="little")


def unpack_masks(packed: np.ndarray, n_bins: int = N_BINS) -> np.ndarray:
    """Return the binary masks that `pack_masks` stored.

    Parameters
    ----------
    packed : np.ndarray, uint8, shape (frames, ⌈n_bins/8⌉)
    n_bins : int > 0

    Returns
    -------
    np.ndarray, bool, shape (frames, n_bins)

    Raises
    ------
    ValueError
        If the rows have another width, or a bit beyond `n_bins` is set.
    TypeError
        If they are not bytes.
    """
    if packed.dtype != np.uint8:
        raise TypeError(f"packed.dtype={packed.dtype} must be uint8")
    if packed.shape[-1] != -(-n_bins // 8):
        raise ValueError(f"packed.shape={packed.shape} must end in {-(-n_bins // 8)} bytes for n_bins={n_bins}")
    n_used = n_bins % 8
    if n_used and (packed[..., -1] >> n_used).any():
        raise ValueError(f"bits beyond n_bins={n_bins} are set: these are not masks of that many bins")
    return np.unpackbits(packed, axis=-1, count=n_bins, bitorder="little").view(bool)


def _require_equal_shapes(speech: np.ndarray, noise: np.ndarray) -> None:
    if speech.shape != noise.shape:
        raise ValueError(f"speech.shape={speech.shape} and noise.shape={noise.shape} must be equal")


@njit()
def _multiply_parts(mask, parts, masked):
    for frame in range(mask.shape[0]):
        for value in range(mask.shape[1]):
            masked[frame, 2 * value] = parts[frame, 2 * value] * mask[frame, value]
            masked[frame, 2 * value + 1] = parts[frame, 2 * value + 1] * mask[frame, value]
