"""Several processes and threads that denoise at a time, however they were started, with each of numba's layers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NO_LAYER = 77

PROGRAM = f"""
import multiprocessing, os, sys, threading
import numba
from blsh.denoising.denoiser import denoise
from tests.denoising.making import small_model, sound

model, samples = small_model(), sound(40_000)

def is_right(_=None):
    return (denoise(samples, model) == expected).all()

def in_threads():
    found = []
    threads = [threading.Thread(target=lambda: found.extend(is_right() for _ in range(5))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 20 and all(found)

def in_fork():
    child = os.fork()
    if child == 0:
        sys.exit(not is_right())
    assert os.waitpid(child, 0)[1] == 0

def in_pool(method):
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert all(pool.map(is_right, range(4)))

expected = denoise(samples, model)
if __name__ == "__main__":
    try:
        sys.exit(f"the kernels have started numba's layer {{numba.threading_layer()}}")
    except ValueError:  # they have not
        pass
    try:
        numba.set_num_threads(2)  # this starts it
    except ValueError:
        sys.exit({NO_LAYER})
    assert is_right()
    in_threads()
    in_fork()
    in_pool("fork")
    in_pool("spawn")
    assert is_right()
"""


@pytest.mark.parametrize("layer", ["omp", "workqueue", "tbb"])
def test_denoising_in_threads_and_after_a_fork(layer, tmp_path):
    path = tmp_path / "program.py"
    path.write_text(PROGRAM, encoding="utf-8")
    environment = {**os.environ, "NUMBA_THREADING_LAYER": layer, "NUMBA_NUM_THREADS": "2", "PYTHONPATH": str(ROOT)}
    # The time is a net for a test that hangs, not a bound.
    done = subprocess.run([sys.executable, path], env=environment, capture_output=True, text=True, timeout=600)
    if done.returncode == NO_LAYER:
        pytest.skip(f"numba has no {layer} here")
    assert done.returncode == 0, done.stderr
