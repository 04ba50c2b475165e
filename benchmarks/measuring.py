"""How a comparison is timed.

The two sides of a comparison run in one process, turn and turn about, in an order that alternates, so that whatever
else the machine does hits both. Every side has been called once before, by the check that results agree, so that
compilation, caches and lazy imports are outside. The median counts.

A ratio is the peer's median time over ours. Peak memory is measured in one more, untimed call: the growth of the
process's resident memory, from the kernel's own high-water mark (Linux; elsewhere it is left empty).
"""

from __future__ import annotations

import ctypes
import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from threadpoolctl import ThreadpoolController

__all__ = ["Contender", "Row", "Timing", "compare", "compare_rows", "peak_rss_mb", "reset_peak_rss"]


@dataclass(frozen=True)
class Contender:
    """One side: what to call, and on how many threads BLAS may run meanwhile (None: as many as the run's)."""

    name: str
    call: Callable[[], object]
    blas_threads: int | None = None


@dataclass(frozen=True)
class Timing:
    """Median of the repeats, and growth of the memory in one further call."""

    seconds: float
    peak_mb: float


@dataclass(frozen=True)
class Row:
    """A line of the results; what does not apply is NaN or empty.

    ``goal_ratio`` and ``goal_share_of_limit`` are least values, ``goal_peak_mb`` is a largest one.
    """

    benchmark: str
    work: str
    peer: str
    ours_ms: float = math.nan
    peer_ms: float = math.nan
    ratio: float = math.nan
    goal_ratio: float = math.nan
    gwords_per_s: float = math.nan
    share_of_limit: float = math.nan
    goal_share_of_limit: float = math.nan
    ours_peak_mb: float = math.nan
    peer_peak_mb: float = math.nan
    goal_peak_mb: float = math.nan
    n_frames: int = 0
    n_bits: int = 0
    n_queries: int = 0
    repeats: int = 0
    note: str = ""

    @property
    def goal_met(self) -> str:
        """'yes' or 'no', empty where there is no goal."""
        pairs = [
            (self.ratio, self.goal_ratio),
            (self.share_of_limit, self.goal_share_of_limit),
            (-self.ours_peak_mb, -self.goal_peak_mb),
        ]
        met = [value >= goal for value, goal in pairs if not math.isnan(goal)]
        return ("yes" if all(met) else "no") if met else ""


def compare(contenders: Sequence[Contender], repeats: int) -> dict[str, Timing]:
    """Time contenders that have been called before, turn and turn about."""
    controller = ThreadpoolController()  # looks for libraries once; a limit of its own is then set in microseconds
    seconds: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for turn in range(repeats):
        for contender in contenders[:: 1 if turn % 2 == 0 else -1]:
            with controller.limit(limits=contender.blas_threads, user_api="blas"):
                started = time.perf_counter()
                contender.call()
                seconds[contender.name].append(time.perf_counter() - started)
    peaks = {}
    for contender in contenders:
        with controller.limit(limits=contender.blas_threads, user_api="blas"):
            peaks[contender.name] = _growth_mb(contender.call)
    return {name: Timing(statistics.median(values), peaks[name]) for name, values in seconds.items()}


def compare_rows(
    benchmark: str, work: str, ours: Contender, peers: Sequence[tuple[Contender, float]], repeats: int, **columns
) -> list[Row]:
    """Time our side against peers, each with its goal (NaN for none), and make a row of each."""
    timings = compare([ours, *(peer for peer, _ in peers)], repeats)
    mine = timings[ours.name]
    rows = []
    for peer, goal in peers:
        theirs = timings[peer.name]
        rows.append(
            Row(
                benchmark,
                work,
                peer.name,
                ours_ms=1e3 * mine.seconds,
                peer_ms=1e3 * theirs.seconds,
                ratio=theirs.seconds / mine.seconds,
                goal_ratio=goal,
                ours_peak_mb=mine.peak_mb,
                peer_peak_mb=theirs.peak_mb,
                repeats=repeats,
                **columns,
            )
        )
    return rows


def reset_peak_rss() -> None:
    """Give free memory back and restart the kernel's high-water mark, where there is one."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except (AttributeError, OSError):
        pass


def peak_rss_mb() -> float:
    """Return the process's largest resident memory so far, in units of 10⁶ bytes; NaN where it cannot be told."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return math.nan
    lines = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(lines[0].split()[1]) * 1024 / 1e6 if lines else math.nan


def _growth_mb(call: Callable[[], object]) -> float:
    reset_peak_rss()
    before = psutil.Process().memory_info().rss / 1e6
    call()
    return max(0.0, peak_rss_mb() - before)
