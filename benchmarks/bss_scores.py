"""SDR, SIR and SAR of an utterance of 5 s at 16 kHz, float64, 512 taps.

Three works, each with the references' factorisation excluded (given, as for the second and every further estimate of
an utterance) and included: the SDR of one estimate and of both against `fast_bss_eval.sdr`; SDR, SIR and SAR of both
estimates, ŝ against speech and x − ŝ against noise, against mir_eval's `bss_eval_sources` without permutations.

BLAS on one thread for ours. The peers get one thread and all threads of the run, and fast_bss_eval float32 and float64
signals; what is within 0.01 dB counts, and the fastest of that is timed. The goal stands against its direct solver,
which solves what ours does; its solver by ten iterations, which approximates, has a row of its own.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable

import numba
import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.inputs import draw_speech_like
from benchmarks.measuring import Contender, Row, compare_rows
from benchmarks.peers import missing_row, module_is_missing
from blsh.evaluation.bss_eval import bss_eval, factor_references

NAME = "bss_scores"
GOAL_SDR, GOAL_ALL = 4.0, 20.0
TOLERANCE_DB = 0.01


def run(small: bool) -> list[Row]:
    n_samples, repeats = (8000, 1) if small else (80_000, 15)
    rng = np.random.default_rng(0)
    speech, noise = (draw_speech_like(n_samples, rng).astype(np.float64) for _ in range(2))
    estimate = np.convolve(speech + 0.3 * noise, [1.0, 0.3, -0.2], mode="same") + 0.02 * rng.standard_normal(n_samples)
    references, estimates = np.stack([speech, noise]), np.stack([estimate, speech + noise - estimate])
    return [
        *_sdr_rows("SDR of one estimate", references[:1], estimates[:1], GOAL_SDR, repeats),
        *_sdr_rows("SDR of both estimates", references, estimates, math.nan, repeats),
        *_all_rows(references, estimates, repeats),
    ]


def _sdr_rows(work: str, references: np.ndarray, estimates: np.ndarray, goal: float, repeats: int) -> list[Row]:
    factors = [factor_references(reference, None, interference=False) for reference in references]

    def given():
        return [bss_eval(e[None], f).sdr[0] for e, f in zip(estimates, factors, strict=True)]

    def included():
        made = [factor_references(reference, None, interference=False) for reference in references]
        return [bss_eval(e[None], f).sdr[0] for e, f in zip(estimates, made, strict=True)]

    peer = "fast_bss_eval.sdr"
    if module_is_missing("fast_bss_eval"):
        return [missing_row(NAME, work, peer, goal_ratio=goal)]
    peers = {
        f"{peer}, {solver}": (_fast_bss_eval_settings(references, estimates, iterations), goal_of_solver)
        for solver, iterations, goal_of_solver in (("direct", None, goal), ("10 iterations", 10, math.nan))
    }
    return _both_ways(work, given, included, peers, repeats)


def _all_rows(references: np.ndarray, estimates: np.ndarray, repeats: int) -> list[Row]:
    orders = [references, references[::-1]]
    factors = [factor_references(*pair) for pair in orders]

    def scores(made):
        results = [bss_eval(e[None], f) for e, f in zip(estimates, made, strict=True)]
        return [value for r in results for value in (r.sdr[0], r.sir[0], r.sar[0])]

    work, peer = "SDR, SIR and SAR of both estimates", "mir_eval bss_eval_sources"
    if module_is_missing("mir_eval"):
        return [missing_row(NAME, work, peer, goal_ratio=GOAL_ALL)]
    from mir_eval.separation import bss_eval_sources

    def theirs():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # that the module leaves in 0.9
            return np.transpose(bss_eval_sources(references, estimates, compute_permutation=False)[:3]).ravel()

    return _both_ways(
        work,
        lambda: scores(factors),
        lambda: scores([factor_references(*pair) for pair in orders]),
        {peer: ({"defaults": theirs}, GOAL_ALL)},
        min(repeats, 7),
    )


def _both_ways(
    work: str,
    given: Callable,
    included: Callable,
    peers: dict[str, tuple[dict[str, Callable], float]],
    repeats: int,
) -> list[Row]:
    """Compare with the factorisation given and included; only the first has a goal."""
    expected = given()
    np.testing.assert_allclose(included(), expected, rtol=0, atol=1e-9)
    rows = []
    for peer, (candidates, goal) in peers.items():
        agreeing = {
            form: call
            for form, call in candidates.items()
            if np.abs(np.asarray(call()) - expected).max() <= TOLERANCE_DB
        }
        if not agreeing:
            rows.append(Row(NAME, work, peer, note=f"not within {TOLERANCE_DB} dB of ours, so not timed"))
            continue
        theirs, n_threads, form = _fastest(agreeing)
        for name, ours, goal_of_row in (("factors given", given, goal), ("factorisation included", included, math.nan)):
            rows += compare_rows(
                NAME,
                f"{work}, {name}",
                Contender("ours", ours, blas_threads=1),
                [(Contender(peer, theirs, blas_threads=n_threads), goal_of_row)],
                repeats,
                note=form,
            )
    return rows


def _fast_bss_eval_settings(
    references: np.ndarray, estimates: np.ndarray, iterations: int | None
) -> dict[str, Callable]:
    import fast_bss_eval

    settings = {}
    for dtype in (np.float64, np.float32):
        # One channel per batch entry: each estimate has its own reference, and no permutation is looked for.
        signals = references.astype(dtype)[:, None], estimates.astype(dtype)[:, None]
        settings[dtype.__name__] = lambda signals=signals: np.ravel(fast_bss_eval.sdr(*signals, use_cg_iter=iterations))
    return settings


def _fastest(candidates: dict[str, Callable]) -> tuple[Callable, int, str]:
    """Try all candidates on one thread and on all; the fastest, its threads and settings."""
    trials = []
    for form, call in candidates.items():
        for n_threads in sorted({1, numba.get_num_threads()}):
            with threadpool_limits(n_threads, "blas"):
                seconds = min(_seconds(call) for _ in range(3))
            trials.append((seconds, n_threads, form, call))
    _, n_threads, form, call = min(trials, key=lambda trial: trial[0])
    return call, n_threads, f"fastest of {len(trials)} settings: {form}, BLAS threads {n_threads}"


def _seconds(call: Callable) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started
