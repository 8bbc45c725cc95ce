"""A study changed for training: its images, and its correspondence along with them by moving entries alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from torch import Tensor

from ..data.image_changes import ImageChange, change_image
from .settings import StudyChangeSettings


@dataclass(frozen=True, eq=False)
class StudyChange:
    """What happens to the views of a study.

    Args:
        images: Of each view.
        patches: Which patch of the old view each patch of the new one shows, (V, L) int64; -1 is none.
    """

    images: tuple[ImageChange, ...]
    patches: Tensor


def draw_study_change(settings: StudyChangeSettings, rng: np.random.Generator, views: int, grid: int) -> StudyChange:
    """A change of so many views on a grid of patches: mirrored all or none, all else drawn for each."""
    mirrored = bool(rng.random() < settings.mirror)
    images, patches = [], []
    for _ in range(views):
        down, right = (int(step) for step in rng.integers(-settings.shift, settings.shift + 1, 2))
        u, noise = rng.uniform(-1, 1, 3), float(rng.random())
        matrix = torch.eye(3, dtype=torch.float64)
        matrix[0, 0] = -1.0 if mirrored else 1.0
        matrix[0, 2], matrix[1, 2] = float(mirrored) + right / grid, down / grid
        images.append(
            ImageChange(
                matrix,
                brightness=settings.brightness * float(u[0]),
                contrast=1 + settings.contrast * float(u[1]),
                gamma=math.exp(settings.gamma * float(u[2])),
                noise=settings.noise * noise,
                seed=int(rng.integers(2**63)),
            )
        )
        patches.append(_patches(grid, down, right, mirrored))
    return StudyChange(tuple(images), torch.stack(patches))


def change_study(
    images: Tensor, matrices: Tensor | None, change: StudyChange, *, inside: Tensor | None = None
) -> tuple[Tensor, Tensor | None]:
    """Images (V, 1, S, S) and correspondences (P, L, L) after a change; patches that show nothing match nothing.

    Args:
        images: Of a study.
        matrices: Of all its pairs of views, or None.
        change: What happens.
        inside: Which pixels show the X-ray, (V, S, S) bool; None is all.
    """
    size = images.shape[-1]
    shows = [None] * len(images) if inside is None else list(inside)
    changed = [
        change_image(image[0], shown, one, size)[0]
        for image, shown, one in zip(images, shows, change.images, strict=True)
    ]
    if matrices is None:
        return torch.stack(changed), None
    moved = []
    for matrix, (a, b) in zip(matrices, combinations(range(len(images)), 2), strict=True):
        rows, columns = change.patches[a], change.patches[b]
        shown = (rows >= 0)[:, None] & (columns >= 0)[None]
        moved.append(matrix[rows.clamp_min(0)][:, columns.clamp_min(0)] * shown)
    return torch.stack(changed), torch.stack(moved)


def reorder_matrices(matrices: Tensor, order: list[int]) -> Tensor:
    """The correspondences (P, L, L) of views taken in another order: view n is what was view order[n]."""
    pairs = {pair: number for number, pair in enumerate(combinations(range(len(order)), 2))}
    found = []
    for a, b in pairs:
        first, second = order[a], order[b]
        found.append(matrices[pairs[first, second]] if first < second else matrices[pairs[second, first]].mT)
    return torch.stack(found)


def _patches(grid: int, down: int, right: int, mirrored: bool) -> Tensor:
    row, column = torch.arange(grid) - down, torch.arange(grid) - right
    if mirrored:
        column = grid - 1 - column
    inside = ((row >= 0) & (row < grid))[:, None] & ((column >= 0) & (column < grid))[None]
    return torch.where(inside, row[:, None] * grid + column[None], -1).flatten()
