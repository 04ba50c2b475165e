"""Snakemake makes the jobs of drawn configurations, as the functions do that its rules call."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings

from blsh.experiment.config import load_config
from blsh.experiment.grid import score_jobs
from tests.experiment.drawn_configs import configs, make_files
from tests.experiment.test_every_config import SETTINGS

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 600


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """What a dry run needs of the repository, and the files that drawn configurations name."""
    shutil.copytree(ROOT / "workflow", tmp_path / "workflow")
    for name in ("Snakefile", "environment.yml"):
        shutil.copy2(ROOT / name, tmp_path)
    make_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_configurations(count: int) -> list[Path]:
    """Write the first so many that the schema accepts."""
    paths: list[Path] = []

    @settings(SETTINGS, max_examples=2 * count + 10)
    @given(configs())
    def write(values):
        path = Path(f"drawn_{len(paths)}.yaml")
        if len(paths) < count:
            path.write_text(yaml.safe_dump(values, allow_unicode=True), encoding="utf-8")
            try:
                load_config(path)
            except ValueError:
                return
            paths.append(path)

    write()
    return paths


def test_dry_runs_of_drawn_configurations(folder, is_short):
    paths = write_configurations(3 if is_short else 20)
    assert len(paths) == (3 if is_short else 20)
    for path in paths:
        words = [sys.executable, "-m", "blsh", "run", "--configfile", str(path), "--cores", "1", "--dry-run"]
        found = subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT)
        assert found.returncode == 0, f"{path.read_text()}\n{found.stdout[-3000:]}{found.stderr[-3000:]}"
        printed = found.stdout + found.stderr
        jobs = re.findall(r"^score_\w+ +(\d+)$", printed.partition("total ")[0], re.MULTILINE)
        assert sum(map(int, jobs)) == len(score_jobs(load_config(path))), path.read_text()
        assert not (folder / "RAN").exists()
