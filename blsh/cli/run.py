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
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import yaml

from blsh.experiment.config import Config, load_config
from blsh.experiment.grid import data_folder, results_folder, score_jobs
from blsh.experiment.outputs import recipes_file
from blsh.experiment.status import RUN_FILE, UNSEEN, read_state
from blsh.files.atomic import TEMPORARY_NAMES
from blsh.files.fail_points import fail_point

EXAMPLE = "blsh run --configfile config/demo.yaml --cores 2"
PASSES_ARGUMENTS_ON = True

DRY = {"-n", "--dry-run", "--dryrun"}
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
# What `snakemake --unlock` removes, after it has read the whole workflow.
LOCKS = Path(".snakemake/locks")
# So long a job of a dead run gets to end itself.
GRACE_SECONDS = 5.0
# And so long SLURM gets to end jobs; then they are killed on their node (its KillWait is 30 s).
QUEUE_SECONDS = 90.0


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
    if not Path("Snakefile").is_file():
        raise FileNotFoundError(f"{Path.cwd()} holds no Snakefile; run this in the repository's folder")
    command = [sys.executable, "-m", "snakemake", "--configfile", str(arguments.configfile)]
    is_dry = bool(DRY & set(more))
    if not is_dry:
        _require_writable(config)
        _refuse_beside_another_run()
        _clear_away(config)
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
        _remove_temporary_files(config)
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


def _refuse_beside_another_run() -> None:
    if not _is_locked():
        return
    for process in _processes():
        words = process.info["cmdline"]
        if any(Path(word).name == "snakemake" for word in words[:3]) and not _is_job(words) and not DRY & set(words):
            raise ValueError(f"process {process.pid} runs Snakemake in {Path.cwd()}; wait for it or stop it")
    for path in Path("results").glob(f"*/{RUN_FILE}"):
        try:
            latest, state = read_state(path.parent)
        except (FileNotFoundError, ValueError):  # no log, or a damaged note: nothing is known
            continue
        if state == UNSEEN:
            raise ValueError(
                f"process {latest.pid} on {latest.host} runs {path.parent}, or was killed there; "
                f"look there, and remove {path} if it is dead"
            )


def _clear_away(config: Config) -> None:
    """End a dead run's jobs, release its lock, remove its files under temporary names."""
    jobs = [process for process in _processes() if _is_job(process.info["cmdline"])]
    for process in jobs:
        print(f"ending process {process.pid}, a job of a dead run", flush=True)
        process.terminate()
    for process in psutil.wait_procs(jobs, timeout=GRACE_SECONDS)[1]:
        process.kill()
    _end_submitted_jobs(Path(results_folder(config)))
    shutil.rmtree(LOCKS, ignore_errors=True)
    _remove_temporary_files(config)


def _remove_temporary_files(config: Config) -> None:
    for folder in (results_folder(config), data_folder(config)):
        for path in Path(folder).rglob(TEMPORARY_NAMES):
            path.unlink(missing_ok=True)


def _end_submitted_jobs(results: Path) -> None:
    """Take the jobs of a killed run out of SLURM's queue, where they would go on without it."""
    try:
        latest, state = read_state(results)
    except (FileNotFoundError, ValueError):  # no run before this one
        return
    names = re.findall(r"^SLURM run ID: (\S+)$", latest.log.read_text(encoding="utf-8"), re.MULTILINE)
    if state != "killed" or not names or shutil.which("scancel") is None:
        return
    print("ending the submitted jobs of a dead run", flush=True)
    subprocess.run(["scancel", "--name", names[0]], check=False)
    queue = ["squeue", "--noheader", "--name", names[0]]
    deadline = time.monotonic() + QUEUE_SECONDS
    while time.monotonic() < deadline and subprocess.run(queue, capture_output=True, check=False).stdout:
        time.sleep(1.0)


def _is_locked() -> bool:
    return any(LOCKS.glob("*.lock"))


def _processes() -> Iterator[psutil.Process]:
    """Yield the processes that work in this folder, but for this one and those that it was started by."""
    here = Path.cwd()
    family = {os.getpid(), *(process.pid for process in psutil.Process().parents())}
    for process in psutil.process_iter(["pid", "cmdline", "cwd"]):
        info = process.info
        if process.pid not in family and info["cmdline"] and info["cwd"] and Path(info["cwd"]) == here:
            yield process


def _is_job(words: Sequence[str]) -> bool:
    """Return whether a command line is a job's: a verb as the rules write it, or the Snakemake that a cluster runs."""
    return re.search(r"--log-command|--mode (remote|subprocess)", " ".join(words)) is not None
