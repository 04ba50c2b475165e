"""What Snakemake's log says of a run: which jobs began, ended or failed, and how the run ended.

The log, one file of ``.snakemake/log`` for each run, is written line by line, whatever executes the jobs. Of interest
are the lines

    [Sat Nov 21 09:54:22 2026]
    localrule manifest:                        (`rule` on a cluster; indented in a group of jobs)
        log: results/data/…/manifest_speech.log
        jobid: 6
        wildcards: corpus=speech
    Finished jobid: 6 (Rule: manifest)
    Error in rule manifest:                    (followed by `    jobid: 6`)
    Trying to restart job 6.
    1 of 19 steps (5%) done

and the table of jobs by rule at its beginning.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

__all__ = ["Job", "ending_of", "jobs_of", "totals_of"]

# Rules that only name targets.
TARGETS = ("default", "all")


@dataclass(frozen=True)
class Job:
    """One job of a run.

    Attributes
    ----------
    rule, wildcards
        Such as ``draw`` and ``set=open``.
    state
        ``running`` (for a cluster: submitted), ``done``, ``failed``, ``waiting`` to be tried again, or ``interrupted``
        with its run.
    began, ended
        Seconds since 1970; ``ended`` is 0 while it runs.
    log
        The job's own log; None if its rule has none.
    """

    rule: str
    wildcards: str
    state: str
    began: float
    ended: float
    log: Path | None


def jobs_of(lines: Iterable[str]) -> list[Job]:
    """Follow the jobs through a log; the one that was started last stands last."""
    jobs: dict[str, Job] = {}
    now, number = 0.0, ""
    begun: Job | None = None
    is_error = False
    for line in lines:
        if match := _TIME.match(line):
            now = time.mktime(time.strptime(match[1]))
        if match := _STARTED.match(line):
            begun, number, is_error = Job(match[1], "", "running", now, 0.0, None), "", False
        elif _FAILED.match(line):
            begun, is_error = None, True
        elif match := _FINISHED.match(line):
            if match[1] in jobs:
                jobs[match[1]] = replace(jobs[match[1]], state="done", ended=now)
        elif match := _AGAIN.match(line):
            if match[1] in jobs:  # a group's number is none of a job's
                jobs[match[1]] = replace(jobs[match[1]], state="waiting")
        elif match := _DETAIL.match(line):
            name, text = match[1], match[2]
            if is_error and name == "jobid" and text in jobs:
                jobs[text] = replace(jobs[text], state="failed", ended=now)
            elif begun is not None:
                if name == "log":
                    begun = replace(begun, log=Path(text.split(", ")[0]))
                elif name == "wildcards":
                    begun = replace(begun, wildcards=text)
                else:
                    number = text
                    jobs.pop(number, None)
                if number:
                    jobs[number] = begun
    return [job for job in jobs.values() if job.rule not in TARGETS]


def totals_of(lines: Iterable[str]) -> dict[str, int]:
    """Read the table of jobs by rule, without the rules that only name targets."""
    totals = {}
    is_table = False
    for line in lines:
        words = line.split()
        if words == ["job", "count"]:
            is_table = True
        elif is_table and len(words) == 2 and words[1].isdecimal():
            if words[0] == "total":
                break
            totals[words[0]] = int(words[1])
    return {rule: count for rule, count in totals.items() if rule not in TARGETS}


def ending_of(lines: Sequence[str]) -> str:
    """Return ``finished``, ``failed``, ``stopped`` (by a person), or '' for a log without an end."""
    for line in reversed(lines):
        if re.match(r"(\d+) of \1 steps", line):
            return "finished"
        if line.startswith(("Exiting because a job execution failed", "WorkflowError")):
            return "failed"
        if _TIME.match(line):
            break
    # The jobs that are stopped then are logged as failed ones.
    return "stopped" if any("on user request" in line for line in lines) else ""


_TIME = re.compile(r"\s*\[([A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9]{2} [0-9:]{8} [0-9]{4})\]")
_STARTED = re.compile(r"\s*(?:local)?(?:rule|checkpoint) (\w+):$")
_DETAIL = re.compile(r"\s+(log|jobid|wildcards): (.*)$")
_FINISHED = re.compile(r"Finished jobid: (\S+) ")
_FAILED = re.compile(r"\s*Error in rule (\w+):$")
_AGAIN = re.compile(r"Trying to restart job (\S+)\.$")
