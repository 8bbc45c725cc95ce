"""Which query stands for which screw: the cheapest one-to-one assignment."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from .decoder import ScrewQueries
from .oks import keypoint_similarity
from .settings import DetectionLossSettings
from .truth import TruthBatch


class ScrewMatches(NamedTuple):
    """M pairs: the image of each, its query, and its screw, all (M,) int64."""

    image: Tensor
    query: Tensor
    screw: Tensor


def keypoint_distance(found: Tensor, truth: Tensor, visible: Tensor) -> Tensor:
    """The mean L1 distance of visible keypoints, (...) from (..., 2, 2); 0 where none is visible."""
    seen = visible.to(found.dtype)
    return ((found - truth).abs().sum(-1) * seen).sum(-1) / seen.sum(-1).clamp_min(1)


def matching_cost(found: ScrewQueries, truth: TruthBatch, scale: Tensor, weights: DetectionLossSettings) -> Tensor:
    r"""What it costs that query q stands for screw n, (B, Q, N).

        cost = w_o (focal(p, 1) - focal(p, 0)) + w_k L1 + w_s (1 - OKS)

    Args:
        found: Q queries of B images.
        truth: Up to N screws of each.
        scale: Width and height of the image in half distances, (2,).
        weights: w and the focal loss's alpha and gamma.

    Source: Roh et al., Sparse DETR, 2022, with keypoints in place of boxes.
    """
    p = found.objectness.sigmoid()
    yes = weights.alpha * (1 - p) ** weights.gamma * -(p + 1e-8).log()
    no = (1 - weights.alpha) * p**weights.gamma * -(1 - p + 1e-8).log()
    points, screws, visible = found.keypoints[:, :, None], truth.points[:, None], truth.visible[:, None]
    distance = keypoint_distance(points, screws, visible)
    similarity = keypoint_similarity(points * scale, screws * scale, visible, half_distance=1.0)
    return (
        weights.objectness * (yes - no)[..., None]
        + weights.keypoints * distance
        + weights.similarity * (1 - similarity)
    )


@torch.no_grad()
def match_screws(found: ScrewQueries, truth: TruthBatch, scale: Tensor, weights: DetectionLossSettings) -> ScrewMatches:
    """The assignment of least `matching_cost` of each image; arguments as there."""
    device = found.objectness.device
    costs = np.nan_to_num(matching_cost(found, truth, scale, weights).cpu().numpy(), nan=1e6, posinf=1e6, neginf=-1e6)
    pairs = [linear_sum_assignment(cost[:, :count]) for cost, count in zip(costs, truth.counts, strict=True)]
    image = np.repeat(np.arange(len(pairs)), [len(query) for query, _ in pairs])
    query, screw = (np.concatenate([pair[n] for pair in pairs]) for n in (0, 1))
    return ScrewMatches(*(torch.from_numpy(one.astype(np.int64)).to(device) for one in (image, query, screw)))
