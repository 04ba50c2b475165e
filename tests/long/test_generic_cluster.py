"""The profile for other batch systems, with a program that stands for such a system's `qsub`."""

import importlib.util
import os
import re
from pathlib import Path

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


def test_jobs_are_submitted_with_the_resources_of_their_rules(reference, qsub, tmp_path):
    folder = reference.copy_to(tmp_path / "work")
    words = ["--profile", "profiles/generic", "--until", "units", "--latency-wait", "10"]
    variables = {"PATH": f"{qsub}{os.pathsep}{os.environ['PATH']}"}
    if path := os.environ.get("PYTHONPATH"):
        variables["PYTHONPATH"] = f"{folder}{os.pathsep}{path}"
    micro.run(folder, micro.command(*words, cores=None), **variables)
    submitted = (folder / "qsub.log").read_text().splitlines()
    asked = [re.search(r"-pe smp (\d) -l h_vmem=1000M -l h_rt=(\d+):00 \S+$", line).groups() for line in submitted]
    # The units are cut from speech alone, so the noises' manifest is not asked for.
    assert asked == [("2", "120"), ("1", "60")]
    found = micro.result_files(folder)
    assert found and {name: reference.expected[name] for name in found} == found
