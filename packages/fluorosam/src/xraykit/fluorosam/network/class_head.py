"""A light head that reads classes off an image embedding, for pre-training."""

from __future__ import annotations

import math

from torch import Tensor, nn
from torch.nn import functional as F

from xraykit.render import InputError


class ClassHead(nn.Module):
    """One 1 x 1 convolution, whose outputs are spread over the cells: logits of K classes.

    Args:
        dimension: C of the image embedding.
        classes: K.
        detail: Cells of the answer along the edge of a cell of the embedding.

    Raises:
        InputError: A number below 1.
    """

    def __init__(self, dimension: int, classes: int, *, detail: int = 2) -> None:
        super().__init__()
        if min(dimension, classes, detail) < 1:
            raise InputError(f"a head needs numbers from 1, got {dimension=}, {classes=} and {detail=}.")
        self.detail = detail
        self.output = nn.Conv2d(dimension, classes * detail**2, 1)
        nn.init.normal_(self.output.weight, std=0.01)
        if self.output.bias is not None:
            nn.init.constant_(self.output.bias, -math.log(99.0))  # a class covers a hundredth, as most do

    def forward(self, embedding: Tensor) -> Tensor:
        """(B, K, N, N) with N = detail G, of (B, C, G, G)."""
        return F.pixel_shuffle(self.output(embedding), self.detail)
