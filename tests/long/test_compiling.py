"""Processes that compile the same kernels at the same moment, as the jobs of a first run do."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.long

# Twelve functions with one index, and one that is compiled for two kinds of number.
RACERS = """
import random, sys
from blsh.files.kernels import njit

def make(n):
    @njit()
    def add(x):
        return x + n
    return add

@njit()
def double(x):
    return x + x

numbers = list(range(12))
random.Random(sys.argv[1]).shuffle(numbers)
adders = {n: make(n) for n in range(12)}
assert [adders[n](100) for n in numbers] == [100 + n for n in numbers]
assert [double(2), double(0.25)] == [4, 0.5]
"""


def test_processes_that_compile_at_once_get_their_own_code(tmp_path, is_short):
    path = tmp_path / "racers.py"
    for race in range(3 if is_short else 15):
        path.write_text(f"{RACERS}\n# {race}\n", encoding="utf-8")
        processes = [subprocess.Popen([sys.executable, path, f"{race}-{number}"]) for number in range(4)]
        assert [process.wait() for process in processes] == [0] * 4
        subprocess.run([sys.executable, path, "later"], check=True)
