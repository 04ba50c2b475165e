"""Why a score is missing, as the jobs' logs tell it."""

from pathlib import Path

import pytest
import yaml

from blsh.experiment.config import Config, parse_config
from blsh.experiment.grid import score_jobs
from blsh.experiment.job_logs import KILLED, NOT_RUN, missing_reasons

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def config(tmp_path, monkeypatch) -> Config:
    """A small grid, in a folder without results."""
    monkeypatch.chdir(tmp_path)
    values = yaml.safe_load((ROOT / "tests/experiment/plain.yaml").read_text())
    values["grid"] |= {"systems": ["mixture", "lsh", "blsh"], "features": ["mel"], "sets": ["open"], "repeats": 1}
    values["grid"]["rho"] = [0.1]
    return parse_config(values)


def log(name: str, *lines: str) -> None:
    path = Path("results/demo/logs", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["$ blsh verb --seed 1", *lines]) + "\n")


def reasons(config: Config) -> dict[str, str]:
    return {job.system: reason for job, reason in missing_reasons(config).items()}


def test_a_file_that_is_there_needs_no_reason(config):
    assert reasons(config) == {"mixture": NOT_RUN, "lsh": NOT_RUN, "blsh": NOT_RUN}
    for job in score_jobs(config):
        path = Path("results/demo/scores/open", f"{job.stem}.parquet")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert reasons(config) == {}


def test_the_jobs_own_last_line(config):
    log("score_open_mixture.log", "mixtures: 3/6, 0:10 so far", "blsh score: speech/a.wav is damaged", "")
    log("score_open_lsh_mel_rho-0.1_rep-1.log", "mixtures: 3/6, 0:10 so far")
    assert reasons(config) == {"mixture": "blsh score: speech/a.wav is damaged", "lsh": KILLED, "blsh": NOT_RUN}


def test_a_training_that_failed_is_why_its_codes_are_not_scored(config):
    log("train_blsh_mel_ssm.log", "blsh train: 3 segments need 300 frames")
    assert reasons(config)["blsh"] == "blsh train: 3 segments need 300 frames"
    model = Path("results/demo/models/blsh_mel_ssm.npz")
    model.parent.mkdir()
    model.touch()
    assert reasons(config)["blsh"] == NOT_RUN
    log("score_open_blsh_mel_ssm_rho-0.1_rep-1.log", "blsh score: no space is left")
    assert reasons(config)["blsh"] == "blsh score: no space is left"
