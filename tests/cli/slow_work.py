"""Work for processes of tests, and a program that has it done: ``slow_work.py FOLDER``."""

import os
import signal
import sys
import threading
from functools import partial
from pathlib import Path

from blsh.cli.workers import in_processes
from blsh.files.atomic import atomic_path


def double(number: int) -> int:
    """Return twice the number; 7 kills its process, 8 is an error."""
    if number == 7:
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 8:
        raise ZeroDivisionError("eight")
    return 2 * number


class CannotStart:
    """A function that ends a process which unpickles it."""

    def __reduce__(self):
        return os._exit, (1,)


def hang(number: int, folder: Path) -> None:
    """Begin to write a file, note that, and never end."""
    with atomic_path(folder / f"{number}.wav") as temporary:
        temporary.touch()
        (folder / f"begun-{number}").touch()
        threading.Event().wait()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background of a script it is ignored
    try:
        list(in_processes(partial(hang, folder=Path(sys.argv[1])), range(5), 2, str))
    except KeyboardInterrupt:
        sys.exit(130)
