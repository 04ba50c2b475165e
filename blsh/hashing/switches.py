"""What one switch costs: single changes of a training, to be made one at a time.

The authors' training and this project's differ in many places (`profiles`). To find out what each of them is worth,
every entry here changes one thing of a profile and leaves all else, its random numbers too: a loss, the gradient, the
scale of β, how segments are drawn, where a round starts. Most changes are towards the authors' code, some to what the
papers print (``boosting_loss``, ``frame_order``, ``bias``) or to what neither does (``segments``). Values that belong
together are one entry: the authors' steps are small because their starts are. ``authors2022`` changes everything.

Random projections have a switch too, which is no switch of a training: `MATRICES`, one matrix drawn for every code
length, as in the authors' code, in the place of one whose prefixes are the shorter codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from blsh.hashing.profiles import PROFILES

__all__ = ["MATRICES", "SWITCHES"]

_AUTHORS = {name: value for name, value in asdict(PROFILES["authors2022"]).items() if name not in ("n_bits", "target")}

MATRICES = "matrices"
"""The name of the switch of ``lsh``."""


def _as_authors(*names: str) -> dict[str, Any]:
    return {name: _AUTHORS[name] for name in names}


SWITCHES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "projection_loss": _as_authors("projection_loss"),
        "square_gradient": _as_authors("square_gradient"),
        "beta_scale": _as_authors("beta_scale"),
        "initialisation": _as_authors("initialisation"),
        "descent": _as_authors("initialisation", "learning_rate", "learning_rate_unit", "min_passes", "max_passes"),
        "n_segments": _as_authors("n_segments"),
        "boosting_loss": {"boosting_loss": "xent"},
        "frame_order": {"frame_order": "contiguous"},
        "bias": {"bias": False},
        "segments": {"segments": "fresh"},
        "authors2022": _AUTHORS,
    }
)
"""Name of a switch → the fields of `TrainingParams` that it changes, and their values."""
