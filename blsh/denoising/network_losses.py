r"""What the networks are trained to make small, crop by crop.

``si_sdr``
    The negative scale-invariant SDR in dB of the re-synthesised signal ŝ, −10 log₁₀ ‖αs‖² / ‖αs − ŝ‖² with
    α = ŝᵀs / ‖s‖² (`blsh.evaluation.metrics`). The authors' code trains with it; the default here.
``mask_mse``
    The mean squared error of the mask against the ideal binary mask, as the text of TASLP 2022, V-C, suggests.
    Not for Conv-TasNet, which has no mask over frequencies.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from blsh.denoising.conv_tasnet_network import ConvTasNet
from blsh.denoising.network_spectra import magnitudes, masked_waveforms, spectra

__all__ = ["Quality", "measure", "si_sdr"]

# Against a division by zero where an estimate is silent or perfect; 150 dB below signals of unit power.
_FLOOR = 1e-15


@dataclass(frozen=True)
class Quality:
    """The loss of each crop, float32 (crops,), and its SI-SDR in dB where that was asked for."""

    losses: torch.Tensor
    si_sdr: torch.Tensor | None


def measure(
    network: nn.Module, loss: str, speech: torch.Tensor, noise: torch.Tensor, *, with_si_sdr: bool = False
) -> Quality:
    """Denoise the sums of speech and noise and compare.

    Parameters
    ----------
    network
    loss
        ``si_sdr`` or ``mask_mse``.
    speech, noise
        float32 (crops, samples).
    with_si_sdr
        Measure the SI-SDR also where it is not the loss.
    """
    mixtures = speech + noise
    if isinstance(network, ConvTasNet):
        scores = si_sdr(network(mixtures), speech)
        return Quality(-scores, scores)
    transformed = spectra(mixtures)
    masks = network(magnitudes(transformed))
    scores = None
    if loss == "si_sdr" or with_si_sdr:
        scores = si_sdr(masked_waveforms(masks, transformed, mixtures.shape[1]), speech)
    if loss == "si_sdr":
        return Quality(-scores, scores)
    ideal = (magnitudes(spectra(speech)) > magnitudes(spectra(noise))).to(masks.dtype)
    return Quality((masks - ideal).square().mean(dim=(1, 2)), scores)


def si_sdr(estimates: torch.Tensor, references: torch.Tensor) -> torch.Tensor:
    """Return the scale-invariant SDR in dB of each pair of (crops, samples)."""
    floor = _FLOOR * references.shape[1]
    power = references.square().sum(dim=1, keepdim=True)
    targets = (estimates * references).sum(dim=1, keepdim=True) / power * references
    wanted, unwanted = targets.square().sum(dim=1), (targets - estimates).square().sum(dim=1)
    return 10 * torch.log10((wanted + floor) / (unwanted + floor))
