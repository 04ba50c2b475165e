"""Configuration files and `--config` together: what Snakemake's own parser and merging make of them, and its types."""

import shlex
import types
import typing
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel
from snakemake.cli import parse_config as parse_changes
from snakemake.settings.types import ConfigSettings

from blsh.experiment.command_line import finish_command, read_command_line
from blsh.experiment.config import Config, parse_config
from blsh.experiment.merging import OPEN_KEYS

ROOT = Path(__file__).resolve().parents[2]
DEMO, TINY = ROOT / "config/demo.yaml", ROOT / "tests/workflow/tiny.yaml"
CHANGES = [
    ["seed=3", "title=*bold*", "title=yes"],
    ["networks={}"],
    ["networks={fc: []}"],
    ["networks=null"],
    ["networks="],
    ["grid={rho: [0.2, 1e-2], n_bits: [1, 10, 20]}"],
    ["training={switches: {max_passes: 5, min_passes: 5, learning_rate: 1e-3}}"],
    ["training={'seed': None, 'n_bits': 20}"],
    ["data={speech: {seconds: null, held_out: 2}, name: 007}"],
    ["networks={max_minutes: null, loss: si_sdr}", "networks={patience: 2}"],
]


@pytest.mark.parametrize("entries", CHANGES, ids=" ".join)
def test_snakemake_alone_and_this_package_read_the_same(entries):
    """The first as the Snakefile gets it: merged by Snakemake, with text for what is nested."""
    changes = parse_changes(entries)
    theirs = ConfigSettings(config=changes, configfiles=[TINY]).overwrite_config
    ours = read_command_line(["--configfile", str(TINY), "--config", *entries])
    assert parse_config(theirs, changes=changes) == ours.config == parse_config(ours.values)


def of(*entries: str, file: Path = TINY) -> Config:
    return read_command_line(["--configfile", str(file), "--config", *entries]).config


def test_nested_keys_are_merged_and_null_leaves_a_key_out():
    tiny = parse_config(yaml.safe_load(TINY.read_text()))
    assert of("networks={}") == tiny
    assert of("networks={fc: []}").networks == tiny.networks.model_copy(update={"fc": ()})
    assert of("networks=null").networks == of("networks=").networks == Config.model_fields["networks"].default
    assert of("grid={rho: [0.2]}").grid == tiny.grid.model_copy(update={"rho": (0.2,)})


def test_nested_text_becomes_what_the_field_takes():
    config = of(
        "training={switches: {min_passes: 4, max_passes: 5, learning_rate: 1e-3}, n_bits: null}",
        "data={name: 007, speech: {seconds: null, per_speaker: 2}}",
        "tables={rivals: None}",
    )
    assert config.training.switches["max_passes"] == 5 and config.training.switches["learning_rate"] == 0.001
    assert config.training.n_bits is None and config.tables.rivals is None
    assert config.data.name == "007" and config.data.speech.seconds is None and config.data.speech.per_speaker == 2


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("name=1e3", r"name=1000.0: Input should be a valid string; .* --config 'name=!!str TEXT'"),
        ("seed=0x10", r"seed='0x10': Input should be a valid integer"),
        ("title=# none", r"--config 'title=# none': a value is blank or a comment"),
        ("seed", r"Config entries have to be defined as name=value pairs"),
        ("sed=1", r"tiny.yaml with --config: unknown key sed"),
        ("training={switches: {max_passes: many}}", r"a switch is of the wrong type"),
    ],
)
def test_what_cannot_be_meant_is_told_in_one_line(entry, told):
    with pytest.raises(ValueError, match=told) as error:
        of(entry)
    assert "\n" not in str(error.value)


def test_text_that_looks_like_a_number_can_be_given():
    assert of("name=!!str 1e3").name == "1e3"


def test_files_are_merged_in_their_order(tmp_path):
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text("seed: 1\ngrid: {repeats: 4}\n")
    second.write_text("grid: {rho: [0.5]}\nseed: 2\n")
    config = read_command_line(["--configfile", str(DEMO), str(first), str(second), "--config", "title=mine"]).config
    assert (config.seed, config.grid.repeats, config.grid.rho, config.title) == (2, 4, (0.5,), "mine")
    with pytest.raises(ValueError, match=r"demo.yaml and .*first.yaml: unknown key grid.rhoo"):
        first.write_text("grid: {rhoo: [0.5]}\n")
        read_command_line(["--configfile", str(DEMO), str(first)])
    with pytest.raises(FileNotFoundError, match=r"none.yaml: no such configuration file"):
        read_command_line(["--configfile", str(DEMO), str(tmp_path / "none.yaml")])


def open_keys(model: type[BaseModel], above: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """Find the fields of a model that take values of any type."""
    found = set()
    for name, field in model.model_fields.items():
        types_ = [field.annotation]
        while types_:
            one = types_.pop()
            if one is typing.Any:
                found.add((*above, name))
            elif isinstance(one, type) and not isinstance(one, types.GenericAlias) and issubclass(one, BaseModel):
                found |= open_keys(one, (*above, name))
            else:
                types_ += typing.get_args(one)
    return found


def test_only_the_keys_that_are_named_leave_the_type_open():
    assert open_keys(Config) == set(OPEN_KEYS)


def test_the_command_that_finishes_a_run_names_no_folder_of_this_machine(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert finish_command([], []) == "blsh run"
    changes = ["seed=1", "corpora_folder=/home/me/data", "title=it's"]
    command = finish_command([DEMO, ROOT / "config/a b.yaml"], changes)
    files = ["--configfile", "config/demo.yaml", "config/a b.yaml"]
    assert shlex.split(command) == ["blsh", "run", *files, "--config", "seed=1", "corpora_folder=FOLDER", "title=it's"]
