"""The one description of an experiment: what a configuration file may say, and what it must obey.

A preset in ``config/`` is a YAML file of this model. Keys that are not in the model are errors, so a typing
mistake ends a run before it starts. ``config/README.md`` and ``workflow/schemas/config.schema.yaml`` are generated
from here and from the parts in ``config_*.py``; a test fails when they drift.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, model_validator

from blsh.experiment.config_base import ConfigModel, Line, Name, Seed, Word, refuse_twins
from blsh.experiment.config_data import DataConfig
from blsh.experiment.config_grid import GridConfig, NetworksConfig
from blsh.experiment.config_tables import MetricsConfig, ResultsConfig, TablesConfig
from blsh.experiment.config_training import TrainingConfig, require_switches
from blsh.experiment.merging import read_configuration, with_changes
from blsh.hashing.profiles import PROFILES
from blsh.hashing.switches import MATRICES, SWITCHES

__all__ = ["Config", "load_config", "parse_config", "portable"]

# Each is looked over many times; and the system takes no word of a command that is longer than 128 KiB.
MOST_JOBS = 100_000
MOST_BYTES = 50_000
# What is special about a system has names of its own in files and tables, and so have a user's projections.
OPTIONS = ("weighted", "context", "switch")


class Config(ConfigModel):
    """An experiment."""

    name: Name
    """The results are written to results/NAME; not `data`, where the mixtures are."""
    title: Line
    """One line for the report."""
    seed: Seed = 2020
    """Base of the random choices of the experiment: dictionaries, random projections, training."""
    corpora_folder: Word = "data"
    """Where the corpora's folders lie; changing it alone reruns nothing."""
    data: DataConfig
    grid: GridConfig
    projections: dict[Name, Word] = Field(default={})
    """Files of anyone's projections, by their names in tables: an `.npz` of `P` (bits, width) and `b` (bits,). No name
    begins with `weighted`, `context` or `switch`, which are options of `blsh`."""
    training: TrainingConfig = TrainingConfig()
    networks: NetworksConfig = NetworksConfig()
    metrics: MetricsConfig = MetricsConfig()
    tables: TablesConfig = TablesConfig()
    results: ResultsConfig = ResultsConfig()

    @model_validator(mode="after")
    def _consistent(self) -> Config:
        tables = [self.tables.icassp, self.tables.taslp, self.tables.rivals]
        tables += [self.tables.options] if self.grid.variants or self.grid.switches else []
        scored = (*self.grid.sets, *self.tables.further_sets)
        if doubled := sorted(name for name in set(scored) if scored.count(name) > 1):
            raise ValueError(
                f"set {doubled[0]!r} is named twice in grid.sets and the tables' further_sets; once will do"
            )
        for name in (*scored, *(name for table in tables if table for name in table.sets)):
            if name not in self.data.sets:
                raise ValueError(f"set {name!r} is not in data.sets ({', '.join(self.data.sets)}); name one of these")
        for name, repeats in self.grid.repeats_of_sets.items():
            if name not in scored:
                raise ValueError(
                    f"grid.repeats_of_sets names {name!r}, which is not scored ({', '.join(scored)}); name one of these"
                )
            if repeats > self.grid.repeats:
                raise ValueError(
                    f"grid.repeats_of_sets: {name} takes {repeats} of grid.repeats={self.grid.repeats}; take fewer"
                )
        if self.training.n_bits is not None and self.training.n_bits < max(self.grid.n_bits):
            raise ValueError(
                f"grid.n_bits={max(self.grid.n_bits)} exceeds training.n_bits={self.training.n_bits}; "
                "raise the latter or leave it out"
            )
        if ("projections" in self.grid.systems) != bool(self.projections):
            raise ValueError(
                f"grid.systems={list(self.grid.systems)} and projections={dict(self.projections)} do not fit: "
                "name the system 'projections' and a file, or neither"
            )
        for name in set(self.grid.switches) - {MATRICES}:
            require_switches(PROFILES[self.training.profile], self.training.switches | dict(SWITCHES[name]))
        return self

    @model_validator(mode="after")
    def _names_are_free(self) -> Config:
        if self.name.lower() == "data":
            raise ValueError(f"name={self.name!r}: results/data is the folder of the mixtures; choose another name")
        refuse_twins(self.projections, "projections")
        for name in self.projections:
            if name.startswith(OPTIONS):
                raise ValueError(f"projections: {name!r} begins like an option of blsh; choose another name")
        return self

    @model_validator(mode="after")
    def _features_have_code_lengths(self) -> Config:
        lengths = self.tables.taslp.blsh_bits
        if missing := [name for name in self.grid.features if "blsh" in self.grid.systems and name not in lengths]:
            raise ValueError(
                f"tables.taslp.blsh_bits={dict(lengths)} has no code length for {missing[0]!r}, a feature of the grid; "
                "add one"
            )
        return self

    @model_validator(mode="after")
    def _networks_have_crops(self) -> Config:
        seconds = self.data.speech.seconds
        if self.networks.names and seconds is not None and seconds < 1:
            raise ValueError(
                f"data.speech.seconds={seconds} is shorter than the crops of a second that networks train on; "
                "give 1.0 or more, or leave the networks out"
            )
        return self

    @model_validator(mode="after")
    def _can_be_run(self) -> Config:
        grid, n_sets = self.grid, len((*self.grid.sets, *self.tables.further_sets))
        n_systems = len((*grid.systems, *grid.targets, *grid.variants, *grid.switches, *self.projections))
        if (jobs := n_sets * n_systems * len(grid.features) * len(grid.rho) * grid.repeats) > MOST_JOBS:
            raise ValueError(
                f"the grid has {jobs:,} combinations of set, system, feature, rho and repeat, more than {MOST_JOBS:,}; "
                "take fewer"
            )
        size = len(shlex.quote(json.dumps(portable(self), ensure_ascii=False)).encode())
        if size > MOST_BYTES:
            raise ValueError(
                f"the configuration has {size:,} bytes when it is written out for a command, more than {MOST_BYTES:,}; "
                "shorten its lists and texts"
            )
        return self


def portable(config: Config) -> dict[str, Any]:
    """Return a configuration as plain values that say nothing of the machine: no folder outside `corpora_folder`."""
    values = config.model_dump(mode="json", exclude={"corpora_folder"})
    for corpus in values["data"]["corpora"].values():
        for key in ("folder", "listing"):
            if corpus[key] and Path(corpus[key]).is_absolute():
                corpus[key] = Path(corpus[key]).name
    for name, file in values["projections"].items():
        if Path(file).is_absolute():
            values["projections"][name] = Path(file).name
    return values


def parse_config(values: Mapping[str, Any], source: str = "config", changes: Mapping[str, Any] | None = None) -> Config:
    """Check a configuration given as plain values.

    Parameters
    ----------
    values
        What configuration files say.
    source
        What errors call it.
    changes
        What ``--config`` says besides, as Snakemake's parser gives it; `blsh.experiment.merging` tells what it does.

    Raises
    ------
    ValueError
        One line for the first wrong key: file, key, value and rule.
    """
    if changes:
        values, source = with_changes(values, changes), f"{source} with --config"
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        key = repr(".".join(str(part) for part in problem["loc"]))[1:-1][:200] or "(whole file)"
        if problem["type"] == "extra_forbidden":
            raise ValueError(f"{source}: unknown key {key}; config/README.md lists the keys") from None
        message = problem["msg"].removeprefix("Value error, ")
        value = "" if isinstance(problem["input"], dict) else f"={problem['input']!r:.200}"
        if problem["type"] == "string_type" and key in (changes or {}):
            message += f"; for text that looks like something else write --config '{key}=!!str TEXT'"
        raise ValueError(f"{source}: {key}{value}: {message}; config/README.md lists the keys") from None


def load_config(path: str | Path, changes: Mapping[str, Any] | None = None) -> Config:
    """Read a YAML configuration file, and check it with the `changes` of ``--config``.

    Raises
    ------
    FileNotFoundError, ValueError
        One line that names the file, the key and the rule.
    """
    return parse_config(read_configuration(path), str(path), changes)
