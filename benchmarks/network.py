"""BLSH (mel, 50 bits, ρ = 0.01 of 2.45 M frames) against small networks in torch, each on one core.

Per second of audio, from the mixture's spectrum to its mask; STFT and inverse are the same for both and left out. The
papers expect BLSH to be cheaper than the BiLSTM of 2 × 64 units, and compare its size with the fully-connected network
of 2 × 64. Weights are random: they do not change the cost. There is no goal, and nothing to check equal: the masks are
different by nature.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import numba
import numpy as np

from benchmarks.inputs import draw_features, draw_speech_like
from benchmarks.measuring import Contender, Row, compare_rows
from benchmarks.peers import missing_row, module_is_missing
from blsh.denoising.architectures import Architecture
from blsh.denoising.mask_estimation import average_masks
from blsh.hashing.projections import encode, random_projections
from blsh.hashing.search import hamming_index, hamming_neighbours
from blsh.signal.masks import pack_masks
from blsh.signal.spectra import N_BINS, N_MELS, feature, stft

NAME = "network"
N_BITS, K = 50, 10


def run(small: bool) -> list[Row]:
    n_frames, seconds, repeats = (500, 1, 1) if small else (24_540, 10, 7)
    work = "mask of one second of audio, one core"
    peers = {"BiLSTM 2×64 in torch": Architecture("bilstm", 2, 64), "FC 2×64 in torch": Architecture("fc", 2, 64)}
    if module_is_missing("torch"):
        return [missing_row(NAME, work, peer) for peer in peers]
    import torch

    from blsh.denoising.networks import start_network

    rng = np.random.default_rng(0)
    spectrum = stft(draw_speech_like(16_000 * seconds, rng))
    projections = random_projections(N_BITS, N_MELS, rng=rng)
    index = hamming_index(encode(draw_features(n_frames, N_MELS, rng), projections))
    masks = pack_masks(rng.random((n_frames, N_BINS)) < 0.4)

    def ours():
        codes = encode(feature("mel", spectrum), projections)
        return average_masks(masks, hamming_neighbours(codes, index, K).indices)

    def theirs(network: torch.nn.Module):
        with torch.inference_mode():
            return network(torch.from_numpy(np.abs(spectrum)[np.newaxis]))[0].numpy()

    n_threads = numba.get_num_threads()
    numba.set_num_threads(1)
    torch.set_num_threads(1)
    contenders = []
    for peer, architecture in peers.items():
        call = partial(theirs, start_network(architecture, rng=rng).eval())
        if ours().shape != call().shape:
            raise ValueError(f"masks of shapes {ours().shape} and {call().shape} are not of the same spectrum")
        contenders.append((Contender(peer, call, blas_threads=1), math.nan))
    rows = compare_rows(
        NAME,
        work,
        Contender("ours", ours, blas_threads=1),
        contenders,
        repeats,
        n_frames=n_frames,
        n_bits=N_BITS,
        n_queries=len(spectrum),
    )
    numba.set_num_threads(n_threads)
    return [_per_second(row, seconds) for row in rows]


def _per_second(row: Row, seconds: int) -> Row:
    verdict = (
        "" if "FC" in row.peer else f"the papers expect ours to be cheaper: it is{'' if row.ratio > 1 else ' not'}"
    )
    return replace(row, ours_ms=row.ours_ms / seconds, peer_ms=row.peer_ms / seconds, note=verdict)
