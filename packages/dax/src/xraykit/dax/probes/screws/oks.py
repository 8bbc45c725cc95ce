"""How good found screws are: object keypoint similarity, and COCO's average precision and recall over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xraykit.render import InputError

from .truth import ScrewTruth

THRESHOLDS = np.linspace(0.5, 0.95, 10)
"""Similarities from which on a found screw is right."""
RECALLS = np.linspace(0.0, 1.0, 101)
"""Where precision is read."""
MOST = 20
"""Found screws of an image that count, those of highest score."""


@dataclass(frozen=True, eq=False)
class ScrewDetections:
    """What a detector found in one image: points (K, 2, 2) as heads and tips (u, v) [px], and scores (K,)."""

    points: Tensor
    scores: Tensor


@dataclass(frozen=True)
class KeypointScores:
    """Average precision and recall of found screws, 0 to 1.

    Args:
        ap: Mean average precision over OKS .50:.05:.95.
        ap50: At OKS .50.
        ap75: At OKS .75.
        ar: Mean recall over OKS .50:.05:.95.
        ar50: At OKS .50.
        ar75: At OKS .75.
        half_distance: Distance of a keypoint at which its similarity is a half [px].
        images: How many were judged.
        screws: How many they show.
    """

    ap: float
    ap50: float
    ap75: float
    ar: float
    ar50: float
    ar75: float
    half_distance: float
    images: int
    screws: int


def keypoint_similarity(found: Tensor, truth: Tensor, visible: Tensor, *, half_distance: float) -> Tensor:
    r"""Object keypoint similarity of screws: the mean over visible keypoints of a Gaussian of their distance.

        OKS = sum_i v_i 2^-(d_i / h)^2 / sum_i v_i

    This is COCO's OKS where object area and keypoint constant are the same for all, 2 s^2 k^2 = h^2 / ln 2.

    Args:
        found: (..., 2, 2) [px].
        truth: Same shape, or one that broadcasts with it.
        visible: (..., 2) bool.
        half_distance: h [px].

    Returns:
        (...) in [0, 1]; 0 where no keypoint is visible.

    Gradients: to both, finite where they coincide.

    Source: COCO's keypoint evaluation.
    """
    near = torch.exp2(-((found - truth) / half_distance).square().sum(-1))
    seen = visible.to(near.dtype)
    return (near * seen).sum(-1) / seen.sum(-1).clamp_min(1)


def average_precision(
    predictions: Sequence[ScrewDetections], truth: Sequence[ScrewTruth], *, half_distance: float = 30.0
) -> KeypointScores:
    """COCO's keypoint scores of found screws, by its rules.

    In each image the 20 found screws of highest score choose, best first, the most similar true screw that is still
    free and similar enough. Precision over recall is made to fall, and read at 101 recalls.

    Args:
        predictions: What was found, image by image.
        truth: What is there, image by image.
        half_distance: Distance at which the similarity of a keypoint is a half [px]. The paper's 30 px are of an image
            whose size it does not tell; a number from images of another size is not comparable.

    Raises:
        InputError: Other numbers of images, no screw in any of them, or points and scores that do not fit.

    Source: pycocotools, COCOeval with iouType "keypoints" and one object area.
    """
    if len(predictions) != len(truth):
        raise InputError(f"each image needs its predictions, got {len(predictions)} for {len(truth)} images.")
    screws = sum(len(one) for one in truth)
    if not screws:
        raise InputError("average precision needs images that show screws, got none; give other images.")
    judged = [judged_image(*pair, half_distance) for pair in zip(predictions, truth, strict=True)]
    scores = np.concatenate([one[0] for one in judged])
    right = np.concatenate([one[1] for one in judged], axis=1)[:, np.argsort(-scores, kind="stable")]
    found = np.cumsum(right, axis=1)
    recall = found[:, -1] / screws if len(scores) else np.zeros(len(THRESHOLDS))
    precision = [area_under_precision(row, screws) for row in found]
    ap, ap50, ap75, ar, ar50, ar75 = (
        float(number) for row in (np.array(precision), recall) for number in (row.mean(), row[0], row[5])
    )
    return KeypointScores(ap, ap50, ap75, ar, ar50, ar75, half_distance, len(truth), screws)


def judged_image(
    found: ScrewDetections, truth: ScrewTruth, half_distance: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Scores of an image's found screws, best first (K,), and which are right at each threshold (T, K)."""
    if found.points.shape != (len(found.scores), 2, 2):
        raise InputError(
            f"found screws must be points (K, 2, 2) with scores (K,), got shapes {tuple(found.points.shape)} and "
            f"{tuple(found.scores.shape)}."
        )
    scores = found.scores.detach().cpu().double().numpy()
    best = np.argsort(-scores, kind="stable")[:MOST]
    points = found.points.detach().cpu().double()[torch.from_numpy(best)]
    similar = keypoint_similarity(
        points[:, None], truth.points.double(), truth.visible, half_distance=half_distance
    ).numpy()
    least = np.minimum(THRESHOLDS, 1 - 1e-10)[:, None]
    right = np.zeros((len(THRESHOLDS), len(best)), dtype=np.bool_)
    free = np.ones((len(THRESHOLDS), len(truth)), dtype=np.bool_)
    for k, row in enumerate(similar if len(truth) else ()):
        candidates = np.where(free & (row >= least), row, -1.0)
        choice = len(row) - 1 - np.argmax(candidates[:, ::-1], axis=1)  # the last of equals, as COCO takes it
        right[:, k] = candidates.max(axis=1) >= 0
        free[right[:, k], choice[right[:, k]]] = False
    return scores[best], right


def area_under_precision(found: NDArray[np.int64], screws: int) -> float:
    """Precision at 101 recalls, averaged; `found` counts right ones among the first 1, 2, ... of all."""
    precision = found / np.arange(1, len(found) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(found / screws, RECALLS, side="left")
    return float(np.append(envelope, 0.0)[places].mean())
