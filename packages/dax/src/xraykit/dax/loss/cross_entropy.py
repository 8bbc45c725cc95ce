"""Cross-entropy of logits and soft targets in one pass that never holds a table of log-probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

CACHED = 1 << 18
"""Numbers that are worked on at once on a CPU, so that they stay in its cache."""


def soft_cross_entropy(logits: Tensor, targets: Sequence[Tensor], weight: Tensor, *, temperature: float) -> Tensor:
    r"""The weighted sum of cross-entropies between targets and softmax(logits / temperature).

        loss = sum_vr w_r (m_vr lse(s_vr) - q_vr s_vr),    s = logits / temperature,    m_vr = sum_k q_vrk

    A target is a sum of probabilities, not an average, so that several teachers cost one pass.

    Args:
        logits: Of V views and R rows, (V, R, K); of any floating type.
        targets: V of (R, K), >= 0, some may be the same tensor. They get no gradient.
        weight: Of each row, (R,).
        temperature: Above 0.

    Returns:
        A scalar, in float32 for half precision.

    Gradients: to the logits alone, w (m softmax(s) - q) / temperature; first derivatives only. They are made together
    with the loss, from numbers that are in the cache then.
    """
    return _SoftCrossEntropy.apply(logits, targets, weight, temperature)  # pyright: ignore[reportReturnType]


class _SoftCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, targets: Sequence[Tensor], weight: Tensor, temperature: float) -> Tensor:
        full = torch.promote_types(logits.dtype, torch.float32)
        targets, weight = _same_if_same(targets, full), weight.to(full)
        masses = {id(target): target.sum(-1) for target in targets}
        wanted = ctx.needs_input_grad[0]
        gradient = torch.empty(logits.shape if wanted else (0,), dtype=full, device=logits.device)
        total = weight.new_zeros(())
        for number, (view, target) in enumerate(zip(logits, targets, strict=True)):
            mass = masses[id(target)]
            lse, dots = _pass(view, target, mass, weight, temperature, gradient[number] if wanted else None)
            total += torch.sum(weight * (mass * lse - dots))
        ctx.gradient, ctx.dtype = gradient, logits.dtype
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad: Tensor) -> tuple[Any, ...]:
        # Half precision is taken on at the end: unscaled, these numbers would vanish in it.
        same = grad[0].device.type == "cpu" and float(grad[0]) == 1  # to look costs nothing there
        gradient = ctx.gradient if same else ctx.gradient * grad[0]
        return gradient.to(ctx.dtype), None, None, None


def _same_if_same(targets: Sequence[Tensor], dtype: torch.dtype) -> list[Tensor]:
    known = {id(target): target for target in targets}
    known = {name: target.to(dtype) for name, target in known.items()}
    return [known[id(target)] for target in targets]


def _pass(
    logits: Tensor, target: Tensor, mass: Tensor, weight: Tensor, temperature: float, gradient: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Log-sum-exp of logits / temperature and its product with the target, (R,) each; the gradient is filled in."""
    count, width = logits.shape
    lse, dots = target.new_empty(count), target.new_empty(count)
    low = (weight / temperature)[:, None]
    high = mass[:, None] * low
    rows = max(1, CACHED // width) if logits.device.type == "cpu" else max(1, count)
    spare, p = target.new_empty(2, min(rows, count), width)
    for begin in range(0, count, rows):
        part = slice(begin, min(begin + rows, count))
        scaled, p = spare[: part.stop - begin], p[: part.stop - begin]
        torch.mul(logits[part], 1 / temperature, out=scaled)
        torch.softmax(scaled, dim=-1, out=p)
        # The largest probability is 1 / sum exp(s - max s), so nothing is exponentiated again.
        torch.sub(scaled.amax(-1), p.amax(-1).log_(), out=lse[part])
        torch.sum(scaled.mul_(target[part]), dim=-1, out=dots[part])
        if gradient is not None:
            torch.addcmul(p.mul_(high[part]), target[part], low[part], value=-1, out=gradient[part])
    return lse, dots
