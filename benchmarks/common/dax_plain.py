"""The published training step, written again plainly in its own order of operations: what ours is measured against.

Three equal channels, attention that is materialised in every block, a log-softmax and three logged quantities for every
pair of views, a loop over parameters with a read of each norm, and a loop for the teacher. Facts: DAX (Scheuplein et
al., MICCAI 2025) and DINO (Caron et al., ICCV 2021); every line is our own.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LEAST = 1e-10


class PlainAttention(nn.Module):
    """Scaled dot products with the whole matrix in memory."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.inner: Any = network

    def forward(self, x: Tensor, **_: object) -> Tensor:
        inner = self.inner
        batch, count, width = x.shape
        qkv = inner.qkv(x).reshape(batch, count, 3, inner.num_heads, width // inner.num_heads).permute(2, 0, 3, 1, 4)
        weights = (qkv[0] @ qkv[1].transpose(-2, -1)) * inner.scale
        weights = weights.softmax(dim=-1)
        return inner.proj((weights @ qkv[2]).transpose(1, 2).reshape(batch, count, width))


def materialise_attention(network: Any) -> nn.Module:
    """timm's vision transformer with plain attention in every block; its parameters stay the same objects."""
    for block in network.blocks:
        block.attn = PlainAttention(block.attn)
    return network


class PlainBranch(nn.Module):
    """Backbone and head: one pass of the backbone for each resolution, one of the head for all views."""

    def __init__(self, backbone: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.backbone, self.head = backbone, head

    def forward(self, crops: list[Tensor]) -> Tensor:
        sizes = torch.tensor([crop.shape[-1] for crop in crops])
        ends = torch.cumsum(torch.unique_consecutive(sizes, return_counts=True)[1], 0)
        begin, output = 0, torch.empty(0)
        for end in ends:
            output = torch.cat((output, self.backbone(torch.cat(crops[begin:end]))))
            begin = end
        return self.head(output)


class PlainLoss(nn.Module):
    """Cross-entropy pair by pair, with entropies and divergence of each pair, and the centre."""

    center: Tensor

    def __init__(self, outputs: int, views: int) -> None:
        super().__init__()
        self.views = views
        self.register_buffer("center", torch.zeros(1, outputs))

    def forward(self, student: Tensor, teacher: Tensor, temperature: float) -> tuple[Tensor, list[Tensor]]:
        told = (student / 0.1).chunk(self.views)
        taught = F.softmax((teacher - self.center) / temperature, dim=-1).detach().chunk(2)
        total, logged, pairs = torch.zeros(()), [torch.zeros(()) for _ in range(3)], 0
        for i, q in enumerate(taught):
            for j, view in enumerate(told):
                if i == j:
                    continue
                total = total + torch.sum(-q * F.log_softmax(view, dim=-1), dim=-1).mean()
                p = F.softmax(view, dim=-1).clamp(min=LEAST)
                bounded = q.clamp(min=LEAST)
                logged[0] = logged[0] - torch.sum(p * torch.log(p), dim=-1).mean()
                logged[1] = logged[1] - torch.sum(bounded * torch.log(bounded), dim=-1).mean()
                logged[2] = logged[2] + torch.sum(bounded * (torch.log(bounded) - torch.log(p)), dim=-1).mean()
                pairs += 1
        batch_center = torch.sum(teacher, dim=0, keepdim=True) / len(teacher)
        self.center.copy_(self.center * 0.9 + batch_center * 0.1)
        return total / pairs, [value / pairs for value in logged]


def plain_step(
    student: PlainBranch,
    teacher: PlainBranch,
    loss: PlainLoss,
    optimizer: torch.optim.Optimizer,
    crops: list[Tensor],
    *,
    temperature: float,
    clip: float,
    momentum: float,
) -> float:
    """One step; the value of its loss."""
    crops = [torch.cat([crop, crop, crop], dim=1) for crop in crops]
    with torch.no_grad():
        taught = teacher(crops[:2])
    value, logged = loss(student(crops), taught, temperature)
    number = value.item()
    _ = [each.item() for each in logged]
    optimizer.zero_grad()
    value.backward()
    for parameter in student.parameters():
        if parameter.grad is not None:
            shorter = clip / (parameter.grad.data.norm(2).item() + 1e-6)
            if shorter < 1:
                parameter.grad.data.mul_(shorter)
    optimizer.step()
    with torch.no_grad():
        for own, of_teacher in zip(student.parameters(), teacher.parameters(), strict=True):
            of_teacher.data.mul_(momentum).add_((1 - momentum) * own.detach().data)
    return number
