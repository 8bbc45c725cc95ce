"""Row "superglue": the attentional graph network of SuperGlue, on patches instead of keypoints."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..rotary import patch_centres
from .message_layers import MessageLayer, MessageLayers

_POSITIONS = (32, 64, 128)
_FIELD = 1.4  # coordinates are divided by 0.7 of the image's side, which is 2 in ours


class TokenNorm(nn.BatchNorm1d):
    """Batch normalisation of tokens (N, L, D) over batch, views and patches."""

    def forward(self, input: Tensor) -> Tensor:
        """The same shape."""
        return super().forward(input.flatten(0, -2)).view_as(input)


class SuperGlueLayer(MessageLayer):
    """x + MLP([x, message]) with 2 D inner channels, batch normalisation and ReLU: 10 D^2 weights.

    Source: Sarlin et al., "SuperGlue", equations 3 to 6.
    """

    def __init__(self, dimension: int, heads: int) -> None:
        super().__init__(dimension, heads)
        self.merge = nn.Linear(dimension, dimension)
        last = nn.Linear(2 * dimension, dimension)
        nn.init.zeros_(last.bias)
        self.mlp = nn.Sequential(nn.Linear(2 * dimension, 2 * dimension), TokenNorm(2 * dimension), nn.ReLU(), last)

    def forward(self, x: Tensor, source: Tensor, angles: Tensor | None, keys: Tensor | None) -> Tensor:
        """See `MessageLayers`; has no rotary code."""
        message = self.merge(self.message(x, source, None, keys))
        return x + self.mlp(torch.cat([x, message], -1))


class SuperGlueModule(MessageLayers):
    """A small network of the patch's place added to each token, then SuperGlueLayers; keypoint scores there are none.

    Args:
        dimension: D.
        layers: How many, half of them cross; the publication has 18.
        heads: H; the publication has 4.
    """

    def __init__(self, dimension: int, layers: int, heads: int) -> None:
        super().__init__([SuperGlueLayer(dimension, heads) for _ in range(layers)])
        steps: list[nn.Module] = []
        for inputs, outputs in zip((2, *_POSITIONS), _POSITIONS, strict=False):
            steps += [nn.Linear(inputs, outputs), TokenNorm(outputs), nn.ReLU()]
        last = nn.Linear(_POSITIONS[-1], dimension)
        nn.init.zeros_(last.bias)
        self.places = nn.Sequential(*steps, last)

    def forward(
        self, tokens: Tensor, grid: int, *, order: Tensor | None = None, present: Tensor | None = None
    ) -> Tensor:
        """Tokens (B, V, L, D) that have seen all others; it knows no order of views."""
        centres = patch_centres(grid, device=tokens.device).to(self.places[0].weight.dtype)  # type: ignore[arg-type]
        return self.pass_messages(tokens + self.places(centres / _FIELD).to(tokens.dtype), present)
