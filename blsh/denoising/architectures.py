"""The neural networks that the papers compare with, by name: which there are, and how many numbers each one holds.

A network is a system and a variant, as they stand in configurations, paths and tables (TASLP 2022, Table I):

=============== ============ ==========================================================================================
``fc``          ``3x256``    3 hidden layers of 256 units without batch normalisation, or 2 with it; ReLU
``bilstm``      ``2x64``     2 bidirectional LSTM layers of 64 units in each direction, with both of torch's biases
``conv_tasnet`` ``3x8``      Conv-TasNet [1]_ with 3 repeats of 8 convolutional blocks, one output, all residual paths
=============== ============ ==========================================================================================

The first two turn the 513 magnitudes of a frame into 513 mask values in [0, 1]; Conv-TasNet turns a waveform into a
waveform. Sizes are counted here from the layers, without torch, so that tables of sizes and costs (``complexity``)
can be made where there is none; ``networks`` builds the layers, and a test compares.

References
----------
.. [1] Y. Luo and N. Mesgarani, "Conv-TasNet: surpassing ideal time-frequency magnitude masking for speech
   separation", IEEE/ACM TASLP 27(8), 2019. Names of the sizes are the ones of its Table I.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from blsh.signal.spectra import N_BINS

__all__ = [
    "NETWORKS",
    "TABLED",
    "Architecture",
    "count_parameters",
    "count_weights",
    "parse_architecture",
    "printed_megabytes",
]

# Conv-TasNet: N filters of L samples every L/2; B channels between blocks, H inside, S_c of the skip path; P taps.
N_FILTERS, FILTER_LENGTH, FILTER_HOP = 512, 16, 8
BOTTLENECK_CHANNELS, BLOCK_CHANNELS, SKIP_CHANNELS, BLOCK_KERNEL = 128, 512, 128, 3

# Dilations double from block to block: the 16th reaches over 16 seconds. A network of more numbers fits no machine.
MOST_BLOCKS = 16
MOST_PARAMETERS = 10**9

_DEPTHS = {"fc": (2, 3), "bilstm": (2,), "conv_tasnet": None}
NETWORKS = tuple(_DEPTHS)


@dataclass(frozen=True)
class Architecture:
    """A network's system and sizes.

    Attributes
    ----------
    system : {"fc", "bilstm", "conv_tasnet"}
    depth : int > 0
        Hidden layers; of Conv-TasNet the repeats R.
    width : int > 0
        Units of a layer (and direction); of Conv-TasNet the blocks X of a repeat.

    Raises
    ------
    ValueError
        If the system is unknown or has no network of this depth or width, or the network would fit no machine.
    """

    system: str
    depth: int
    width: int

    def __post_init__(self) -> None:
        if self.system not in _DEPTHS:
            raise ValueError(f"system {self.system!r} is no network: choose one of {', '.join(NETWORKS)}")
        depths = _DEPTHS[self.system]
        if self.depth < 1 or self.width < 1 or (depths is not None and self.depth not in depths):
            rule = "at least 1" if depths is None else " or ".join(map(str, depths))
            raise ValueError(
                f"variant {self.variant!r} of {self.system} does not exist: its first number must be {rule}, "
                "its second at least 1"
            )
        if self.takes_waveforms and self.width > MOST_BLOCKS:
            raise ValueError(f"variant {self.variant!r} of {self.system} has over {MOST_BLOCKS} blocks: take fewer")
        if (parameters := count_parameters(self)) > MOST_PARAMETERS:
            raise ValueError(
                f"variant {self.variant!r} of {self.system} has {parameters:.2g} parameters, more than "
                f"{MOST_PARAMETERS:.0e}: take fewer or smaller layers"
            )

    @property
    def variant(self) -> str:
        """The sizes as they are written: `3x256`."""
        return f"{self.depth}x{self.width}"

    @property
    def has_batch_norm(self) -> bool:
        """Whether hidden layers are batch-normalised, as in the authors' code only the two-layer `fc`."""
        return self.system == "fc" and self.depth == 2

    @property
    def takes_waveforms(self) -> bool:
        """Whether it maps waveforms to waveforms; the others map magnitudes to masks."""
        return self.system == "conv_tasnet"

    @property
    def feature(self) -> str:
        """The feature that it sees: `stft` magnitudes, or '' for the waveform itself."""
        return "" if self.takes_waveforms else "stft"

    def __str__(self) -> str:
        return f"{self.system} {self.variant}"


def parse_architecture(system: str, variant: str) -> Architecture:
    """Read a network's name.

    Raises
    ------
    ValueError
        If the system is unknown, or the variant is not two whole numbers that it allows.
    """
    match = re.fullmatch(r"([0-9]{1,4})x([0-9]{1,5})", variant)
    if system in NETWORKS and not match:
        raise ValueError(f"variant {variant!r} of {system} is not of the form 3x256, depth x width")
    depth, width = map(int, match.groups()) if match else (1, 1)
    return Architecture(system, depth, width)


def count_weights(architecture: Architecture) -> int:
    """Count the numbers in matrices and kernels, each of which is multiplied once per frame."""
    depth, width = architecture.depth, architecture.width
    if architecture.system == "fc":
        return sum(inputs * outputs for inputs, outputs in pairwise(_fc_sizes(architecture)))
    if architecture.system == "bilstm":
        # A unit's four gates see the layer's inputs and its own outputs; later layers see both directions.
        layers = (2 * 4 * width * (inputs + width) for inputs in (N_BINS, *(depth - 1) * (2 * width,)))
        return sum(layers) + 2 * width * N_BINS
    block = BOTTLENECK_CHANNELS * BLOCK_CHANNELS + BLOCK_CHANNELS * BLOCK_KERNEL
    block += BLOCK_CHANNELS * (BOTTLENECK_CHANNELS + SKIP_CHANNELS)
    outer = 2 * N_FILTERS * FILTER_LENGTH + N_FILTERS * (BOTTLENECK_CHANNELS + SKIP_CHANNELS)
    return outer + depth * width * block


def count_parameters(architecture: Architecture, *, batch_norm: bool = True) -> int:
    """Count everything that is trained.

    Parameters
    ----------
    architecture
    batch_norm
        Count the scale and shift of batch normalisation. The sizes in the papers' Table I leave them out, the
        "34.6 K parameters" in the text include them.
    """
    depth, width = architecture.depth, architecture.width
    if architecture.system == "fc":
        others = sum(_fc_sizes(architecture)[1:])
        if batch_norm and architecture.has_batch_norm:
            others += depth * 2 * width
    elif architecture.system == "bilstm":
        others = depth * 2 * 2 * 4 * width + N_BINS
    else:
        # Two normalisations and three biased convolutions around the depthwise one, and two PReLU slopes.
        block = 2 * 2 * BLOCK_CHANNELS + 2 * BLOCK_CHANNELS + BOTTLENECK_CHANNELS + SKIP_CHANNELS + 2
        others = 2 * N_FILTERS + BOTTLENECK_CHANNELS + depth * width * block + 1 + N_FILTERS
    return count_weights(architecture) + others


def printed_megabytes(architecture: Architecture) -> float:
    """Return the size as the papers print it: 4 bytes a parameter without batch normalisation, 10⁶ bytes a MB."""
    return 4 * count_parameters(architecture, batch_norm=False) / 1e6


def _fc_sizes(architecture: Architecture) -> list[int]:
    return [N_BINS, *architecture.depth * [architecture.width], N_BINS]


TABLED = (
    *(Architecture("fc", depth, width) for depth in (3, 2) for width in (1024, 256, 64, 32)),
    *(Architecture("bilstm", 2, width) for width in (1024, 256, 64, 32)),
    Architecture("conv_tasnet", 3, 8),
)
"""The networks of TASLP 2022, Table I, in its order."""
