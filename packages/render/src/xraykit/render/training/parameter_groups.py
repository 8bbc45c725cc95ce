"""Groups of parameters for an optimiser: which decay, and which learn at a rate of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch.nn import Parameter


def group_parameters(
    named: Iterable[tuple[str, Parameter]],
    *,
    weight_decay: float,
    decays: Callable[[str, Parameter], bool],
    part: Callable[[str, Parameter], str] = lambda name, parameter: "rest",
    rates: Mapping[str, float] | None = None,
) -> list[dict[str, Any]]:
    """Groups for an optimiser of torch; a group's "rate_scale" is its multiple of `TrainingTask.rate`.

    Args:
        named: `module.named_parameters()`.
        weight_decay: Of what decays.
        decays: Whether a parameter does.
        part: Which part of the network a parameter belongs to.
        rates: Multiple of the learning rate of each part; 1 for those that are not named.

    Returns:
        One group for each part and decay, in the order in which they come; parameters without a gradient are left out.
    """
    groups: dict[tuple[str, bool], list[Parameter]] = {}
    for name, parameter in named:
        if parameter.requires_grad:
            groups.setdefault((part(name, parameter), decays(name, parameter)), []).append(parameter)
    scales = rates or {}
    return [
        {"params": members, "weight_decay": weight_decay if decay else 0.0, "rate_scale": scales.get(of, 1.0)}
        for (of, decay), members in groups.items()
    ]
