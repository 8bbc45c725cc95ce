"""Sums over the processes of a training."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, distributed


def count_ranks() -> int:
    """Processes that train together; 1 outside a distributed training."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def rank_number() -> int:
    """This process among them, from 0."""
    return distributed.get_rank() if count_ranks() > 1 else 0


def sum_over_ranks(values: Tensor) -> Tensor:
    """The sum over all processes, the same on each; the values themselves if there is one.

    Gradients: the derivative of a loss that is the sum of all ranks' losses.
    """
    return _Sum.apply(values) if count_ranks() > 1 else values  # pyright: ignore[reportReturnType]


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        values = values.contiguous().clone()
        distributed.all_reduce(values)
        return values

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> Tensor:
        return _Sum.apply(grad[0])  # pyright: ignore[reportReturnType]
