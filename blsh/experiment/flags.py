"""Settings and files as command-line flags: what the shell command of a rule is made of."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

__all__ = ["Settings", "Untracked", "flag"]


class Settings(dict):
    """A slice of the configuration; as text, the command-line flags that say the same.

    None, False, '' and empty lists are left out, because they are the verbs' defaults; True is a flag alone.
    """

    def __str__(self) -> str:
        words = []
        for key, value in self.items():
            if value is None or value is False or value in ("", (), {}) or key.startswith("fingerprint"):
                continue
            words.append("--" + key.replace("_", "-"))
            if value is True:
                continue
            if isinstance(value, dict):
                words += [f"{name}={_word(part)}" for name, part in value.items()]
            else:
                words += [_word(part) for part in (value if isinstance(value, (tuple, list)) else (value,))]
        return shlex.join(words)


class Untracked:
    """Flags whose change reruns nothing."""

    def __init__(self, *words: str):
        self._text = shlex.join(words)

    def __str__(self) -> str:
        return self._text


def flag(name: str, files: Sequence[str]) -> str:
    """Return a flag and its file, or nothing where a rule has no such input."""
    return shlex.join([name, *files]) if files else ""


def _word(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if not isinstance(value, float):
        return str(value)
    if value < 0:
        # -1e-05 is a flag to argparse, -0.00001 a number.
        return f"{Decimal(repr(value)):f}"
    # YAML takes 1e-05 for text, 1.0e-05 for a number.
    mantissa, *exponent = repr(value).split("e")
    return "e".join([mantissa if "." in mantissa or not exponent else f"{mantissa}.0", *exponent])
