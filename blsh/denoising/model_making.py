"""Making a model from training frames and learned projections.

A model holds a share of the T training frames, drawn at random. What it may weigh decides how many: a frame costs its
code (L/8 bytes), its mask (65 bytes, or a byte per band of a compressed store) and 3 to 4 bytes to say where it was
heard. The projections cost L·D bytes as whole numbers, whatever the number of frames.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from blsh import __version__
from blsh.corpora.manifest import Recording
from blsh.denoising.mask_codebook import compress_masks
from blsh.denoising.mask_store import MaskStore
from blsh.denoising.model_file import DenoiserModel, Source
from blsh.denoising.origins import origins_of
from blsh.files.checksums import digest_of
from blsh.hashing.projections import Projections, encode
from blsh.hashing.quantisation import quantised
from blsh.mixtures.recipes import Recipe
from blsh.mixtures.rendering import Recordings

__all__ = ["fingerprint_of", "make_model", "typical_level"]


def make_model(
    projections: Projections,
    features: np.ndarray,
    masks: np.ndarray,
    rows: np.ndarray,
    *,
    feature: str,
    n_neighbours: int,
    bands: Sequence[int] | None,
    level: float,
    recipes: Sequence[Recipe],
    recordings: Iterable[Recording],
    sources: Sequence[Source],
    settings: Mapping[str, Any],
    rng: np.random.Generator,
) -> DenoiserModel:
    """Make a model without scores.

    Parameters
    ----------
    projections : Projections
        As learned; the model has them in whole numbers.
    features : ndarray of float32, shape (T, D)
        All training frames; may be mapped from disk.
    masks : ndarray of uint8, shape (T, 65)
        Their packed ideal binary masks; may be mapped from disk.
    rows : ndarray of int64, shape (N,)
        The frames to keep, rising.
    feature : str
        What `features` are.
    n_neighbours : int
        K.
    bands : sequence of int, or None
        Widths in bytes of the bands of a compressed mask store; None keeps every mask whole.
    level : float
        See `typical_level`.
    recipes : sequence of Recipe
        The training mixtures, in the order of the frames.
    recordings : iterable of Recording
        All that the recipes name.
    sources, settings
        As in `DenoiserModel`.
    rng : numpy.random.Generator
        Starts the patterns of a compressed mask store.

    Raises
    ------
    ValueError
        When the parts do not fit each other.
    """
    encoder = quantised(projections)
    kept = np.ascontiguousarray(masks[rows])
    origins = origins_of(rows, recipes, {(r.corpus, r.path): r for r in recordings})
    return DenoiserModel(
        projections=Projections(encoder.matrix, encoder.bias),
        codes=encode(np.ascontiguousarray(features[rows]), encoder),
        masks=MaskStore(kept) if bands is None else compress_masks(kept, bands=bands, rng=rng),
        feature=feature,
        n_neighbours=n_neighbours,
        level=level,
        fingerprint=fingerprint_of(origins.recordings),
        sources=tuple(sources),
        scores=(),
        settings=settings,
        code_version=__version__,
        origins=origins,
    )


def fingerprint_of(recordings: Iterable[Recording]) -> str:
    """Return a digest of recordings: their corpora, names and contents, in any order."""
    return digest_of(sorted([r.corpus, r.id, r.sha256] for r in recordings))


def typical_level(recipes: Sequence[Recipe], recordings: Recordings) -> float:
    """Return the median standard deviation of training mixtures, had the speech kept the level of its recording.

    Mixtures are made of speech of standard deviation 1 and scaled to 1 themselves, so their own level says nothing of
    what a microphone gives. With s of the speech's recording and noise that is independent of it, it is
    ``s · sqrt(1 + 10^(-SNR/10))``.

    Raises
    ------
    FileNotFoundError, ValueError
        If a recording cannot be read.
    """
    deviations: dict[tuple, float] = {}
    levels = []
    for recipe in recipes:
        piece = recipe.speech
        key = (piece.corpus, piece.path, piece.start, piece.n_samples)
        if key not in deviations:
            deviations[key] = float(recordings.read(piece).std(dtype=np.float64))
        levels.append(deviations[key] * np.sqrt(1 + 10 ** (-recipe.snr_db / 10)))
    return float(np.median(levels))
