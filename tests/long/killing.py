"""Runs of the smallest experiment that are killed, run again, and compared with one that was left alone.

A kill takes one of three victims:

``job``        one job; Snakemake sees it fail and ends
``all``        every process of the run at once, as a power cut does
``scheduler``  `blsh run` and Snakemake; the jobs work on as orphans while the run is started again

and one of two moments: a fail point (`blsh.files.fail_points`), or any time.

A trial starts from a snapshot in one of three stages (the data, the models and scores, the results) instead of from
nothing, which would cost three times as much; a run is killed early as often as late.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from blsh.files.fail_points import VARIABLE
from tests.long import micro
from tests.waiting import PATIENCE_S, wait_until

INJECTED = Path(__file__).with_name("injected")
# What `blsh run` is given so that it ends with a stage.
STAGES = {"data": ["--until", "frames"], "scores": ["--omit-from", "aggregate"], "results": []}
VICTIMS = ("job", "all", "scheduler")
# What is raised for a process that ended by itself just before it is killed.
ABSENT = (psutil.NoSuchProcess, ProcessLookupError)
LATER_SECONDS = 1.5


@dataclass
class Reference:
    """A workspace whose experiment has been run once, undisturbed, and what is known of that run.

    Attributes
    ----------
    folder
        The workspace; trials happen in it.
    expected
        The bytes of every result.
    passings
        For every stage, how often each fail point was passed.
    """

    folder: Path
    expected: dict[str, bytes] = field(default_factory=dict)
    passings: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def points(self) -> Path:
        return self.folder / "fail_points"

    def snapshot(self, stage: str) -> Path:
        """Where a stage begins."""
        return self.folder / "snapshots" / stage

    def copy_to(self, folder: Path) -> Path:
        """Copy the workspace with its compiled kernels and without anything that a run has made."""
        without = shutil.ignore_patterns("snapshots", "results", ".snakemake", "fail_points")
        return Path(shutil.copytree(self.folder, folder, ignore=without))


def make_reference(folder: Path) -> Reference:
    """Run the experiment stage by stage, keep a snapshot before each, and count the fail points."""
    reference = Reference(micro.make_workspace(folder))
    for stage, words in STAGES.items():
        _save(folder, reference.snapshot(stage))
        points = _armed(reference)
        micro.run(folder, micro.command(*words), **_variables(points))
        reference.passings[stage] = {path.name: path.stat().st_size for path in points.iterdir()}
    reference.expected = micro.result_files(folder)
    return reference


@dataclass(frozen=True)
class Kill:
    """What happened in a trial: where it was killed, and for a fail point which passing of how many."""

    stage: str
    victim: str
    moment: str


def kill_at(reference: Reference, point: str, victim: str, rng: random.Random) -> Kill:
    """Start at a stage that passes the point, and kill at one of its passings."""
    stage = rng.choice([stage for stage, passings in reference.passings.items() if point in passings])
    count = reference.passings[stage][point]
    number = rng.randint(1, count)
    process = _run_until(reference, stage, f"{point} {number} {'SIGKILL' if victim == 'job' else 'SIGSTOP'}")
    if victim != "job":
        _kill(process, victim)
        with suppress(*ABSENT):
            os.kill(int((reference.points / "reached").read_text()), signal.SIGCONT)
    process.wait(PATIENCE_S)
    return Kill(stage, victim, f"{point} {number}/{count}")


def kill_at_any_time(reference: Reference, victim: str, rng: random.Random) -> Kill:
    """Start at a random stage and kill some time after a random fail point was passed."""
    while True:
        stage = rng.choice(list(STAGES))
        passings = reference.passings[stage]
        point = rng.choice(sorted(passings))
        number, later = rng.randint(1, passings[point]), rng.uniform(0.0, LATER_SECONDS)
        # SIGCONT does nothing to a process that runs.
        process = _run_until(reference, stage, f"{point} {number} SIGCONT")
        time.sleep(later)
        jobs = _jobs(reference.folder)
        if process.poll() is None and (jobs or victim != "job"):
            if victim == "job":
                with suppress(*ABSENT):
                    rng.choice(jobs).kill()
            else:
                _kill(process, victim)
            process.wait(PATIENCE_S)
            return Kill(stage, victim, f"{later:.2f} s after {point} {number}/{passings[point]}")
        _kill(process, "all")
        process.wait(PATIENCE_S)


def finish(reference: Reference) -> list[str]:
    """Type the same command again, and name every result that is not the undisturbed run's and all that was left."""
    micro.run(reference.folder)
    return micro.differences(micro.result_files(reference.folder), reference.expected) + micro.leftovers(
        reference.folder
    )


def _run_until(reference: Reference, stage: str, armed: str) -> subprocess.Popen:
    """Start the run from a stage's beginning and wait until the armed fail point is reached."""
    micro.clear(reference.folder)
    # copytree keeps the times, by which Snakemake decides.
    shutil.copytree(reference.snapshot(stage), reference.folder, symlinks=True, dirs_exist_ok=True)
    points = _armed(reference, armed)
    with open(reference.folder / "killed.log", "w") as log:
        process = subprocess.Popen(
            micro.command(),
            cwd=reference.folder,
            env=micro.environment(reference.folder, **_variables(points)),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    wait_until(lambda: process.poll() is not None or (points / "reached").exists(), f"{armed} in stage {stage}")
    assert (points / "reached").exists(), f"the run ended before it reached {armed} in stage {stage}"
    return process


def _kill(process: subprocess.Popen, victim: str) -> None:
    with suppress(*ABSENT):
        if victim == "all":
            os.killpg(process.pid, signal.SIGKILL)
            return
        for child in psutil.Process(process.pid).children():
            child.kill()
        process.kill()


def _jobs(folder: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["cmdline", "cwd"]):
        if process.info["cwd"] == str(folder) and "--log-command" in (process.info["cmdline"] or ()):
            found.append(process)
    return found


def _armed(reference: Reference, text: str = "") -> Path:
    shutil.rmtree(reference.points, ignore_errors=True)
    reference.points.mkdir()
    if text:
        (reference.points / "armed").write_text(text)
    return reference.points


def _variables(points: Path) -> dict[str, str]:
    return {VARIABLE: str(points), "PYTHONPATH": f"{points.parent}{os.pathsep}{INJECTED}"}


def _save(folder: Path, snapshot: Path) -> None:
    for name in ("results", ".snakemake"):
        if (folder / name).exists():
            shutil.copytree(folder / name, snapshot / name, symlinks=True)
    snapshot.mkdir(parents=True, exist_ok=True)
