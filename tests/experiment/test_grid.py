"""The jobs of small experiments, counted and spelt by hand."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from blsh.experiment.config import Config, parse_config
from blsh.experiment.grid import (
    ScoreJob,
    data_folder,
    expected_cells,
    metrics_at,
    model_names,
    results_folder,
    score_jobs,
    scored_bits,
    table_bits,
)
from blsh.reporting.scores import CELL
from blsh.signal import spectra

ROOT = Path(__file__).resolve().parents[2]


def config_with(**changes) -> Config:
    """The demo's data with a grid of its own, and all else by default; `grid` is merged, other keys replaced."""
    demo = yaml.safe_load((ROOT / "config/demo.yaml").read_text())
    values = {name: demo[name] for name in ("name", "title", "data")}
    values["grid"] = {"n_bits": [1, 5, 10, 25, 50, 100, 150], "repeats": 2} | changes.pop("grid", {})
    return parse_config(values | changes)


def test_a_small_grid_is_these_jobs():
    config = config_with(
        grid={
            "systems": ["constant", "lsh", "blsh"],
            "features": ["mel"],
            "rho": [0.1, 0.01],
            "n_bits": [5],
            "repeats": 2,
            "sets": ["open"],
        }
    )
    assert [(job.set, job.stem) for job in score_jobs(config)] == [
        ("open", "constant"),
        ("open", "lsh_mel_rho-0.1_rep-1"),
        ("open", "lsh_mel_rho-0.1_rep-2"),
        ("open", "lsh_mel_rho-0.01_rep-1"),
        ("open", "lsh_mel_rho-0.01_rep-2"),
        ("open", "blsh_mel_ssm_rho-0.1_rep-1"),
        ("open", "blsh_mel_ssm_rho-0.1_rep-2"),
        ("open", "blsh_mel_ssm_rho-0.01_rep-1"),
        ("open", "blsh_mel_ssm_rho-0.01_rep-2"),
    ]
    assert score_jobs(config)[0] == ScoreJob("open", "constant")
    assert model_names(config) == (("mel", "ssm"),)


def test_a_grid_has_so_many_jobs():
    config = config_with()
    # Three sets: four controls, and four systems with two features, two ρ and two repeats.
    assert len(score_jobs(config)) == 3 * (4 + 4 * 2 * 2 * 2)
    assert model_names(config) == (("stft", "ssm"), ("mel", "ssm"))
    assert model_names(config_with(grid={"systems": ["knn", "lsh"]})) == ()


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.floats(1e-6, 1), min_size=1, max_size=5, unique=True),
    st.integers(1, 12),
    st.permutations(["mixture", "knn", "lsh", "lsh_fixed", "blsh"]),
)
def test_no_two_jobs_write_one_file_and_names_can_be_read_back(rho, repeats, systems):
    grid = {"rho": rho, "repeats": repeats, "systems": systems, "features": ["stft"], "sets": ["open"]}
    jobs = score_jobs(config_with(grid=grid))
    assert len({(job.set, job.stem) for job in jobs}) == len(jobs) == 1 + 4 * len(rho) * repeats
    for job in jobs:
        if job.system != "mixture":
            number = job.stem.rpartition("_rep-")[0].rpartition("_rho-")[2]
            assert float(number) == job.rho
            assert set(number) <= set("0123456789.e-")


@pytest.mark.parametrize(
    ("n_bits", "lsh", "stft", "mel", "scored_mel"),
    [
        # The tables ask for 150 (ICASSP), 300 (LSH and BLSH stft) and 50 (BLSH mel).
        ([10, 300], (150, 300), (150, 300), (50, 150), (10, 50, 150, 300)),
        ([1, 150], (150,), (150,), (50, 150), (1, 50, 150)),
        ([1, 20], (20,), (20,), (20,), (1, 20)),
    ],
)
def test_code_lengths_of_the_tables(n_bits, lsh, stft, mel, scored_mel):
    config = config_with(grid={"n_bits": n_bits})
    assert table_bits(config, "lsh", "mel") == table_bits(config, "lsh_fixed", "stft") == lsh
    assert table_bits(config, "blsh", "stft") == stft
    assert table_bits(config, "blsh", "mel") == mel
    assert scored_bits(config, "blsh", "mel") == scored_mel


def test_metrics_of_the_tables():
    config = config_with(grid={"n_bits": [10, 300]})
    # ICASSP Table 1 on the closed and open set, TASLP's tables on the open one.
    icassp, taslp = ("sar", "sdr", "sir"), ("estoi", "pesq", "sdr", "si_sdr")
    both = ("estoi", "pesq", "sar", "sdr", "si_sdr", "sir")
    assert metrics_at(config, "open", "blsh", "mel") == {50: taslp, 150: icassp}
    assert metrics_at(config, "open", "lsh", "mel") == {150: icassp, 300: taslp}
    assert metrics_at(config, "closed", "lsh", "mel") == {150: icassp}
    assert metrics_at(config, "open", "lsh_fixed", "mel") == {150: icassp}
    assert metrics_at(config, "open", "knn", "stft") == metrics_at(config, "open", "ibm", "") == {0: both}
    assert metrics_at(config, "validation", "blsh", "stft") == {}
    assert metrics_at(config_with(grid={"n_bits": [10, 20]}), "open", "lsh", "mel") == {20: both}


def test_folders_depend_on_names_and_signal_settings_alone(monkeypatch):
    config = config_with()
    folder = data_folder(config)
    assert folder.startswith("results/data/demo/") and len(folder.rpartition("/")[2]) == 12
    assert results_folder(config) == "results/demo"
    assert data_folder(config_with(name="mine", seed=3, grid={"repeats": 9})) == folder
    assert results_folder(config_with(name="mine")) == "results/mine"
    monkeypatch.setattr(spectra, "HOP_LENGTH", 512)
    assert data_folder(config) != folder


def test_expected_cells_by_hand():
    config = config_with(
        grid={
            "systems": ["ibm", "knn", "lsh_fixed", "blsh"],
            "features": ["mel"],
            "rho": [0.1],
            "n_bits": [5, 60],
            "n_neighbours": 7,
            "repeats": 1,
            "sets": ["open"],
        }
    )
    cells = expected_cells(config)
    assert set(cells.columns) == {*CELL, "repeat"}
    found = [
        (row.system, row.feature, row.target, row.profile, row.n_bits, row.n_neighbours, row.repeat)
        for row in cells.itertuples()
    ]
    assert found == [
        ("ibm", "", "", "", 0, 0, 0),
        ("knn", "mel", "", "", 0, 7, 1),
        ("lsh_fixed", "mel", "", "", 5, 7, 1),
        ("lsh_fixed", "mel", "", "", 60, 7, 1),
        ("blsh", "mel", "ssm", "project", 5, 7, 1),
        ("blsh", "mel", "ssm", "project", 50, 7, 1),  # the tables'
        ("blsh", "mel", "ssm", "project", 60, 7, 1),
    ]
    assert cells["rho"].tolist() == [0, *[0.1] * 6]
    assert set(cells["snr_db"]) == {0.0} and set(cells["set"]) == {"open"} and set(cells["variant"]) == {""}


def test_expected_cells_know_the_sets_levels():
    values = yaml.safe_load((ROOT / "config/demo.yaml").read_text())
    values["data"]["sets"]["open"]["snr_db"] = -5.0
    cells = expected_cells(parse_config(values))
    assert cells.groupby("set")["snr_db"].unique().map(list).to_dict() == {
        "closed": [0.0],
        "open": [-5.0],
        "validation": [0.0],
    }
