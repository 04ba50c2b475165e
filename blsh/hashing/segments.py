"""Which frames a round learns from: segments of n frames out of all T.

All pairs of T frames are too many, so the papers cut the frames into segments and weigh the n² pairs of each. A
segment is either of frames drawn from anywhere or a run of consecutive ones. Segments drawn together never share a
frame, which keeps the held-out ones unseen.
"""

from __future__ import annotations

import numpy as np

from blsh.hashing.profiles import TrainingParams

__all__ = ["draw_segments"]


def draw_segments(
    n_frames: int, params: TrainingParams, *, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
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
        Frame numbers, rising within a segment. Consecutive frames are cut at multiples of n, a short rest is dropped,
        and segments rise too; with n_segments None they are all there, in order.

    Raises
    ------
    ValueError
        When there are too few frames.
    """
    n, n_held_out = params.segment_frames, params.n_epsilon_segments
    if n_frames < n:
        raise ValueError(f"{n_frames} frames are fewer than segment_frames={n}: lower it or give more recordings")
    n_training = n_frames // n - n_held_out if params.n_segments is None else params.n_segments
    n_all = n_training + n_held_out
    if n_training < 1 or n_all * n > n_frames:
        raise ValueError(
            f"{max(n_training, 1)} segments to learn from and {n_held_out} to measure epsilon on need"
            f" {(max(n_training, 1) + n_held_out) * n} frames, but there are {n_frames}:"
            " lower n_segments or segment_frames"
        )
    if params.frame_order == "shuffled":
        frames = np.sort(rng.choice(n_frames, (n_all, n), replace=False), axis=1)
        return frames[:n_training], frames[n_training:]
    starts = n * rng.choice(n_frames // n, n_all, replace=False)
    starts = np.concatenate([np.sort(starts[:n_training]), np.sort(starts[n_training:])])
    frames = starts[:, None] + np.arange(n)
    return frames[:n_training], frames[n_training:]
