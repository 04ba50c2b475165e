"""A full disk and a folder that cannot be written: one clear line, nothing half-written, and on it goes afterwards.

The disks are small memory file systems, which only root can mount.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.long import micro

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can mount a small disk"),
]

# Free bytes at the beginning: nothing fits, some jobs' files, all but the last files.
FREE = (0, 200_000, 1_000_000)


def mount(*words: str) -> None:
    found = subprocess.run(["mount", *words], capture_output=True, text=True)
    if found.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {found.stderr.strip()}")


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A disk of its own, large at first."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount("-t", "tmpfs", "-o", "size=200m", "tmpfs", str(folder))
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def resize(disk: Path, *, free: int) -> None:
    usage = shutil.disk_usage(disk)
    mount("-o", f"remount,size={usage.used + free}", str(disk))


def assert_nothing_half_written(folder: Path, expected: dict[str, bytes]) -> None:
    """Every file that is there under its final name must be whole."""
    found = {name: text for name, text in micro.result_files(folder).items() if name in expected}
    assert [name for name, text in found.items() if text != expected[name]] == []


@pytest.mark.parametrize("free", FREE)
def test_a_full_disk_is_told_and_the_run_goes_on_when_there_is_room(reference, small_disk, free, is_short):
    if is_short and free != FREE[1]:
        pytest.skip("the short form fills one disk")
    folder = reference.copy_to(small_disk / "work")
    resize(small_disk, free=free)
    printed = micro.run(folder, status=2 if free == 0 else None).stdout
    assert re.search(r"^blsh \w+: .*(disk is full|No space left|bytes are free|are free in)", printed, re.MULTILINE)
    assert "Traceback" not in printed
    assert_nothing_half_written(folder, reference.expected)
    resize(small_disk, free=50_000_000)
    micro.run(folder)
    assert micro.differences(micro.result_files(folder), reference.expected) == []
    assert micro.leftovers(folder) == []


def test_a_read_only_folder_of_results_is_told_in_one_line(reference, tmp_path):
    folder = reference.copy_to(tmp_path / "work")
    results = folder / "results"
    results.mkdir()
    mount("--bind", str(results), str(results))
    try:
        mount("-o", "remount,ro,bind", str(results))
        printed = micro.run(folder, status=2).stdout
        assert printed == (
            "blsh run: results/micro cannot be written (Read-only file system); "
            "change its permissions, or work in another folder\n"
        )
        assert list(results.iterdir()) == []
    finally:
        subprocess.run(["umount", "--lazy", str(results)], check=True)
    micro.run(folder, micro.command("--until", "units"))
    assert len(list(results.glob("data/micro/*/manifests/units.csv"))) == 1


def test_results_that_become_read_only_in_the_middle(reference, tmp_path, is_short):
    if is_short:
        pytest.skip("the short form tries a folder that is read-only from the beginning")
    folder = reference.copy_to(tmp_path / "work")
    micro.run(folder, micro.command("--until", "frames"))
    results = folder / "results"
    before = micro.result_files(folder)
    mount("--bind", str(results), str(results))
    try:
        mount("-o", "remount,ro,bind", str(results))
        assert re.fullmatch(r"blsh run: results/\S+ cannot be written .*\n", micro.run(folder, status=2).stdout)
        assert micro.result_files(folder) == before
    finally:
        subprocess.run(["umount", "--lazy", str(results)], check=True)
    micro.run(folder)
    assert micro.differences(micro.result_files(folder), reference.expected) == []
