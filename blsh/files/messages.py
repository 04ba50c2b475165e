"""What a library says, in the words of an error of ours: one printable line, and not at length."""

from __future__ import annotations

__all__ = ["one_line"]

_LONGEST = 300


def one_line(error: Exception) -> str:
    """Return what an exception says, without control characters, or its type where it says nothing.

    A library may quote a whole damaged file in its message.
    """
    text = repr(" ".join(str(error).split()))[1:-1]
    return text[:_LONGEST] or type(error).__name__
