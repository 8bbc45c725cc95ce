"""Predictions of annotated pairs without anatomy: where people marked matches before, and what is not air."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..data.annotated_pairs import AnnotatedImages
from ..scores.priors import patch_means, thinner_patch
from .entry_rows import PredictAnnotated

SPREAD = 1.5
"""Standard deviation of a marked match [patches]"""


def marked_density(pairs: Sequence[AnnotatedImages], grid: int) -> Tensor:
    r"""How near a pair of patches is to matches that were marked in other patients.

        D_ij = sum_m exp(-(|i - i_m|^2 + |j - j_m|^2) / 2 s^2), s = 1.5 patches

    It takes the place of the mean true correspondence, which nobody knows of real X-rays.

    Args:
        pairs: Of the training split.
        grid: Patches a side.

    Returns:
        (L, L) float32, its largest 1; 0 without a match.
    """
    row, column = torch.meshgrid(torch.arange(grid), torch.arange(grid), indexing="ij")
    places = torch.stack([row, column], -1).reshape(-1, 2).float()
    near = torch.exp(-torch.cdist(places, places).square() / (2 * SPREAD**2))
    total = torch.zeros(grid**2, grid**2)
    for pair in pairs:
        targets = pair.targets(grid, dilate=False)
        for first, second in targets.entries[targets.values >= 0.5].tolist():
            total += near[first][:, None] * near[second]
    return total / total.max().clamp(min=1e-12)


def annotated_priors(learned: Sequence[AnnotatedImages], grid: int) -> dict[str, PredictAnnotated]:
    """Predictions by name: zero, thickness (the lesser of both patches' mean), marked, and marked times thickness.

    The true pose's band is not among them: annotated X-rays have no pose.
    """
    marked = marked_density(learned, grid)

    def thickness(pair: AnnotatedImages) -> Tensor:
        means = patch_means(pair.images[:, 0], grid)
        return thinner_patch(means[0], means[1])

    return {
        "zero": lambda _, pair: torch.zeros(grid**2, grid**2),
        "thickness": lambda _, pair: thickness(pair),
        "marked": lambda _, pair: marked,
        "marked_thickness": lambda _, pair: marked * thickness(pair),
    }
