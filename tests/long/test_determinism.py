"""The same bytes on one core and two, in any order of the jobs, and from a fresh clone elsewhere.

Between CPUs of different kinds only the arithmetic of BLAS, of NumPy's loops and of the compiled kernels differs; that
is tried by telling each to use less of this CPU, and the difference of every table cell must stay within a bound.
"""

import os
import random
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from blsh.reporting.aggregation import COUNTS
from tests.long import micro

pytestmark = pytest.mark.long

SEED = 2022
# dB for SDR and SI-SDR, which all cells have here. What is measured: docs/promises.md.
TOLERANCE = 0.05
CPUS = {
    "OpenBLAS for Haswell": {"OPENBLAS_CORETYPE": "Haswell"},
    "OpenBLAS for Nehalem": {"OPENBLAS_CORETYPE": "Nehalem"},
    "NumPy without AVX-512": {"NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR"},
    "NumPy without AVX": {"NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR"},
    "kernels for Nehalem": {"NUMBA_CPU_NAME": "nehalem"},
    "all of an old CPU": {
        "OPENBLAS_CORETYPE": "Nehalem",
        "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
        "NUMBA_CPU_NAME": "nehalem",
    },
}


@pytest.fixture
def another(reference, tmp_path) -> Path:
    """The workspace of the reference in another place, without its results."""
    return reference.copy_to(tmp_path / "another place")


def test_one_core_makes_the_same_bytes_as_two(reference, another):
    micro.run(another, micro.command(cores=1))
    assert micro.differences(micro.result_files(another), reference.expected) == []


def test_the_order_of_jobs_does_not_matter(reference, another, is_short):
    if is_short:
        pytest.skip("the short form leaves out what starts Snakemake for every file")
    targets = [f"results/{name}" for name in reference.expected if name.startswith(("micro/scores", "micro/models"))]
    order = random.Random(SEED).sample(targets, len(targets))
    for target in order:
        micro.run(another, micro.command(target))
        assert (another / target).is_file()
    micro.run(another)
    assert len(order) >= 5
    assert micro.differences(micro.result_files(another), reference.expected) == []


def test_a_fresh_clone_makes_the_same_bytes(reference, tmp_path, is_short):
    if is_short:
        pytest.skip("the short form leaves out what differs from another place only by Git")
    git = ["git", "-C", str(micro.ROOT)]
    if not (micro.ROOT / ".git").exists():
        pytest.skip("this is no checkout of a repository: nothing to clone")
    if subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True, check=True).stdout:
        pytest.skip("the working tree has changes that are not committed: a clone is another version")
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(micro.ROOT), str(clone)], check=True)
    for name in ("data", micro.PRESET):
        source = reference.folder / name
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, clone / name)
    micro.run(clone)
    found = micro.result_files(clone)
    # The one file that tells a clone from a copy: it names the commit.
    assert micro.differences(found, reference.expected) == ["micro/provenance.json"]


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the names of CPUs are those of x86-64")
@pytest.mark.parametrize("cpu", CPUS)
def test_another_cpu_moves_no_cell_by_more_than_the_tolerance(reference, another, cpu, is_short):
    if is_short and cpu != "OpenBLAS for Haswell":
        pytest.skip("the short form tries one CPU")
    micro.run(another, **CPUS[cpu])
    largest = largest_differences(reference.folder, another)
    same = len(reference.expected) - len(micro.differences(micro.result_files(another), reference.expected))
    print(f"{cpu}: {same} of {len(reference.expected)} files have the same bytes; largest differences {largest}")
    assert max(largest.values()) <= TOLERANCE


def largest_differences(first: Path, second: Path) -> dict[str, float]:
    """Return the largest difference of any cell's mean, by metric."""
    tables = [pd.read_csv(folder / micro.RESULTS / "summaries/aggregated.csv") for folder in (first, second)]
    key = list(tables[0].columns[: tables[0].columns.get_loc(COUNTS[0])])
    assert tables[0][key].equals(tables[1][key])
    metrics = [name for name in ("sdr", "si_sdr", "pesq", "estoi") if tables[0][name].notna().any()]
    return {name: float(np.nanmax(np.abs(tables[0][name] - tables[1][name]))) for name in metrics}
