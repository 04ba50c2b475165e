"""Trained networks as systems to score and to listen to.

Torch is imported when a network is loaded, so that systems without networks start at once. A network is used on one
thread: how a sum is split among threads depends on their number, and so would results.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from blsh.denoising.architectures import Architecture
from blsh.denoising.checkpoints import load_checkpoint
from blsh.denoising.estimators import Estimator, Scene

if TYPE_CHECKING:
    from torch import nn

__all__ = ["network_estimator", "untrained_estimator"]


def network_estimator(path: str | Path, architecture: Architecture) -> Estimator:
    """Load the checkpoint of a network as an estimator.

    Parameters
    ----------
    path
        What ``blsh train-network`` wrote.
    architecture
        The network that it should hold.

    Returns
    -------
    Estimator
        Of the fully-connected and recurrent networks: Scene → masks, float32 (1, frames, 513). Of Conv-TasNet: Scene →
        waveforms, float32 (1, samples), the estimated speech itself.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no checkpoint, or it is not a whole one of this network.
    """
    from blsh.denoising.networks import restored_network

    checkpoint = load_checkpoint(path)
    if checkpoint.training.architecture != architecture:
        raise ValueError(
            f"{path} holds {checkpoint.training.architecture} where {architecture} is needed: give another checkpoint"
        )
    return _estimator(restored_network(architecture, checkpoint.tensors, str(path)), architecture)


def untrained_estimator(architecture: Architecture, *, rng: np.random.Generator) -> Estimator:
    """Return a network as it is before training, for measuring what a trained one costs.

    Parameters
    ----------
    architecture
        Its kind and sizes.
    rng
        Draws the weights.

    Returns
    -------
    Estimator
        As :func:`network_estimator` returns it.
    """
    from blsh.denoising.networks import start_network

    return _estimator(start_network(architecture, rng=rng).eval(), architecture)


def _estimator(network: nn.Module, architecture: Architecture) -> Estimator:
    import torch

    def estimate(scene: Scene) -> np.ndarray:
        seen = scene.waveforms.mixture if architecture.takes_waveforms else np.abs(scene.spectrum)
        with torch.inference_mode(), _one_thread():
            return network(torch.from_numpy(seen[np.newaxis])).numpy()

    return estimate


@contextmanager
def _one_thread() -> Iterator[None]:
    import torch

    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)
