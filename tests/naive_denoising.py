"""Slow, obvious twin of the denoiser: the whole recording at once, a frame at a time."""

import numpy as np

from blsh.hashing.codes import unpack_bits
from blsh.signal.masks import unpack_masks
from blsh.signal.spectra import feature, istft, stft


def masks_of(spectrum, model):
    """The mean mask of the K rows of least (distance, row), frame by frame."""
    rows = feature(model.feature, spectrum).astype(np.float64)
    matrix, bias = model.projections.matrix.astype(np.float64), model.projections.bias.astype(np.float64)
    dictionary = unpack_bits(model.codes)
    every_row = np.arange(len(dictionary))
    of_row = unpack_masks(_rows_of(model.masks))
    masks = []
    for row in rows:
        bits = matrix @ row + bias >= 0
        nearest = np.lexsort((every_row, (dictionary != bits).sum(axis=1)))[: model.n_neighbours]
        masks.append(of_row[nearest].mean(axis=0))
    return np.array(masks)


def _rows_of(store):
    """Byte by byte: of row i, byte j of the pattern that its band names."""
    if store.index is None:
        return store.packed
    band_of_byte = [band for band, width in enumerate(store.bands) for _ in range(width)]
    return np.array(
        [[store.packed[numbers[band], j] for j, band in enumerate(band_of_byte)] for numbers in store.index]
    )


def denoise(samples, model, *, level=None, strength=1.0, floor=0.0):
    """One waveform; the level is its standard deviation unless given."""
    level = samples.std(dtype=np.float64) if level is None else level
    spectrum = stft((samples / np.float32(level)).astype(np.float32))
    masks = np.maximum(floor, 1 - strength + strength * masks_of(spectrum, model))
    return istft((spectrum * masks).astype(np.complex64), len(samples)) * np.float32(level)
