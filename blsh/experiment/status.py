"""How far a run is: jobs done, running, failed and waiting, the time left, and what failed jobs said last.

When Snakemake starts work it calls `note_run`, which leaves ``results/NAME/run.json``: machine, process, begin,
configuration, and the path of Snakemake's own log, out of which `read_status` reads the jobs' fates
(`blsh.experiment.snakemake_log`), while the run goes on and afterwards, also when the run was killed.

The time left is an estimate: for each job that is not done, the mean time of its rule's jobs in this run, else in
earlier runs (their benchmark files), else what `plan` expects; divided by the number of jobs that ran at a time so far.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from blsh.experiment.config import Config, parse_config, portable
from blsh.experiment.grid import data_folder, results_folder
from blsh.experiment.plan import SECONDS_PER_JOB, plan
from blsh.experiment.snakemake_log import Job, ending_of, jobs_of, totals_of
from blsh.files.atomic import write_json
from blsh.reporting.costs import read_benchmarks

__all__ = ["Run", "Status", "is_alive", "note_run", "read_run", "read_state", "read_status"]

RUN_FILE = "run.json"
UNSEEN = "running or killed"


@dataclass(frozen=True)
class Run:
    """The latest run of an experiment.

    Attributes
    ----------
    host, pid
        Machine and process of Snakemake.
    began
        Seconds since 1970.
    log
        Snakemake's log, relative to the repository.
    config
        What is run.
    """

    host: str
    pid: int
    began: float
    log: Path
    config: Mapping[str, Any]


@dataclass(frozen=True)
class Status:
    """How far a run is.

    Attributes
    ----------
    run
        The run.
    state
        ``running``, ``finished``, ``failed``, ``stopped`` (by a person) or ``killed``; ``running or killed`` on
        another machine, whose processes cannot be seen from here.
    jobs
        Those that have been started, in that order.
    totals
        Jobs of the run by rule, as far as they were not done before it.
    seconds
        How long the run has taken, until now or until its log ends.
    seconds_left
        An estimate; 0 for a run that has ended.
    """

    run: Run
    state: str
    jobs: tuple[Job, ...]
    totals: Mapping[str, int]
    seconds: float
    seconds_left: float

    def count(self, state: str, rule: str | None = None) -> int:
        """Return how many jobs, of one rule or of all, are in a state."""
        return sum(job.state == state and rule in (None, job.rule) for job in self.jobs)


def note_run(config: Config, log: str | Path) -> None:
    """Write down, in the experiment's results, that this process runs it."""
    write_json(
        Path(results_folder(config)) / RUN_FILE,
        {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "began": time.time(),
            "log": os.path.relpath(log),
            # To plan what is left, its projections are read.
            "config": portable(config) | {"projections": dict(config.projections)},
        },
    )


def read_run(results: str | Path) -> Run:
    """Read which run was the latest.

    Raises
    ------
    FileNotFoundError
        If none has been started.
    ValueError
        If the note is damaged.
    """
    path = Path(results) / RUN_FILE
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no run has been started here; name a folder such as results/demo")
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
        host, pid, began, log = str(note["host"]), int(note["pid"]), float(note["began"]), Path(note["log"])
        return Run(host, pid, began, log, dict(note["config"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is damaged ({error}); the next run writes it again") from None


def is_alive(run: Run) -> bool | None:
    """Return whether a run's Snakemake still works; None if it is on another machine."""
    import psutil

    if run.host != socket.gethostname():
        return None
    try:
        process = psutil.Process(run.pid)
        # A process that began after the run only has its number.
        return process.create_time() <= run.began and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def read_state(results: str | Path) -> tuple[Run, str]:
    """Return the latest run and its state, as `Status` names it.

    Raises
    ------
    FileNotFoundError, ValueError
        As `read_status`.
    """
    run = read_run(results)
    return run, _state(_lines_of_log(run, results), is_alive(run))


def read_status(results: str | Path) -> Status:
    """Find out how far the latest run of an experiment is.

    Parameters
    ----------
    results
        ``results/NAME``; logs are looked for from the repository's folder.

    Raises
    ------
    FileNotFoundError
        If no run has been started, or Snakemake's log is gone.
    ValueError
        If the note of the run is damaged.
    """
    run = read_run(results)
    lines = _lines_of_log(run, results)
    jobs, totals = jobs_of(lines), totals_of(lines)
    state = _state(lines, is_alive(run))
    now = time.time() if state.startswith("running") else run.log.stat().st_mtime
    if state in ("killed", "stopped"):
        jobs = [replace(job, state="interrupted", ended=now) if job.state == "running" else job for job in jobs]
    seconds = max(0.0, now - run.began)
    left = _seconds_left(run, jobs, totals, now) if state.startswith("running") else 0.0
    return Status(run, state, tuple(jobs), totals, seconds, left)


def _lines_of_log(run: Run, results: str | Path) -> list[str]:
    if not run.log.is_file():
        raise FileNotFoundError(f"{run.log}, the log of the latest run of {results}, is gone; start a run")
    return run.log.read_text(encoding="utf-8", errors="replace").splitlines()


def _state(lines: list[str], alive: bool | None) -> str:
    ending = ending_of(lines)
    # Whoever stops a run has Snakemake wait for its jobs.
    if ending in ("finished", "failed") or (ending and not alive):
        return ending
    return {True: "running", False: "killed", None: UNSEEN}[alive]


def _seconds_left(run: Run, jobs: list[Job], totals: Mapping[str, int], now: float) -> float:
    done = defaultdict(list)
    for job in jobs:
        if job.state == "done":
            done[job.rule].append(job.ended - job.began)
    expected = _expected_seconds(parse_config(run.config, run.log))
    work = 0.0
    for rule, total in totals.items():
        mean = sum(done[rule]) / len(done[rule]) if done[rule] else expected.get(rule, SECONDS_PER_JOB)
        running = [now - job.began for job in jobs if job.rule == rule and job.state == "running"]
        failed = sum(job.rule == rule and job.state == "failed" for job in jobs)
        work += sum(max(0.0, mean - seconds) for seconds in running)
        work += mean * (total - len(done[rule]) - len(running) - failed)
    busy = sum((job.ended or now) - job.began for job in jobs)
    return work / max(1.0, busy / max(1.0, now - run.began))


def _expected_seconds(config: Config) -> dict[str, float]:
    """Return seconds of one job by rule, as far as earlier runs or the plan know them."""
    expected = {
        step.rule: step.seconds / (step.jobs - step.done) for step in plan(config).steps if step.done < step.jobs
    }
    for folder in (data_folder(config), results_folder(config)):
        costs = read_benchmarks(Path(folder) / "benchmarks")
        expected |= dict(zip(costs["rule"], costs["seconds"] / costs["jobs"], strict=True))
    return expected
