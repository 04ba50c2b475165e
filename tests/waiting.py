"""Waiting in tests: until something happens, however long a slow machine takes."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# Nothing that works takes so long, beside whatever else: who waited for this has met a hang.
PATIENCE_S = 1800.0


def wait_until(happened: Callable[[], T], what: str = "it") -> T:
    """Ask again and again until the answer is true, and return it; fail after half an hour."""
    end = time.monotonic() + PATIENCE_S
    while not (answer := happened()):
        assert time.monotonic() < end, f"{what} did not happen"
        time.sleep(0.02)
    return answer
