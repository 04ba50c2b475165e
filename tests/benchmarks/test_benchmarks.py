"""Every benchmark runs, on tiny inputs, and both sides agree (each benchmark checks that before it times)."""

import importlib

import numba
import pandas as pd
import pytest

from benchmarks import run
from benchmarks.measuring import Row

PEERS = {
    "search": "faiss",
    "sweep": "faiss",
    "training_round": "torch",
    "bss_scores": "fast_bss_eval",
    "denoising": "blsh",
    "knn": "faiss",
    "network": "torch",
    "curves": "faiss",
    "scaling": "blsh",
}

pytestmark = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="takes minutes uncompiled")


@pytest.mark.parametrize("name", run.NAMES)
def test_a_benchmark_runs_and_its_sides_agree(name):
    pytest.importorskip(PEERS[name], reason="peer not installed: pip install '.[bench]'")
    rows = importlib.import_module(f"benchmarks.{name}").run(small=True)
    assert rows
    for row in rows:
        assert row.benchmark == name
        assert row.ours_ms > 0 or row.gwords_per_s > 0
        assert row.ratio == pytest.approx(row.peer_ms / row.ours_ms, nan_ok=True)


def test_a_missing_peer_is_reported(monkeypatch):
    from benchmarks import sweep

    monkeypatch.setattr(sweep, "module_is_missing", lambda name: True)
    (row,) = sweep.run(small=True)
    assert row.note == "peer not installed"
    assert row.goal_met == "no"


@pytest.mark.parametrize(
    ("columns", "met"),
    [
        ({"ratio": 9.0, "goal_ratio": 8.0}, "yes"),
        ({"ratio": 7.9, "goal_ratio": 8.0}, "no"),
        ({"ratio": 9.0, "goal_ratio": 8.0, "share_of_limit": 0.4, "goal_share_of_limit": 0.5}, "no"),
        ({"ours_peak_mb": 301.0, "goal_peak_mb": 300.0}, "no"),
        ({"ours_peak_mb": 299.0, "goal_peak_mb": 300.0}, "yes"),
        ({"ratio": 2.0}, ""),
    ],
)
def test_goals(columns, met):
    assert Row("search", "work", "peer", **columns).goal_met == met


def test_the_results_name_ratio_and_goal(tmp_path):
    sizes = {"n_frames": 10, "n_bits": 20, "n_queries": 30}
    row = Row("curves", "cost over N", "peer", ours_ms=2.0, peer_ms=8.0, ratio=4.0, goal_ratio=3.0, **sizes)
    works = ("cost over N", "cost over L", "cost over queries")
    table = pd.DataFrame([vars(row) | {"work": work, "goal_met": row.goal_met} for work in works])
    run.write_results(table, "CPU: one", tmp_path, small=True)
    assert {"ratio", "goal_ratio", "goal_met"} <= set(pd.read_csv(tmp_path / "benchmarks.csv").columns)
    page = (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    assert "| cost over N | 10 | 20 | 30 | peer | 2 | 8 | 4 | 3 | yes |" in page
    assert (tmp_path / "benchmarks.png").stat().st_size > 1000


def test_the_figure_of_scaling_is_drawn_from_the_results(tmp_path):
    from benchmarks import scaling

    works = 2 * ["cost over N", "cost over L", "cost over queries", scaling.FIRST_ROUND, scaling.LATER_ROUND]
    works += [scaling.LARGE.format(10)] * 2 + [scaling.SHARDED.format(10, n) for n in scaling.N_SHARDS]
    sizes = {"n_frames": 10, "n_bits": 20, "n_queries": 30}
    rows = [Row("scaling", work, "", ours_ms=2.0, peer_ms=3.0, **sizes) for work in works]
    scaling.draw(pd.DataFrame(map(vars, rows)), tmp_path / "scaling.png")
    assert (tmp_path / "scaling.png").stat().st_size > 1000


def test_an_unknown_benchmark_is_refused(capsys):
    with pytest.raises(SystemExit):
        run.main(["nothing"])
    assert "nothing is no benchmark" in capsys.readouterr().err
