"""Cross-entropy of logits and soft targets in one pass that never holds a table of log-probabilities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
    wanted = logits.requires_grad and torch.is_grad_enabled()
    return _SoftCrossEntropy.apply(logits, targets, weight, temperature, wanted)  # pyright: ignore[reportReturnType]


def softmax_parts(
    logits: Tensor, temperature: float, dtype: torch.dtype
) -> Iterator[tuple[slice, Tensor, Tensor, Tensor]]:
    """Some rows at a time of logits (R, K): which, logits / temperature, their softmax, and log-sum-exp (rows, 1).

    The tables are used again for the next rows, and may be written to. A GPU gets all rows at once.
    """
    count, width = logits.shape
    rows = max(1, CACHED // width) if logits.device.type == "cpu" else max(1, count)
    tables = torch.empty(2, min(rows, count), width, dtype=dtype, device=logits.device)
    for begin in range(0, count, rows):
        part = slice(begin, min(begin + rows, count))
        scaled, p = tables[:, : part.stop - begin]
        torch.mul(logits[part].to(dtype), 1 / temperature, out=scaled)
        torch.softmax(scaled, dim=-1, out=p)
        # The largest probability is 1 / sum exp(s - max s), so nothing is exponentiated again.
        yield part, scaled, p, scaled.amax(-1, keepdim=True) - p.amax(-1, keepdim=True).log_()


class _SoftCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, logits: Tensor, targets: Sequence[Tensor], weight: Tensor, temperature: float, wanted: bool
    ) -> Tensor:
        full = torch.promote_types(logits.dtype, torch.float32)
        gradient = torch.empty(logits.shape if wanted else (0,), dtype=full, device=logits.device)
        scale = (weight.to(full) / temperature)[:, None]
        known = {id(target): target for target in targets}
        pulls = {name: target.to(full) * -scale for name, target in known.items()}
        pushes = {name: target.sum(-1, keepdim=True, dtype=full) * scale for name, target in known.items()}
        total = scale.new_zeros(())
        for number, (view, target) in enumerate(zip(logits, targets, strict=True)):
            pull, push = pulls[id(target)], pushes[id(target)]
            for part, scaled, p, lse in softmax_parts(view, temperature, full):
                if wanted:
                    torch.addcmul(pull[part], p, push[part], out=gradient[number, part])
                total += (push[part] * lse).sum() + scaled.mul_(pull[part]).sum()
        ctx.save_for_backward(gradient)
        ctx.dtype = logits.dtype
        return total.mul_(temperature)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad: Tensor) -> tuple[Any, ...]:
        # Half precision is taken on at the end: unscaled, these numbers would vanish in it.
        same = grad[0].device.type == "cpu" and float(grad[0]) == 1  # to look costs nothing there
        (gradient,) = ctx.saved_tensors
        return (gradient if same else gradient * grad[0]).to(ctx.dtype), None, None, None, None
