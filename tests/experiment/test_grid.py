"""The jobs of small experiments, counted and spelt by hand."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from blsh.experiment.config import Config, parse_config
from blsh.experiment.config_grid import RIVALS
from blsh.experiment.families import Family, model_names, model_of, models
from blsh.experiment.grid import (
    ScoreJob,
    data_folder,
    expected_cells,
    metrics_at,
    results_folder,
    score_jobs,
    scored_bits,
    scored_bits_on,
    table_bits,
)
from blsh.reporting.scores import CELL
from blsh.signal import spectra

ROOT = Path(__file__).resolve().parents[2]


def config_with(**changes) -> Config:
    """The demo's data with a grid of its own, and all else by default; `grid` is merged, other keys replaced."""
    demo = yaml.safe_load((ROOT / "tests/experiment/plain.yaml").read_text())
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


@settings(max_examples=50)
@given(
    st.lists(st.floats(1e-6, 1), min_size=1, max_size=5, unique=True),
    st.integers(1, 12),
    st.permutations(["mixture", "knn", "lsh", "lsh_fixed", "blsh", "pca_sign", "itq", "residual"]),
)
def test_no_two_jobs_write_one_file_and_names_can_be_read_back(rho, repeats, systems):
    grid = {"rho": rho, "repeats": repeats, "systems": systems, "features": ["stft"], "sets": ["open"]}
    jobs = score_jobs(config_with(grid=grid))
    assert len({(job.set, job.stem) for job in jobs}) == len(jobs) == 1 + 7 * len(rho) * repeats
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
    assert scored_bits(config, Family("blsh", "mel", "ssm")) == scored_mel


def test_metrics_of_the_tables():
    config = config_with(grid={"n_bits": [10, 300]})
    # ICASSP Table 1 on the closed and open set, TASLP's tables on the open one.
    icassp, taslp = ("sar", "sdr", "sir"), ("estoi", "pesq", "sdr", "si_sdr")
    both = ("estoi", "pesq", "sar", "sdr", "si_sdr", "sir")
    assert metrics_at(config, "open", Family("blsh", "mel", "ssm")) == {50: taslp, 150: icassp}
    assert metrics_at(config, "open", Family("lsh", "mel")) == {150: icassp, 300: taslp}
    assert metrics_at(config, "closed", Family("lsh", "mel")) == {150: icassp}
    assert metrics_at(config, "open", Family("lsh_fixed", "mel")) == {150: icassp}
    assert metrics_at(config, "open", Family("knn", "stft")) == metrics_at(config, "open", Family("ibm")) == {0: both}
    assert metrics_at(config, "validation", Family("blsh", "stft", "ssm")) == {}
    assert metrics_at(config_with(grid={"n_bits": [10, 20]}), "open", Family("lsh", "mel")) == {20: both}


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
    values = yaml.safe_load((ROOT / "tests/experiment/plain.yaml").read_text())
    values["data"]["sets"]["open"]["snr_db"] = -5.0
    cells = expected_cells(parse_config(values))
    assert cells.groupby("set")["snr_db"].unique().map(list).to_dict() == {
        "closed": [0.0],
        "open": [-5.0],
        "validation": [0.0],
    }


def test_targets_are_families_of_blsh_alone_and_spelt_in_one_way():
    grid = {
        "targets": ["ssm", "rbf-0.50", "mix-1e-1", "power-2.0"],
        "features": ["mel"],
        "sets": ["open"],
        "rho": [0.1],
    }
    config = config_with(grid=grid | {"systems": ["lsh", "blsh"], "repeats": 1})
    assert config.grid.targets == ("ssm", "rbf-0.5", "mix-0.1", "power-2")
    assert [job.stem for job in score_jobs(config)] == [
        "lsh_mel_rho-0.1_rep-1",
        "blsh_mel_ssm_rho-0.1_rep-1",
        "blsh_mel_rbf-0.5_rho-0.1_rep-1",
        "blsh_mel_mix-0.1_rho-0.1_rep-1",
        "blsh_mel_power-2_rho-0.1_rep-1",
    ]


def test_further_targets_have_the_first_feature_only():
    grid = {"systems": ["blsh"], "features": ["mel", "stft"], "targets": ["rbf-0.5", "ssm"], "sets": ["open"]}
    names = (("mel", "rbf-0.5"), ("mel", "ssm"), ("stft", "rbf-0.5"))
    assert model_names(config_with(grid=grid)) == names
    jobs = score_jobs(config_with(grid=grid))
    assert tuple(dict.fromkeys((job.feature, job.target) for job in jobs)) == names


def bring(path: Path, n_bits: int, width: int) -> str:
    np.savez(path, P=np.ones((n_bits, width)), b=np.zeros(n_bits))
    return str(path)


def test_rivals_add_jobs_and_change_none(tmp_path):
    rivals = {"my_own": bring(tmp_path / "a.npz", 20, 128), "2nd": bring(tmp_path / "b.npz", 400, 513)}
    own = ["mixture", "knn", "lsh", "blsh"]
    fewer = config_with(grid={"systems": own})
    more = config_with(grid={"systems": own + list(RIVALS)}, projections=rivals)
    jobs = set(score_jobs(more)) - set(score_jobs(fewer))
    assert set(score_jobs(fewer)) < set(score_jobs(more))
    # Three sets, two ρ, two repeats; three rivals with two features each and two files with one.
    assert len(jobs) == 3 * 2 * 2 * (3 * 2 + 2)
    families = {job.family for job in jobs}
    assert Family("projections", "mel", variant="my_own") in families
    assert Family("projections", "stft", variant="2nd") in families
    assert {model.stem for model in models(more)} - {model.stem for model in models(fewer)} == {
        f"{system}_{feature}" for system in ("residual", "pca_sign", "itq") for feature in ("stft", "mel")
    }
    for job in score_jobs(fewer):
        assert scored_bits(more, job.family) == scored_bits(fewer, job.family)
        assert metrics_at(more, job.set, job.family) == metrics_at(fewer, job.set, job.family)


def test_codes_are_no_longer_than_they_can_be(tmp_path):
    projections = {"short": bring(tmp_path / "a.npz", 40, 128)}
    systems = ["lsh", "pca_sign", "itq", "residual", "projections"]
    config = config_with(grid={"systems": systems, "n_bits": [1, 40, 128, 129, 300]}, projections=projections)
    assert scored_bits(config, Family("residual", "mel")) == (1, 40, 128, 129, 150, 300)
    for system in ("pca_sign", "itq"):
        assert scored_bits(config, Family(system, "mel")) == (1, 40, 128)
        assert scored_bits(config, Family(system, "stft")) == (1, 40, 128, 129, 150, 300)
        assert table_bits(config, system, "mel") == (128,)
    assert scored_bits(config, Family("projections", "mel", variant="short")) == (1, 40)
    cells = expected_cells(config)
    assert cells.loc[cells["system"].isin(["pca_sign", "itq"]) & (cells["feature"] == "mel"), "n_bits"].max() == 128
    assert set(cells.loc[cells["system"] == "projections", "variant"]) == {"short"}
    assert set(cells.loc[cells["system"] != "projections", "variant"]) == {""}


def test_projections_of_a_feature_that_is_not_scored(tmp_path):
    grid = {"systems": ["projections"], "features": ["mel"]}
    path = bring(tmp_path / "a.npz", 4, 513)
    with pytest.raises(
        ValueError, match=r"projections 'a' \(.*/a.npz\) are for the feature 'stft', which is not in grid"
    ):
        score_jobs(config_with(grid=grid, projections={"a": path}))
    # A file that has been replaced is read again.
    bring(tmp_path / "a.npz", 9, 128)
    assert (
        scored_bits(config_with(grid=grid, projections={"a": path}), Family("projections", "mel", variant="a"))[-1] == 9
    )
    with pytest.raises(FileNotFoundError, match=r"none.npz: no such file of projections; correct the path"):
        score_jobs(config_with(grid=grid, projections={"a": f"{tmp_path}/none.npz"}))


def test_options_and_switches_are_scored_where_their_table_needs_them():
    grid = {
        "systems": ["lsh", "blsh"],
        "targets": ["ssm", "rbf-0.5"],
        "variants": ["weighted", "context3"],
        "switches": ["bias", "matrices"],
        "repeats": 1,
        "n_bits": [1, 10, 300],
    }
    config = config_with(grid=grid)
    added = [job for job in score_jobs(config) if job.variant]
    assert [(job.set, job.stem) for job in added if job.set == "open"] == [
        ("open", "blsh-weighted_stft_ssm_rho-0.1_rep-1"),
        ("open", "blsh-weighted_stft_ssm_rho-0.01_rep-1"),
        ("open", "blsh-weighted_mel_ssm_rho-0.1_rep-1"),
        ("open", "blsh-weighted_mel_ssm_rho-0.01_rep-1"),
        ("open", "blsh-context3_stft_ssm_rho-0.1_rep-1"),
        ("open", "blsh-context3_stft_ssm_rho-0.01_rep-1"),
        ("open", "blsh-context3_mel_ssm_rho-0.1_rep-1"),
        ("open", "blsh-context3_mel_ssm_rho-0.01_rep-1"),
        ("open", "blsh-switch-bias_stft_ssm_rho-0.1_rep-1"),
        ("open", "lsh-switch-matrices_stft_rho-0.1_rep-1"),
    ]
    assert {job.set for job in added} == {"validation", "open"}
    assert {scored_bits(config, job.family) for job in added if job.feature == "stft"} == {(150, 300)}
    assert {scored_bits(config, job.family) for job in added if job.feature == "mel"} == {(50, 150)}
    plain = config_with(grid=grid | {"variants": [], "switches": []})
    assert set(score_jobs(plain)) == set(score_jobs(config)) - set(added)
    weighted, context = (Family("blsh", "mel", "ssm", variant) for variant in ("weighted", "context3"))
    assert model_of(weighted) == Family("blsh", "mel", "ssm") and model_of(context) == context
    assert (weighted.context, context.context) == (1, 3)
    assert set(models(config)) - set(models(plain)) == {
        context,
        Family("blsh", "stft", "ssm", "context3"),
        Family("blsh", "stft", "ssm", "switch-bias"),
    }
    assert model_of(Family("lsh", "stft", variant="switch-matrices")) is None
    # The papers' tables show neither them nor further targets.
    assert metrics_at(config, "open", context) == {}
    assert metrics_at(config, "open", Family("blsh", "stft", "ssm", "switch-bias")) == {}
    assert metrics_at(config, "open", Family("blsh", "stft", "rbf-0.5")) == {}
    assert set(metrics_at(config, "open", Family("blsh", "stft", "ssm"))) == {150, 300}
    others = config_with(grid=grid | {"targets": ["rbf-0.5", "rbf-0.9"]})
    assert set(metrics_at(others, "open", Family("blsh", "stft", "rbf-0.9"))) == {150, 300}


def test_a_set_may_take_fewer_repeats():
    grid = {
        "systems": ["mixture", "lsh", "blsh"],
        "features": ["mel"],
        "rho": [0.1],
        "n_bits": [10],
        "variants": ["weighted"],
        "repeats": 3,
        "sets": ["open", "validation"],
        "repeats_of_sets": {"validation": 1},
    }

    def repeats_of(config):
        jobs = score_jobs(config)
        return {
            (name, system, variant): [
                job.repeat for job in jobs if (job.set, job.system, job.variant) == (name, system, variant)
            ]
            for name in ("open", "validation")
            for system, variant in (("mixture", ""), ("lsh", ""), ("blsh", ""), ("blsh", "weighted"))
        }

    everything, single = [1, 2, 3], [1]
    assert repeats_of(config_with(grid=grid)) == {
        ("open", "mixture", ""): [0],
        ("open", "lsh", ""): everything,
        ("open", "blsh", ""): everything,
        ("open", "blsh", "weighted"): everything,
        ("validation", "mixture", ""): [0],
        ("validation", "lsh", ""): single,
        ("validation", "blsh", ""): single,
        ("validation", "blsh", "weighted"): single,
    }


@pytest.mark.parametrize(
    ("repeats", "complaint"),
    [
        (
            {"test": 1},
            r"repeats_of_sets names 'test', which is not scored \(closed, validation, open\); name one of these",
        ),
        ({"open": 3}, r"grid\.repeats_of_sets: open takes 3 of grid\.repeats=2; take fewer"),
        ({"open": 0}, r"grid\.repeats_of_sets\.open=0: .*greater than or equal to 1"),
    ],
)
def test_wrong_repeats_of_sets(repeats, complaint):
    with pytest.raises(ValueError, match=complaint):
        config_with(grid={"repeats_of_sets": repeats})


def test_agreement_is_computed_where_it_is_asked_for():
    grid = {"systems": ["ibm", "knn", "lsh", "itq"], "n_bits": [10, 300]}
    rivals = {"n_bits": [50, 200, 500], "sets": ["closed"]}
    config = config_with(grid=grid, tables={"rivals": rivals})
    both = ("mask_accuracy", "recall")
    icassp = ("sar", "sdr", "sir")
    assert scored_bits(config, Family("lsh", "mel")) == (10, 50, 150, 200, 300)
    assert metrics_at(config, "closed", Family("lsh", "mel")) == {50: both, 150: icassp, 200: both}
    assert metrics_at(config, "closed", Family("itq", "mel")) == {50: both, 128: icassp}
    assert metrics_at(config, "closed", Family("knn", "mel")) == {0: ("mask_accuracy", *icassp)}
    assert metrics_at(config, "closed", Family("ibm")) == {0: ("mask_accuracy", *icassp)}
    assert "recall" not in str(metrics_at(config, "open", Family("lsh", "mel")))


def test_further_sets_are_scored_for_the_taslp_tables_alone():
    demo = yaml.safe_load((ROOT / "tests/experiment/plain.yaml").read_text())
    demo["data"]["corpora"]["voicebank"] = {"reader": "voicebank", "folder": "VoiceBank-DEMAND"}
    demo["data"]["sets"] |= {"open_10": {"same_as": "open", "snr_db": 10}, "voicebank": {"pairs": "voicebank"}}
    changes = {
        "data": demo["data"],
        "grid": {
            "systems": ["mixture", "lsh", "lsh_fixed", "blsh", "residual"],
            "features": ["mel"],
            "targets": ["ssm", "rbf-0.5"],
            "rho": [0.1],
            "n_bits": [10, 300],
            "repeats": 1,
        },
    }
    less = config_with(**changes)
    more = config_with(**changes, tables={"taslp": {"further_sets": ["open_10", "voicebank"]}})
    added = [job for job in score_jobs(more) if job not in score_jobs(less)]
    assert [(job.set, job.stem) for job in added] == [
        (name, stem) for name in ("open_10", "voicebank") for stem in ("mixture", "blsh_mel_ssm_rho-0.1_rep-1")
    ]
    # ICASSP Table 1 compares the others too.
    changes["grid"]["sets"] = ["open"]
    closed = config_with(**changes, tables={"icassp": {"sets": ["open"], "further_sets": ["closed"]}})
    stems = ["mixture", "lsh_mel_rho-0.1_rep-1", "blsh_mel_ssm_rho-0.1_rep-1"]
    assert [job.stem for job in score_jobs(closed) if job.set == "closed"] == stems
    taslp = ("estoi", "pesq", "sdr", "si_sdr")
    blsh = Family("blsh", "mel", "ssm")
    assert scored_bits_on(more, "voicebank", blsh) == (50,)
    assert scored_bits_on(more, "open", blsh) == scored_bits(more, blsh) == (10, 50, 150, 300)
    assert metrics_at(more, "voicebank", blsh) == {50: taslp}
    assert metrics_at(more, "open_10", Family("mixture")) == {0: taslp}
    cells = expected_cells(more)
    assert set(cells.loc[cells["set"] == "open_10", "snr_db"]) == {10.0}
    assert cells.loc[cells["set"] == "voicebank", "snr_db"].isna().all()
    assert models(more) == models(less)


def test_networks_are_scored_once_a_set_and_change_nothing_else():
    grid = {"systems": ["mixture", "lsh"], "features": ["mel"], "rho": [0.1], "n_bits": [10], "repeats": 2}
    tables = {"rivals": {"n_bits": [10]}}
    less = config_with(grid=grid, tables=tables)
    more = config_with(grid=grid, tables=tables, networks={"fc": ["2x32", "3x256"], "conv_tasnet": ["3x8"]})
    added = [job for job in score_jobs(more) if job not in score_jobs(less)]
    assert [job for job in score_jobs(more) if job in score_jobs(less)] == list(score_jobs(less))
    assert [(job.set, job.stem) for job in added] == [
        (name, stem) for name in ("closed", "validation", "open") for stem in ("fc-2x32", "fc-3x256", "conv_tasnet-3x8")
    ]
    assert [job.feature for job in added[:3]] == ["stft", "stft", ""]
    assert models(more) == models(less)
    fc = Family("fc", "stft", variant="2x32")
    assert metrics_at(more, "open", fc) == {0: ("estoi", "pesq", "sar", "sdr", "si_sdr", "sir")}
    assert metrics_at(more, "validation", fc) == {}
    cells = expected_cells(more)
    own = cells[cells["system"] == "fc"]
    assert len(own) == 6 and (own[["n_bits", "n_neighbours", "repeat", "rho"]] == 0).all(axis=None)
    assert set(own["profile"]) == {""}
