import subprocess
import sys
import threading

import numba
import pytest

from blsh.files import threads


@pytest.fixture
def calls(monkeypatch):
    """Share items out among three threads; return the calls that were made, in the order of the items."""
    monkeypatch.setattr(threads, "thread_count", lambda: 3)

    def share(n_items: int, nanoseconds: float) -> list[tuple]:
        made = []
        threads.in_threads(
            lambda *call: made.append((*call, threading.get_ident())), n_items, "x", nanoseconds=nanoseconds
        )
        return sorted(made)

    return share


@pytest.mark.parametrize(
    ("n_items", "ranges"), [(0, [(0, 0)]), (1, [(0, 1)]), (2, [(0, 1), (1, 2)]), (7, [(0, 2), (2, 4), (4, 7)])]
)
def test_ranges_make_up_all_items(n_items, ranges, calls):
    made = calls(n_items, 1e9)
    assert [call[:2] for call in made] == ranges
    assert {call[2] for call in made} == {"x"}
    assert threading.get_ident() in {call[3] for call in made}


@pytest.mark.parametrize(("nanoseconds", "n_calls"), [(1, 1), (250, 1), (400, 2), (1000, 3)])
def test_little_work_wakes_no_thread(nanoseconds, n_calls, calls):
    assert len(calls(500, nanoseconds)) == n_calls


def test_an_error_in_any_thread_is_raised(monkeypatch):
    monkeypatch.setattr(threads, "thread_count", lambda: 3)

    def kernel(first, last):
        if last == 9:
            raise ValueError("nine")

    with pytest.raises(ValueError, match="nine"):
        threads.in_threads(kernel, 9, nanoseconds=1e9)


def test_the_number_of_threads_is_numbas():
    before = threads.thread_count()
    try:
        numba.set_num_threads(1)
        assert threads.thread_count() == 1
    finally:
        numba.set_num_threads(before)


def test_the_number_of_threads_is_known_without_a_threading_layer():
    """A layer that a machine does not have is then none of its troubles."""
    code = "from blsh.files.threads import thread_count; print(thread_count())"
    environment = {"NUMBA_NUM_THREADS": "3", "NUMBA_THREADING_LAYER": "tbb", "PATH": "/usr/bin"}
    told = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert (told.stdout, told.stderr) == ("3\n", "")
