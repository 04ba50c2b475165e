"""The authors' way to train one bit, restated in torch with automatic differentiation.

As their TASLP script does on a CPU: of every segment the target S, the weights W of its n² pairs and the frames with a
column of ones are at hand; each step forms the n × n binary SSM of the current bits and its loss, lets autograd go
back through both and through the sign, whose derivative is that of tanh, and takes a step of Adam. After the passes ε
is summed over all segments, and every W is multiplied by ``exp(β (B - S)²)`` and divided by its sum.

Generous to it: S and W are float32 in memory, where the script reads S and float64 W from files.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

__all__ = ["descend", "finish_round", "target_ssm"]


class _Sign(torch.autograd.Function):
    @staticmethod
    def forward(context, values):
        context.save_for_backward(values)
        return torch.where(values >= 0, 1.0, -1.0)

    @staticmethod
    def backward(context, gradient):
        (values,) = context.saved_tensors
        return gradient * (1 - torch.tanh(values) ** 2)


def target_ssm(frames: torch.Tensor) -> torch.Tensor:
    """S of a segment, clipped to [0, 1]."""
    return torch.clamp(frames @ frames.T, 0, 1)


def descend(
    frames: Sequence[torch.Tensor],
    targets: Sequence[torch.Tensor],
    weights: Sequence[torch.Tensor],
    start: torch.Tensor,
    *,
    loss: str,
    passes: int,
    learning_rate: float,
) -> torch.Tensor:
    """Learn a projection and its bias (D + 1, 1) by one step per segment and pass; frames have a column of ones."""
    vector = start.clone().requires_grad_(True)
    adam = torch.optim.Adam([vector], lr=learning_rate, betas=(0.95, 0.98))
    for _ in range(passes):
        total = 0.0
        for rows, target, weight in zip(frames, targets, weights, strict=True):
            adam.zero_grad()
            value = torch.sum(weight * _pair_losses(_binary_ssm(rows, vector), target, loss))
            value.backward()
            adam.step()
            total += value.item()
    return vector.detach()


def finish_round(
    frames: Sequence[torch.Tensor], targets: Sequence[torch.Tensor], weights: Sequence[torch.Tensor], vector
) -> tuple[float, float, list[torch.Tensor]]:
    """Return ε, β and the next round's weights."""
    with torch.no_grad():
        losses = [
            _pair_losses(_binary_ssm(rows, vector), target, "square")
            for rows, target in zip(frames, targets, strict=True)
        ]
        epsilon = torch.stack([(w * loss).sum() for w, loss in zip(weights, losses, strict=True)]).mean()
        beta = torch.log((1 - epsilon) / epsilon)
        updated = [w * torch.exp(beta * loss) for w, loss in zip(weights, losses, strict=True)]
        return float(epsilon), float(beta), [w / (w.sum() + 1e-10) for w in updated]


def _binary_ssm(rows: torch.Tensor, vector: torch.Tensor) -> torch.Tensor:
    signs = _Sign.apply(rows @ vector)
    return (signs @ signs.T + 1) / 2


def _pair_losses(binary: torch.Tensor, target: torch.Tensor, loss: str) -> torch.Tensor:
    if loss == "square":
        return (binary - target) ** 2
    return -(binary * torch.log(target + 1e-10) + (1 - binary) * torch.log(1 - target + 1e-10))
