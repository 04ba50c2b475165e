"""Where each round's segments come from: the same ones with one bit more, or fresh ones with all their bits.

Both give `draw(rounds, rng=...)`: the segments to learn from and those to measure ε on, coded by the rounds
so far.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from blsh.hashing.profiles import TrainingParams
from blsh.hashing.rounds import BoostRound, projections_of
from blsh.hashing.scratch import Scratch, release_pages
from blsh.hashing.segments import Segment, draw_segments, signs_of_frames
from blsh.hashing.similarity import target_ssm

__all__ = ["FixedSegments", "FreshSegments"]


class FreshSegments:
    """Segments drawn by each round from all frames.

    Parameters
    ----------
    features : ndarray of float32, shape (T, D)
    masks : ndarray of uint8, shape (T, bytes), or None
        Packed binary masks.
    params : TrainingParams
    """

    def __init__(self, features: np.ndarray, masks: np.ndarray | None, params: TrainingParams):
        self._features, self._masks, self._params = features, masks, params

    def draw(self, rounds: Sequence[BoostRound], *, rng: np.random.Generator) -> tuple[list[Segment], list[Segment]]:
        """Draw this round's segments."""
        drawn = draw_segments(len(self._features), self._params, rng=rng)
        numbers = np.concatenate(drawn)
        n_segments, n = numbers.shape
        frames = _gather(self._features, numbers, np.empty((n_segments, n, self._features.shape[1]), np.float32))
        codes = np.empty((n_segments, n, len(rounds)), np.int8)
        if rounds:
            codes = signs_of_frames(frames.reshape(n_segments * n, -1), projections_of(rounds)).reshape(codes.shape)
        segments = [
            Segment(frames[i], codes[i], _target_maker(frames[i], self._masks, numbers[i], self._params))
            for i in range(n_segments)
        ]
        n_training = len(drawn[0])
        return segments[:n_training], segments[n_training:]


class FixedSegments:
    """Segments drawn once, whose codes are kept (a byte for each bit) and grow by one bit a round.

    Parameters
    ----------
    features, masks, params
        As for `FreshSegments`.
    rng : numpy.random.Generator
        Draws the segments.
    scratch : Scratch
        Holds the frames; target SSMs are kept as well if all of them fit into its memory.
    """

    def __init__(
        self,
        features: np.ndarray,
        masks: np.ndarray | None,
        params: TrainingParams,
        *,
        rng: np.random.Generator,
        scratch: Scratch,
    ):
        drawn = draw_segments(len(features), params, rng=rng)
        numbers = np.concatenate(drawn)
        n_segments, n = numbers.shape
        self._n_training = len(drawn[0])
        self._frames = _gather(features, numbers, scratch.empty(n_segments, n, features.shape[1]))
        self._codes = np.empty((n_segments, n, params.n_bits), np.int8)
        self._n_coded = 0
        self._targets: list[np.ndarray | Callable[[], np.ndarray]] = [
            _target_maker(rows, masks, chosen, params) for rows, chosen in zip(self._frames, numbers, strict=True)
        ]
        if scratch.fits(n_segments, n, n):
            kept = scratch.empty(n_segments, n, n)
            for room, make in zip(kept, self._targets, strict=True):
                room[:] = make()
            self._targets = list(kept)

    def draw(self, rounds: Sequence[BoostRound], *, rng: np.random.Generator) -> tuple[list[Segment], list[Segment]]:
        """Give the segments, coded by ``rounds``; nothing is left to chance."""
        done, n_rounds = self._n_coded, len(rounds)
        if n_rounds > done:
            new = projections_of(rounds[done:])
            for codes, rows in zip(self._codes, self._frames, strict=True):
                codes[:, done:n_rounds] = signs_of_frames(rows, new)
            self._n_coded = n_rounds
        segments = [
            Segment(rows, codes[:, :n_rounds], target)
            for rows, codes, target in zip(self._frames, self._codes, self._targets, strict=True)
        ]
        return segments[: self._n_training], segments[self._n_training :]


def _gather(features: np.ndarray, numbers: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Copy the rows of each segment's numbers to ``frames``, and return it."""
    for rows, chosen in zip(frames, numbers, strict=True):
        rows[:] = features[chosen]
        release_pages(features)
    return frames


def _target_maker(
    frames: np.ndarray, masks: np.ndarray | None, numbers: np.ndarray, params: TrainingParams
) -> Callable[[], np.ndarray]:
    return partial(_make_target, frames, masks, numbers, params)


def _make_target(
    frames: np.ndarray, masks: np.ndarray | None, numbers: np.ndarray, params: TrainingParams
) -> np.ndarray:
    return target_ssm(frames, params.target, masks=masks[numbers] if params.target.needs_masks else None)
