"""What a run leaves that was killed: jobs that still work, a lock, and files under temporary names.

The jobs could write an old result over a new one, so they are ended before anything else starts. All functions look at
the current folder, the repository's.
"""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

from blsh.experiment.config import Config
from blsh.experiment.grid import data_folder, results_folder
from blsh.experiment.status import RUN_FILE, UNSEEN, read_state
from blsh.files.atomic import TEMPORARY_NAMES

__all__ = ["DRY", "clear_away", "refuse_beside_another_run", "remove_temporary_files"]

# Snakemake's words for a run that only says what it would do.
DRY = {"-n", "--dry-run", "--dryrun"}
# What `snakemake --unlock` removes, after it has read the whole workflow.
LOCKS = Path(".snakemake/locks")
# So long a job of a dead run gets to end itself.
GRACE_SECONDS = 5.0
# And so long SLURM gets to end jobs; then they are killed on their node (its KillWait is 30 s).
QUEUE_SECONDS = 90.0


def refuse_beside_another_run() -> None:
    """Raise where another run works in this folder.

    Raises
    ------
    ValueError
        If Snakemake runs here, or may run on another machine that shares the folder.
    """
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


def clear_away(config: Config) -> None:
    """End a dead run's jobs, here and in SLURM's queue, release its lock, remove its files under temporary names."""
    jobs = [process for process in _processes() if _is_job(process.info["cmdline"])]
    for process in jobs:
        print(f"ending process {process.pid}, a job of a dead run", flush=True)
        process.terminate()
    for process in psutil.wait_procs(jobs, timeout=GRACE_SECONDS)[1]:
        process.kill()
    _end_submitted_jobs(Path(results_folder(config)))
    shutil.rmtree(LOCKS, ignore_errors=True)
    remove_temporary_files(config)


def remove_temporary_files(config: Config) -> None:
    """Remove what jobs that were killed had begun to write."""
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
