"""An unfinished training on disk, so that a killed one resumes with the same result.

A round depends on the rounds before it and on its own random numbers, so the rounds done are the whole state.
The file carries a fingerprint, the caller's digest of everything that the result depends on (features,
parameters, seeds, code). A state with another fingerprint, or a damaged one, is worth nothing: it is reported
and training starts anew.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from blsh.files.arrays import load_stamped, save_stamped
from blsh.files.fail_points import fail_point
from blsh.files.messages import one_line
from blsh.hashing.rounds import BoostRound, projections_of

__all__ = ["load_rounds", "save_rounds"]

KIND = "boosting-state"
VERSION = 1

_LOG = logging.getLogger(__name__)
_SCALARS = ("bias", "beta", "epsilon", "passes", "effective_pairs", "share_of_ones", "duplicate_of")


def save_rounds(path: Path, rounds: Sequence[BoostRound], *, fingerprint: str) -> None:
    """Write the rounds done so far, replacing what ``path`` held."""
    arrays = {name: np.array([getattr(r, name) for r in rounds]) for name in _SCALARS}
    arrays["projections"] = np.array([r.projection for r in rounds])
    arrays["losses"] = np.concatenate([r.losses for r in rounds])
    save_stamped(path, KIND, VERSION, {"fingerprint": fingerprint}, arrays)
    fail_point("training.saved")


def load_rounds(path: Path, *, fingerprint: str) -> tuple[BoostRound, ...]:
    """Read the rounds done of the training with this fingerprint; none, and a logged reason, if it fails."""
    try:
        metadata, arrays = load_stamped(path, KIND, VERSION)
    except FileNotFoundError:
        return ()
    except ValueError as error:
        _LOG.warning("training starts anew: %s", error)
        return ()
    if metadata.get("fingerprint") != fingerprint:
        _LOG.warning("training starts anew: %s belongs to other data, parameters or code", path)
        return ()
    try:
        return _rounds_of(arrays)
    except (KeyError, TypeError, ValueError) as error:
        _LOG.warning("training starts anew: %s does not hold rounds (%s)", path, one_line(error))
        return ()


def _rounds_of(arrays: dict[str, np.ndarray]) -> tuple[BoostRound, ...]:
    for name, array in arrays.items():
        n_axes = 2 if name == "projections" else 1
        if array.ndim != n_axes or array.dtype.kind not in "if":
            raise ValueError(f"{name} is {array.dtype} of shape {array.shape}")
    passes, all_losses = arrays["passes"], arrays["losses"]
    if passes.dtype.kind != "i" or (passes < 0).any() or passes.sum() != len(all_losses):
        raise ValueError(f"passes of shape {passes.shape} do not fit {all_losses.shape} losses")
    losses = np.split(all_losses, np.cumsum(passes)[:-1])
    scalars = zip(*(arrays[name].tolist() for name in _SCALARS), strict=True)
    rounds = tuple(
        BoostRound(projection=projection, losses=loss, **dict(zip(_SCALARS, values, strict=True)))
        for projection, loss, values in zip(arrays["projections"], losses, scalars, strict=True)
    )
    projections_of(rounds)
    return rounds
