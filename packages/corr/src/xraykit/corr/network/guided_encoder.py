"""The standard encoder whose attention is guided by correspondences between the views."""

from __future__ import annotations

from itertools import combinations

import torch
from torch import Tensor, nn

from xraykit.render import InputError

from .modules.standard import StandardEncoder


class GuidedEncoder(StandardEncoder):
    """softmax(Q K' / sqrt(d) + alpha_l B(C)) V in layer l, alpha_l learned, 1 at first.

    Its other weights have the names of StandardEncoder's. With alpha = 0 it says the same.

    Args:
        dimension: D.
        layers: How many.
        heads: H.
        views: View embeddings.
        per_head: An alpha for each head, else one for all.
        centred: Subtract from each row of a block its mean: guidance then moves attention within a view, not to it.

    Source: "Self-Supervised Multiview Xray Matching" (MICCAI 2025), section 2.4.
    """

    def __init__(
        self, dimension: int, layers: int, heads: int, views: int, *, per_head: bool = False, centred: bool = False
    ) -> None:
        super().__init__(dimension, layers, heads, views)
        self.centred = centred
        self.alpha = nn.Parameter(torch.ones(layers, heads if per_head else 1))

    def forward(
        self,
        tokens: Tensor,
        grid: int,
        *,
        order: Tensor | None = None,
        present: Tensor | None = None,
        correspondences: Tensor | None = None,
    ) -> Tensor:
        """Tokens (B, V, L, D) that have seen all others; correspondences (B, P, L, L) as `guidance` takes them."""
        x, angles, bias = self.join(tokens, grid, order=order, present=present)
        for layer, guided in zip(self.layers, self.biases(tokens, bias, correspondences), strict=True):
            x = layer(x, angles, guided)
        return x.unflatten(1, tokens.shape[1:3])

    def biases(self, tokens: Tensor, bias: Tensor | None, correspondences: Tensor | None) -> list[Tensor | None]:
        """The bias of each layer, broadcastable to (B, H, V L, V L).

        Raises:
            InputError: Correspondences of another shape than the tokens (B, V, L, D) ask for.
        """
        if correspondences is None:
            return [bias] * len(self.layers)
        batch, views, count, _ = tokens.shape
        expected = (batch, views * (views - 1) // 2, count, count)
        if tuple(correspondences.shape) != expected:
            raise InputError(
                f"correspondences must be {expected} for {views} views of {count} patches, got "
                f"{tuple(correspondences.shape)}; make them with the grid of the images."
            )
        blocks = guidance(correspondences, views, centred=self.centred)[:, None]
        return [alpha[:, None, None] * blocks + (0 if bias is None else bias) for alpha in self.alpha]


def guidance(correspondences: Tensor, views: int, *, centred: bool = False) -> Tensor:
    """B(C): zero on the diagonal blocks, C_ab in block (a, b) and its transpose in block (b, a).

    Args:
        correspondences: (B, P, L, L), pairs in the order of combinations(range(views), 2).
        views: V.
        centred: Subtract from each row of a block its mean.

    Returns:
        (B, V L, V L), float32.

    Gradients: with respect to `correspondences`.
    """
    batch, _, count, _ = correspondences.shape
    zero = correspondences.new_zeros(batch, count, count, dtype=torch.float32)
    blocks = [[zero] * views for _ in range(views)]
    for number, (a, b) in enumerate(combinations(range(views), 2)):
        block = correspondences[:, number].float()
        blocks[a][b], blocks[b][a] = block, block.mT
        if centred:
            blocks[a][b], blocks[b][a] = (each - each.mean(-1, keepdim=True) for each in (block, block.mT))
    return torch.cat([torch.cat(row, -1) for row in blocks], -2)
