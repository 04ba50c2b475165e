"""Every preset is valid, and every wrong key ends in one line that names it."""

from pathlib import Path

import pytest
import yaml

from blsh.corpora import READERS
from blsh.experiment.config import load_config, parse_config
from blsh.experiment.config_data import READER_OPTIONS
from blsh.experiment.documents import GENERATED

ROOT = Path(__file__).resolve().parents[2]
PRESETS = [*sorted((ROOT / "config").glob("*.yaml")), ROOT / "tests/workflow/tiny.yaml"]


@pytest.fixture
def values() -> dict:
    return yaml.safe_load((ROOT / "tests/experiment/plain.yaml").read_text())


def change(values: dict, key: str, value) -> dict:
    *path, last = key.split(".")
    part = values
    for name in path:
        part = part.setdefault(name, {})
    part[last] = value
    return values


@pytest.mark.parametrize("path", PRESETS, ids=lambda path: path.stem)
def test_presets_are_valid_and_named_like_their_files(path):
    assert load_config(path).name == path.stem


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("gird", {}, r"unknown key gird; config/README.md lists the keys"),
        ("grid.rhos", [0.1], r"unknown key grid.rhos"),
        ("grid.rho", [0.0], r"grid.rho.0=0.0: Input should be greater than 0"),
        ("grid.rho", [1.5], r"grid.rho.0=1.5: Input should be less than or equal to 1"),
        (
            "grid.rho",
            [0.1, 0.1],
            r"grid.rho.*\[0.1, 0.1\] must be a list of at least one value without repeats",
        ),
        ("grid.n_bits", [0], r"grid.n_bits.0=0: Input should be greater than or equal to 1"),
        ("grid.n_bits", [], r"grid.n_bits.*must be a list of at least one value"),
        ("grid.n_neighbours", 0, r"grid.n_neighbours=0"),
        ("grid.features", ["cqt"], r"grid.features.0='cqt'"),
        ("grid.systems", ["magic"], r"grid.systems.0='magic'"),
        (
            "grid.sets",
            ["elsewhere"],
            r"set 'elsewhere' is not in data.sets \(train, closed, validation, open\)",
        ),
        ("data.corpora.speech.reader", "timid", r"reader='timid' is unknown; choose one of demand, duan, esc"),
        ("data.corpora.speech.reader", "folder", r"reader 'folder' needs a folder"),
        ("data.corpora.speech.levels", ["speaker"], r"reader 'synthetic_speech' has no option 'levels'"),
        ("data.noise.open.corpus", "moise", r"corpus='moise' is not in data.corpora \(speech, noise\)"),
        ("data.sets", {"open": {"source": "open"}}, r"data.sets needs a set 'train'"),
        ("data.sets.loud", {"snr_db": 5}, r"a set has one of source, same_as and pairs, not none"),
        ("data.sets.loud", {"source": "open", "same_as": "open"}, r"not source and same_as"),
        ("data.sets.loud", {"same_as": "open", "mixtures": 3}, r"mixtures=3 does not go with same_as; leave it out"),
        ("data.sets.loud", {"pairs": "noise", "snr_db": 5}, r"snr_db=5.0 does not go with pairs; leave it out"),
        (
            "data.sets.loud",
            {"same_as": "train", "snr_db": 5},
            r"same_as='train' is no set with a source other than train \(closed, validation, open\)",
        ),
        (
            "data.sets.real",
            {"pairs": "noise"},
            r"pairs='noise' is no corpus with the reader voicebank \(there is none\)",
        ),
        (
            "data.speech.train",
            {"corpus": "speech", "speakers": "authors_train"},
            r"speakers='authors_train' is a rule for the reader timit, which corpus 'speech' has not; leave it out",
        ),
        (
            "networks.fc",
            ["3x"],
            r"variant '3x' of fc is not of the form 3x256, depth x width",
        ),
        ("networks.fc", ["4x64"], r"variant '4x64' of fc does not exist: its first number must be 2 or 3"),
        ("networks.fc", ["2x64", "2x64"], r"a network is named twice; once will do"),
        ("networks", {"conv_tasnet": ["3x8"], "loss": "mask_mse"}, r"loss='mask_mse' needs a mask, which conv_tasnet"),
        ("networks.device", "tpu", r"networks.device='tpu'"),
        ("networks.max_minutes", 0, r"networks.max_minutes=0"),
        ("networks.gru", ["2x64"], r"unknown key networks.gru"),
        ("tables.taslp", {"further_sets": ["elsewhere"]}, r"set 'elsewhere' is not in data.sets"),
        (
            "tables.taslp",
            {"further_sets": ["open"]},
            r"set 'open' is named twice in grid.sets and the tables' further_sets; once will do",
        ),
        (
            "grid.targets",
            ["rbf-0"],
            r"grid.targets=\['rbf-0'\]: the target rbf needs sigma2 > 0, not 0.0; config/README",
        ),
        ("grid.targets", ["ssm", "rbf--0.1"], r"grid.targets.*: the target rbf needs sigma2 > 0, not -0.1;"),
        ("grid.targets", ["rbf"], r"grid.targets.*: the target rbf needs its parameter, sigma2 > 0;"),
        ("grid.targets", ["rbf-wide"], r"grid.targets.*: target 'rbf-wide': 'wide' is not a number"),
        ("grid.targets", ["mix-2"], r"grid.targets.*: the target mix needs a weight between 0 and 1, not 2.0;"),
        ("grid.targets", ["cosine"], r"grid.targets.*: target='cosine' is unknown: choose one of ssm, rbf, power, mix"),
        ("grid.targets", ["centred-0.5"], r"target centred-0.5 is of residual boosting; use the system 'residual'"),
        ("grid.targets", ["rbf-0.5", "rbf-0.50"], r"\['rbf-0.5', 'rbf-0.5'\] must be a list .* without repeats"),
        ("grid.targets", [], r"grid.targets.*must be a list of at least one value"),
        (
            "grid.variants",
            ["context4"],
            r"variant 'context4' is unknown; choose weighted, or context and an odd number",
        ),
        ("grid.variants", ["context1"], r"variant 'context1' is unknown"),
        ("grid.variants", ["weighted", "weighted"], r"grid.variants.*without repeats"),
        ("grid.switches", ["passes"], r"grid.switches.0='passes'"),
        ("grid.switches", ["bias", "bias"], r"grid.switches.*without repeats"),
        ("training.residual", {"passes": 3}, r"switch 'passes' is unknown; choose one of beta_scale"),
        ("training.residual", {"n_segments": 0}, r"n_segments=0 must be at least 1"),
        ("tables.rivals", {"n_bits": [0]}, r"tables.rivals.n_bits.0=0"),
        ("tables.rivals", {"sets": ["elsewhere"]}, r"set 'elsewhere' is not in data.sets"),
        (
            "projections",
            {"mine": "my.npz"},
            r"projections={'mine': 'my.npz'} do not fit: name the system 'projections'",
        ),
        ("projections", {"a/b": "my.npz"}, r"projections.a/b"),
        ("training.n_bits", 100, r"grid.n_bits=150 exceeds training.n_bits=100; raise the latter"),
        ("training.profile", "theirs", r"training.profile='theirs'"),
        ("training.switches", {"passes": 3}, r"switch 'passes' is unknown; choose one of beta_scale"),
        ("training.switches", {"max_passes": 3}, r"max_passes=3 is below min_passes"),
        ("name", "a/b", r"name='a/b'"),
        ("seed", -1, r"seed=-1"),
    ],
)
def test_wrong_values_are_named(values, key, value, message):
    with pytest.raises(ValueError, match=message) as caught:
        parse_config(change(values, key, value), "mine.yaml")
    assert str(caught.value).startswith("mine.yaml: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({"systems": ["lsh", "projections"]}, r"projections=\{\} do not fit: name the system 'projections' and a file"),
        (
            {"systems": ["lsh"], "variants": ["weighted"]},
            r"variants=\['weighted'\] are of blsh, which is not in systems",
        ),
        (
            {"systems": ["lsh"], "switches": ["bias"]},
            r"switches=\['bias'\] are of blsh, which is not in systems; add it",
        ),
        (
            {"systems": ["blsh"], "switches": ["matrices"]},
            r"switches=\['matrices'\] is of lsh, which is not in systems",
        ),
    ],
)
def test_keys_that_need_a_system(values, grid, message):
    values["grid"] |= grid
    with pytest.raises(ValueError, match=message) as caught:
        parse_config(values)
    assert "\n" not in str(caught.value)


def test_a_switch_must_fit_the_others(values):
    # All segments cannot be drawn afresh each round.
    values["training"] = {"switches": {"segments": "fresh", "n_segments": 3}}
    values["grid"]["switches"] = ["n_segments"]
    with pytest.raises(ValueError, match="segments='fresh' needs n_segments"):
        parse_config(values)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", r"not a YAML file"),
        ("", r"holds no keys"),
        ("- a\n- b", r"holds no keys"),
        ("__use_yte__: true\n?print(1): 2", r"__use_yte__ would run code"),
        ("a: {__use_yte__: true}", r"__use_yte__ would run code"),
        ("a: !!python/object/apply:os.system [true]", r"line 1 is of the kind 'python/object/apply:os.system'"),
    ],
)
def test_files_that_are_no_configuration(tmp_path, text, message):
    path = tmp_path / "odd.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        load_config(path)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none.yaml: no such configuration file; presets are in config/"):
        load_config(tmp_path / "none.yaml")


@pytest.mark.parametrize("name", GENERATED)
def test_generated_documents_are_up_to_date(name):
    assert (ROOT / name).read_text(encoding="utf-8") == GENERATED[name](), "run 'make docs'"


def test_every_reader_has_its_options_listed():
    assert set(READER_OPTIONS) == set(READERS)
