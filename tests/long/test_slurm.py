"""The experiment through a SLURM cluster: the same bytes as locally, with a failed job and a killed scheduler."""

import importlib.util
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from blsh.files.fail_points import VARIABLE
from tests.long import micro
from tests.long.slurm_cluster import cluster, reason_against
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(bool(reason_against()), reason=reason_against()),
    pytest.mark.skipif(
        importlib.util.find_spec("snakemake_executor_plugin_slurm") is None,
        reason="snakemake-executor-plugin-slurm is not installed: pip install 'blsh[cluster]'",
    ),
]

TINY = "tests/workflow/tiny.yaml"
# A test's jobs take seconds: looks at them come early, and a submission fits on this machine.
QUICKLY = ["--profile", "profiles/slurm", "--slurm-init-seconds-before-status-checks", "5", "--latency-wait", "10"]
QUICKLY += ["--cores", str(os.cpu_count())]


@pytest.fixture(scope="module")
def slurm(tmp_path_factory) -> Iterator[None]:
    with cluster(tmp_path_factory.mktemp("slurm")):
        yield


def submitted() -> list[str]:
    found = subprocess.run(["squeue", "--noheader", "--format=%A"], capture_output=True, text=True, check=True)
    return found.stdout.split()


def kill_when_a_job_runs(folder: Path) -> str:
    """Start a run, kill blsh and Snakemake as soon as a job is in the queue, and return SLURM's number of the job."""
    with open(folder / "killed.log", "w") as log:
        process = subprocess.Popen(
            micro.command(*QUICKLY, cores=None),
            cwd=folder,
            env=micro.environment(folder),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    jobs = wait_until(lambda: submitted() or process.poll() is not None, "the first job in the queue")
    assert process.poll() is None, (folder / "killed.log").read_text()
    wait_until(lambda: list(folder.glob("results/data/micro/*/logs/*.log")), "the first job")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return jobs[0]


def test_the_same_bytes_as_locally_also_after_a_kill_and_a_failed_job(slurm, reference, tmp_path):
    folder = reference.copy_to(tmp_path / "work")
    points = tmp_path / "points"
    points.mkdir()
    orphan = kill_when_a_job_runs(folder)
    # The second mixture of the training frames kills their job; it is tried again with twice the memory.
    (points / "armed").write_text("frames.mixture 2 SIGKILL")
    printed = micro.run(folder, micro.command(*QUICKLY, cores=None), **{VARIABLE: str(points)}).stdout
    assert orphan not in submitted()
    assert re.search(r"^ending the submitted jobs of a dead run", printed, re.MULTILINE)
    assert len(re.findall(r"^Trying to restart job", printed, re.MULTILINE)) == 1
    # A failed job's log is printed too; in there it is job 0 of a run of its own.
    block = r"^rule frames:\n(?:    .*\n)*?    jobid: [1-9]\d*\n(?:    .*\n)*?    resources: .*?\bmem_mb=(\d+)"
    asked = re.findall(block, printed, re.MULTILINE)
    assert [int(mb) / int(asked[0]) for mb in asked] == [1, 2]
    assert "SLURM run ID" in printed and "with SLURM jobid" in printed
    assert "Group job scores" in printed
    assert micro.differences(micro.result_files(folder), reference.expected) == []
    assert micro.leftovers(folder) == []
    status = micro.run(folder, [*micro.command()[:3], "status", str(micro.RESULTS)]).stdout
    assert re.match(r"results/micro: finished, ", status)


def test_the_smoke_run_makes_the_same_bytes(slurm, reference, tmp_path, is_short):
    if is_short:
        pytest.skip("the short form runs the smallest experiment only")
    folders = [reference.copy_to(tmp_path / name) for name in ("here", "cluster")]
    for folder, words in zip(folders, (["--cores", "2"], QUICKLY), strict=True):
        (folder / TINY).parent.mkdir(parents=True)
        (folder / TINY).write_bytes((micro.ROOT / TINY).read_bytes())
        micro.run(folder, micro.command(*words, cores=None, preset=TINY))
    here, there = (micro.result_files(folder, "tiny") for folder in folders)
    assert len(here) > 60
    assert micro.differences(here, there) == []
    here, there = (micro.networks(folder, "tiny") for folder in folders)
    assert len(here) > 10
    assert micro.differences(here, there) == []
