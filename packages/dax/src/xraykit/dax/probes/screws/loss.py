"""The detector's loss: is it a screw, where are its ends, and which tokens mattered."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .decoder import ScrewQueries
from .detector import DetectorOutput
from .encoder import chosen_tokens
from .matching import keypoint_distance, match_screws
from .oks import keypoint_similarity
from .settings import DetectionLossSettings
from .truth import TruthBatch


def focal_loss(logits: Tensor, target: Tensor, *, alpha: float, gamma: float) -> Tensor:
    r"""Sigmoid focal loss of each logit: -alpha_t (1 - p_t)^gamma ln p_t; p_t is p where the target is 1, else 1 - p.

    Source: Lin et al., Focal loss for dense object detection, 2017.
    """
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    p = logits.sigmoid()
    wrong = p + target - 2 * p * target
    return (alpha * target + (1 - alpha) * (1 - target)) * wrong**gamma * entropy


def screw_loss(
    found: ScrewQueries, truth: TruthBatch, scale: Tensor, weights: DetectionLossSettings
) -> dict[str, Tensor]:
    """The weighted terms of one set of queries, each a scalar: objectness, keypoints (L1), similarity (1 - OKS).

    All are sums over queries or matched screws, divided by the number of screws in the batch (at least 1).

    Args:
        found: Queries of B images.
        truth: Their screws.
        scale: Width and height of the image in half distances, (2,).
        weights: Of the terms.
    """
    image, query, screw = match_screws(found, truth, scale, weights)
    target = torch.zeros_like(found.objectness)
    target[image, query] = 1.0
    points, true, visible = found.keypoints[image, query], truth.points[image, screw], truth.visible[image, screw]
    similarity = keypoint_similarity(points * scale, true * scale, visible, half_distance=1.0)
    focal = focal_loss(found.objectness, target, alpha=weights.alpha, gamma=weights.gamma)
    screws = max(sum(truth.counts), 1)
    return {
        "objectness": weights.objectness * focal.sum() / screws,
        "keypoints": weights.keypoints * keypoint_distance(points, true, visible).sum() / screws,
        "similarity": weights.similarity * (1 - similarity).sum() / screws,
    }


def detection_loss(
    output: DetectorOutput, truth: TruthBatch, scale: Tensor, weights: DetectionLossSettings, *, keep: float
) -> dict[str, Tensor]:
    """All weighted terms of a batch; their sum is what is minimised.

    Objectness, keypoints and similarity are summed over the decoder's layers and the encoder's proposals. "attention"
    is the multilabel soft-margin loss of the token scores, with the tokens that the decoder attended to most as truth.

    Args:
        output: What the detector said.
        truth: The screws.
        scale: Width and height of the image in half distances, (2,).
        weights: Of the terms.
        keep: Share of tokens that the encoder refines.

    Gradients: to everything but the attention map, which is a target.

    Source: Roh et al., Sparse DETR, 2022, with keypoints in place of boxes.
    """
    parts = [screw_loss(found, truth, scale, weights) for found in (*output.layers, output.proposals)]
    total = {name: torch.stack([part[name] for part in parts]).sum() for name in parts[0]}
    wanted = chosen_tokens(output.attended.detach(), keep)
    total["attention"] = weights.attention * F.multilabel_soft_margin_loss(output.token_scores, wanted)
    return total
