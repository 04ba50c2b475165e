"""Random numbers from named axes.

Every random choice of an experiment has a name, such as ``("mixture", "open", "1688-142285-0000", "rain")``, and
its generator is seeded by a hash of the experiment's base seed and that name. So a choice depends on nothing but
its own name: adding a system, a repeat or a corpus changes no other number, methods that are compared share
their noise and their dictionary, and jobs may run in any order.
"""

import hashlib

import numpy as np

__all__ = ["generator", "seed"]


def seed(base: int, *axes: str | int) -> int:
    """Hash a base seed and named axes to a 64-bit seed.

    Parameters
    ----------
    base
        The experiment's seed.
    *axes
        Names and numbers that identify the choice; ``1`` and ``"1"`` are the same axis value.

    Returns
    -------
    int
        A number in [0, 2⁶⁴).
    """
    # The separator cannot occur in a name, so ("ab", "c") and ("a", "bc") differ.
    key = "\x1f".join(str(part) for part in (base, *axes))
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "little")


def generator(base: int, *axes: str | int) -> np.random.Generator:
    """Return the generator of a named choice; see :func:`seed`."""
    return np.random.default_rng(seed(base, *axes))
