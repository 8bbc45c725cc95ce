"""Predictions that look at no anatomy: what a matcher must beat."""

from __future__ import annotations

import torch
from torch import Tensor

from xraykit.render import InputError


class MeanCorrespondence:
    """The mean of true matrices, which is the best prediction that sees no image.

    Example:
        mean = MeanCorrespondence()
        mean.add(truth)
        mean.value
    """

    def __init__(self) -> None:
        self.pairs = 0
        self._sum: Tensor | None = None

    def add(self, truth: Tensor) -> None:
        """Count true matrices (N, L, L) in.

        Raises:
            InputError: Another shape than those before.
        """
        total = truth.detach().double().sum(0).cpu()
        if truth.ndim != 3 or (self._sum is not None and total.shape != self._sum.shape):
            raise InputError(f"true correspondence must be (N, L, L) with one patch grid, got {tuple(truth.shape)}.")
        self._sum = total if self._sum is None else self._sum + total
        self.pairs += len(truth)

    @property
    def value(self) -> Tensor:
        """The mean, (L, L) float32.

        Raises:
            InputError: Nothing was counted in.
        """
        if self._sum is None or not self.pairs:
            raise InputError("the mean of true correspondence needs at least one pair of views, got none.")
        return (self._sum / self.pairs).float()


def patch_means(images: Tensor, grid: int) -> Tensor:
    """Mean of each patch of images (..., S, S), (..., L): with normalised line integrals, how thick the body is there.

    Raises:
        InputError: The grid does not divide the image.
    """
    height, width = images.shape[-2:]
    if grid < 1 or height % grid or width % grid:
        raise InputError(f"a grid of {grid} patches must divide the image of {width}x{height} px.")
    cells = images.unflatten(-2, (grid, height // grid)).unflatten(-1, (grid, width // grid))
    return cells.mean(dim=(-3, -1)).flatten(-2)


def thinner_patch(first: Tensor, second: Tensor) -> Tensor:
    """min(t_i, t_j) of patch means (..., L) and (..., L), as (..., L, L): no match where either beam meets little."""
    return torch.minimum(first[..., :, None], second[..., None, :])
