"""Whether the kernel has to make new pages for arrays that follow each other."""

import subprocess
import sys

import pytest

# Two arrays of 8 MB that live at the same time, a hundred times over; prints the pages that had to be made.
PROGRAM = """
import resource, sys
import numpy as np
from blsh.files.allocation import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory()
def work():
    first, second = np.empty(2**20), np.empty(2**20)
    first[:] = second[:] = 1
work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(100):
    work()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc can be told")
def test_freed_memory_is_used_again():
    faults = {
        how: int(subprocess.run([sys.executable, "-c", PROGRAM, how], capture_output=True, check=True).stdout)
        for how in ("given-back", "kept")
    }
    assert faults["kept"] < 0.1 * faults["given-back"]
