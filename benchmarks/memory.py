"""The memory of this process while something runs, looked at every few milliseconds by a thread.

``uss_mb``
    Bytes that no other process shares, the unique set size: what ending the process would free. It counts the pages of
    a mapped file that nobody else maps, though the system may take them back.
``anonymous_mb``, ``mapped_mb``
    Resident pages that belong to no file, and those of mapped files, libraries among them.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

import psutil

__all__ = ["MemoryWatch"]


@dataclass
class MemoryWatch:
    """Largest memory since `start`, in units of 10⁶ bytes; a context manager that stops the thread in the end."""

    seconds_between_looks: float = 0.01
    uss_mb: float = 0.0
    anonymous_mb: float = 0.0
    mapped_mb: float = 0.0
    _done: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> MemoryWatch:
        self._look()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._done.wait(self.seconds_between_looks):
            self._look()

    def _look(self) -> None:
        self.uss_mb = max(self.uss_mb, psutil.Process().memory_full_info().uss / 1e6)
        status = Path("/proc/self/status")
        if status.exists():
            sizes = dict(line.split(":", 1) for line in status.read_text(encoding="ascii").splitlines())
            self.anonymous_mb = max(self.anonymous_mb, int(sizes["RssAnon"].split()[0]) * 1024 / 1e6)
            self.mapped_mb = max(self.mapped_mb, int(sizes["RssFile"].split()[0]) * 1024 / 1e6)
