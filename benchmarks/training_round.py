"""One whole boosting round on 40 segments of 1000 frames, and one step alone, against the authors' way.

A round on either side: S of every segment, 20 passes of one step per segment, ε and β. It is round 151 of 300. What
the rounds before left is at hand on each side as that side keeps it: ours keeps their codes and rebuilds W from them
inside the timing, the authors' way keeps W and brings it up to date at the round's end, inside the timing. Both start
at the same vector with the same switches: `authors2022` (autograd's gradient, ε from the squared error) but 20 passes,
and this project's centred start and rate of 1e-2, at which many more bits change, and ours costs more, than at the
authors' 1e-4. A step alone is the mean of 400 in ten passes, with S, W and M given.

What both learn is checked: the vector and ε after one pass, and with cross-entropy, which the authors' command uses,
ε after all. The squared error's own gradient pulls frames to the boundary, where the last digit decides a bit: there
20 passes lead apart any two sums of different order.

What bounds a step of ours is the reading of H, 2 MB, which is more than the nearest caches hold: the rows of steps
alone compare with the rate at which one core adds up the same numbers (``share_of_limit``).

Ours prepares segments on the run's threads with BLAS on one, as in training; steps are one thread's. The authors' way
gets one thread and the run's, and what is faster in a trial is timed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numba
import numpy as np

from benchmarks.inputs import draw_features
from benchmarks.measuring import Contender, Row, compare_rows
from benchmarks.peers import missing_row, module_is_missing
from blsh.hashing.boosting import boost_round
from blsh.hashing.descent import descend
from blsh.hashing.initialisation import draw_start
from blsh.hashing.profiles import PROFILES, TrainingParams
from blsh.hashing.segments import Segment
from blsh.hashing.similarity import ssm
from blsh.hashing.weights import pair_weights, papers_rule

NAME = "training_round"
GOAL_ROUND, GOAL_STEP = 8.0, 20.0
PEER = "the authors' way (torch autograd)"
# A tenth of the rate: Adam divides by the gradient's size, rounding included where its terms cancel.
VECTOR_TOLERANCE = 1e-3
EPSILON_TOLERANCE = 1e-3
PASSES_CHECKED = {"xent": 20, "square": 1}


@dataclass(frozen=True, eq=False)
class Problem:
    """What both sides are given: frames (segments, n, D), codes so far (segments, n, l), their β and a start."""

    frames: np.ndarray
    codes: np.ndarray
    betas: np.ndarray
    start: np.ndarray
    params: TrainingParams


def run(small: bool) -> list[Row]:
    n_segments, n, n_rounds, passes, repeats = (2, 60, 5, 3, 1) if small else (40, 1000, 150, 20, 3)
    if module_is_missing("torch"):
        return [missing_row(NAME, "one round", PEER, goal_ratio=GOAL_ROUND)]
    rows = []
    for loss in ("xent", "square"):
        problem = _draw_problem(n_segments, n, n_rounds, passes, loss)
        _check(problem, min(passes, PASSES_CHECKED[loss]))
        work = f"one round, {n_segments} segments of {n} frames, {passes} passes, {loss}"
        rows.append(_row(work, problem, _round_of_ours, _round_of_theirs, GOAL_ROUND, repeats))
        half = _with_passes(problem, -(-passes // 2))
        n_steps = n_segments * half.params.max_passes
        step = _row(f"one step, mean of {n_steps}, {loss}", half, _steps_of_ours, _steps_of_theirs, GOAL_STEP, repeats)
        step = replace(step, ours_ms=step.ours_ms / n_steps, peer_ms=step.peer_ms / n_steps)
        limit = _reading_ms(problem.frames)
        note = f"{step.note}; limit: reading H, {limit:.2g} ms"
        rows.append(replace(step, share_of_limit=limit / step.ours_ms, note=note))
    return rows


def _check(problem: Problem, passes: int) -> None:
    """Raise unless both sides learn the same."""
    one_pass = _with_passes(problem, 1)
    (vector, epsilon), (their_vector, their_epsilon) = _round_of_ours(one_pass)(), _round_of_theirs(one_pass)()
    np.testing.assert_allclose(vector, their_vector, rtol=0, atol=VECTOR_TOLERANCE)
    if passes > 1:
        more = _with_passes(problem, passes)
        epsilon, their_epsilon = _round_of_ours(more)()[1], _round_of_theirs(more)()[1]
    np.testing.assert_allclose(epsilon, their_epsilon, rtol=0, atol=EPSILON_TOLERANCE)


def _row(work: str, problem: Problem, make_ours: Callable, make_theirs: Callable, goal: float, repeats: int) -> Row:
    """Compare with the authors' way on as many threads as suit it best."""
    one_pass = make_theirs(_with_passes(problem, 1))
    make_ours(_with_passes(problem, 1))()
    trials = []
    for n_threads in sorted({1, numba.get_num_threads()}):
        _on_threads(n_threads, one_pass)
        started = time.perf_counter()
        _on_threads(n_threads, one_pass)
        trials.append((time.perf_counter() - started, n_threads))
    n_threads = min(trials)[1]
    theirs = make_theirs(problem)
    peer = Contender(PEER, lambda: _on_threads(n_threads, theirs))
    ours = Contender("ours", make_ours(problem), blas_threads=1)
    note = f"faster of {len(trials)} settings: torch threads {n_threads}"
    return compare_rows(NAME, work, ours, [(peer, goal)], repeats, note=note)[0]


def _with_passes(problem: Problem, passes: int) -> Problem:
    return replace(problem, params=replace(problem.params, min_passes=passes, max_passes=passes))


def _reading_ms(frames: np.ndarray) -> float:
    """Milliseconds in which one core adds up the numbers of a segment, when all segments take their turn."""
    times = []
    for _ in range(5):
        started = time.perf_counter()
        for rows in frames:
            _add_up(rows)
        times.append(time.perf_counter() - started)
    return 1e3 * min(times) / len(frames)


@numba.njit(fastmath={"reassoc"})
def _add_up(rows):
    total = np.float32(0)
    for i in range(rows.shape[0]):
        row = rows[i]
        for j in range(row.shape[0]):
            total += row[j]
    return total


def _draw_problem(n_segments: int, n: int, n_rounds: int, passes: int, loss: str) -> Problem:
    rng = np.random.default_rng(0)
    frames = draw_features(n_segments * n, 513, rng)
    values = frames @ rng.standard_normal((513, n_rounds), dtype=np.float32)
    codes = np.where(values >= values.mean(axis=0), 1, -1).astype(np.int8).reshape(n_segments, n, n_rounds)
    frames = frames.reshape(n_segments, n, 513)
    switches = {"projection_loss": loss, "learning_rate": 1e-2, "initialisation": "centred", "segment_frames": n}
    params = replace(PROFILES["authors2022"], min_passes=passes, max_passes=passes, **switches)
    betas = np.linspace(1.0, 0.3, n_rounds) / 10  # mild: denormal weights would slow the peer
    return Problem(frames, codes, betas, draw_start(list(frames), params, rng=rng), params)


def _round_of_ours(problem: Problem) -> Callable:
    n_threads = numba.get_num_threads()
    matrices = _room_for_matrices(problem)

    def learn():
        with ThreadPoolExecutor(n_threads) as pool:
            targets = list(pool.map(ssm, problem.frames))
        segments = [Segment(*parts) for parts in zip(problem.frames, problem.codes, targets, strict=True)]
        learned = boost_round(
            segments, problem.betas, problem.start, problem.params, matrices=matrices, n_threads=n_threads
        )
        return np.append(learned.projection, learned.bias), learned.epsilon

    return learn


def _round_of_theirs(problem: Problem) -> Callable:
    import torch

    from benchmarks import authors_step

    plain = [torch.from_numpy(rows) for rows in problem.frames]
    frames, start, weights = _tensors(problem)

    def learn():
        targets = [authors_step.target_ssm(rows) for rows in plain]
        vector = authors_step.descend(frames, targets, weights, start, **_options(problem))
        epsilon, _, _ = authors_step.finish_round(frames, targets, weights, vector)
        return vector.numpy()[:, 0], epsilon

    return learn


def _steps_of_ours(problem: Problem) -> Callable:
    losses = {"weight_loss": "square", "loss": problem.params.projection_loss}
    objectives = [
        papers_rule(ssm(rows), codes, problem.betas, **losses, out=matrix)
        for rows, codes, matrix in zip(problem.frames, problem.codes, _room_for_matrices(problem), strict=True)
    ]
    frames = list(problem.frames)
    return lambda: (descend(frames, objectives, problem.start, problem.params).vector, None)


def _steps_of_theirs(problem: Problem) -> Callable:
    import torch

    from benchmarks import authors_step

    frames, start, weights = _tensors(problem)
    targets = [authors_step.target_ssm(torch.from_numpy(rows)) for rows in problem.frames]

    def learn():
        return authors_step.descend(frames, targets, weights, start, **_options(problem)).numpy()[:, 0], None

    return learn


def _room_for_matrices(problem: Problem) -> np.ndarray:
    """Room for every segment's M, in one piece and kept from round to round, as `boost` does."""
    n_segments, n, _ = problem.frames.shape
    return np.empty((n_segments, n, n), np.float32)


def _options(problem: Problem) -> dict[str, object]:
    params = problem.params
    return {"loss": params.projection_loss, "passes": params.max_passes, "learning_rate": params.learning_rate}


def _tensors(problem: Problem) -> tuple[Sequence, object, Sequence]:
    """Frames with a column of ones, the start, and W after the rounds so far."""
    import torch

    ones = torch.ones(problem.frames.shape[1], 1)
    frames = [torch.cat([torch.from_numpy(rows), ones], dim=1) for rows in problem.frames]
    weights = [
        torch.from_numpy(pair_weights(ssm(rows), codes, problem.betas, loss="square"))
        for rows, codes in zip(problem.frames, problem.codes, strict=True)
    ]
    return frames, torch.from_numpy(problem.start.astype(np.float32))[:, None], weights


def _on_threads(n_threads: int, call: Callable) -> object:
    import torch

    torch.set_num_threads(n_threads)
    return call()
