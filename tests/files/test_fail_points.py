import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import blsh
from blsh.files import fail_points
from blsh.files.fail_points import FAIL_POINTS, fail_point

SOURCE = Path(blsh.__file__).parent


def test_every_fail_point_of_the_source_is_listed_and_every_listed_one_is_there():
    found = set()
    for path in SOURCE.rglob("*.py"):
        found |= set(re.findall(r'^ +fail_point\("([a-z.]+)"\)', path.read_text(encoding="utf-8"), re.MULTILINE))
    assert found == FAIL_POINTS.keys()


def test_without_the_variable_nothing_happens(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fail_point("atomic.written")
    fail_point("no such point")
    assert list(tmp_path.iterdir()) == []


def test_passings_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(fail_points, "_FOLDER", str(tmp_path))
    (tmp_path / "armed").write_text("atomic.written 9 SIGKILL")
    for _ in range(3):
        fail_point("atomic.written")
    assert (tmp_path / "atomic.written").stat().st_size == 3
    assert not (tmp_path / "reached").exists()


def test_an_unknown_point_is_an_error_in_a_test(tmp_path, monkeypatch):
    monkeypatch.setattr(fail_points, "_FOLDER", str(tmp_path))
    with pytest.raises(ValueError, match="fail point 'nowhere' is unknown; list it in FAIL_POINTS"):
        fail_point("nowhere")


def test_an_armed_passing_kills_over_all_processes(tmp_path):
    script = "from blsh.files.atomic import write_text; write_text('x.txt', 'whole'); write_text('x.txt', 'new')"
    (tmp_path / "armed").write_text("atomic.written 4 SIGKILL")

    def run() -> int:
        variables = {fail_points.VARIABLE: str(tmp_path), "PYTHONPATH": str(SOURCE.parent)}
        return subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=variables).returncode

    assert run() == 0
    assert run() == -signal.SIGKILL
    assert (tmp_path / "x.txt").read_text() == "whole"
    assert int((tmp_path / "reached").read_text()) > 1
    assert run() == 0
