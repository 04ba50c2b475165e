"""Where a round starts: a random projection and its bias, as one vector of D + 1 numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from blsh.hashing.profiles import TrainingParams

__all__ = ["centred_start", "draw_start", "xavier_start"]


def draw_start(frames: Sequence[np.ndarray], params: TrainingParams, *, rng: np.random.Generator) -> np.ndarray:
    """Draw a start as ``params.initialisation`` says: float64 (D + 1,), the last entry 0 without a bias."""
    if params.initialisation == "centred":
        return centred_start(frames, bias=params.bias, rng=rng)
    return xavier_start(frames[0].shape[1], bias=params.bias, rng=rng)


def xavier_start(n_features: int, *, bias: bool, rng: np.random.Generator) -> np.ndarray:
    """Draw normal entries of variance ``2 / (fan in + fan out)``.

    The map has D + 1 inputs, D without a bias, and one output. The authors' code; Glorot and Bengio,
    AISTATS 2010, eq. (16), in its normal form.
    """
    n_inputs = n_features + bias
    start = rng.normal(0, np.sqrt(2 / (n_inputs + 1)), n_inputs)
    return start if bias else np.append(start, 0.0)


def centred_start(frames: Sequence[np.ndarray], *, bias: bool, rng: np.random.Generator) -> np.ndarray:
    """Draw a direction on which the frames spread about zero with unit standard deviation.

    Features are magnitudes, so most random hyperplanes leave (nearly) all frames on one side. This start
    halves them: ``p`` is normal, scaled so that ``H p`` has standard deviation 1, and ``b = -p · mean(H)``.

    Parameters
    ----------
    frames : sequence of ndarray of float32, shape (n, D)
        The round's training segments.
    bias : bool
        Without it the direction is scaled only.
    rng : numpy.random.Generator

    Raises
    ------
    ValueError
        When all frames are equal, since then nothing spreads.
    """
    direction = rng.standard_normal(frames[0].shape[1])
    values = np.concatenate([rows @ direction.astype(np.float32) for rows in frames]).astype(np.float64)
    mean, spread = values.mean(), values.std()
    # Equal rows may differ by float32's rounding of the product.
    if spread <= 1e-6 * np.abs(values).max():
        raise ValueError("the training frames are all alike: a centred start needs frames that differ")
    return np.append(direction / spread, -mean / spread if bias else 0.0)
