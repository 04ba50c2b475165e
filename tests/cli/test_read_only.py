"""A folder on a read-only disk: one line and exit status 2 from every verb that writes, and nothing is left."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.commands import COMMANDS, prepare
from tests.cli.working import PROGRESS, run_verb

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can mount a disk"),
]
PRINT_ONLY = ("run", "status", "plan", "compare", "info")


@pytest.fixture
def read_only(tmp_path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    found = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "ro,size=1m", "tmpfs", folder], capture_output=True, text=True
    )
    if found.returncode:
        pytest.skip(f"a disk cannot be mounted here: {found.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.parametrize("verb", [verb for verb in COMMANDS if verb not in PRINT_ONLY])
def test_a_verb_that_cannot_write(kitchen, read_only, tmp_path, monkeypatch, capsys, verb):
    monkeypatch.chdir(tmp_path)
    prepare(kitchen)
    capsys.readouterr()
    assert run_verb(*COMMANDS[verb](kitchen, read_only).split()) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if not PROGRESS.fullmatch(line)]
    assert len(lines) == 1 and "Read-only file system" in lines[0] and str(read_only) in lines[0], lines
