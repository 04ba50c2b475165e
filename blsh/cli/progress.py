"""A line that says how far a long step is: rewritten on a terminal, a plain line now and then in a log."""

from __future__ import annotations

import sys
import time

__all__ = ["Progress"]

TERMINAL_SECONDS = 0.2
LOG_SECONDS = 10.0


class Progress:
    """Print ``label: done/total, elapsed, time left``; call it with (done, total) as often as you like."""

    def __init__(self, label: str, stream=None):
        self.label = label
        self.stream = sys.stderr if stream is None else stream
        self.started = self.printed = time.monotonic()

    def __call__(self, done: int, total: int, detail: str = "") -> None:
        """Print the line if it is time for one."""
        now = time.monotonic()
        is_terminal = self.stream.isatty()
        if done < total and now - self.printed < (TERMINAL_SECONDS if is_terminal else LOG_SECONDS):
            return
        self.printed = now
        elapsed = now - self.started
        left = elapsed * (total - done) / done if done else float("nan")
        text = f"{self.label}: {done}/{total}, {_clock(elapsed)} so far, {_clock(left)} left"
        text += f", {detail}" if detail else ""
        if is_terminal:
            self.stream.write(f"\r{text}\033[K" + ("\n" if done >= total else ""))
        else:
            self.stream.write(text + "\n")
        self.stream.flush()


def _clock(seconds: float) -> str:
    if seconds != seconds:
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
