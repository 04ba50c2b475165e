"""Named places at which a test may kill the process, to see that nothing is lost.

A crash is only as well understood as the moments at which it was tried. So every kind of write, every long loop and
the beginning and end of every verb calls ``fail_point(NAME)``. Without the environment variable ``BLSH_FAIL_POINTS``
this compares a global with None and returns.

With it, the variable names a folder. Passing the point NAME for the n-th time, counted over all processes of a run,
appends a byte to ``FOLDER/NAME``. If the file ``FOLDER/armed`` holds ``NAME n SIGKILL``, the process then writes its
number to ``FOLDER/reached`` and sends itself that signal. (SIGSTOP holds it at the point, so that a test can kill
others meanwhile.)

``tests/long/test_kills.py`` arms every point of `FAIL_POINTS`.
"""

from __future__ import annotations

import fcntl
import os
import signal
from pathlib import Path

__all__ = ["FAIL_POINTS", "VARIABLE", "fail_point"]

VARIABLE = "BLSH_FAIL_POINTS"

FAIL_POINTS = {
    "verb.started": "a verb has read its arguments and done nothing yet",
    "verb.finished": "a verb has written all its files, and its process has not ended",
    "run.started": "dead runs are cleared away, Snakemake is not started",
    "atomic.written": "a file is written under its temporary name, and neither flushed nor renamed",
    "atomic.renamed": "a file has its final name, and its folder is not flushed",
    "array.header": "an array file holds its header and none of its numbers",
    "array.rows": "an array file that is written row by row holds some of its rows",
    "archive.member": "a stamped archive holds some of its members",
    "table.parquet": "a Parquet file is written and not closed",
    "download.block": "a download has received some of its bytes",
    "unpack.member": "an archive is unpacked in part",
    "frames.mixture": "the frames of some training mixtures are written",
    "training.round": "a boosting round is learned and not saved",
    "training.saved": "the state of unfinished training is saved",
    "training.history": "the table of rounds is written, the model is not",
    "score.mixture": "some mixtures of a set are scored",
    "summaries.table": "some tables of the summaries are written",
    "report.table": "some forms of the report's tables are written",
}

_FOLDER = os.environ.get(VARIABLE)


def fail_point(name: str) -> None:
    """Die here if a test has armed this point.

    Raises
    ------
    ValueError
        In a test, if `FAIL_POINTS` does not list the name.
    """
    if _FOLDER is not None:
        _pass(Path(_FOLDER), name)


def _pass(folder: Path, name: str) -> None:
    if name not in FAIL_POINTS:
        raise ValueError(f"fail point {name!r} is unknown; list it in FAIL_POINTS")
    with open(folder / name, "ab") as passings:
        # Counting and dying are one step: no two processes take the same number.
        fcntl.flock(passings, fcntl.LOCK_EX)
        passings.write(b".")
        passings.flush()
        number = passings.tell()
        try:
            armed, at, signal_name = (folder / "armed").read_text(encoding="ascii").split()
        except FileNotFoundError:
            return
        if armed == name and int(at) == number:
            (folder / "reached").write_text(str(os.getpid()), encoding="ascii")
            os.kill(os.getpid(), signal.Signals[signal_name])
