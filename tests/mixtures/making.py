"""Recordings in memory, for the tests of mixtures."""

import hashlib

import numpy as np

from blsh.corpora.manifest import Recording
from blsh.mixtures.recipes import Piece, Recipe
from tests.corpora.making import recording


class InMemory:
    """Stands in for `Recordings`: waveforms by (corpus, path)."""

    def __init__(self) -> None:
        self.waveforms: dict[tuple[str, str], np.ndarray] = {}

    def read(self, piece: Piece) -> np.ndarray:
        waveform = self.waveforms[piece.corpus, piece.path]
        assert piece.start >= 0 and piece.start + piece.n_samples <= waveform.size
        return waveform[piece.start : piece.start + piece.n_samples]

    def add(self, path: str, samples: np.ndarray, corpus: str = "noise", **labels: object) -> Recording:
        self.waveforms[corpus, path] = np.asarray(samples, np.float32)
        labels = {"speaker": "", "gender": "", "split": ""} | labels
        n = len(samples)
        return recording(path, corpus=corpus, n_samples=n, seconds=n / 16000, **labels)


def rng_for(*axes: str) -> np.random.Generator:
    return np.random.default_rng(list(hashlib.sha256("\0".join(axes).encode()).digest()))


def noise_of(n_samples: int, seed: int = 0, level: float = 0.1) -> np.ndarray:
    return (level * np.random.default_rng(seed).standard_normal(n_samples)).astype(np.float32)


def recipe(**changes: object) -> Recipe:
    values: dict[str, object] = {
        "set": "train",
        "utterance": "19-198-0000@0",
        "speaker": "19",
        "gender": "F",
        "noise": "dog",
        "snr_db": 0.0,
        "seconds": 0.05,
        "speech": Piece("speech", "a/b.flac", 10, 800),
        "noise_pieces": (Piece("noise", "x/é, 1.ogg", 0, 400), Piece("noise", "x/2.ogg", 7, 560)),
    }
    return Recipe(**(values | changes))
