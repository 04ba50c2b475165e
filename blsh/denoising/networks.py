"""The networks of `architectures` in torch: fully-connected and recurrent ones that estimate masks, and Conv-TasNet.

The mask networks see magnitudes |X| of a mixture of unit standard deviation, unscaled, as in the authors' code, and
give masks in [0, 1] by a logistic output. They start from Xavier-normal matrices and kernels and zero biases; scales of
normalisations start from 1 and slopes of PReLU from 0.25. Starts are drawn on the CPU, so they do not depend on the
device.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

from blsh.denoising.architectures import Architecture, count_parameters
from blsh.denoising.conv_tasnet_network import ConvTasNet
from blsh.signal.spectra import N_BINS

__all__ = ["BidirectionalLstm", "FullyConnected", "restored_network", "start_network", "tensors_of"]


class FullyConnected(nn.Module):
    """Hidden layers with ReLU, each frame by itself: TASLP 2022, V-C.

    Shape: magnitudes float32 (crops, frames, 513) to masks of the same shape.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = N_BINS
        for _ in range(architecture.depth):
            layers.append(nn.Linear(inputs, architecture.width))
            if architecture.has_batch_norm:
                layers.append(nn.BatchNorm1d(architecture.width))
            layers.append(nn.ReLU())
            inputs = architecture.width
        self.layers = nn.Sequential(*layers, nn.Linear(inputs, N_BINS), nn.Sigmoid())

    def forward(self, magnitudes: torch.Tensor) -> torch.Tensor:
        """Estimate the masks."""
        # Batch normalisation takes its statistics over all frames of all crops.
        return self.layers(magnitudes.flatten(0, 1)).view_as(magnitudes)


class BidirectionalLstm(nn.Module):
    """LSTM layers in both directions of time, and a linear layer on their outputs: TASLP 2022, V-C.

    Shape: magnitudes float32 (crops, frames, 513) to masks of the same shape.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.lstm = nn.LSTM(N_BINS, architecture.width, architecture.depth, batch_first=True, bidirectional=True)
        self.output = nn.Linear(2 * architecture.width, N_BINS)

    def forward(self, magnitudes: torch.Tensor) -> torch.Tensor:
        """Estimate the masks."""
        return torch.sigmoid(self.output(self.lstm(magnitudes)[0]))


_MODULES = {"fc": FullyConnected, "bilstm": BidirectionalLstm, "conv_tasnet": ConvTasNet}


def start_network(architecture: Architecture, *, rng: np.random.Generator) -> nn.Module:
    """Make a network as it is before training."""
    network = _MODULES[architecture.system](architecture)
    drawing = torch.Generator().manual_seed(int(rng.integers(2**63)))
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if parameter.ndim > 1:
                nn.init.xavier_normal_(parameter, generator=drawing)
            elif "bias" in name:
                parameter.zero_()
    return network


def restored_network(architecture: Architecture, tensors: Mapping[str, np.ndarray], source: str) -> nn.Module:
    """Make a network from the numbers of a trained one, ready to be used.

    Parameters
    ----------
    architecture
    tensors
        The numbers, by the names that :func:`tensors_of` gives them.
    source
        Where they come from, for errors.

    Raises
    ------
    ValueError
        If they are not all the numbers of this architecture, or one is not finite.
    """
    n_values = sum(array.size for name, array in tensors.items() if ".running_" not in name)
    # Before anything is built: a file may name sizes that no memory holds.
    if n_values != count_parameters(architecture):
        raise ValueError(
            f"{source} holds {n_values} parameters where {architecture} has {count_parameters(architecture)}: "
            "give the checkpoint of this network, or train it again"
        )
    network = _MODULES[architecture.system](architecture)
    expected = tensors_of(network)
    for name in sorted(expected.keys() | tensors.keys()):
        shapes = [str(part[name].shape) if name in part else "absent" for part in (tensors, expected)]
        if shapes[0] != shapes[1]:
            raise ValueError(
                f"{source}: {name!r:.80} is {shapes[0]} where {architecture} has {shapes[1]}: give the checkpoint of "
                "this network, or train it again"
            )
        if tensors[name].dtype != np.float32 or not np.isfinite(tensors[name]).all():
            raise ValueError(f"{source}: {name} is not float32, or has NaN or infinity: train the network again")
    network.load_state_dict({name: torch.from_numpy(array) for name, array in tensors.items()}, strict=False)
    return network.eval()


def tensors_of(network: nn.Module) -> dict[str, np.ndarray]:
    """Return copies of all numbers of a network: parameters, and running statistics of batch normalisation.

    Batch normalisation's count of batches is left out: with its constant momentum nothing depends on it.
    """
    state = network.state_dict()
    return {
        name: tensor.detach().cpu().numpy().copy()
        for name, tensor in state.items()
        if not name.endswith("num_batches_tracked")
    }
