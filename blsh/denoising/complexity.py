"""What a second of audio costs: multiply-accumulates, bit operations, additions (TASLP 2022, V-F and V-G).

Counted per STFT frame, of which one second with its edges has 63, the papers' number. Conv-TasNet has frames of its
own, 1999 of them.

===================== ==================================================================================
neural network        a multiply-accumulate (MAC) for each number in a matrix or kernel
raw neighbours        D · N MACs, N = ρT the rows of the dictionary and D their width
hashed neighbours     D · L MACs for a code of L bits, and L · N bit operations: each of the L bits of N
                      codes is compared
both neighbours       513 · K additions of mask bits
===================== ==================================================================================

Two of these the papers leave out: the projection and the additions. Left out here as there: the STFT and the mel
filters, which systems share; biases, activations and normalisations; and the selection of the K smallest distances.
A bit operation is not a MAC: a 64-bit machine word does 64 at once, and wide registers several words.
"""

from __future__ import annotations

from dataclasses import dataclass

from blsh.denoising.architectures import FILTER_HOP, FILTER_LENGTH, Architecture, count_weights
from blsh.signal.audio import SAMPLE_RATE
from blsh.signal.spectra import N_BINS, n_frames

__all__ = ["FRAMES_OF_A_SECOND", "Operations", "hashed_operations", "network_operations", "raw_operations"]

FRAMES_OF_A_SECOND = n_frames(SAMPLE_RATE)
"""63: frames centred on the samples 0, 256, …, 15872."""


@dataclass(frozen=True)
class Operations:
    """Operations for one second of audio; fractions come from an unrounded ρT."""

    macs: float = 0.0
    bit_operations: float = 0.0
    additions: float = 0.0


def network_operations(architecture: Architecture) -> Operations:
    """Count what a network needs for one second of audio."""
    if architecture.takes_waveforms:
        frames = 1 + (SAMPLE_RATE - FILTER_LENGTH) // FILTER_HOP
    else:
        frames = FRAMES_OF_A_SECOND
    return Operations(macs=frames * count_weights(architecture))


def raw_operations(n_features: int, n_rows: float, n_neighbours: int) -> Operations:
    """Count what a search of the features themselves needs for one second of audio (``knn``).

    Parameters
    ----------
    n_features
        D.
    n_rows
        ρT, the rows of the dictionary.
    n_neighbours
        K.
    """
    return Operations(macs=FRAMES_OF_A_SECOND * n_features * n_rows, additions=_additions(n_neighbours))


def hashed_operations(n_features: int, n_rows: float, n_neighbours: int, n_bits: int) -> Operations:
    """Count what a search of codes of L = `n_bits` bits needs; the rest as for :func:`raw_operations`."""
    return Operations(
        macs=FRAMES_OF_A_SECOND * n_features * n_bits,
        bit_operations=FRAMES_OF_A_SECOND * n_bits * n_rows,
        additions=_additions(n_neighbours),
    )


def _additions(n_neighbours: int) -> float:
    return FRAMES_OF_A_SECOND * N_BINS * n_neighbours
