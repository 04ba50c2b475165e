import multiprocessing
import os
import signal
import subprocess
import sys
from contextlib import closing
from functools import partial
from pathlib import Path

import psutil
import pytest

from blsh.cli.workers import in_processes
from tests.cli.slow_work import CannotStart, double, hang
from tests.waiting import PATIENCE_S, wait_until

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("n_tasks", "n_workers"), [(0, 1), (1, 1), (5, 2), (2, 4)])
def test_every_task_is_done_once(n_tasks, n_workers):
    found = list(in_processes(double, range(n_tasks), n_workers, str))
    assert sorted(found) == [(number, 2 * number) for number in range(n_tasks)]
    assert not multiprocessing.active_children()


def test_a_task_is_taken_when_a_process_is_free_to_begin_it():
    taken = []
    tasks = (taken.append(number) or number for number in range(5))
    with closing(in_processes(double, tasks, 1, str)) as found:
        assert next(found) == (0, 0)
        assert taken == [0, 1]


def test_a_killed_process_costs_its_task_alone():
    found = dict(in_processes(double, [1, 7, 2, 7, 3], 1, "killed {}".format))
    assert found == {1: 2, 2: 4, 3: 6, 7: "killed 7"}


def test_an_error_comes_with_its_own_traceback():
    with pytest.raises(ZeroDivisionError, match="eight") as caught:
        list(in_processes(double, [8], 1, str))
    assert "in double" in caught.value.__notes__[0]


def test_processes_that_cannot_start_are_an_error():
    with pytest.raises(OSError, match="ended while it started; use fewer --jobs"):
        list(in_processes(CannotStart(), [1, 2], 2, str))


def test_an_error_ends_the_other_processes(tmp_path):
    (tmp_path / "0.wav").mkdir()  # which cannot be written, while 1.wav takes for ever
    with pytest.raises(ValueError, match="is a folder"):
        list(in_processes(partial(hang, folder=tmp_path), range(5), 2, str))
    assert not multiprocessing.active_children()
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("how", ["ctrl-c", signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_its_parent(how, tmp_path):
    program = ROOT / "tests/cli/slow_work.py"
    command = [sys.executable, program, tmp_path]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    parent = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, start_new_session=True)
    with parent:
        for number in range(2):
            wait_until((tmp_path / f"begun-{number}").exists, f"the beginning of task {number}")
        workers = psutil.Process(parent.pid).children(recursive=True)
        if how == "ctrl-c":
            os.killpg(parent.pid, signal.SIGINT)
        else:
            parent.send_signal(how)
        status = parent.wait(PATIENCE_S)
        alive = psutil.wait_procs(workers, timeout=PATIENCE_S)[1]
        assert not alive
        assert parent.stderr.read() == b""
    assert status == (130 if how in ("ctrl-c", signal.SIGINT) else -how)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["begun-0", "begun-1"]
