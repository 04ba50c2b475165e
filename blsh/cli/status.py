"""Print how far a run is: jobs done, running and failed, the time left, and the last lines of failed jobs' logs.

It may be asked while the run goes on, from any terminal that sees the repository's folder, and afterwards.
"""

import argparse
from datetime import datetime
from pathlib import Path

from blsh.experiment.job_logs import KILLED, last_lines
from blsh.experiment.snakemake_log import Job
from blsh.experiment.status import Status, read_status

EXAMPLE = "blsh status results/demo"
# A screen's worth of jobs that run at this moment.
SHOWN_RUNNING = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("results", type=Path, help="folder of the experiment's results")


def run(arguments: argparse.Namespace) -> None:
    """Print the state, a line for each rule, and what running and failed jobs said last."""
    status = read_status(arguments.results)
    print(_headline(arguments.results, status))
    print(f"{'rule':<20}{'jobs':>6}{'done':>6}{'running':>9}{'failed':>8}")
    for rule, total in status.totals.items():
        counts = [status.count(state, rule) for state in ("done", "running", "failed")]
        print(f"{rule:<20}{total:>6}{counts[0]:>6}{counts[1]:>9}{counts[2]:>8}")
    total = sum(status.totals.values())
    counts = [status.count(state) for state in ("done", "running", "failed")]
    print(f"{'all':<20}{total:>6}{counts[0]:>6}{counts[1]:>9}{counts[2]:>8}")
    if status.state.startswith("running"):
        print(f"time left: about {_clock(status.seconds_left)}")
    running = [job for job in status.jobs if job.state == "running"]
    for job in running[:SHOWN_RUNNING]:
        print(f"running: {_name(job)}{''.join(f': {line}' for line in last_lines(job.log, 1))}")
    if len(running) > SHOWN_RUNNING:
        print(f"and {len(running) - SHOWN_RUNNING} more")
    for job in status.jobs:
        if job.state == "failed":
            print(f"failed: {_name(job)}, {job.log}")
            lines = last_lines(job.log) or (f"the log is empty: {KILLED}",)
            print(*(f"    {line}" for line in lines), sep="\n")


def _headline(results: Path, status: Status) -> str:
    run = status.run
    began = datetime.fromtimestamp(run.began).strftime("%Y-%m-%d %H:%M")
    text = f"{results}: {status.state}, begun {began} on {run.host} (process {run.pid}), {_clock(status.seconds)}"
    if status.state in ("failed", "stopped", "killed"):
        text += "; type the same command again to go on"
    return text


def _name(job: Job) -> str:
    return f"{job.rule} {job.wildcards}".rstrip()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
