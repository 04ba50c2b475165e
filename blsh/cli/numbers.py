"""The numbers that arguments take: whole or real, from where to where.

What is no such number is refused while the command line is read, before any work, with the argument, the value and the
rule in one line. A rule that depends on a file, such as no more bits than a model has, is where the file is read.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass

__all__ = ["CODE_LENGTH", "CONTEXT", "COUNT", "INDEX", "RHO", "SEED", "SNR_DB", "Real", "Refused", "Whole"]

_SHOWN = 40


class Refused(argparse.ArgumentTypeError, ValueError):
    """What a number says of a text that it is not; `argparse` prints it as it is."""


@dataclass(frozen=True)
class Whole:
    """Whole numbers from `least` to `most`, as the type of an argument."""

    least: int
    most: int | None = None

    def __call__(self, text: str) -> int:
        """Return the number, or raise `Refused`."""
        try:
            value = int(text)
            is_good = value >= self.least and (self.most is None or value <= self.most)
        except ValueError:  # also of thousands of digits
            is_good = False
        if not is_good:
            raise _refused(text, self)
        return value

    def __str__(self) -> str:
        if self.most is None:
            return f"a whole number of at least {self.least}"
        return f"a whole number in {self.least}…{self.most}"


@dataclass(frozen=True)
class Real:
    """Finite numbers in the closed range from `least` to `most`, or above `above`, as the type of an argument."""

    least: float = -math.inf
    most: float = math.inf
    above: float = -math.inf

    def __call__(self, text: str) -> float:
        """Return the number, or raise `Refused`."""
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and self.least <= value <= self.most and value > self.above):
            raise _refused(text, self)
        return value

    def __str__(self) -> str:
        bounds = [f"above {self.above:g}"] if math.isfinite(self.above) else []
        bounds += [f"of at least {self.least:g}"] if math.isfinite(self.least) else []
        bounds += [f"at most {self.most:g}"] if math.isfinite(self.most) else []
        return f"a finite number {' and '.join(bounds)}".rstrip()


def _refused(text: str, rule: Whole | Real) -> Refused:
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return Refused(f"{shown!r} must be {rule}")


COUNT = Whole(1, 2**31 - 1)
"""How many of something; what can be counted here fits an index of an array."""
INDEX = Whole(0, 2**31 - 1)
"""Which of something, or how many where none is a choice."""
SEED = Whole(0, 2**63 - 1)
"""A base seed."""
CODE_LENGTH = Whole(1, 65535)
"""Bits of a code: the search counts differing bits in 16 bits (`blsh.hashing.search`)."""
CONTEXT = Whole(1, 99)
"""Frames that are stacked to one (`blsh.signal.context`, which takes the odd ones): a second and a half at most."""
RHO = Real(above=0, most=1)
"""Fraction of the training frames in a dictionary."""
SNR_DB = Real(-100, 100)
"""Signal-to-noise ratios in dB; beyond these one of two sounds is all but lost in the other's rounding."""
