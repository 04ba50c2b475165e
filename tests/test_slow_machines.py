"""No test depends on how fast the machine is: the sources of the tests are searched for bounds on seconds."""

import ast
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.waiting import PATIENCE_S

TESTS = Path(__file__).resolve().parent
# What reads a clock to see how long something took, or waits for a time and not for what happens in it.
CLOCKS = {"time", "monotonic", "perf_counter", "process_time", "thread_time", "sleep"}
CLOCKS |= {f"{name}_ns" for name in CLOCKS - {"time", "sleep"}}
ALLOWED = {
    "waiting.py": "gives up what hangs",
    "corpora/test_synthetic_speech.py": "the next second must have begun, and sleep is never shorter",
    "denoising/test_cleaning_time.py": "has a clock of its own; one lower bound, which work reaches on any machine",
    "files/test_kernels.py": "gives other threads a chance to err",
    "long/killing.py": "kills at a time that is drawn",
    "long/slurm_cluster.py": "gives up daemons that do not start",
    "long/fuzzing/campaign.py": "ends what hangs, by the processor's time",
    "long/fuzzing/worker.py": "goes on for a time",
}
# Of what a hang is tested with. In shorter times a busy machine does nothing at all.
SHORTEST_WAIT_S = 300.0
WAITS = {"timeout", "timeout_s"}
WAITING_METHODS = {"join", "wait", "settimeout", "acquire", "communicate"}


def bounds_on_seconds(source: str) -> list[str]:
    """Name what would fail, or pass by chance, on a slow machine."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "time" and node.attr in CLOCKS:
            found.append(f"line {node.lineno} uses time.{node.attr}: wait with tests.waiting, count work with counting")
        if isinstance(node, ast.ImportFrom) and node.module == "time" and CLOCKS & {one.name for one in node.names}:
            found.append(f"line {node.lineno} imports a clock")
        if not isinstance(node, ast.Call):
            continue
        keywords = {word.arg: word.value for word in node.keywords}
        if "deadline" in keywords:
            found.append(f"line {node.lineno} sets a deadline: the profile in tests/conftest.py has none")
        if "suppress_health_check" in keywords and "too_slow" not in ast.unparse(keywords["suppress_health_check"]):
            found.append(f"line {node.lineno} checks again whether data come slowly: suppress too_slow as well")
        limits = [value for name, value in keywords.items() if name in WAITS]
        if isinstance(node.func, ast.Attribute) and node.func.attr in WAITING_METHODS:
            limits += node.args[:1]
        for limit in limits:
            if isinstance(limit, ast.Constant) and isinstance(limit.value, int | float) and limit.value is not True:
                if 0 < limit.value < SHORTEST_WAIT_S:
                    found.append(f"line {node.lineno} waits for {limit.value} s only: take PATIENCE_S of tests.waiting")
    return found


@pytest.mark.parametrize("name", sorted(str(path.relative_to(TESTS)) for path in TESTS.rglob("*.py")))
def test_no_test_has_a_bound_on_seconds(name):
    found = bounds_on_seconds((TESTS / name).read_text(encoding="utf-8"))
    if name == "conftest.py":  # holds the one profile
        found = [line for line in found if "sets a deadline" not in line]
    if name in ALLOWED:
        found = [line for line in found if "uses time." not in line]
    assert not found


@pytest.mark.parametrize(
    "source",
    [
        "assert time.monotonic() - started < 4",
        "time.sleep(0.1)",
        "from time import perf_counter",
        "settings(deadline=200)",
        "settings(suppress_health_check=[HealthCheck.filter_too_much])",
        "subprocess.run(words, timeout=20)",
        "threading.Barrier(2, timeout=1.5)",
        "thread.join(2)",
    ],
)
def test_such_a_bound_would_be_seen(source):
    assert len(bounds_on_seconds(source)) == 1


def test_properties_have_all_the_time_they_need():
    assert settings().deadline is None and HealthCheck.too_slow in settings().suppress_health_check
    assert PATIENCE_S >= SHORTEST_WAIT_S
