"""Backbone and head as one network that answers many crops: student and teacher are two of these."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..network.backbone import Backbone
from ..network.dino_head import DinoHead


class BranchAnswer(NamedTuple):
    """What a branch says of V crops of B images.

    Args:
        logits: (V B, K), crop by crop.
        pooled: V tensors (B, D), before the head.
        patches: Logits of the patches that were asked for, (M, K), or None.
    """

    logits: Tensor
    pooled: tuple[Tensor, ...]
    patches: Tensor | None


class Branch(nn.Module):
    """Backbone, head and, for masked patches, the token that stands for one.

    Args:
        backbone: Of any kind.
        head: Takes its pooled features, and its patch tokens.
        masked_patches: Whether patches will be masked; adds the parameter `mask_token` (1, 1, D).
    """

    def __init__(self, backbone: Backbone, head: DinoHead, *, masked_patches: bool = False) -> None:
        super().__init__()
        self.backbone, self.head = backbone, head
        self.mask_token = nn.Parameter(torch.zeros(1, 1, backbone.dimension)) if masked_patches else None

    def forward(
        self, crops: Sequence[Tensor], *, masked: Tensor | None = None, patches_of: Tensor | None = None
    ) -> BranchAnswer:
        """Answers in the order of the crops; those of one size that follow one another share a pass of the backbone.

        Args:
            crops: V tensors (B, C, h, w).
            masked: Patches of the first group of crops that are hidden, (V1 B, P) bool.
            patches_of: Patches of the first group whose logits are wanted, (V1 B, P) bool; None is none.

        Returns:
            See `BranchAnswer`.
        """
        pooled: list[Tensor] = []
        tokens: Tensor | None = None
        for number, (_, members) in enumerate(groupby(crops, key=lambda crop: crop.shape[-2:])):
            group = list(members)
            images = torch.cat(group) if len(group) > 1 else group[0]
            if number == 0 and patches_of is not None:
                features, tokens = self.backbone.tokens(images, masked=masked, mask_token=self.mask_token)
            else:
                features = self.backbone(images)
            pooled += features.chunk(len(group))
        wanted = None if tokens is None or patches_of is None else tokens[patches_of]
        rows = torch.cat([*pooled, *(() if wanted is None else (wanted,))])
        logits = self.head(rows)
        count = sum(len(one) for one in pooled)
        return BranchAnswer(logits[:count], tuple(pooled), None if wanted is None else logits[count:])
