"""Arrays that may be larger than memory: in memory up to a limit, else in a mapped file that nobody sees.

What a process has read of a mapped file counts as its memory until the system needs the room. `release_pages` lets go
of it at once, so that reading a few frames of a large file costs a few frames.

The file's blocks are reserved before it is mapped. A mapped write to a full disk would kill the process by
SIGBUS; so a full disk is an ordinary error here, before the work begins.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np

from blsh.files.atomic import require_free_space

__all__ = ["Scratch", "release_pages"]


@dataclass
class Scratch:
    """A supply of float32 arrays: the first ``memory_bytes`` from memory, the rest from a file each.

    Attributes
    ----------
    memory_bytes : int
        What is left of the memory.
    folder : Path or None
        Where files go; None forbids them. They have no name, so they vanish with the process however it ends.
    """

    memory_bytes: int
    folder: Path | None = None

    def fits(self, *shape: int) -> bool:
        """Whether an array of this shape would be in memory."""
        return 4 * prod(shape) <= self.memory_bytes

    def empty(self, *shape: int) -> np.ndarray:
        """Make a float32 array of undefined content.

        Raises
        ------
        ValueError
            When it exceeds the memory and there is no folder.
        OSError
            When the disk has no room for it.
        """
        n_bytes = 4 * prod(shape)
        if self.fits(*shape):
            self.memory_bytes -= n_bytes
            return np.empty(shape, dtype=np.float32)
        if self.folder is None:
            raise ValueError(
                f"training needs a further {n_bytes} bytes but may use {self.memory_bytes}:"
                " allow more memory, give a scratch folder, or lower n_segments"
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        require_free_space(self.folder, n_bytes, "the matrices of training")
        with tempfile.TemporaryFile(dir=self.folder) as handle:
            _reserve(handle, n_bytes)
            return np.memmap(handle, np.float32, "r+", shape=shape).view(np.ndarray)


def release_pages(array: np.ndarray) -> None:
    """Let go of the pages of a file that is mapped for reading; any other array is left as it is."""
    root = array
    while isinstance(root.base, np.ndarray):
        root = root.base
    if isinstance(root, np.memmap) and root.mode == "r" and hasattr(root.base, "madvise"):
        root.base.madvise(mmap.MADV_DONTNEED)


def _reserve(handle: BinaryIO, n_bytes: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(handle.fileno(), 0, n_bytes)
        return
    zeros = bytes(1 << 20)  # macOS: ordinary writes reserve the blocks as well, only not at once
    for first in range(0, n_bytes, len(zeros)):
        handle.write(zeros[: n_bytes - first])
    handle.flush()
