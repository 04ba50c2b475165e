"""The training frames: features and ideal binary masks of all training mixtures, written in one streaming pass.

Row t of every file is the same frame: the frames of the first recipe, then those of the second, and so on. A mixture
is rendered, transformed and written before the next one, so memory does not grow with the corpus, and both features
come from one rendering.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from blsh.files.arrays import RowWriter
from blsh.files.atomic import require_free_space
from blsh.files.fail_points import fail_point
from blsh.mixtures.recipes import Recipe
from blsh.mixtures.rendering import Recordings, render
from blsh.signal.context import ContextFrames
from blsh.signal.masks import ideal_binary_mask, pack_masks
from blsh.signal.spectra import N_BINS, feature, feature_width, n_frames, stft

__all__ = ["count_frames", "stack_training_frames", "write_training_frames"]


def count_frames(recipes: Sequence[Recipe]) -> int:
    """Return T, the number of STFT frames of all recipes' mixtures."""
    return sum(n_frames(recipe.speech.n_samples) for recipe in recipes)


def stack_training_frames(features: np.ndarray, recipes: Sequence[Recipe], n_frames_of_context: int) -> ContextFrames:
    """Return the training frames with their neighbours in time, each of its own mixture.

    Parameters
    ----------
    features : ndarray of float32, shape (T, D)
        What `write_training_frames` wrote; may be a mapped file.
    recipes
        The training mixtures that it was written from.
    n_frames_of_context : int, odd
        N.

    Raises
    ------
    ValueError
        If the recipes have another number of frames, or N is even.
    """
    lengths = [n_frames(recipe.speech.n_samples) for recipe in recipes]
    if sum(lengths) != len(features):
        raise ValueError(
            f"the recipes have {sum(lengths)} frames and the features {len(features)}: give the recipes that the "
            "features were written from"
        )
    return ContextFrames(features, np.cumsum([0, *lengths[:-1]], dtype=np.int64), n_frames_of_context)


def write_training_frames(
    recipes: Sequence[Recipe],
    recordings: Recordings,
    *,
    features: Mapping[str, Path],
    masks: Path,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Render every mixture once and write its features and its ideal binary mask.

    Parameters
    ----------
    recipes
        The training mixtures; at least one.
    recordings
        Where their pieces are read from.
    features
        Feature name → ``.npy`` file, float32 of shape (T, D), rows of unit norm.
    masks
        ``.npy`` file, uint8 of shape (T, 65): the 513 bins of a frame's mask, packed little-endian.
    progress
        Called with (mixtures done, all mixtures).

    Returns
    -------
    int
        T, the number of frames.

    Raises
    ------
    ValueError
        If there is no recipe, or a recording cannot be rendered.
    OSError
        If the disk has too little room; nothing half-written is left.
    """
    if not recipes:
        raise ValueError("the training set has 0 recipes; choose speech and noise that leave at least one")
    total = count_frames(recipes)
    # Each writer looks at the disk too, but for itself alone.
    row_bytes = sum(4 * feature_width(name) for name in features) + (N_BINS + 7) // 8
    names = ", ".join(path.name for path in (*features.values(), masks))
    require_free_space(masks, total * row_bytes, names)
    with ExitStack() as stack:
        writers = {
            name: stack.enter_context(RowWriter(path, total, feature_width(name), np.float32))
            for name, path in features.items()
        }
        mask_writer = stack.enter_context(RowWriter(masks, total, (N_BINS + 7) // 8, np.uint8))
        for done, recipe in enumerate(recipes, start=1):
            scene = render(recipe, recordings)
            spectrum = stft(scene.mixture)
            for name, writer in writers.items():
                writer.append(feature(name, spectrum))
            mask_writer.append(pack_masks(ideal_binary_mask(stft(scene.speech), stft(scene.noise))))
            fail_point("frames.mixture")
            if progress is not None:
                progress(done, len(recipes))
    return total
