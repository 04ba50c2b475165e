"""Room on disk for what does not fit into memory, and pages of mapped files that are let go."""

from pathlib import Path

import numpy as np
import pytest

from blsh.hashing.scratch import Scratch, release_pages


def test_scratch_without_a_folder_is_an_error():
    scratch = Scratch(1000)
    assert scratch.empty(100).shape == (100,)
    with pytest.raises(ValueError, match=r"needs a further 1600 bytes but may use 600: .*lower n_segments"):
        scratch.empty(20, 20)


def test_pages_of_a_mapped_file_are_let_go(tmp_path):
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("only Linux tells the memory of mapped files")
    np.save(tmp_path / "array.npy", np.ones((2000, 1000)))
    mapped = np.load(tmp_path / "array.npy", mmap_mode="r")[1:]

    def mapped_bytes():
        return 1024 * int(status.read_text(encoding="ascii").split("RssFile:")[1].split()[0])

    assert mapped.sum() == 1_999_000
    before = mapped_bytes()
    release_pages(mapped)
    assert mapped_bytes() < before - 12_000_000
    assert mapped.sum() == 1_999_000


def test_changes_that_a_mapping_keeps_for_itself_stay(tmp_path):
    np.save(tmp_path / "array.npy", np.ones(1000))
    mapped = np.load(tmp_path / "array.npy", mmap_mode="c")
    mapped[:] = 2
    release_pages(mapped)
    assert mapped.sum() == 2000
