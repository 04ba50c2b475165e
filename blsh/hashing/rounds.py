"""What a boosting round leaves behind, and what a series of rounds amounts to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from blsh.hashing.projections import Projections

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BoostRound", "history_table", "projections_of"]


@dataclass(frozen=True, eq=False)
class BoostRound:
    """One learned bit.

    Attributes
    ----------
    projection : ndarray of float32, shape (D,)
    bias : float
        A float32 number.
    beta : float
        Weight of the bit, ``beta_scale · ln((1 - ε) / ε)``.
    epsilon : float
        Weighted loss that beta comes from, in [1e-6, 1 - 1e-6].
    passes : int
        Passes taken.
    losses : ndarray of float64, shape (passes,)
        Mean loss of each pass.
    effective_pairs : float
        Mean over the segments of ``1 / Σ W²``, of the W that the round learned under.
    share_of_ones : float
        Share of the round's training frames whose bit is 1. At 0 or 1 the bit is constant and tells nothing.
    duplicate_of : int
        Number (from 1) of the first earlier round whose bit equals this one, or its opposite, on all training
        frames of this round; 0 when there is none.
    """

    projection: np.ndarray
    bias: float
    beta: float
    epsilon: float
    passes: int
    losses: np.ndarray
    effective_pairs: float
    share_of_ones: float
    duplicate_of: int


def projections_of(rounds: Sequence[BoostRound]) -> Projections:
    """Collect the projections of a series of rounds, in its order."""
    return Projections(
        np.array([r.projection for r in rounds], dtype=np.float32),
        np.array([r.bias for r in rounds], dtype=np.float32),
        np.array([r.beta for r in rounds], dtype=np.float32),
    )


def history_table(rounds: Sequence[BoostRound]) -> pd.DataFrame:
    """Tabulate a training, a row for each round.

    Columns: round (from 1), beta, epsilon, effective_pairs, passes, share_of_ones, duplicate_of (0 for a bit
    unlike all earlier ones).
    """
    import pandas as pd  # not needed, and slow to import, for learning or using codes

    columns = ["beta", "epsilon", "effective_pairs", "passes", "share_of_ones", "duplicate_of"]
    table = {"round": np.arange(1, len(rounds) + 1)}
    table |= {name: np.array([getattr(r, name) for r in rounds]) for name in columns}
    return pd.DataFrame(table)
