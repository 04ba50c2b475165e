"""The standard streams as a shell hands them over: closed, to a program that has ended, or to a full disk."""

from __future__ import annotations

import io
import os
import sys

__all__ = ["end_streams", "open_closed_streams", "show_any_name"]

_STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def open_closed_streams() -> None:
    """Put the null device in the place of standard streams that are closed.

    Otherwise the next file that is opened would get the number of the closed stream, and whatever a library or another
    program prints there would be written into it. What was closed at the start is None in `sys.__stdin__` and its kin.
    """
    for number, (name, mode) in enumerate(_STREAMS):
        if getattr(sys, name) is not None:
            continue
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # gets the lowest number that is free: this one
        setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))


def show_any_name() -> None:
    r"""Let names be printed that the terminal's encoding lacks, as ``\udce9``: file names need not be UTF-8."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")


def end_streams() -> OSError | None:
    """Write out what has been printed; return what was wrong with standard output.

    A stream that fails is led to the null device, or Python would try once more at its end, with a traceback.
    """
    failure = None
    for name in ("stderr", "stdout"):
        stream = getattr(sys, name)
        try:
            stream.flush()
        except ValueError:  # closed by whoever called
            continue
        except OSError as error:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)
            error.filename = "standard output"
            failure = error if name == "stdout" else failure
    return failure
