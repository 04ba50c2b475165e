"""A trained network as one value and one file, which runs no code and is checked when it is loaded.

The file is a stamped safetensors file (``blsh.files.tensors``). Its tensors are the network's parameters and running
statistics, float32. Its metadata is enough to build the network again, and says how the training ended: only a network
whose training was ended by its stop rule is *trained*, and takes part in tables and claims.

Nothing here needs torch, so that reports can be made without it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from blsh.denoising.architectures import Architecture, parse_architecture
from blsh.files.messages import one_line
from blsh.files.tensors import load_tensors, read_stamp, save_tensors
from blsh.signal.audio import SAMPLE_RATE
from blsh.signal.spectra import HOP_LENGTH, N_FFT

__all__ = ["STOP_REASONS", "STOP_RULE", "Checkpoint", "Training", "load_checkpoint", "read_training", "save_checkpoint"]

STOP_RULE = "stop rule"
STOP_REASONS = (STOP_RULE, "epochs", "time")

_KIND, _VERSION = "network", 1
_SIGNAL = {"sample_rate": SAMPLE_RATE, "n_fft": N_FFT, "hop_length": HOP_LENGTH}


@dataclass(frozen=True)
class Training:
    """What is known about a network's training.

    Attributes
    ----------
    architecture : Architecture
    loss : str
        What was minimised: ``si_sdr`` or ``mask_mse``.
    seed : int
        Base seed of the experiment.
    epochs, best_epoch : int
        Epochs trained, and the one whose numbers were kept, counted from 1.
    batches_per_epoch, batch_size : int
        Size of an epoch in batches, and of a batch in crops.
    stopped_by : str
        One of `STOP_REASONS`: no progress on validation for long enough, or a limit on epochs or time.
    seconds : float
        Time spent, in all sittings.
    validation_si_sdr : float
        SI-SDR in dB of the kept epoch, mean over the validation mixtures.
    device : str
        Where it was trained: ``cpu`` or ``cuda``.
    fingerprint : str
        Digest of everything that the numbers depend on.
    code_version : str
        Version of this package.

    Raises
    ------
    TypeError
        If a value is of another type.
    ValueError
        If a value is out of its range.
    """

    architecture: Architecture
    loss: str
    seed: int
    epochs: int
    best_epoch: int
    batches_per_epoch: int
    batch_size: int
    stopped_by: str
    seconds: float
    validation_si_sdr: float
    device: str
    fingerprint: str
    code_version: str

    def __post_init__(self) -> None:
        kinds = {"int": int, "float": float, "str": str, "Architecture": Architecture}
        for field in fields(self):
            if type(getattr(self, field.name)) is not kinds[field.type]:
                raise TypeError(f"{field.name}={getattr(self, field.name)!r:.40} must be of type {field.type}")
        if self.stopped_by not in STOP_REASONS:
            raise ValueError(f"stopped_by={self.stopped_by!r:.40} is none of {', '.join(STOP_REASONS)}")
        if not 1 <= self.best_epoch <= self.epochs:
            raise ValueError(f"best_epoch={self.best_epoch} must lie in 1…{self.epochs}, the epochs trained")
        if not (math.isfinite(self.seconds) and math.isfinite(self.validation_si_sdr)):
            raise ValueError(f"seconds={self.seconds}, validation_si_sdr={self.validation_si_sdr} must be finite")

    @property
    def is_finished(self) -> bool:
        """Whether the stop rule ended it, so that the network counts as trained."""
        return self.stopped_by == STOP_RULE


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A network's numbers and where they come from.

    Attributes
    ----------
    training : Training
    tensors : mapping of str to ndarray of float32
        By the names of ``networks.tensors_of``.
    """

    training: Training
    tensors: Mapping[str, np.ndarray]


def save_checkpoint(path: str | Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint.

    Raises
    ------
    OSError
        If the disk has no room for it; nothing half-written is left.
    """
    metadata = asdict(checkpoint.training) | {"signal": _SIGNAL}
    architecture = checkpoint.training.architecture
    metadata["architecture"] = {name: getattr(architecture, name) for name in ("system", "variant", "feature")}
    save_tensors(path, _KIND, _VERSION, metadata, checkpoint.tensors)


def load_checkpoint(path: str | Path) -> Checkpoint:
    """Read a checkpoint. Whether its tensors are those of its network is seen when the network is built.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is anything else than a whole checkpoint of a version that this package reads.
    """
    metadata, tensors = load_tensors(path, _KIND, _VERSION)
    return Checkpoint(_training_of(metadata, path), tensors)


def read_training(path: str | Path) -> Training:
    """Read what a checkpoint says about its training, without the tensors; errors as in :func:`load_checkpoint`."""
    return _training_of(read_stamp(path, _KIND, _VERSION), path)


def _training_of(metadata: dict[str, Any], path: str | Path) -> Training:
    try:
        if metadata.pop("signal") != _SIGNAL:
            raise ValueError(f"its signal settings are not {_SIGNAL}")
        named = metadata.pop("architecture")
        architecture = parse_architecture(named["system"], named["variant"])
        if named["feature"] != architecture.feature:
            raise ValueError(f"feature {named['feature']!r:.40} is not the {architecture.feature!r} of {architecture}")
        return Training(architecture, **metadata)
    except (KeyError, TypeError, ValueError) as error:
        reason = f"{one_line(error)} is missing" if isinstance(error, KeyError) else one_line(error)
        raise ValueError(f"{path} does not hold a network: {reason}; train the network again") from error
