"""The profile for other batch systems, with a program that stands for such a system's `qsub`."""

import importlib.util
import os
import re
import shutil
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest

from tests.long import micro

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        importlib.util.find_spec("snakemake_executor_plugin_cluster_generic") is None,
        reason="snakemake-executor-plugin-cluster-generic is not installed",
    ),
]

# Runs the script, its last argument, in the background, and prints a number as the job's.
QSUB = """\
#!/bin/sh
echo "$@" >> qsub.log
for script; do :; done
sh "$script" > /dev/null 2>&1 &
echo $!
"""


@pytest.fixture
def qsub(tmp_path) -> Path:
    program = tmp_path / "bin/qsub"
    program.parent.mkdir()
    program.write_text(QSUB)
    program.chmod(0o755)
    return program.parent


def submit(folder: Path, qsub: Path, *words: str) -> None:
    variables = {"PATH": f"{qsub}{os.pathsep}{os.environ['PATH']}"}
    if path := os.environ.get("PYTHONPATH"):
        variables["PYTHONPATH"] = f"{folder}{os.pathsep}{path}"
    profile = ["--profile", "profiles/generic", "--latency-wait", "10"]
    micro.run(folder, micro.command(*profile, *words, cores=None), **variables)


def test_jobs_are_submitted_with_the_resources_of_their_rules(reference, qsub, tmp_path):
    folder = reference.copy_to(tmp_path / "work")
    submit(folder, qsub, "--until", "units")
    submitted = (folder / "qsub.log").read_text().splitlines()
    asked = [re.search(r"-pe smp (\d) -l h_vmem=1000M -l h_rt=(\d+):00 \S+$", line).groups() for line in submitted]
    # The units are cut from speech alone, so the noises' manifest is not asked for.
    assert asked == [("2", "120"), ("1", "60")]
    found = micro.result_files(folder)
    assert found and {name: reference.expected[name] for name in found} == found


def test_no_text_of_a_configuration_is_run_when_a_job_is_submitted(reference, qsub, tmp_path):
    folder = tmp_path / "work"
    shutil.copytree(reference.folder, folder, ignore=shutil.ignore_patterns("snapshots"))
    name = "a $(touch RAN) 'b.npz"
    np.savez(folder / name, P=np.eye(8, 128), b=np.zeros(8))
    config = deepcopy(micro.CONFIG) | {"projections": {"mine": name}}
    config["grid"]["systems"].append("projections")
    micro.write_preset(folder, config)
    score = "results/micro/scores/open/projections-mine_mel_rho-0.5_rep-1.parquet"
    submit(folder, qsub, "--config", "title=it's $(touch RAN)", "--", score)
    assert (folder / score).is_file()
    assert len((folder / "qsub.log").read_text().splitlines()) == 1
    assert not list(folder.rglob("RAN"))
