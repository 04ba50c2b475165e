"""Small models of random parts, and sounds that are worth denoising."""

import numpy as np

from blsh.denoising.mask_store import MaskStore
from blsh.denoising.model_file import DenoiserModel, Score, Source
from blsh.denoising.origins import Origins
from blsh.hashing.projections import Projections, encode
from blsh.signal.masks import pack_masks
from blsh.signal.spectra import feature, feature_width, stft

RATE = 16_000


def sound(n_samples: int, seed: int = 0, channels: int | None = None) -> np.ndarray:
    """Harmonics that come and go, in hiss; float32 of std 0.07."""
    rng = np.random.default_rng(seed)
    times = np.arange(n_samples) / RATE
    tones = sum(np.sin(2 * np.pi * 150 * k * times + rng.uniform(0, 6)) / k for k in range(1, 15))
    shape = (n_samples,) if channels is None else (n_samples, channels)
    gate = np.sin(2 * np.pi * 3 * times) > 0
    loud = 0.1 * tones * gate
    hiss = 0.02 * rng.standard_normal(shape)
    return (hiss + (loud if channels is None else loud[:, None] * rng.uniform(0.5, 1, channels))).astype(np.float32)


def small_model(
    *,
    n_rows: int = 60,
    n_bits: int = 40,
    feature_name: str = "stft",
    n_neighbours: int = 10,
    n_masks: int | None = None,
    bands: tuple[int, ...] = (65,),
    with_origins: bool = False,
    seed: int = 0,
) -> DenoiserModel:
    """Whole-numbered random projections, and codes of the frames of `sound`, many of them twice."""
    rng = np.random.default_rng(seed)
    width = feature_width(feature_name)
    matrix = rng.integers(-127, 128, (n_bits, width)).astype(np.float32)
    matrix = np.clip(matrix - np.rint(matrix.mean(axis=1, keepdims=True)), -127, 127)
    projections = Projections(matrix, rng.normal(0, 5, n_bits).astype(np.float32))
    rows = feature(feature_name, stft(sound(RATE, seed=1) / np.float32(0.07)))
    rows = rows[rng.integers(0, len(rows), n_rows)]
    shape = (n_rows if n_masks is None else n_masks, 513)
    packed = pack_masks(rng.random(shape) < np.linspace(0.9, 0.1, 513))
    index = None if n_masks is None else rng.integers(0, n_masks, (n_rows, len(bands))).astype(np.uint8)
    return DenoiserModel(
        projections=projections,
        codes=encode(rows, projections),
        masks=MaskStore(packed, index, bands),
        feature=feature_name,
        n_neighbours=n_neighbours,
        level=0.05,
        fingerprint="0" * 64,
        sources=(Source("Nowhere", "CC0-1.0", "https://example.org", ("drawn at random",)),),
        scores=(Score("all", 0.0, 3, 0.1, 2.25, 4.5),),
        settings={"seed": seed},
        code_version="0.1.0",
        origins=origins(n_rows) if with_origins else None,
    )


def origins(n_rows: int) -> Origins:
    """Two mixtures: of two pieces of noise, and of one."""
    table = tuple(
        (
            "speech" if speaker else "noise",
            path,
            path[:-4],
            "",
            speaker,
            "F" if speaker else "",
            noise,
            0,
            48000,
            RATE,
            1,
            "CC0",
        )
        for path, speaker, noise in (
            ('anna/a, "b".wav', "anna", ""),
            ("rain/1.wav", "", "rain"),
            ("rain/2.wav", "", "rain"),
        )
    )
    return Origins(
        recipe_of_row=(np.arange(n_rows) % 2).astype(np.uint32),
        frame_of_row=np.arange(n_rows).astype(np.uint32),
        speech=np.array([[0, 0, 16000], [0, 16000, 32000]], np.uint32),
        noise=np.array([[0, 1, 5, 9000], [0, 2, 0, 7160], [1, 1, 300, 32000]], np.uint32),
        snr_db=np.array([0.0, -5.0]),
        table=table,
        hashes=np.arange(96, dtype=np.uint8).reshape(3, 32),
    )
