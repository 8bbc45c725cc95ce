"""A sparse deformable DETR for screws, on the frozen maps of any backbone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from .attention import attention_map
from .decoder import ScrewDecoder, ScrewQueries
from .encoder import SparseEncoder
from .pyramid import FeaturePyramid, sine_embedding, token_centres
from .settings import DetectorSettings


class DetectorOutput(NamedTuple):
    """What a detector says of B images.

    Args:
        layers: Queries after each decoder layer; the last is the answer.
        proposals: What every token proposes.
        token_scores: Logits by which tokens were kept, (B, S).
        attended: How much the decoder attended to each token, (B, S), without gradient.
    """

    layers: tuple[ScrewQueries, ...]
    proposals: ScrewQueries
    token_scores: Tensor
    attended: Tensor


class ScrewDetector(nn.Module):
    """Head and tip of each screw from a backbone's feature maps.

    Args:
        channels: Of each map.
        strides: Of each map [px], powers of two; several may be equal.
        size: Height and width of the images [px].
        settings: Its shape.

    Raises:
        InputError: Channels and strides do not belong together.

    Source: Roh et al., Sparse DETR: Efficient end-to-end object detection with learnable sparsity, 2022.
    """

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        size: tuple[int, int],
        settings: DetectorSettings | None = None,
    ) -> None:
        super().__init__()
        settings = settings or DetectorSettings()
        self.settings, self.size, width = settings, size, settings.width
        self.pyramid = FeaturePyramid(channels, strides, width=width, wanted=settings.strides)
        self.level = nn.Parameter(torch.randn(len(settings.strides), width) * 0.02)
        self.encoder = SparseEncoder(settings)
        self.decoder = ScrewDecoder(settings)

    def forward(self, maps: Sequence[Tensor]) -> DetectorOutput:
        """What it says of maps (B, C, h, w) of B images, in the order of `channels`."""
        levels = self.pyramid(maps)
        sizes = [(one.shape[2], one.shape[3]) for one in levels]
        tokens = torch.cat([one.flatten(2).mT for one in levels], 1)
        centres = token_centres(sizes, tokens.device).to(tokens)
        level = torch.cat([row.expand(h * w, -1) for row, (h, w) in zip(self.level, sizes, strict=True)])
        positions = sine_embedding(centres, self.settings.width) + level
        memory, scores = self.encoder(tokens, positions, centres, sizes)
        proposals, found, looked = self.decoder(memory, centres, sizes)
        with torch.no_grad():
            attended = torch.stack([attention_map(places, sizes) for places in looked]).sum(0)
        return DetectorOutput(tuple(found), proposals, scores, attended)
