"""Run an experiment with Snakemake, continuing one that was killed.

A killed run leaves its lock behind. This verb releases a lock whose process is dead, and refuses while another run
works in the same folder. Further arguments go to Snakemake, such as ``--dry-run`` or ``--config seed=1``.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from blsh.experiment.config import load_config
from blsh.experiment.grid import results_folder

EXAMPLE = "blsh run --configfile config/demo.yaml --cores 2"
PASSES_ARGUMENTS_ON = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("--configfile", type=Path, default=Path("config/demo.yaml"), help="the preset (default: demo)")
    parser.add_argument("--cores", default="all", help="cores to use (default: all)")


def run(arguments: argparse.Namespace) -> int:
    """Release a dead run's lock, run Snakemake, and name the report."""
    config = load_config(arguments.configfile, _changes(arguments.more))
    if not Path("Snakefile").is_file():
        raise FileNotFoundError(f"{Path.cwd()} holds no Snakefile; run this in the repository's folder")
    command = [sys.executable, "-m", "snakemake", "--configfile", str(arguments.configfile)]
    if _is_locked():
        if other := _other_run():
            raise ValueError(f"process {other} runs Snakemake in {Path.cwd()}; wait for it or stop it")
        subprocess.run([*command, "--unlock", "--quiet", "all"], check=True)
    # What the run needs is told by the experiment, not by the shell that starts it.
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    status = subprocess.run([*command, "--cores", arguments.cores, *arguments.more], env=environment).returncode
    if status == 0 and not {"-n", "--dry-run", "--dryrun"} & set(arguments.more):
        print(f"report: {results_folder(config)}/report.html")
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


def _is_locked() -> bool:
    return any(Path(".snakemake/locks").glob("*.lock"))


def _other_run() -> int | None:
    """Return the process id of a Snakemake that works in this folder."""
    import psutil

    here = Path.cwd()
    family = {os.getpid(), *(process.pid for process in psutil.Process().parents())}
    for process in psutil.process_iter(["pid", "cmdline", "cwd"]):
        words = process.info["cmdline"] or []
        if process.info["pid"] in family or not any("snakemake" in word for word in words):
            continue
        if process.info["cwd"] and Path(process.info["cwd"]) == here:
            return process.info["pid"]
    return None
