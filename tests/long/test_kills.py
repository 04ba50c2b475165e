"""Killed anywhere, a run goes on with the same command and ends with the same bytes.

Every fail point kills a run at least twice, once one job and once all processes; some the scheduler alone as well; and
further runs are killed at random moments. No lock is taken away by hand.
"""

import os
import random

import pytest

from blsh.files.fail_points import FAIL_POINTS
from tests.long.injected.scheduler_points import POINTS as SCHEDULER_POINTS
from tests.long.killing import VICTIMS, finish, kill_at, kill_at_any_time

pytestmark = pytest.mark.long

# These belong to downloads, which no preset of the tests does; tests/long/test_fetching_kills.py kills them.
ELSEWHERE = {"download.block", "unpack.member"}
# A job at one of these becomes an orphan that goes on writing while the run is started again.
WITH_ORPHANS = ("verb.started", "verb.finished", "atomic.written", "array.rows", "training.round", "score.mixture")
N_RANDOM = 24
SEED = 2022


def trials() -> list[tuple[str, str]]:
    points = sorted(FAIL_POINTS.keys() - ELSEWHERE - SCHEDULER_POINTS.keys())
    found = [(point, victim) for point in points for victim in ("job", "all")]
    found += [(point, "scheduler") for point in WITH_ORPHANS]
    # Snakemake itself passes these, so to kill what passes is to kill the scheduler.
    found += [(point, victim) for point in SCHEDULER_POINTS for victim in ("job", "all")]
    found += [("", VICTIMS[number % len(VICTIMS)]) for number in range(N_RANDOM)]
    return found


SHORT = [
    ("atomic.written", "job"),
    ("training.round", "all"),
    ("score.mixture", "scheduler"),
    ("scheduler.recording", "job"),
]


def of_this_form() -> list[tuple[int, str, str]]:
    found = SHORT if os.environ.get("BLSH_LONG") == "short" else trials()
    return [(number, point, victim) for number, (point, victim) in enumerate(found)]


@pytest.mark.parametrize(
    ("number", "point", "victim"), [pytest.param(*t, id=f"{t[1] or 'any time'}-{t[2]}-{t[0]}") for t in of_this_form()]
)
def test_a_killed_run_ends_with_the_same_bytes(reference, number, point, victim):
    rng = random.Random(f"{SEED} {number}")
    kill = kill_at(reference, point, victim, rng) if point else kill_at_any_time(reference, victim, rng)
    print(kill)
    assert finish(reference) == []


def test_an_undisturbed_run_passes_every_fail_point(reference):
    passed = {point for passings in reference.passings.values() for point in passings}
    assert passed == (FAIL_POINTS.keys() | SCHEDULER_POINTS.keys()) - ELSEWHERE
