"""Boosted locality sensitive hashing: projections learned one by one, each mending what the others miss.

`boost` is Algorithm 2 of the papers. Round l learns one projection on segments of training frames:

1. W, the weights of a segment's pairs, from the codes of the rounds before, and M from W (``weights``);
2. from a random start (``initialisation``), descend on ``-½ tᵀ M t`` (``descent``);
3. ``ε = mean over segments of Σ W loss(B, S)`` with the new bits, clipped to [1e-6, 1 - 1e-6];
4. ``β = ln((1 - ε) / ε)``, TASLP (13), or half of it, ICASSP (6).

Nothing of a round lives on but its projection, ε and β. So rounds may draw fresh segments, memory does not
grow with the number of frames, and a round depends on the rounds before it, its own random numbers and
nothing else: the first L bits of a longer training are the L-bit training, and a killed one resumes with the
same result.

Codes come from ``projections.encode`` in training as in use, so a bit that boosting counts on is the bit that
search will see. Segments are prepared in parallel, each by one thread, and BLAS is held to one thread
meanwhile: the result has the same bytes for any number of threads.

References
----------
.. [ICASSP] S. Kim, H. Yang and M. Kim, "Boosted locality sensitive hashing: discriminative binary codes for
   source separation", ICASSP 2020.
.. [TASLP] S. Kim and M. Kim, "Boosted locality sensitive hashing: discriminative, efficient, and scalable
   binary codes for source separation", IEEE/ACM TASLP 30, 2022.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from blsh.files.fail_points import fail_point
from blsh.files.threads import thread_count
from blsh.hashing.descent import descend
from blsh.hashing.initialisation import draw_start
from blsh.hashing.profiles import TrainingParams
from blsh.hashing.projections import Projections
from blsh.hashing.rounds import BoostRound, projections_of
from blsh.hashing.scratch import Scratch, release_pages
from blsh.hashing.segment_sources import FixedSegments, FreshSegments
from blsh.hashing.segments import Segment, count_segments, signs_of_frames
from blsh.hashing.training_state import load_rounds, save_rounds
from blsh.hashing.weights import Objective, papers_rule

__all__ = ["Rule", "boost", "boost_round"]

EPSILON_FLOOR = 1e-6
SECONDS_BETWEEN_SAVES = 5.0

Rule = Callable[..., Objective]
"""A boosting rule, `rule(target_ssm, codes, betas, *, weight_loss, loss, out)`: `papers_rule` or another."""


def boost_round(
    segments: Sequence[Segment],
    betas: Sequence[float],
    start: np.ndarray,
    params: TrainingParams,
    *,
    held_out: Sequence[Segment] = (),
    rule: Rule = papers_rule,
    matrices: np.ndarray | None = None,
    n_threads: int = 1,
) -> BoostRound:
    """Learn one more bit.

    Parameters
    ----------
    segments : sequence of Segment
        What to learn from, with the codes of the l rounds so far.
    betas : sequence of float, length l
    start : ndarray, shape (D + 1,)
        Starting projection and bias.
    params : TrainingParams
    held_out : sequence of Segment, optional
        What to measure ε on; by default the segments themselves.
    rule : Rule
        Makes each segment's objective.
    matrices : ndarray of float32, shape (len(segments), n, n), optional
        Room for the objectives' matrices.
    n_threads : int
        Threads that prepare segments; the result does not depend on it.

    Returns
    -------
    BoostRound
    """
    betas = np.asarray(betas, dtype=np.float64)
    weight_loss = params.boosting_loss

    def objective_of(index: int) -> Objective:
        segment = segments[index]
        out = None if matrices is None else matrices[index]
        target = segment.target_ssm()
        return rule(target, segment.codes, betas, weight_loss=weight_loss, loss=params.projection_loss, out=out)

    def loss_of(segment: Segment, bits: np.ndarray) -> float:
        target = segment.target_ssm()
        return rule(target, segment.codes, betas, weight_loss=weight_loss, loss=weight_loss).loss(bits)

    with ThreadPoolExecutor(n_threads) as pool:
        objectives = list(pool.map(objective_of, range(len(segments))))
        descent = descend([segment.frames for segment in segments], objectives, start, params)
        vector = descent.vector.astype(np.float32)
        learned = Projections(vector[None, :-1], vector[-1:])
        # `encode` has threads of its own, so it is called by this one.
        bits = [signs_of_frames(segment.frames, learned)[:, 0] for segment in segments]
        if held_out:
            unseen_bits = [signs_of_frames(segment.frames, learned)[:, 0] for segment in held_out]
            losses = list(pool.map(loss_of, held_out, unseen_bits))
        elif params.projection_loss == weight_loss:
            losses = [objective.loss(t) for objective, t in zip(objectives, bits, strict=True)]
        else:
            losses = list(pool.map(loss_of, segments, bits))
    epsilon = float(np.clip(np.mean(losses), EPSILON_FLOOR, 1 - EPSILON_FLOOR))
    return BoostRound(
        projection=vector[:-1],
        bias=float(vector[-1]),
        beta=params.beta_scale * float(np.log((1 - epsilon) / epsilon)),
        epsilon=epsilon,
        passes=len(descent.losses),
        losses=descent.losses,
        effective_pairs=float(np.mean([objective.effective_pairs for objective in objectives])),
        share_of_ones=float(np.mean(np.concatenate(bits) > 0)),
        duplicate_of=_duplicate_of(bits, [segment.codes for segment in segments]),
    )


def boost(
    features: np.ndarray,
    params: TrainingParams,
    *,
    rng_for_round: Callable[[int], np.random.Generator],
    masks: np.ndarray | None = None,
    initial: np.ndarray | None = None,
    rule: Rule = papers_rule,
    on_round: Callable[[BoostRound], None] | None = None,
    progress: Callable[[int, int, float, float, float, float], None] | None = None,
    state: Path | None = None,
    fingerprint: str = "",
    memory_bytes: int = 2 << 30,
    scratch: Path | None = None,
) -> tuple[Projections, tuple[BoostRound, ...]]:
    """Learn ``params.n_bits`` projections.

    Parameters
    ----------
    features : ndarray of float32, shape (T, D)
        Training frames, rows of unit length; may be mapped from disk.
    params : TrainingParams
    rng_for_round : callable
        Gives the generator of round 1, 2, …; 0 is for the segments that all rounds share. Called once for
        each.
    masks : ndarray of uint8, shape (T, bytes), optional
        The frames' binary masks as packed bits; needed by the target ``mix``.
    initial : ndarray, shape (n_bits, D + 1), optional
        Starts to use instead of drawn ones, bias last.
    rule : Rule
        The boosting rule.
    on_round : callable, optional
        Called with each new `BoostRound`.
    progress : callable, optional
        Called after each round with its number, ``n_bits``, ε, β, the seconds since the call began and an
        estimate of the seconds that remain.
    state : Path, optional
        File for unfinished training. It is read at the start, written every few seconds and when training
        ends or fails, and stays; who stores the result may remove it.
    fingerprint : str
        Digest of all that the result depends on; a state with another one is not used.
    memory_bytes : int
        Room for the segments' matrices. With more segments than fit, target SSMs are made anew each round,
        and what still does not fit is put on disk.
    scratch : Path, optional
        Folder for that; without it too many segments are an error.

    Returns
    -------
    projections : Projections
    rounds : tuple of BoostRound
        ``rounds.history_table`` makes a table of them.

    Raises
    ------
    ValueError
        When there are too few frames, a feature is not finite, or shapes do not match.
    TypeError
        When features are not float32.
    OSError
        When the scratch folder's disk has no room.
    """
    _check_inputs(features, params, masks, initial)
    rounds: list[BoostRound] = []
    if state is not None:
        rounds += load_rounds(state, fingerprint=fingerprint)[: params.n_bits]
    if len(rounds) == params.n_bits:
        return projections_of(rounds), tuple(rounds)
    n_resumed = n_saved = len(rounds)
    started = last_save = time.monotonic()
    try:
        with threadpool_limits(1, "blas"):
            room = Scratch(memory_bytes, scratch)
            n, n_segments = params.segment_frames, count_segments(len(features), params)[0]
            matrices = room.empty(n_segments, n, n)
            if params.segments == "fixed":
                source = FixedSegments(features, masks, params, rng=rng_for_round(0), scratch=room)
            else:
                source = FreshSegments(features, masks, params)
            for number in range(n_resumed + 1, params.n_bits + 1):
                rng = rng_for_round(number)
                segments, held_out = source.draw(rounds, rng=rng)
                frames = [segment.frames for segment in segments]
                start = draw_start(frames, params, rng=rng) if initial is None else initial[number - 1]
                betas = [r.beta for r in rounds]
                new = boost_round(
                    segments,
                    betas,
                    start,
                    params,
                    held_out=held_out,
                    rule=rule,
                    matrices=matrices,
                    n_threads=thread_count(),
                )
                rounds.append(new)
                fail_point("training.round")
                now = time.monotonic()
                if state is not None and now - last_save >= SECONDS_BETWEEN_SAVES:
                    save_rounds(state, rounds, fingerprint=fingerprint)
                    n_saved, last_save = number, now
                if progress is not None:
                    left = (now - started) / (number - n_resumed) * (params.n_bits - number)
                    progress(number, params.n_bits, new.epsilon, new.beta, now - started, left)
                if on_round is not None:
                    on_round(new)
    finally:
        if state is not None and len(rounds) > n_saved:
            save_rounds(state, rounds, fingerprint=fingerprint)
    return projections_of(rounds), tuple(rounds)


def _duplicate_of(bits: Sequence[np.ndarray], codes: Sequence[np.ndarray]) -> int:
    """Return the number of the first earlier bit that agrees with these everywhere or nowhere, else 0."""
    n_frames = sum(len(signs) for signs in bits)
    # Sums of ±1 are whole numbers, exact in float32 for the frames of one segment.
    agreements = sum(
        earlier.T.astype(np.float32) @ signs.astype(np.float32) for signs, earlier in zip(bits, codes, strict=True)
    )
    same = np.flatnonzero(np.abs(agreements) == n_frames)
    return int(same[0]) + 1 if same.size else 0


def _check_inputs(
    features: np.ndarray, params: TrainingParams, masks: np.ndarray | None, initial: np.ndarray | None
) -> None:
    if features.ndim != 2 or features.dtype != np.float32:
        raise TypeError(f"features are {features.dtype} of shape {features.shape}: float32 (frames, width) needed")
    n_frames, width = features.shape
    if params.target.needs_masks and masks is None:
        raise ValueError(f"the target {params.target} needs the frames' binary masks: give masks")
    if masks is not None and (masks.dtype != np.uint8 or masks.ndim != 2 or len(masks) != n_frames):
        raise ValueError(f"masks of shape {masks.shape} do not match {n_frames} frames: packed uint8 rows needed")
    if initial is not None and initial.shape != (params.n_bits, width + 1):
        raise ValueError(
            f"initial has shape {initial.shape}: n_bits={params.n_bits} starts of {width + 1} numbers needed"
        )
    for first in range(0, n_frames, 4096):
        finite = np.isfinite(features[first : first + 4096]).all(axis=1)
        if not finite.all():
            raise ValueError(f"features row {first + int(np.argmin(finite))} holds NaN or infinity: compute them again")
        release_pages(features)
