r"""Conv-TasNet for one source: a network from noisy waveforms to clean ones.

An encoder of N filters of L samples every L/2 turns the waveform into a representation; a stack of convolutions
estimates a mask for it; a decoder of as many filters turns the masked representation back and overlaps the results:

    encoder -> gLN -> 1×1 (N to B) -> R · X blocks -> PReLU -> 1×1 (S_c to N) -> logistic = mask
    decoder(mask · encoder(x))

A block: 1×1 (B to H), PReLU, gLN, depthwise convolution of P taps with dilation 2^x, PReLU, gLN, then two 1×1 of their
own: one added to what goes to the next block (B), one to the sum of all blocks' skip paths (S_c), which is what the
mask is made of. gLN normalises over channels and time together, with a scale and shift per channel.

The paper [1]_ leaves open where there are biases, whether a PReLU has one slope or one per channel, and whether the
last block has its (unused) residual path. With one output, the 19.94 MB of TASLP 2022, Table I, follow from the choices
of the Asteroid toolkit, which are ours: no biases in encoder and decoder, biases everywhere else, one slope, all
residual paths. Nothing depends on the last residual path, so it is never trained; it is there because it is counted.

References
----------
.. [1] Y. Luo and N. Mesgarani, "Conv-TasNet: surpassing ideal time-frequency magnitude masking for speech
   separation", IEEE/ACM TASLP 27(8), 2019, sections II and III.
"""

from __future__ import annotations

import torch
from torch import nn

from blsh.denoising.architectures import (
    BLOCK_CHANNELS,
    BLOCK_KERNEL,
    BOTTLENECK_CHANNELS,
    FILTER_HOP,
    FILTER_LENGTH,
    N_FILTERS,
    SKIP_CHANNELS,
    Architecture,
)

__all__ = ["ConvTasNet"]

_EPSILON = 1e-8


class ConvTasNet(nn.Module):
    """Conv-TasNet of ``architecture.depth`` repeats of ``architecture.width`` blocks.

    Shape: mixtures float32 (crops, samples) to estimates of the speech of the same shape.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.encoder = nn.Conv1d(1, N_FILTERS, FILTER_LENGTH, FILTER_HOP, bias=False)
        self.bottleneck = nn.Sequential(_global_norm(N_FILTERS), nn.Conv1d(N_FILTERS, BOTTLENECK_CHANNELS, 1))
        self.blocks = nn.ModuleList(_Block(2**x) for _ in range(architecture.depth) for x in range(architecture.width))
        self.mask = nn.Sequential(nn.PReLU(), nn.Conv1d(SKIP_CHANNELS, N_FILTERS, 1), nn.Sigmoid())
        self.decoder = nn.ConvTranspose1d(N_FILTERS, 1, FILTER_LENGTH, FILTER_HOP, bias=False)

    def forward(self, mixtures: torch.Tensor) -> torch.Tensor:
        """Estimate the speech."""
        n_samples = mixtures.shape[1]
        # Zeros at the end, so that the last samples are in a filter's reach.
        n_hops = max(-(-(n_samples - FILTER_LENGTH) // FILTER_HOP), 0)
        padded = nn.functional.pad(mixtures, (0, FILTER_LENGTH + n_hops * FILTER_HOP - n_samples))
        encoded = self.encoder(padded[:, None])
        features = self.bottleneck(encoded)
        skipped: torch.Tensor | float = 0.0
        for block in self.blocks:
            residual, skip = block(features)
            features = features + residual
            skipped = skipped + skip
        return self.decoder(self.mask(skipped) * encoded)[:, 0, :n_samples]


class _Block(nn.Module):
    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            nn.Conv1d(BOTTLENECK_CHANNELS, BLOCK_CHANNELS, 1),
            nn.PReLU(),
            _global_norm(BLOCK_CHANNELS),
            nn.Conv1d(
                BLOCK_CHANNELS,
                BLOCK_CHANNELS,
                BLOCK_KERNEL,
                padding=dilation * (BLOCK_KERNEL - 1) // 2,
                dilation=dilation,
                groups=BLOCK_CHANNELS,
            ),
            nn.PReLU(),
            _global_norm(BLOCK_CHANNELS),
        )
        self.residual = nn.Conv1d(BLOCK_CHANNELS, BOTTLENECK_CHANNELS, 1)
        self.skip = nn.Conv1d(BLOCK_CHANNELS, SKIP_CHANNELS, 1)

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        inner = self.inner(features)
        return self.residual(inner), self.skip(inner)


def _global_norm(n_channels: int) -> nn.Module:
    """GLN: one group of all channels."""
    return nn.GroupNorm(1, n_channels, eps=_EPSILON)
