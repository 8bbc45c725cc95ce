"""LARS: momentum with a rate of its own for each layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import (
    Tensor,
    _foreach_add,  # pyright: ignore[reportPrivateImportUsage]
    _foreach_add_,  # pyright: ignore[reportPrivateImportUsage]
    _foreach_mul_,  # pyright: ignore[reportPrivateImportUsage]
    _foreach_norm,  # pyright: ignore[reportPrivateImportUsage]
)


class LARS(torch.optim.Optimizer):
    r"""Layer-wise adaptive rate scaling, without Nesterov momentum.

        d = r (g + weight_decay w),    r = eta |w| / |g + weight_decay w|    (1 where a norm is 0)
        mu <- momentum mu + d,    w <- w - lr mu

    Parameters of one dimension (biases, norms) take d = g: neither decay nor ratio.

    Args:
        params: Parameters or groups, as for any optimiser of torch.
        lr: Learning rate.
        weight_decay: 0 for none.
        momentum: 0 to 1.
        eta: Trust: how long a step is, relative to the weights, at lr 1.

    Source: You et al., Large batch training of convolutional networks, 2017; as in DINO's code.
    """

    def __init__(
        self, params: Any, lr: float, *, weight_decay: float = 0.0, momentum: float = 0.9, eta: float = 0.001
    ) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum, "eta": eta})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """One step; all layers of a group at once, and nothing waits for a norm."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            learned = [p for p in group["params"] if p.grad is not None]
            layers, plain = [p for p in learned if p.ndim != 1], [p for p in learned if p.ndim == 1]
            moves = _layer_moves(layers, group["weight_decay"], group["eta"]) + [p.grad for p in plain]
            if not moves:
                continue
            weights = layers + plain
            averages = [self._average(p) for p in weights]
            _foreach_mul_(averages, group["momentum"])
            _foreach_add_(averages, moves)
            _foreach_add_(weights, averages, alpha=-group["lr"])
        return loss

    def _average(self, parameter: Tensor) -> Tensor:
        state = self.state[parameter]
        if "mu" not in state:
            state["mu"] = torch.zeros_like(parameter)
        return state["mu"]


def _layer_moves(layers: list[Tensor], weight_decay: float, eta: float) -> list[Tensor]:
    if not layers:
        return []
    gradients = [p.grad for p in layers if p.grad is not None]
    moves = list(_foreach_add(gradients, layers, alpha=weight_decay))
    weights, lengths = (torch.stack(_foreach_norm(each)) for each in (layers, moves))
    ratios = torch.where((weights > 0) & (lengths > 0), eta * weights / lengths, 1.0)
    _foreach_mul_(moves, list(ratios.unbind()))
    return moves
