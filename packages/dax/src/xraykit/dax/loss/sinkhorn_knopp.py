"""Sinkhorn-Knopp: teacher probabilities in which all prototypes are used alike; DINOv2's place of the centre."""

from __future__ import annotations

import torch
from torch import Tensor, distributed

from xraykit.render import InputError

from .ranks import count_ranks, sum_over_ranks


@torch.no_grad()
def sinkhorn(logits: Tensor, temperature: float, iterations: int = 3) -> Tensor:
    r"""Scale exp(logits / temperature) in turn so that each prototype gets as much as any other and each row sums to 1.

        log q = logits / temperature - u_k - v_n,    u_k = ln sum_n exp(log q + u_k),    v_n = ln sum_k exp(log q + v_n)

    In logarithms, so that sharp temperatures neither overflow nor leave a row empty.

    Args:
        logits: (N, K) of the teacher, the rows of this rank; the sums over n go over all ranks.
        temperature: Above 0.
        iterations: At least 1.

    Returns:
        (N, K) in float32 or better; rows sum to 1, columns nearly to N / K.

    Raises:
        InputError: Another shape, no iteration, or a temperature that is not above 0.

    Source: Cuturi, Sinkhorn distances, 2013; Caron et al., SwAV, 2020; Oquab et al., DINOv2, 2023.
    """
    if logits.ndim != 2 or iterations < 1 or not temperature > 0:
        raise InputError(
            "Sinkhorn-Knopp needs logits (rows, prototypes), at least 1 iteration and a temperature above 0, got "
            f"{tuple(logits.shape)}, {iterations} and {temperature}."
        )
    scaled = logits.to(torch.promote_types(logits.dtype, torch.float32)) / temperature
    rows = scaled.new_zeros(len(scaled), 1)
    columns = rows
    for _ in range(iterations):
        columns = _log_sum_over_rows(scaled - rows)
        rows = torch.logsumexp(scaled - columns, dim=1, keepdim=True)
    return torch.exp(scaled - columns - rows)


def _log_sum_over_rows(values: Tensor) -> Tensor:
    """Log-sum-exp (1, K) over the rows of all ranks."""
    if count_ranks() == 1:
        return torch.logsumexp(values, dim=0, keepdim=True)
    largest = values.amax(0, keepdim=True)
    distributed.all_reduce(largest, op=distributed.ReduceOp.MAX)
    return largest + sum_over_ranks((values - largest).exp_().sum(0, keepdim=True)).log_()
