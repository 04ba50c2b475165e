"""The signal room's definitions, written out sample by sample."""

import cmath
import math

import numpy as np


def stft(x: np.ndarray) -> np.ndarray:
    """Sum every frame's 1024 products in float64, with the ends reflected index by index."""
    x = x.astype(np.float64)
    window = np.array([0.5 - 0.5 * math.cos(2 * math.pi * n / 1024) for n in range(1024)])
    kernel = np.exp(-2j * np.pi * np.outer(np.arange(1024), np.arange(513)) / 1024)
    frames = []
    for t in range(1 + len(x) // 256):
        samples = [x[reflected(256 * t + n - 512, len(x))] for n in range(1024)]
        frames.append((window * samples) @ kernel)
    return np.array(frames)


def reflected(index: int, length: int) -> int:
    """Mirror an index at the first and at the last sample, neither of which is repeated."""
    while not 0 <= index < length:
        index = -index if index < 0 else 2 * (length - 1) - index
    return index


def istft(spectrum: np.ndarray, n_samples: int) -> np.ndarray:
    """Weighted overlap-add, frame by frame, in float64."""
    window = np.array([0.5 - 0.5 * math.cos(2 * math.pi * n / 1024) for n in range(1024)])
    summed = np.zeros(256 * (len(spectrum) - 1) + 1024)
    squares = np.zeros_like(summed)
    for t, row in enumerate(spectrum.astype(np.complex128)):
        summed[256 * t : 256 * t + 1024] += window * np.fft.irfft(row, 1024)
        squares[256 * t : 256 * t + 1024] += window**2
    return (summed[512:] / np.where(squares[512:] > 0, squares[512:], 1))[:n_samples]


def mel_filters() -> np.ndarray:
    """Slaney's triangles over 0 to 8000 Hz, each of unit area, from the definition of his scale."""

    def hertz(mel: float) -> float:
        # Linear below 1000 Hz (15 mel, 66.67 Hz each), then 27 steps for each factor of 6.4.
        return mel * 200 / 3 if mel < 15 else 1000 * 6.4 ** ((mel - 15) / 27)

    top = 15 + 27 * math.log(8000 / 1000, 6.4)
    edges = [hertz(top * i / 129) for i in range(130)]
    filters = np.zeros((128, 513))
    for band in range(128):
        low, centre, high = edges[band : band + 3]
        for k in range(513):
            f = k * 16000 / 1024
            height = min((f - low) / (centre - low), (high - f) / (high - centre))
            filters[band, k] = max(0.0, height) * 2 / (high - low)
    return filters


def feature(name: str, spectrum: np.ndarray) -> np.ndarray:
    """Divide each row by the norm of the row plus 1e-4, in float64."""
    rows = []
    for frame in spectrum.astype(np.complex128):
        row = np.array([abs(value) for value in frame])
        if name == "mel":
            row = mel_filters() @ row**2
        rows.append(row / math.sqrt(sum((value + 1e-4) ** 2 for value in row)))
    return np.array(rows)


def ideal_binary_mask(speech: np.ndarray, noise: np.ndarray) -> np.ndarray:
    pairs = zip(speech.ravel(), noise.ravel(), strict=True)
    return np.array([np.abs(s) > np.abs(n) for s, n in pairs], bool).reshape(speech.shape)


def ideal_ratio_mask(speech: np.ndarray, noise: np.ndarray, *, root: bool) -> np.ndarray:
    shares = []
    for s, n in zip(speech.ravel().tolist(), noise.ravel().tolist(), strict=True):
        total = abs(s) ** 2 + abs(n) ** 2
        share = abs(s) ** 2 / total if total else 0.0
        shares.append(cmath.sqrt(share).real if root else share)
    return np.array(shares).reshape(speech.shape)


def pack_masks(masks: np.ndarray) -> np.ndarray:
    """Bit i of byte j is bin 8·j + i."""
    packed = np.zeros((len(masks), -(-masks.shape[1] // 8)), np.uint8)
    for row, mask in enumerate(masks):
        for k, on in enumerate(mask):
            packed[row, k // 8] += int(on) << (k % 8)
    return packed
