"""What is said when a verb fails, in one line, and its exit status.

Foreseen are errors that a user can mend: a value, a type, a file, too little memory, a library that is not installed.
Any other error is a fault of blsh.
"""

from __future__ import annotations

import errno
import os

__all__ = ["BAD_INPUT", "BROKEN_PIPE", "INTERNAL_ERROR", "STOPPED", "describe", "one_line"]

BAD_INPUT = 2
"""Bad input, or a file that could not be read or written; as argparse has it."""
INTERNAL_ERROR = 70
"""EX_SOFTWARE of sysexits.h."""
STOPPED = 130
"""128 + SIGINT, as shells have it."""
BROKEN_PIPE = 141
"""128 + SIGPIPE: what a shell says of other programs whose reader has gone."""

_LONGEST = 2000
_AROUND = 80


def describe(error: BaseException) -> tuple[int, str]:
    """Return the exit status of an error and what to say of it, in one line; nothing where nobody listens any more."""
    if isinstance(error, BrokenPipeError):
        return BROKEN_PIPE, ""
    if isinstance(error, KeyboardInterrupt):
        return STOPPED, "stopped; run the same command again to continue"
    if isinstance(error, UnicodeEncodeError):
        # The text may be a whole file: show the line around the place.
        before, after = error.object[: error.start].splitlines(), error.object[error.start :].splitlines()
        name = "".join(before[-1:])[-_AROUND:] + "".join(after[:1])[:_AROUND]
        return BAD_INPUT, f"a name is not UTF-8 and cannot be written: {one_line(name)}; give it another name"
    if isinstance(error, MemoryError):
        detail = f" ({one_line(str(error))})" if str(error) else ""
        return BAD_INPUT, f"not enough memory{detail}; ask for less at a time, or run this where there is more"
    if isinstance(error, ImportError) and not (error.name or "blsh").startswith("blsh"):
        return BAD_INPUT, f"{one_line(str(error))}; install what blsh needs again, as README.md says"
    if isinstance(error, OSError):
        return BAD_INPUT, one_line(_of_the_system(error))
    if isinstance(error, (ValueError, TypeError)):
        return BAD_INPUT, one_line(str(error)) or type(error).__name__
    said = one_line(f"{type(error).__name__}: {error}")
    return INTERNAL_ERROR, f"internal error ({said}); run with --debug and report it"


def one_line(text: str) -> str:
    r"""Return a text in one printable line: control characters and halves of characters as ``\x1b`` or ``\udce9``."""
    line = " ".join(text.split())
    line = line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in line)


def _of_the_system(error: OSError) -> str:
    said = error.strerror or str(error) or type(error).__name__
    if error.errno == errno.ENOSPC:
        if said != os.strerror(errno.ENOSPC):  # seen before writing, with a line of our own
            return said
        where = f" ({error.filename})" if error.filename else ""
        return f"{said}{where}; free some space and run the same command again"
    if isinstance(error, FileNotFoundError) and error.filename:
        return f"{error.filename} does not exist; correct the path, or run the step that makes it"
    if error.errno == errno.ENOENT and not error.filename and not os.path.exists(os.curdir):
        return "the folder that this was started in has been removed; change to another one"
    return f"{error.filename}: {said}" if error.filename else str(said)
