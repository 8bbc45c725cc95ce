"""Whether an image shows what words ask for: the words look over the image's cells, and say so or not."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

KEYS = 64


class PresenceHead(nn.Module):
    r"""One query of the words to the cells of an image, then three linear layers on what it met and the words.

        a = softmax(q(t) . k(c) / 8),  p(visible) = sigmoid(MLP(norm(sum_i a_i c_i), t)),  with t, c normalised

    The intersection over union that a decoder expects says how well it can draw a thing, which is little for a small
    thing that is plainly there, and much for a large shape that is another's.

    Args:
        dimension: C, of the image embedding.
        features: D, of texts.
        width: Hidden units.
    """

    def __init__(self, dimension: int, features: int, width: int) -> None:
        super().__init__()
        self.cell_norm, self.text_norm = nn.LayerNorm(dimension), nn.LayerNorm(features)
        self.query, self.key = nn.Linear(features, KEYS), nn.Linear(dimension, KEYS)
        self.met_norm = nn.LayerNorm(dimension)
        self.layers = nn.ModuleList([nn.Linear(dimension + features, width), nn.Linear(width, width)])
        self.output = nn.Linear(width, 1)

    def forward(self, embedding: Tensor, text: Tensor) -> Tensor:
        """Logits (B, P) of images (B, C, G, G) and P texts for each, (B, P, D)."""
        cells = self.cell_norm(embedding.flatten(2).transpose(1, 2))
        words = self.text_norm(text.to(cells.dtype))
        looks = (self.query(words) @ self.key(cells).mT / KEYS**0.5).softmax(-1)
        x = torch.cat([self.met_norm(looks @ cells), words], -1)
        for layer in self.layers:
            x = F.relu(layer(x))
        return self.output(x)[..., 0]  # type: ignore[no-any-return]
