"""The study of segments per round: costs of every round, also over a restart, and the table made of them."""

import numpy as np
import pandas as pd
import pytest

from benchmarks import segments_study
from benchmarks.memory import MemoryWatch
from benchmarks.segments_study import Job, train, write_results
from blsh.files.arrays import save_array
from blsh.hashing.projections import load_projections
from tests.waiting import wait_until

TINY = {"segment_frames": 20, "n_segments": 2, "min_passes": 1, "max_passes": 1}


@pytest.fixture
def job(tmp_path, rng, monkeypatch):
    monkeypatch.setattr(segments_study, "FOLDER", tmp_path)
    monkeypatch.setitem(segments_study.VARIANTS, "tiny", TINY)
    folder = tmp_path / "T-60"
    folder.mkdir()
    rows = rng.random((60, 8)).astype(np.float32)
    save_array(folder / "mel.npy", rows / np.linalg.norm(rows, axis=1, keepdims=True))
    save_array(folder / "masks.npy", rng.integers(0, 256, (60, 65), np.uint8))
    return Job("tiny", "mel", seed=1, n_rounds=4, frames=folder)


def test_every_round_has_its_cost(job):
    train(job)
    table = pd.read_csv(job.file(".csv"))
    assert list(table["round"]) == [1, 2, 3, 4]
    assert (table[["wall_s", "private_mb", "uss_mb"]] > 0).all(axis=None)
    assert load_projections(job.file(".npz")).n_bits == 4
    assert {path.suffix for path in job.frames.iterdir()} == {".npy", ".npz", ".csv"}  # neither state nor log is left


def test_rounds_done_before_a_kill_keep_their_cost(job):
    # Round 2 was lost with the process and done again.
    job.file(".log").write_text("1,7e9,8,9,9,9\n2,70e9,80,9,9,9\n", encoding="utf-8")
    train(job)
    table = pd.read_csv(job.file(".csv")).set_index("round")
    # No state was there, so all is done again, and later lines count.
    assert (table["cpu_s"] < 7e9).all()


def test_the_table_weighs_utterances_by_their_length(job, monkeypatch):
    monkeypatch.setattr(segments_study, "N_BITS", (2, 4))
    rounds = {"round": [1, 2, 3, 4], "beta": 0.5, "epsilon": 0.3, "effective_pairs": [9, 8, 7, 6], "passes": 1}
    costs = {"cpu_s": [1, 2, 3, 4], "wall_s": 10, "private_mb": [5, 5, 6, 6], "mapped_mb": 1, "uss_mb": 1}
    pd.DataFrame(rounds | costs).to_csv(job.file(".csv"), index=False)
    scores = {"n_bits": [2, 2, 4, 4], "sdr": [1.0, 4.0, 2.0, np.nan], "seconds": [1.0, 2.0, 1.0, 5.0]}
    pd.DataFrame(scores).to_parquet(job.file(".parquet"))
    write_results(job.frames)
    table = pd.read_csv(job.frames.parent / "T-60.csv").set_index("n_bits")
    assert table.loc[2, ["sdr", "cpu_s", "private_mb"]].tolist() == [3, 3, 5]
    assert table.loc[4, ["sdr", "cpu_s", "effective_pairs"]].tolist() == [2, 10, 6]
    page = (job.frames.parent / "T-60.md").read_text(encoding="utf-8")
    assert "| tiny | 1 | 3.00 | 2.00 | 0.2 | 6 | 6 | 0.500 |" in page


def test_memory_that_came_and_went_is_seen():
    with MemoryWatch(0.001) as memory:
        before = memory.uss_mb
        block = np.ones(8_000_000)
        wait_until(lambda: memory.uss_mb > before + 60, "a look at the memory")
        del block
    assert memory.uss_mb > before + 60
    assert memory.anonymous_mb == 0 or memory.anonymous_mb > 60
