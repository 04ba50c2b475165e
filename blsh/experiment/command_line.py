"""The words of a command line that Snakemake understands, read by Snakemake's own parser, profiles included.

So `blsh run` and `blsh plan` speak of the experiment that Snakemake runs, however its configuration is spelt. The
configuration files themselves are read as plain YAML, never by Snakemake, which would run code that stands in one.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blsh.experiment.config import Config, parse_config
from blsh.experiment.merging import read_configuration, with_changes

__all__ = ["ARGUMENTS", "FINISH", "CommandLine", "finish_command", "read_command_line"]

DEFAULT_PRESET = "config/demo.yaml"
ARGUMENTS = f"""\
--configfile FILE ...   the preset, or several files that are merged (default: {DEFAULT_PRESET})
--config KEY=VALUE ...  keys changed, such as seed=1, 'grid={{rho: [0.2]}}'; KEY=null leaves the preset's out
--profile FOLDER        a profile of Snakemake, which may hold all of these
--cores N               cores to use (default: all, or what a profile says)"""
"""The arguments of verbs that take those of Snakemake, for their help."""
FINISH = "BLSH_FINISH"
"""The variable in which Snakemake's own process is told the command that finishes the run."""
# Options of Snakemake that do not choose what is made.
FOR_ANY_TARGET = {
    "config",
    "configfile",
    "cores",
    "executor",
    "jobs",
    "keep_going",
    "max_jobs_per_timespan",
    "profile",
    "workflow_profile",
}
COUNTS = ("cores", "jobs", "local_cores", "max_threads")


@dataclass(frozen=True)
class CommandLine:
    """What a command line asks for.

    Attributes
    ----------
    config
        The experiment.
    values
        Its keys as files and ``--config`` give them, merged.
    options
        Snakemake's options, with those that profiles give.
    chooses
        Whether the words name targets or choose among the jobs, or do something else than run them.
    finish
        The command that runs all of the experiment.
    """

    config: Config
    values: Mapping[str, Any]
    options: argparse.Namespace
    chooses: bool
    finish: str


def read_command_line(words: Sequence[str]) -> CommandLine:
    """Read words for Snakemake, and the configuration that they, or a profile, name.

    Raises
    ------
    FileNotFoundError, ValueError
        One line, if Snakemake would refuse them, if a number of cores or jobs is below 1, or for what is wrong with the
        configuration.
    """
    options, chooses = _parse(list(words))
    for name in COUNTS:
        if (number := getattr(options, name)) is not None and number < 1:
            raise ValueError(f"--{name.replace('_', '-')} {number} is below 1; give a whole number of 1 or more")
    changes = _changes(options.config or [])
    files = options.configfile or [Path(DEFAULT_PRESET)]
    values = read_configuration(*files)
    config = parse_config(values, " and ".join(map(str, files)), changes)
    finish = finish_command(options.configfile, options.config or [])
    return CommandLine(config, with_changes(values, changes), options, chooses, finish)


def finish_command(configfiles: Sequence[str | Path], changes: Sequence[str]) -> str:
    """Return the command that runs all of an experiment, without naming a folder of this machine.

    Parameters
    ----------
    configfiles, changes
        What ``--configfile`` and ``--config`` say.
    """
    words = ["blsh", "run"]
    if configfiles:
        words += ["--configfile", *(os.path.relpath(file) for file in configfiles)]
    if changes:
        words += ["--config", *(_without_folder(change) for change in changes)]
    return shlex.join(words)


def _without_folder(change: str) -> str:
    key, _, value = change.partition("=")
    return f"{key}=FOLDER" if key == "corpora_folder" and Path(value).is_absolute() else change


def _parse(words: list[str]) -> tuple[argparse.Namespace, bool]:
    """Return Snakemake's options, and whether the words alone, without profiles, choose what is made."""
    from snakemake.cli import get_argument_parser, parse_args
    from snakemake.exceptions import CliException
    from snakemake_interface_common.exceptions import WorkflowError

    said = io.StringIO()  # which profiles are read, and at last what is wrong
    try:
        with redirect_stderr(said):
            _, options = parse_args(words)
            alone, nothing = (vars(get_argument_parser().parse_args(some)) for some in (words, []))
    except SystemExit as ending:
        if not ending.code:
            raise
        line = said.getvalue().strip().splitlines()[-1]
        if missing := re.search(r"argument --executor/-e: invalid choice: '([\w-]+)'", line):
            name = missing[1]
            raise ValueError(
                f"the executor {name!r} is not installed; pip install snakemake-executor-plugin-{name}"
            ) from None
        raise ValueError(line.partition("error: ")[2] or line) from None
    except CliException as error:
        raise ValueError(error.msg) from None
    except (WorkflowError, ValueError) as error:  # of a single option, in words of its own
        raise ValueError(f"Snakemake cannot read {shlex.join(words)} ({error}); see 'snakemake --help'") from None
    return options, any(alone[name] != nothing[name] for name in nothing.keys() - FOR_ANY_TARGET)


def _changes(entries: Sequence[str]) -> dict[str, Any]:
    from snakemake.cli import parse_config as parse_changes

    try:
        return parse_changes(entries)
    except AssertionError:  # Snakemake's answer to a value that YAML reads as nothing
        raise ValueError(f"--config {shlex.join(entries)}: a value is blank or a comment; put it into a file") from None
