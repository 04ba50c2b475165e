"""Lines on stderr of what the package logs while the program works, such as that it compiles."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress

__all__ = ["show_log"]


class _Lines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        if sys.stderr is None:
            return
        with suppress(OSError, ValueError):  # a closed stream
            start = "\r\033[K" if sys.stderr.isatty() else ""  # over an unfinished line of progress
            print(start + record.getMessage(), file=sys.stderr, flush=True)


def show_log() -> None:
    """Show what this package logs, from now on."""
    log = logging.getLogger("blsh")
    log.setLevel(logging.INFO)
    log.addHandler(_Lines())
    log.propagate = False
