"""Optimisers as published: groups of parameters; AdamW, SGD, LARS; what is done to gradients before a step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import torch
from torch import Tensor, nn

from xraykit.render import InputError

from .lars import LARS

OptimizerName = Literal["adamw", "sgd", "lars"]
MOMENTUM = 0.9
DECAYED = 0
"""The group that has weight decay."""


def parameter_groups(module: nn.Module) -> list[dict[str, Any]]:
    """What has weight decay, then what has none: biases and everything with fewer than two dimensions.

    Frozen parameters are in neither. Class token and position embedding have three dimensions, so they decay.
    """
    learned = [(name, parameter) for name, parameter in module.named_parameters() if parameter.requires_grad]
    decayed = [p for name, p in learned if p.ndim > 1 and not name.endswith(".bias")]
    plain = [p for name, p in learned if p.ndim <= 1 or name.endswith(".bias")]
    return [{"params": decayed}, {"params": plain, "weight_decay": 0.0}]


def make_optimizer(
    name: OptimizerName, module: nn.Module, *, rate: float, weight_decay: float = 0.0, fused: bool = False
) -> torch.optim.Optimizer:
    """AdamW with torch's betas, or SGD or LARS with momentum 0.9.

    Args:
        name: adamw (vision transformers), sgd, lars (convolutional networks, large batches).
        module: What learns; see `parameter_groups`.
        rate: Learning rate.
        weight_decay: Of the first group; `set_weight_decay` changes it later.
        fused: One pass over all parameters; not with a gradient scaler, which a fused step would apply by itself, after
            the clipping. LARS has one way only.

    Raises:
        InputError: Another name, or nothing to learn.
    """
    groups = parameter_groups(module)
    if not any(group["params"] for group in groups):
        raise InputError("an optimiser needs parameters that learn, got a module in which all are frozen.")
    groups[DECAYED]["weight_decay"] = weight_decay
    if name == "adamw":
        return torch.optim.AdamW(groups, lr=rate, fused=fused, foreach=not fused)
    if name == "sgd":
        return torch.optim.SGD(groups, lr=rate, momentum=MOMENTUM, fused=fused, foreach=not fused)
    if name == "lars":
        return LARS(groups, lr=rate, momentum=MOMENTUM)
    raise InputError(f"the optimiser must be adamw, sgd or lars, got {name!r}.")


def set_weight_decay(optimizer: torch.optim.Optimizer, weight_decay: float) -> None:
    """Set the weight decay of the group that has one."""
    optimizer.param_groups[DECAYED]["weight_decay"] = weight_decay


@torch.no_grad()
def clip_each(parameters: Iterable[nn.Parameter], longest: float) -> Tensor:
    """Shorten each parameter's gradient g by min(1, longest / (|g| + 1e-6)); not the norm over all of them.

    Args:
        parameters: Those without gradient are passed over.
        longest: L2 norm; 0 leaves everything as it is.

    Returns:
        The norms before, (N,); on the device, so that nothing waits for them.
    """
    gradients = [p.grad for p in parameters if p.grad is not None]
    if not gradients:
        return torch.zeros(0)
    norms = torch.stack(torch._foreach_norm(gradients))  # pyright: ignore[reportPrivateImportUsage]
    if longest > 0:
        torch._foreach_mul_(gradients, list((longest / (norms + 1e-6)).clamp_(max=1).unbind()))  # pyright: ignore[reportPrivateImportUsage]
    return norms


def freeze_last_layer(module: nn.Module) -> None:
    """Drop the gradients of the head's last layer, so that this step leaves it as it is."""
    for name, parameter in module.named_parameters():
        if "last_layer" in name:
            parameter.grad = None
