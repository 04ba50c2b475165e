"""Every preset is valid, and every wrong key ends in one line that names it."""

from pathlib import Path

import pytest
import yaml

from blsh.corpora import READERS
from blsh.experiment.config import READER_OPTIONS, load_config, parse_config
from blsh.experiment.documents import GENERATED

ROOT = Path(__file__).resolve().parents[2]
PRESETS = [*sorted((ROOT / "config").glob("*.yaml")), ROOT / "tests/workflow/tiny.yaml"]


@pytest.fixture
def values() -> dict:
    return yaml.safe_load((ROOT / "config/demo.yaml").read_text())


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
    ("text", "message"),
    [
        ("a: [", r"not a YAML file"),
        ("", r"holds no keys"),
        ("- a\n- b", r"holds no keys"),
        ("__use_yte__: true\n?print(1): 2", r"__use_yte__ would run code"),
        ("a: !!python/object/apply:os.system [true]", r"not a YAML file"),
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
