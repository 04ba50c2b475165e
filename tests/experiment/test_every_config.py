"""Every configuration that the schema accepts makes all its jobs and commands, by the functions that make them."""

import json
import re
import shlex
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, find, given, seed, settings
from pydantic import model_validator

from blsh.cli import aggregate
from blsh.denoising.architectures import NETWORKS
from blsh.experiment import outputs, rules
from blsh.experiment.config import Config, parse_config, portable
from blsh.experiment.config_data import DataConfig
from blsh.experiment.families import FITTED, model_names
from blsh.experiment.grid import expected_cells, scored_bits_on
from blsh.experiment.plan import plan
from blsh.reporting.evidence import models_of
from blsh.reporting.scores import CELL
from tests.experiment.commands import all_settings, assert_read_back, written_cells
from tests.experiment.drawn_configs import changed_keys, configs, keys, make_files

ROOT = Path(__file__).resolve().parents[2]
ROUNDS, EXAMPLES = 3, 50
# Linux takes no longer word in a command, and no longer name of a file; one that is being written has a longer name.
LONGEST_WORD, LONGEST_NAME = 131_071, 255 - 40
SETTINGS = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)


@pytest.fixture(scope="module", autouse=True)
def in_a_folder_with_files(tmp_path_factory):
    """Listings and projections are relative to the folder of the run."""
    folder = tmp_path_factory.mktemp("repository")
    make_files(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield


def constraints() -> dict[str, re.Pattern]:
    """Return the Snakefile's patterns of wildcards."""
    text = (ROOT / "workflow/Snakefile").read_text(encoding="utf-8")
    lines = text.partition("wildcard_constraints:\n")[2].partition("\n\n")[0]
    values = eval(f"dict({lines})", {"blsh_rules": rules})
    return {name: re.compile(pattern) for name, pattern in values.items()}


PATTERNS = constraints()


def check(config: Config) -> None:
    """Make all that the Snakefile, the plan and the summaries make of a configuration."""
    for verb, settings_of_job in all_settings(config):
        assert_read_back(verb, settings_of_job)
        assert len(str(settings_of_job).encode()) <= LONGEST_WORD
    for corpus in config.data.corpora:
        parsed_folder = shlex.split(str(rules.folder_flag(config, corpus)))
        assert parsed_folder[0] == "--folder" and not parsed_folder[1].startswith("-")
    files = check_files(config)
    check_words(config)
    cells = expected_cells(config)
    written = written_cells(config)
    expected = [tuple(row) for row in cells[[*CELL, "repeat"]].fillna({"snr_db": -1000.0}).itertuples(index=False)]
    assert sorted(written) == sorted(expected) and len(set(written)) == len(written)
    models_of(cells)
    aggregate._with_reasons(cells, config)
    assert aggregate._table_bits(config) is not None
    assert plan(config).wall_seconds(2) > 0
    assert all(len(part.encode()) <= LONGEST_NAME for file in files for part in file.split("/"))


def check_files(config: Config) -> list[str]:
    """Every file that a job reads is a recording's, a user's or another job's, and no two jobs write the same."""
    learned, networks = rules.models_by_stem(config), rules.networks_by_stem(config)
    jobs = rules.score_jobs_by_stem(config)
    assert all(PATTERNS["corpus"].fullmatch(name) for name in config.data.corpora)
    assert all(PATTERNS["set"].fullmatch(name) for name in config.data.sets)
    for stem, model in learned.items():
        assert PATTERNS["fitted" if model.system in FITTED else "boosted"].fullmatch(stem)
    assert all(PATTERNS["network"].fullmatch(stem) for stem in networks)
    neighbours = {}
    logs = []
    for (set_name, stem), job in jobs.items():
        kinds = [kind for kind in ("control", "network", "plain", "coded") if PATTERNS[kind].fullmatch(stem)]
        assert len(kinds) == 1, (stem, kinds)
        for file in rules.neighbours_file(config, job):
            neighbours[file] = job
        if kinds == ["coded"]:
            model = outputs.score_model(config, job)
            assert job.system == "projections" or Path(model).stem in learned, model
        assert job.system in NETWORKS or scored_bits_on(config, set_name, job.family)
        logs.append(f"score_{set_name}_{stem}.log")
    for file, job in neighbours.items():
        pattern = rf"{job.set}_(?P<feature>stft|mel)_rho-(?P<rho>{PATTERNS['rho'].pattern})_rep-(?P<repeat>[0-9]+)\.npy"
        found = re.fullmatch(pattern, Path(file).name)
        wanted = rules.neighbours_settings(config, found["feature"], found["rho"], found["repeat"])
        assert (wanted["feature"], wanted["rho"], wanted["repeat"]) == (job.feature, job.rho, job.repeat)
        assert_read_back("neighbours", wanted)
    for feature, target in model_names(config):
        assert PATTERNS["target"].fullmatch(target) and f"blsh_{feature}_{target}" in learned
    assert {Path(file).stem for file in rules.example_models(config)} <= set(learned)
    written = [*rules.score_files(config), *rules.model_files(config), *rules.history_files(config), *neighbours]
    written += [*rules.network_files(config), *rules.ssm_files(config), *rules.all_manifests(config)]
    written += [file.removesuffix(".safetensors") + ".csv" for file in rules.network_files(config)]
    written += [outputs.recipes_file(config, name) for name in config.data.sets]
    written += [f"{rules.data_folder(config)}/manifests/units.csv"]
    # On many disks names that differ in case only are one.
    doubled = [file for file, times in Counter(file.lower() for file in (*written, *logs)).items() if times > 1]
    assert not doubled, doubled
    return [*written, *logs]


def check_words(config: Config) -> None:
    """What a rule adds to its settings: manifests, folders, the command that shows an unfinished run."""
    assert shlex.split(str(rules.corpora_flags(config, rules.speech_corpora(config))))
    for name in config.data.sets:
        corpora = rules.corpora_of(config, name)
        assert corpora and len(rules.manifests_of(config, name)) == len(corpora)
        words = shlex.split(str(rules.corpora_flags(config, corpora)))
        assert len(words) == 2 + 2 * len(corpora) and len(str(words)) < LONGEST_WORD
    assert rules.speech_manifests(config)
    command = rules.partial_command(config, "a b.yaml").format()
    assert shlex.split(command) and len(command.encode()) <= LONGEST_WORD


def test_every_configuration_makes_its_jobs():
    drawn, refused, tried = set(), Counter(), 0

    def every(values):
        nonlocal tried
        tried += 1
        try:
            config = parse_config(values, "mine.yaml")
        except ValueError as error:
            refused[str(error)] += 1
            return
        drawn.update(changed_keys(config))
        check(config)
        written = json.dumps(portable(config) | {"corpora_folder": config.corpora_folder})
        assert parse_config(json.loads(written)) == config

    # What hypothesis draws in one run is alike: a key that was not drawn gets some more runs.
    for number in range(20):
        if number >= ROUNDS and not keys() - drawn:
            break
        seed(number)(settings(SETTINGS, derandomize=False)(given(configs())(every)))()
    assert sorted(keys() - drawn) == [], "these keys had only their defaults"
    assert sum(refused.values()) < tried / 2, refused.most_common(5)
    for message in refused:
        assert message.startswith("mine.yaml: ") and "\n" not in message


class AnySets(DataConfig):
    """Without the rule that some sets have names that jobs know."""

    @model_validator(mode="after")
    def _has_known_sets(self):
        return self


class WithAnySets(Config):
    data: AnySets


class WithAnyLengths(Config):
    """Without the rule that every feature of the grid has a code length in the tables."""

    @model_validator(mode="after")
    def _features_have_code_lengths(self):
        return self


@pytest.mark.parametrize(
    ("model", "missing"), [(WithAnySets, {"open", "validation"}), (WithAnyLengths, {"stft", "mel"})]
)
def test_what_the_rules_forbid_would_fail(model, missing):
    """The property finds the errors that were there before these rules."""

    def fails(values) -> bool:
        try:
            config = model.model_validate(values)
        except ValueError:
            return False
        try:
            check(config)
            for name in ("validation", "open"):  # of rules whose set is fixed
                rules.manifests_of(config, name)
        except KeyError as error:
            return error.args[0] in missing
        return False

    values = find(configs(), fails, settings=settings(SETTINGS, max_examples=1000))
    with pytest.raises(ValueError, match=r"data\.sets needs a set|tables\.taslp\.blsh_bits"):
        parse_config(values)
