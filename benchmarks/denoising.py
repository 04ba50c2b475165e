"""Denoising one minute of speech by 300-bit codes and a dictionary of 24,540 frames, warm, against real time.

From samples to samples: STFT, features (513 bins), codes, search, mean of the neighbours' masks, inverse STFT. Codes,
index and masks are in memory, as after loading a model; everything is compiled. The process does nothing else, so its
memory is the denoiser's: private bytes of the whole process, interpreter and libraries included, sampled every 10 ms
during calls that are not timed, with the largest resident memory (which counts shared libraries too) in the note.
"""

from __future__ import annotations

import numpy as np

from benchmarks.inputs import draw_features, draw_speech_like
from benchmarks.measuring import Contender, Row, compare, peak_rss_mb, reset_peak_rss
from benchmarks.memory import MemoryWatch
from blsh.denoising.mask_estimation import average_masks
from blsh.hashing.codes import Codes
from blsh.hashing.projections import encode, random_projections
from blsh.hashing.search import hamming_index, hamming_neighbours
from blsh.signal.masks import pack_masks
from blsh.signal.spectra import N_BINS, feature, istft, stft

NAME = "denoising"
N_BITS, K = 300, 10
GOAL_RATIO, GOAL_PEAK_MB = 100.0, 300.0
_ROWS_AT_ONCE = 2048


def run(small: bool) -> list[Row]:
    n_frames, seconds, repeats = (500, 2, 1) if small else (24_540, 60, 9)
    rng = np.random.default_rng(0)
    projections = random_projections(N_BITS, N_BINS, rng=rng)
    parts = [slice(first, min(first + _ROWS_AT_ONCE, n_frames)) for first in range(0, n_frames, _ROWS_AT_ONCE)]
    words = np.concatenate([encode(draw_features(p.stop - p.start, N_BINS, rng), projections).words for p in parts])
    masks = np.concatenate([pack_masks(rng.random((p.stop - p.start, N_BINS)) < 0.4) for p in parts])
    index = hamming_index(Codes(words, N_BITS))
    mixture = draw_speech_like(16_000 * seconds, rng)

    def denoise():
        spectrum = stft(mixture)
        neighbours = hamming_neighbours(encode(feature("stft", spectrum), projections), index, K)
        return istft(average_masks(masks, neighbours.indices) * spectrum, len(mixture))

    cleaned = denoise()
    if cleaned.shape != mixture.shape or not np.isfinite(cleaned).all():
        raise ValueError(f"the denoised signal of shape {cleaned.shape} is not a finite one of {mixture.shape}")
    timing = compare([Contender("ours", denoise)], repeats)["ours"]
    reset_peak_rss()
    with MemoryWatch() as memory:
        for _ in range(1 if small else 5):
            denoise()
    return [
        Row(
            NAME,
            f"{seconds} s of speech, {N_BITS} bits, samples to samples",
            "real time",
            ours_ms=1e3 * timing.seconds,
            peer_ms=1e3 * seconds,
            ratio=seconds / timing.seconds,
            goal_ratio=GOAL_RATIO,
            ours_peak_mb=memory.uss_mb,
            goal_peak_mb=GOAL_PEAK_MB,
            n_frames=n_frames,
            n_bits=N_BITS,
            n_queries=1 + len(mixture) // 256,
            repeats=repeats,
            note=f"peak: private bytes of the whole process; resident {peak_rss_mb():.0f} MB",
        )
    ]
