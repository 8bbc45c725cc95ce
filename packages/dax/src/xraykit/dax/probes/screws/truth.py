"""Where the screws of an image are: the truth that a detector learns and is judged by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from xraykit.render import InputError

KEYPOINTS = ("head", "tip")
"""The keypoints of a screw, in the order of every array here."""


@dataclass(frozen=True, eq=False)
class ScrewTruth:
    """The N screws of one image that have a visible keypoint.

    Args:
        points: Heads and tips, (N, 2, 2) as (u, v) [px], pixel borders at whole numbers; without meaning where not
            visible. Kept as float32.
        visible: Which of them count, (N, 2) bool. A screw without any is dropped.
        size: Height and width of the image [px].

    Raises:
        InputError: Other shapes, or a visible keypoint that is not within the image.
    """

    points: Tensor
    visible: Tensor
    size: tuple[int, int]

    def __post_init__(self) -> None:
        points, visible = torch.as_tensor(self.points, dtype=torch.float32), torch.as_tensor(self.visible)
        if points.ndim != 3 or points.shape[1:] != (2, 2) or visible.shape != points.shape[:2]:
            raise InputError(
                f"screws must be points (N, 2, 2) with visible (N, 2), got shapes {tuple(points.shape)} and "
                f"{tuple(visible.shape)}."
            )
        visible = visible.bool()
        height, width = self.size
        inside = ((points >= 0) & (points <= points.new_tensor([width, height]))).all(-1)
        if bool((visible & ~inside).any()):
            n, k = (visible & ~inside).nonzero()[0].tolist()
            u, v = points[n, k].tolist()
            raise InputError(
                f"a visible keypoint must lie within its image of {width} x {height} px, got the {KEYPOINTS[k]} of "
                f"screw {n} at ({u:g}, {v:g}); mark it invisible or correct it."
            )
        seen = visible.any(1)
        points = torch.where(visible[..., None], points, 0.0)
        object.__setattr__(self, "points", points[seen])
        object.__setattr__(self, "visible", visible[seen])

    def __len__(self) -> int:
        return len(self.points)


class TruthBatch(NamedTuple):
    """Screws of B images, N at most: points (B, N, 2, 2) as shares of width and height, visible (B, N, 2), counts."""

    points: Tensor
    visible: Tensor
    counts: tuple[int, ...]


def truth_batch(truth: Sequence[ScrewTruth], device: torch.device | str = "cpu") -> TruthBatch:
    """The screws of several images in one array, those of fewer filled up with invisible ones."""
    counts = tuple(len(one) for one in truth)
    points = torch.zeros(len(truth), max(counts, default=0), 2, 2)
    visible = torch.zeros(points.shape[:3], dtype=torch.bool)
    for b, one in enumerate(truth):
        points[b, : len(one)] = one.points / torch.tensor([one.size[1], one.size[0]])
        visible[b, : len(one)] = one.visible
    return TruthBatch(points.to(device), visible.to(device), counts)
