"""A module by its name in the config."""

from __future__ import annotations

from torch import Tensor, nn

from ..matcher_config import MatcherConfig
from .authors import AuthorsModule
from .loftr import LoftrModule
from .standard import StandardEncoder
from .superglue import SuperGlueModule


class NoAttention(nn.Module):
    """Row "none": tokens stay as the trunk and the projection made them."""

    def forward(
        self, tokens: Tensor, grid: int, *, order: Tensor | None = None, present: Tensor | None = None
    ) -> Tensor:
        """The tokens themselves."""
        return tokens


def new_module(config: MatcherConfig) -> nn.Module:
    """The config's module with random weights, called as `module(tokens, grid, order=, present=)`."""
    size = (config.dimension, config.layers, config.heads)
    if config.module == "standard":
        return StandardEncoder(*size, config.views)
    if config.module == "superglue":
        return SuperGlueModule(*size)
    if config.module in ("loftr", "standard_mp"):
        return LoftrModule(*size, linear=config.module == "loftr")
    return AuthorsModule(*size) if config.module == "authors" else NoAttention()
