"""Run an experiment with Snakemake, continuing one that was killed.

What a killed run left behind is cleared away first: its jobs that still work (they could write an old result over a
new one), its lock, and its files under temporary names; and at the end what jobs left that were killed in this run.
While another run works in the same folder, this verb refuses.

Manifests and recipes that are there from an earlier run are looked at by themselves first. Once Snakemake makes one of
them again, all that depends on it counts as old; at its next start it compares their content. So recordings that were
copied or unpacked again, with other times and the same sound, cost their manifests and recipes and nothing else.

Further arguments go to Snakemake, such as ``--dry-run``, ``--config seed=1`` or ``--profile profiles/slurm``.
"""

import argparse
import errno
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from blsh.experiment.config import Config, load_config
from blsh.experiment.dead_runs import DRY, clear_away, refuse_beside_another_run, remove_temporary_files
from blsh.experiment.grid import data_folder, results_folder, score_jobs
from blsh.experiment.inputs import require_inputs
from blsh.experiment.outputs import recipes_file
from blsh.files.fail_points import fail_point

EXAMPLE = "blsh run --configfile config/demo.yaml --cores 2"
PASSES_ARGUMENTS_ON = True

# Who gives one of these has said elsewhere how many jobs run at a time.
MANY_MACHINES = ("--profile", "--executor", "-e", "--jobs", "-j")
# Snakemake looks over its jobs again one timespan after every look, and each job that ends adds a look, for good. With
# its own timespan of a second that came to 22 % of a core after 200 jobs. A finished run ends a timespan later.
RATE, LONG_RUN_RATE, LONG_RUN_JOBS = "--max-jobs-per-timespan", "1000/10s", 200
# Options of Snakemake that do not choose what is made, and whether a value follows.
FOR_ANY_TARGET = {
    **dict.fromkeys((*MANY_MACHINES, RATE, "--workflow-profile", "--config", "-C"), True),
    **dict.fromkeys(("--keep-going", "-k"), False),
}
# Below this a disk counts as full: not even the logs of a run fit.
FULL_BYTES = 1 << 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("--configfile", type=Path, default=Path("config/demo.yaml"), help="the preset (default: demo)")
    parser.add_argument("--cores", help="cores to use (default: all, or what a Snakemake profile says)")


def run(arguments: argparse.Namespace) -> int:
    """Clear a dead run away, run Snakemake, and name the report."""
    more = arguments.more
    if other := next((word for word in more if word.startswith("--configf")), ""):
        raise ValueError(f"{other}: give one --configfile; Snakemake would read others unchecked, and run code in them")
    config = load_config(arguments.configfile, _changes(more))
    require_inputs(config)
    if not Path("Snakefile").is_file():
        raise FileNotFoundError(f"{Path.cwd()} holds no Snakefile; run this in the repository's folder")
    command = [sys.executable, "-m", "snakemake", "--configfile", str(arguments.configfile)]
    is_dry = bool(DRY & set(more))
    if not is_dry:
        _require_writable(config)
        refuse_beside_another_run()
        clear_away(config)
        fail_point("run.started")
    # What the run needs is told by the experiment, not by the shell that starts it.
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    command += _cores(arguments)
    status = 0
    if not _chooses(more) and (lists := _lists(config)):
        print("manifests and recipes first: only what depends on a changed one is made again", flush=True)
        status = subprocess.run([*command, *more, "--", *lists], env=environment).returncode
    if status == 0:
        status = subprocess.run([*command, *_rate(arguments, config), *more], env=environment).returncode
    if is_dry:
        return status
    # A job that was killed and then tried again left its temporary files. Of a killed Snakemake, jobs may go on.
    if status >= 0:
        remove_temporary_files(config)
    if status == 0:
        print(f"report: {results_folder(config)}/report.html")
    else:
        _tell_full_disk(results_folder(config))
    return status


def _changes(words: Sequence[str]) -> dict[str, Any]:
    """Return the top-level keys that ``--config NAME=VALUE …`` changes."""
    changes: dict[str, Any] = {}
    follows = False
    for word in words:
        if word.startswith("-"):
            follows = word in ("--config", "-C")
        elif follows and "=" in word:
            name, _, value = word.partition("=")
            changes[name] = yaml.safe_load(value)
    return changes


def _chooses(words: Sequence[str]) -> bool:
    """Return whether words for Snakemake name targets or choose among the jobs, or do something else than run them."""
    takes_value = False
    for word in words:
        if word.startswith("-"):
            option, has_value, _ = word.partition("=")
            if option not in FOR_ANY_TARGET:
                return True
            takes_value = FOR_ANY_TARGET[option] and not has_value
        elif not takes_value:
            return True
        else:
            takes_value = option in ("--config", "-C")
    return False


def _lists(config: Config) -> list[str]:
    """Return the recipes that are there."""
    recipes = (recipes_file(config, name) for name in config.data.sets)
    return [path for path in recipes if Path(path).is_file()]


def _cores(arguments: argparse.Namespace) -> list[str]:
    if arguments.cores is None and not _is_one_machine(arguments):
        return []
    return ["--cores", arguments.cores or "all"]


def _rate(arguments: argparse.Namespace, config: Config) -> list[str]:
    is_long = len(score_jobs(config)) >= LONG_RUN_JOBS
    return [RATE, LONG_RUN_RATE] if is_long and _is_one_machine(arguments) else []


def _is_one_machine(arguments: argparse.Namespace) -> bool:
    return all(word.split("=")[0] not in MANY_MACHINES for word in arguments.more)


def _require_writable(config: Config) -> None:
    """Raise before Snakemake starts, which answers a folder that cannot be written with a page of Python."""
    for folder in (Path(results_folder(config)), Path(data_folder(config)), Path(".snakemake")):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder) as handle:
                handle.write(b"some bytes")
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise OSError(
                    errno.ENOSPC, f"{folder}: the disk is full; make room and run the same command again"
                ) from None
            raise ValueError(
                f"{folder} cannot be written ({error.strerror}); change its permissions, or work in another folder"
            ) from None


def _tell_full_disk(folder: str) -> None:
    """Raise after a run that failed on a full disk, which left no room for the logs that say so."""
    free = shutil.disk_usage(folder).free
    if free < FULL_BYTES:
        raise OSError(
            errno.ENOSPC,
            f"{folder}: the disk is full, {free} bytes are free; make room and run the same command again",
        )
