"""Slow, obvious twins of `blsh.mixtures`."""

from collections.abc import Callable, Sequence

import numpy as np

from blsh.mixtures.recipes import Piece, Recipe


def join_pieces(pieces: Sequence[Piece], read: Callable[[Piece], np.ndarray], fade: int) -> np.ndarray:
    """One sample at a time; a new piece's weight is the share of the overlap that lies behind."""
    joined: list[float] = []
    for i, piece in enumerate(pieces):
        samples = [float(value) for value in read(piece)]
        for j in range(fade if i else 0):
            weight = (j + 0.5) / fade
            joined[len(joined) - fade + j] = joined[len(joined) - fade + j] * (1 - weight) + samples[j] * weight
        joined += samples[fade if i else 0 :]
    return np.array(joined)


def render(recipe: Recipe, read: Callable[[Piece], np.ndarray], fade: int) -> list[np.ndarray]:
    """s/std(s) + g n/std(n), everything divided by its standard deviation; in float64."""

    def std(x: np.ndarray) -> float:
        mean = sum(x) / len(x)
        return (sum((value - mean) ** 2 for value in x) / len(x)) ** 0.5

    speech = read(recipe.speech).astype(np.float64)
    noise = join_pieces(recipe.noise_pieces, read, fade)
    speech = speech / std(speech)
    noise = noise / std(noise) / 10 ** (recipe.snr_db / 20)
    mixture = speech + noise
    return [signal / std(mixture) for signal in (speech, noise, mixture)]


def balanced_quotas(capacities: Sequence[int], total: int) -> list[int]:
    """Give one at a time to whoever has least and still has room."""
    quotas = [0] * len(capacities)
    for _ in range(total):
        open_ones = [i for i in range(len(capacities)) if quotas[i] < capacities[i]]
        quotas[min(open_ones, key=lambda i: quotas[i])] += 1
    return quotas


def excerpts(lengths: Sequence[int], n_samples: int, limit: int, silent: set[tuple[int, int]]) -> list[tuple[int, int]]:
    """(recording, start) of a speaker's excerpts: slot after slot, recording after recording."""
    found = []
    for recording, length in enumerate(lengths):
        start = 0
        while start + n_samples <= length:
            if len(found) < limit and (recording, start) not in silent:
                found.append((recording, start))
            start += n_samples
    return found
