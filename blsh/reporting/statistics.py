"""The statistics of claims, each a vector over the rows of the evidence.

`blsh.reporting.evidence` gives means of shape (L, rows, repeats); a statistic reduces those of a claim's
terms to one number a row. What they stand for is said at the head of ``claims.yaml``.
"""

from __future__ import annotations

import numpy as np

from blsh.reporting.claims import Claim
from blsh.reporting.evidence import MissingError, Resampled

__all__ = ["STATISTICS", "beta_statistic"]

N_PARTS = 5


def _difference(claim: Claim, found: Resampled) -> np.ndarray:
    signs = [1.0] * len(claim.left) + [-1.0] * len(claim.right)
    means = (_over_repeats(mean, found.draws)[0] for mean in found.means)
    return sum(sign * mean for sign, mean in zip(signs, means, strict=True))


def _leads(found: Resampled) -> np.ndarray:
    left, right = (_over_repeats(mean, found.draws) for mean in found.means)
    return left - right


def _smallest_lead(claim: Claim, found: Resampled) -> np.ndarray:
    return _leads(found).min(axis=0)


def _mean_lead(claim: Claim, found: Resampled) -> np.ndarray:
    return _leads(found).mean(axis=0)


def _spread(claim: Claim, found: Resampled) -> np.ndarray:
    if found.n_repeats < 2:
        raise MissingError("one repeat has no spread")
    sides = []
    for mean in found.means:
        squares = (mean - _over_repeats(mean, found.draws)[..., None]) ** 2
        sides.append(np.sqrt((found.draws * squares).sum(axis=-1) / (found.n_repeats - 1)).mean(axis=0))
    return sides[0] - sides[1]


def _crossing(claim: Claim, found: Resampled) -> np.ndarray:
    grid = np.asarray(found.bits, dtype=np.float64)
    if grid[-1] < claim.threshold.values[-1] or grid[0] > claim.threshold.values[0]:
        raise MissingError(f"this run's L, {grid[0]:g} to {grid[-1]:g}, do not span {claim.threshold.values}")
    curve = _over_repeats(found.means[0], found.draws)
    level = _over_repeats(found.means[1], found.draws)[0]
    reached = curve >= level
    first = reached.argmax(axis=0)
    before = np.maximum(first - 1, 0)
    row = np.arange(curve.shape[1])
    rise = curve[first, row] - curve[before, row]
    share = np.divide(level - curve[before, row], rise, out=np.zeros_like(rise), where=rise > 0)
    return np.where(reached.any(axis=0), grid[before] + share * (grid[first] - grid[before]), np.inf)


STATISTICS = {
    "difference": _difference,
    "smallest_lead": _smallest_lead,
    "mean_lead": _mean_lead,
    "spread": _spread,
    "crossing": _crossing,
}


def beta_statistic(claim: Claim, beta: np.ndarray) -> float:
    """Reduce the weights β of one training, shape (rounds,), to the claim's statistic.

    Raises
    ------
    MissingError
        If there are too few rounds.
    """
    if claim.statistic == "beta_fall":
        if len(beta) < N_PARTS:
            raise MissingError(f"{len(beta)} rounds were trained, the claim needs {N_PARTS}")
        parts = [part.mean() for part in np.array_split(beta, N_PARTS)]
        return float(-np.diff(parts).max())
    first, last = (number if number > 0 else len(beta) for number in claim.rounds)
    if max(first, last) > len(beta) or first >= last:
        raise MissingError(f"{len(beta)} rounds were trained, the claim is about rounds {first} and {last}")
    return float(beta[last - 1] / beta[first - 1])


def _over_repeats(means: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Mean over the drawn repeats: (L, rows, repeats) to (L, rows)."""
    if means.shape[-1] == 1:
        return means[..., 0]
    return (means * draws).sum(axis=-1) / draws.sum(axis=-1)
