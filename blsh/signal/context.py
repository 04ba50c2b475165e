"""Features of a frame and its neighbours in time: stacked context frames.

With N frames of context (an odd number), the feature of frame t of a recording is

    x_t = [h_{t-(N-1)/2}, …, h_t, …, h_{t+(N-1)/2}] / √N,

so that unit rows h make unit rows x, and ``x_s · x_t`` is the mean of N cosines. Beyond the ends of a recording its
first or last frame is repeated. "Projections on multiple frames" are the future work of S. Kim, H. Yang and M. Kim,
"Boosted locality sensitive hashing", ICASSP 2020.

The training frames of many recordings lie in one file, one recording after the other. N times that file is never
made: `ContextFrames` looks like it, and stacks the rows that are asked for.
"""

from __future__ import annotations

import numpy as np

__all__ = ["MAX_CONTEXT", "ContextFrames", "require_context", "stack_context"]

MAX_CONTEXT = 99
"""The most frames that are stacked: a second and a half, and 200 kB for each frame."""


def require_context(n_frames: int) -> None:
    """Check a number of frames of context.

    Raises
    ------
    ValueError
        When it is not odd, positive and at most `MAX_CONTEXT`: a frame has as many before it as after it.
    """
    if not 1 <= n_frames <= MAX_CONTEXT or n_frames % 2 == 0:
        raise ValueError(
            f"context={n_frames} must be 1, 3, 5, …: a frame and as many before it as after it, {MAX_CONTEXT} at most"
        )


def stack_context(features: np.ndarray, n_frames: int) -> np.ndarray:
    """Stack the frames of one recording.

    Parameters
    ----------
    features : ndarray of float32, shape (frames, D)
    n_frames : int, odd
        N; 1 changes nothing.

    Returns
    -------
    ndarray of float32, shape (frames, N·D)
    """
    return ContextFrames(features, np.zeros(1, np.int64), n_frames)[:]


class ContextFrames:
    """Rows of stacked frames, read like an array (frames, N·D) and made when they are read.

    Parameters
    ----------
    features : ndarray of float32, shape (T, D)
        Frames of several recordings, one after the other; may be a mapped file.
    starts : ndarray of int64, shape (recordings,)
        The first frame of each recording, rising from 0.
    n_frames : int, odd
        N.
    rows : ndarray of int64, optional
        The frames to have, by default all of them.

    Raises
    ------
    ValueError
        When N is even, or starts are not those of recordings of these frames.
    """

    ndim = 2

    def __init__(self, features: np.ndarray, starts: np.ndarray, n_frames: int, rows: np.ndarray | None = None) -> None:
        require_context(n_frames)
        if not len(starts) or starts[0] != 0 or (np.diff(starts) <= 0).any() or starts[-1] >= max(len(features), 1):
            raise ValueError(
                f"starts of {len(starts)} recordings do not fit {len(features)} frames: they rise from 0 to a last one"
            )
        self._features, self._starts, self._n_frames, self._rows = features, starts, n_frames, rows
        self._ends = np.append(starts[1:], len(features)) - 1
        self.dtype = features.dtype
        self.shape = (len(features) if rows is None else len(rows), n_frames * features.shape[1])

    @property
    def base(self) -> np.ndarray:
        """The frames that are stacked: as of an array that is a view, where its numbers lie."""
        return self._features

    def __len__(self) -> int:
        """Return the number of frames."""
        return self.shape[0]

    def __getitem__(self, key: slice | np.ndarray) -> np.ndarray:
        """Return the stacked frames of a slice or of an array of row numbers."""
        rows = np.arange(*key.indices(len(self))) if isinstance(key, slice) else np.asarray(key)
        rows = rows if self._rows is None else self._rows[rows]
        recording = np.searchsorted(self._starts, rows, side="right") - 1
        reach = self._n_frames // 2
        neighbours = rows[:, None] + np.arange(-reach, reach + 1)
        neighbours = np.clip(neighbours, self._starts[recording, None], self._ends[recording, None])
        stacked = self._features[neighbours].reshape(len(rows), self.shape[1])
        return stacked / np.sqrt(np.float32(self._n_frames))

    def only(self, rows: np.ndarray) -> ContextFrames:
        """Return some of the rows, still to be made."""
        chosen = rows if self._rows is None else self._rows[rows]
        return ContextFrames(self._features, self._starts, self._n_frames, chosen)
