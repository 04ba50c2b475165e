"""How a network is trained: the choices, and the stop rule.

Training stops after `patience` epochs in a row that made no progress, and progress is a validation loss below the best
one so far by more than `least_gain`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from blsh.denoising.architectures import Architecture
from blsh.denoising.network_state import Epoch

__all__ = ["LOSSES", "NetworkParams"]

LOSSES = ("si_sdr", "mask_mse")
"""What may be minimised: see ``network_losses``."""


@dataclass(frozen=True)
class NetworkParams:
    """How a network is trained.

    Attributes
    ----------
    architecture : Architecture
    loss : {"si_sdr", "mask_mse"}
        See ``network_losses``.
    batch_size : int
        Crops in a batch.
    batches_per_epoch : int
    learning_rate : float
        Of Adam.
    patience : int
        Epochs without progress after which training stops.
    least_gain : float
        Progress is a validation loss that is lower by more than this, in dB for ``si_sdr``.

    Raises
    ------
    ValueError
        If a value is out of its range.
    """

    architecture: Architecture
    loss: str = "si_sdr"
    batch_size: int = 128
    batches_per_epoch: int = 100
    learning_rate: float = 1e-4
    patience: int = 10
    least_gain: float = 0.0

    def __post_init__(self) -> None:
        if self.loss not in LOSSES:
            raise ValueError(f"loss={self.loss!r} is unknown; choose one of {', '.join(LOSSES)}")
        if self.loss == "mask_mse" and self.architecture.takes_waveforms:
            raise ValueError(f"loss='mask_mse' needs a mask, which {self.architecture} has not; choose si_sdr")
        for name in ("batch_size", "batches_per_epoch", "patience"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")
        if not 0 < self.learning_rate < math.inf or not 0 <= self.least_gain < math.inf:
            raise ValueError(
                f"learning_rate={self.learning_rate} must be above 0 and least_gain={self.least_gain} at least 0"
            )

    def best_of(self, epochs: Sequence[Epoch]) -> Epoch:
        """Return the latest epoch that made progress."""
        best = epochs[0]
        for epoch in epochs[1:]:
            if epoch.validation_loss < best.validation_loss - self.least_gain:
                best = epoch
        return best
