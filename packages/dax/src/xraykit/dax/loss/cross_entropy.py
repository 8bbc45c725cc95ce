"""Cross-entropy of logits and soft targets that never holds a table of log-probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def soft_cross_entropy(
    logits: Sequence[Tensor], targets: Sequence[Tensor], weights: Sequence[Tensor], *, temperature: float
) -> Tensor:
    r"""The weighted sum of cross-entropies between targets and softmax(logits / temperature).

        loss = sum_r w_r (m_r lse(s_r) - q_r s_r),    s = logits / temperature,    m_r = sum_k q_rk

    A target is a sum of probabilities, not an average, so that several teachers cost one pass.

    Args:
        logits: Blocks (R, K); of any floating type.
        targets: For each block one of its shape, >= 0; blocks may share one. It gets no gradient.
        weights: For each block (R,).
        temperature: Above 0.

    Returns:
        A scalar, in float32 for half precision.

    Gradients: to the logits alone, w (m softmax(s) - q) / temperature, computed with the loss; first derivatives only.
    """
    return _SoftCrossEntropy.apply(temperature, list(targets), list(weights), *logits)  # pyright: ignore[reportReturnType]


class _SoftCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, temperature: float, targets: list[Tensor], weights: list[Tensor], *logits: Tensor) -> Tensor:
        total, gradients = [], []
        for block, target, weight in zip(logits, targets, weights, strict=True):
            full = torch.promote_types(block.dtype, torch.float32)
            target, weight = target.to(full), weight.to(full)
            mass = target.sum(-1)
            scaled = block.to(full) * (1 / temperature)
            dots = torch.bmm(target[:, None], scaled[:, :, None])[:, 0, 0]
            p = torch.softmax(scaled, dim=-1)
            # The largest probability gives the log-sum-exp without another pass of exponentials.
            lse = scaled.amax(-1) - p.amax(-1).log()
            total.append((weight * (mass * lse - dots)).sum())
            ratio = (weight / temperature)[:, None]
            p.mul_(mass[:, None] * ratio).addcmul_(target, ratio, value=-1)
            gradients.append(p.to(block.dtype))
        ctx.save_for_backward(*gradients)
        return torch.stack(total).sum()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad: Tensor) -> tuple[Any, ...]:
        scale = grad[0]
        return None, None, None, *(gradient * scale.to(gradient.dtype) for gradient in ctx.saved_tensors)
