"""The bounds that a reader must keep, watched from inside the process that runs it.

Python announces (`sys.addaudithook`, PEP 578) every file that is opened, made, moved or removed, every program
started, every connection, every text compiled and every class looked up for a pickle. So what a reader may not do
is seen when it tries, whether or not it would have succeeded. Memory is bounded by the system (`RLIMIT_AS`).
"""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

import psutil

# Beyond what the process has when it starts reading. A file of a few kB must not need more, whatever it says.
MEMORY_BYTES = 512 << 20

_NEVER = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.fork",
    "os.forkpty",
    "os.startfile",
    "pty.spawn",
    "ctypes.dlopen",
    "webbrowser.open",
    "cpython.run_command",
)
_CHANGES = (
    *("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod"),
    *("os.chown", "os.utime", "os.setxattr", "os.removexattr", "os.mkfifo", "os.mknod", "shutil.rmtree", "shutil.move"),
)
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Guard:
    """Records what a reader does that it must not, while `watched` is set to the case's folder."""

    def __init__(self, *, connects: bool) -> None:
        self.watched: Path | None = None
        self.seen: list[str] = []
        self._connects = connects
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple) -> None:
        if self.watched is None:
            return
        if event == "open":
            path, mode, flags = arguments
            writes = flags & _WRITES if mode is None else any(letter in mode for letter in "wax+")
            if writes and not isinstance(path, int):
                self._require_inside(event, path)
        elif event in _CHANGES:
            for path in arguments[:2] if event in ("os.rename", "os.link", "shutil.move") else arguments[:1]:
                self._require_inside(event, path)
        elif event in ("compile", "exec", "marshal.loads"):
            # A module that is imported late is loaded, compiled and run as well.
            if not _below("<frozen importlib"):
                self.seen.append(f"{event} of {str(arguments[0])[:80]!r}")
        elif event == "pickle.find_class":
            # numba keeps what it compiled as pickles, in the package's own folder.
            if not _below(os.sep + os.path.join("numba", "core", "caching.py")):
                self.seen.append(f"{event} {arguments!r:.200}")
        elif event in _NEVER or (event == "socket.connect" and not self._connects):
            self.seen.append(f"{event} {arguments!r:.200}")

    def _require_inside(self, event: str, path: object) -> None:
        if isinstance(path, int):  # an open folder, as shutil.rmtree uses it; it was opened by a name
            return
        where = Path(os.fsdecode(path))
        if not where.is_absolute() and event in ("os.remove", "os.rmdir"):  # relative to that open folder
            return
        inside = Path(os.path.realpath(self.watched / "out"))
        if not Path(os.path.realpath(where.parent), where.name).is_relative_to(inside):
            self.seen.append(f"{event} of {str(where)[:200]!r}")


def limit_memory() -> None:
    """Let the process have `MEMORY_BYTES` more than it has now."""
    has = psutil.Process().memory_info().vms
    resource.setrlimit(resource.RLIMIT_AS, (has + MEMORY_BYTES, resource.RLIM_INFINITY))


def peak_bytes() -> int:
    """Return the most memory that this process had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _below(name: str) -> bool:
    """Whether code of a file of this name (a part of it) has called."""
    frame = sys._getframe(2)
    while frame is not None:
        if name in frame.f_code.co_filename:
            return True
        frame = frame.f_back
    return False
