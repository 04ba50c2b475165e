"""Which frames a round learns from: segments of n frames out of all T.

All pairs of T frames are too many, so the papers cut the frames into segments and weigh the n² pairs of each.
A segment is either of frames drawn from anywhere or a run of consecutive ones. Segments drawn together never
share a frame, which keeps the held-out ones unseen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from blsh.hashing.codes import unpack_bits
from blsh.hashing.profiles import TrainingParams
from blsh.hashing.projections import Projections, encode

__all__ = ["Segment", "count_segments", "draw_segments", "signs_of_frames"]


@dataclass(frozen=True, eq=False)
class Segment:
    """Frames that are weighed against each other.

    Attributes
    ----------
    frames : ndarray of float32, shape (n, D)
    codes : ndarray of int8, shape (n, l)
        Their bits of the rounds so far, ±1.
    target : ndarray of float32, shape (n, n), or callable that makes it
        Their target SSM; a callable where it is used once, or keeping all of them would need too much memory.
    """

    frames: np.ndarray
    codes: np.ndarray
    target: np.ndarray | Callable[[], np.ndarray]

    def target_ssm(self) -> np.ndarray:
        """Return the target SSM, made now if it is not kept."""
        return self.target() if callable(self.target) else self.target


def count_segments(n_frames: int, params: TrainingParams) -> tuple[int, int]:
    """Count the segments to learn from and those to measure ε on, out of ``n_frames`` frames.

    Raises
    ------
    ValueError
        When there are too few frames.
    """
    n, n_held_out = params.segment_frames, params.n_epsilon_segments
    if n_frames < n:
        raise ValueError(f"{n_frames} frames are fewer than segment_frames={n}: lower it or give more recordings")
    n_training = n_frames // n - n_held_out if params.n_segments is None else params.n_segments
    needed = (max(n_training, 1) + n_held_out) * n
    if needed > n_frames:
        raise ValueError(
            f"{max(n_training, 1)} segments to learn from and {n_held_out} to measure epsilon on need"
            f" {needed} frames, but there are {n_frames}: lower n_segments or segment_frames"
        )
    return n_training, n_held_out


def draw_segments(n_frames: int, params: TrainingParams, *, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw the frames of the segments to learn from and of those to measure ε on.

    Parameters
    ----------
    n_frames : int
        T, the number of frames to draw from.
    params : TrainingParams
        Its segment_frames n, n_segments, n_epsilon_segments and frame_order.
    rng : numpy.random.Generator

    Returns
    -------
    training : ndarray of int64, shape (n_segments, n)
    held_out : ndarray of int64, shape (n_epsilon_segments, n)
        Frame numbers, rising within a segment. Consecutive frames are cut at multiples of n, a short rest is
        dropped, and segments rise too; with n_segments None they are all there, in order.

    Raises
    ------
    ValueError
        As `count_segments`.
    """
    n = params.segment_frames
    n_training, n_held_out = count_segments(n_frames, params)
    n_all = n_training + n_held_out
    if params.frame_order == "shuffled":
        frames = np.sort(rng.choice(n_frames, (n_all, n), replace=False), axis=1)
        return frames[:n_training], frames[n_training:]
    starts = n * rng.choice(n_frames // n, n_all, replace=False)
    starts = np.concatenate([np.sort(starts[:n_training]), np.sort(starts[n_training:])])
    frames = starts[:, None] + np.arange(n)
    return frames[:n_training], frames[n_training:]


def signs_of_frames(frames: np.ndarray, projections: Projections) -> np.ndarray:
    """Codes of frames (n, D) as ±1: int8 (n, n_bits), the bits that `encode` gives."""
    return 2 * unpack_bits(encode(frames, projections)).view(np.int8) - 1
