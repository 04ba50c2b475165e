"""Slow, obvious twins of `blsh.evaluation`: every delayed copy of a reference is written out."""

import itertools

import numpy as np


def noise(n_samples: int, seed: int) -> np.ndarray:
    """White noise in [−1, 1) that no library's version changes: a linear congruential generator."""
    state, values = seed, np.empty(n_samples)
    for i in range(n_samples):
        state = (6364136223846793005 * state + 1442695040888963407) % 2**64
        values[i] = state / 2**63 - 1
    return values


def delayed_copies(references: np.ndarray, filter_length: int) -> np.ndarray:
    """Columns: each reference (k, samples) delayed by 0 … L−1 samples; (samples + L − 1, k * L)."""
    k, n_samples = references.shape
    copies = np.zeros((n_samples + filter_length - 1, k * filter_length))
    for reference in range(k):
        for delay in range(filter_length):
            copies[delay : delay + n_samples, reference * filter_length + delay] = references[reference]
    return copies


def bss_eval(
    estimate: np.ndarray, speech: np.ndarray, noise: np.ndarray, filter_length: int
) -> tuple[float, float, float]:
    """SDR, SIR and SAR by least squares on the delayed copies themselves, no normal equations."""
    padded = np.concatenate([estimate, np.zeros(filter_length - 1)])
    projections = []
    for references in (np.stack([speech]), np.stack([speech, noise])):
        copies = delayed_copies(references, filter_length)
        projections.append(copies @ np.linalg.lstsq(copies, padded, rcond=None)[0])
    first, second = projections

    def decibels(wanted, rest):
        return 10 * np.log10(np.sum(wanted**2) / np.sum(rest**2))

    return decibels(first, padded - first), decibels(first, second - first), decibels(second, padded - second)


def si_sdr(reference: np.ndarray, estimate: np.ndarray) -> float:
    """SI-SDR from the angle between the signals: cot² in dB."""
    cosine = reference @ estimate / np.linalg.norm(reference) / np.linalg.norm(estimate)
    return 20 * np.log10(abs(cosine) / np.sin(np.arccos(np.clip(cosine, -1, 1))))


def n_utterances(active: list[bool]) -> int:
    """PESQ's utterances: drop clicks of up to 4 windows, fill pauses of up to 50, count runs of 46."""

    def runs(windows):
        found, start = [], None
        for i, on in enumerate([*windows, False]):
            if on and start is None:
                start = i
            if not on and start is not None:
                found.append((start, i))
                start = None
        return found

    windows = list(active)
    for start, end in runs(windows):
        if end - start <= 4:
            windows[start:end] = [False] * (end - start)
    found = runs(windows)
    for (_, end), (start, _) in itertools.pairwise(found):
        if start - end <= 50:
            windows[end:start] = [True] * (start - end)
    return sum(end - start >= 46 for start, end in runs(windows))
