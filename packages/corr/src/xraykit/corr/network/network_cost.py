"""What a matcher costs: its weights and its arithmetic, for the rows of a report."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from .matcher import MatchNetwork
from .matcher_config import MatcherConfig


@dataclass(frozen=True)
class MatcherCost:
    """Numbers of weights, and floating-point operations of one set of views."""

    weights: int
    """Of the whole matcher"""
    trunk_weights: int
    """Of the trunk alone"""
    layer_weights: int
    """Of one layer of the module, 0 without layers"""
    flops: int
    """Forward, for one set of views; a multiplication with an addition counts as two"""


def matcher_cost(config: MatcherConfig, *, views: int = 2, size: int | None = None) -> MatcherCost:
    """The cost of a matcher, counted without memory for weights and without computing.

    Counts are those of convolutions and matrix products; normalisations and pointwise functions are left out.

    Args:
        config: Of the matcher.
        views: V.
        size: Edge of the images [px]; None is the config's.

    Raises:
        InputError: No such trunk, or a size that is no multiple of the stride.
    """
    from torch.utils.flop_counter import FlopCounterMode  # loads triton where there is one

    size = config.image_size if size is None else size
    with torch.device("meta"), torch.random.fork_rng(devices=[]):
        network = MatchNetwork(config).eval()
        images = torch.empty(1, views, 1, size, size)
        counter = FlopCounterMode(display=False)
        with torch.no_grad(), counter:
            network(images)
    layers = list(getattr(network.module, "layers", ()))
    return MatcherCost(
        weights=_count(network),
        trunk_weights=_count(network.patches.trunk),
        layer_weights=_count(layers[0]) if layers else 0,
        flops=int(counter.get_total_flops()),
    )


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
