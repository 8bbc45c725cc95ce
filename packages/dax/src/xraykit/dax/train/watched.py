"""Labelled images that a pre-training only looks at: how often the nearest neighbours agree with the label."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..network.backbone import Backbone
from .neighbours import neighbour_accuracy

BATCH = 64
NEIGHBOURS = 10


@dataclass(frozen=True, eq=False)
class WatchedImages:
    """N images as the network takes them, with labels.

    Args:
        images: (N, 1, S, S) float32.
        labels: N numbers of classes, (N,) int64.
        patients: N numbers; neighbours of the same patient do not count, (N,) int64.
    """

    images: Tensor
    labels: Tensor
    patients: Tensor

    def accuracy(
        self,
        backbone: Backbone,
        device: torch.device,
        prepare: Callable[[Tensor], Tensor],
        *,
        low_precision: bool = False,
    ) -> dict[str, float]:
        """{"knn_accuracy"} of pooled features, neighbours from other patients; the backbone stays in its mode."""
        was_training = backbone.training
        backbone.eval()
        try:
            low = torch.autocast(device.type, dtype=torch.bfloat16, enabled=low_precision)
            with torch.no_grad(), low:
                features = torch.cat([backbone(prepare(part.to(device))).float() for part in self.images.split(BATCH)])
        finally:
            backbone.train(was_training)
        found = neighbour_accuracy(features, self.labels.to(device), patients=self.patients, k=NEIGHBOURS)
        return {"knn_accuracy": found}
