"""Kernels that many processes compile at the same moment, as the jobs of a first run do, and where none can be kept."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

import blsh

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


# Whatever the packages' folder and the home are, they are mounted read-only over themselves.
READ_ONLY = """
set -e
for folder in "$1" "$2"; do
    mount --bind "$folder" "$folder"
    mount -o remount,ro,bind "$folder"
    ! touch "$folder/x" 2> /dev/null
done
"$3" -m blsh denoise noisy.wav -o clean.wav
"""


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can mount")
def test_a_read_only_package_and_home(tmp_path):
    """As in a container. A package that was used before it became read-only is not compiled again."""
    package, home = tmp_path / "packages", tmp_path / "home"
    shutil.copytree(Path(blsh.__file__).parent, package / "blsh", ignore=shutil.ignore_patterns("__pycache__"))
    home.mkdir()
    soundfile.write(tmp_path / "noisy.wav", np.random.default_rng(0).standard_normal(16_000) * 0.1, 16_000)
    environment = {**os.environ, "HOME": str(home), "PYTHONPATH": str(package)}
    for name in ("XDG_CACHE_HOME", "NUMBA_CACHE_DIR"):
        environment.pop(name, None)

    def clean(*command: object) -> str:
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        if "mount" in done.stderr or "unshare" in done.stderr:
            pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
        assert done.returncode == 0, done.stderr
        (tmp_path / "clean.wav").rename(tmp_path / "before.wav")
        return done.stderr

    read_only = ["unshare", "--mount", "sh", "-c", READ_ONLY, "sh", package, home, sys.executable]
    told = clean(*read_only)
    assert told.startswith("compiling the kernels, about ten seconds at each start") and told.count("\n") == 1
    assert "compiling" in clean(sys.executable, "-m", "blsh", "denoise", "noisy.wav", "-o", "clean.wav")
    assert clean(*read_only) == ""
