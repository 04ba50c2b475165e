"""An unfinished network training on disk, so that a killed one goes on with the same result.

The state is what the next epoch depends on: the network's numbers, the moments of the optimiser, the numbers of the
best epoch so far, and what was measured in each epoch. Random numbers need not be kept, because every batch has its own
by name. The file carries a fingerprint, the caller's digest of everything that the result depends on; a state with
another one, or a damaged one, is worth nothing: it is reported and training starts anew.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from blsh.files.messages import one_line
from blsh.files.tensors import load_tensors, save_tensors

__all__ = ["Epoch", "TrainingState", "load_state", "save_state"]

_KIND, _VERSION = "network-state", 1
_GROUPS = ("network", "first_moments", "second_moments", "best")

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Epoch:
    """What was measured in one epoch.

    Attributes
    ----------
    number : int
        Counted from 1.
    training_loss, validation_loss : float
        Means over the epoch's crops, and over the validation mixtures after it.
    validation_si_sdr : float
        In dB, mean over the validation mixtures.
    seconds : float
        Time spent since the training began, without pauses between sittings.
    """

    number: int
    training_loss: float
    validation_loss: float
    validation_si_sdr: float
    seconds: float


@dataclass(frozen=True, eq=False)
class TrainingState:
    """A training after one or more epochs; arrays by the names of ``networks.tensors_of``.

    Attributes
    ----------
    epochs : sequence of Epoch
    network : mapping of str to ndarray
        Numbers after the last epoch.
    first_moments, second_moments : mapping of str to ndarray
        Adam's running means of the gradient and its square, of all parameters that have a gradient.
    best : mapping of str to ndarray
        Numbers after the best epoch.
    """

    epochs: Sequence[Epoch]
    network: Mapping[str, np.ndarray]
    first_moments: Mapping[str, np.ndarray]
    second_moments: Mapping[str, np.ndarray]
    best: Mapping[str, np.ndarray]


def save_state(path: Path, state: TrainingState, *, fingerprint: str) -> None:
    """Write a state, replacing what `path` held."""
    tensors = {f"{group}/{name}": array for group in _GROUPS for name, array in getattr(state, group).items()}
    metadata = {"fingerprint": fingerprint, "epochs": [asdict(epoch) for epoch in state.epochs]}
    save_tensors(path, _KIND, _VERSION, metadata, tensors)


def load_state(path: Path, *, fingerprint: str) -> TrainingState | None:
    """Read the state of the training with this fingerprint; None, and a logged reason, if it fails."""
    try:
        metadata, tensors = load_tensors(path, _KIND, _VERSION)
    except FileNotFoundError:
        return None
    except ValueError as error:
        _LOG.warning("training starts anew: %s", error)
        return None
    if metadata.get("fingerprint") != fingerprint:
        _LOG.warning("training starts anew: %s belongs to other data, parameters or code", path)
        return None
    try:
        return _state_of(metadata, tensors)
    except (KeyError, TypeError, ValueError) as error:
        _LOG.warning("training starts anew: %s holds no state of a training: %s", path, one_line(error))
        return None


def _state_of(metadata: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> TrainingState:
    groups: dict[str, dict[str, np.ndarray]] = {group: {} for group in _GROUPS}
    for name, array in tensors.items():
        group, _, own = name.partition("/")
        groups[group][own] = array
    epochs = [_epoch_of(**epoch) for epoch in metadata["epochs"]]
    if [epoch.number for epoch in epochs] != list(range(1, len(epochs) + 1)) or not epochs:
        raise ValueError("its epochs are not counted from 1")
    for one, other in (("best", "network"), ("second_moments", "first_moments")):
        if _shapes(groups[one]) != _shapes(groups[other]):
            raise ValueError(f"its {one} and {other} are not of the same parameters")
    return TrainingState(epochs=epochs, **groups)


def _epoch_of(**values: Any) -> Epoch:
    kinds = {"int": int, "float": float}
    for field in fields(Epoch):
        if type(values[field.name]) is not kinds[field.type]:
            raise TypeError(f"{field.name}={values[field.name]!r:.40} is not of type {field.type}")
    return Epoch(**values)


def _shapes(tensors: Mapping[str, np.ndarray]) -> dict[str, tuple[tuple[int, ...], str]]:
    return {name: (tensor.shape, tensor.dtype.str) for name, tensor in tensors.items()}
