"""The DINO head: from a backbone's pooled features to logits over prototypes."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from xraykit.render import InputError

HIDDEN, BOTTLENECK, PROTOTYPES = 2048, 256, 65536


class DinoHead(nn.Module):
    r"""A multi-layer perceptron, a projection on the unit sphere, and one linear layer without bias.

        logits = W x,    x = mlp(features) / |mlp(features)|

    The rows of W have the length `original0`, which is 1 and stays so with `norm_last_layer`: then the logits are
    cosines. State names are those of the published checkpoints; the older `last_layer.weight_g` and `weight_v` load as
    well.

    Args:
        in_dim: Features D of the backbone.
        out_dim: Prototypes K.
        hidden: Width of the hidden layers.
        bottleneck: Dimension of the sphere's space.
        layers: Linear layers of the perceptron, at least 1.
        batch_norm: Batch norm after each hidden layer.
        norm_last_layer: Keep the length of the rows of W at 1; steadier, and a little worse where the other holds.
        flat: W is a plain layer, `last_layer.weight`, as in the published ImageNet head of ResNet-50
            (layers=2, hidden=4096, out_dim=60000).

    Raises:
        InputError: A size or number of layers below 1.

    Source: Caron et al., Emerging properties in self-supervised vision transformers, 2021, section 3.1.
    """

    def __init__(
        self,
        in_dim: int,
        out_dim: int = PROTOTYPES,
        *,
        hidden: int = HIDDEN,
        bottleneck: int = BOTTLENECK,
        layers: int = 3,
        batch_norm: bool = False,
        norm_last_layer: bool = True,
        flat: bool = False,
    ) -> None:
        super().__init__()
        sizes = {"in_dim": in_dim, "out_dim": out_dim, "hidden": hidden, "bottleneck": bottleneck, "layers": layers}
        for name, size in sizes.items():
            if size < 1:
                raise InputError(f"{name} of a head must be at least 1, got {size}.")
        self.mlp = _perceptron([in_dim, *[hidden] * (layers - 1), bottleneck], batch_norm=batch_norm)
        self.last_layer: nn.Module = nn.Linear(bottleneck, out_dim, bias=False)
        if not flat:
            self.last_layer = weight_norm(self.last_layer)
            length = self.last_layer.get_parameter("parametrizations.weight.original0")
            nn.init.ones_(length)
            length.requires_grad_(not norm_last_layer)

    def forward(self, features: Tensor) -> Tensor:
        """Features (N, in_dim) to logits (N, out_dim)."""
        inner = self.mlp(features)
        # Half precision squares to nothing below 2e-4, so lengths are taken in float32.
        full = torch.promote_types(inner.dtype, torch.float32)
        return self.last_layer(nn.functional.normalize(inner.to(full), dim=-1).to(inner.dtype))


def _perceptron(sizes: list[int], *, batch_norm: bool) -> nn.Module:
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes[:-1]):
        layers += [_linear(inputs, outputs), *([nn.BatchNorm1d(outputs)] if batch_norm else []), nn.GELU()]
    last = _linear(sizes[-2], sizes[-1])
    return nn.Sequential(*layers, last) if layers else last


def _linear(inputs: int, outputs: int) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    nn.init.trunc_normal_(layer.weight, std=0.02)
    nn.init.zeros_(layer.bias)
    return layer
