"""The cells of a volume that count, on a grid with its place in the world."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from xraykit.render import InputError


@dataclass(frozen=True, eq=False)
class Support:
    """Cells of a grid whose meeting of beams makes two patches correspond.

    Args:
        cells: Indices (i, j, k) of the cells, (N, 3) int64, N at least 1.
        affine: Index of a cell's centre to world RAS [mm], (4, 4); oblique and sheared grids are legal.
        shape: Cells of the whole grid along i, j, k.
        weights: What each cell counts, (N,) in [0, 1]; None is 1 each.

    Raises:
        InputError: Another shape or type, an affine that is not invertible, a cell outside the grid, no cell at all, or
            a weight outside [0, 1].
    """

    cells: Tensor
    affine: Tensor
    shape: tuple[int, int, int]
    weights: Tensor | None = None

    def __post_init__(self) -> None:
        affine = torch.as_tensor(self.affine, dtype=torch.float64, device="cpu")
        object.__setattr__(self, "affine", affine)
        object.__setattr__(self, "shape", tuple(int(size) for size in self.shape))
        if affine.shape != (4, 4) or not bool(torch.isfinite(affine).all()) or float(affine[:3, :3].det()) == 0:
            raise InputError(f"affine must be a finite invertible 4x4 matrix, got {affine.tolist()}.")
        if self.cells.ndim != 2 or self.cells.shape[-1:] != (3,) or self.cells.dtype != torch.int64:
            raise InputError(f"cells must be (N, 3) int64, got {tuple(self.cells.shape)} {self.cells.dtype}.")
        if not len(self.cells):
            raise InputError("a support needs at least one cell, got none; lower its threshold.")
        low, high = self.cells.amin(0).tolist(), self.cells.amax(0).tolist()
        if min(low) < 0 or any(most >= size for most, size in zip(high, self.shape, strict=True)):
            raise InputError(f"cells must lie on the grid {self.shape}, got indices from {low} to {high}.")
        if self.weights is not None:
            _check_weights(self.weights, len(self.cells))

    @property
    def points(self) -> Float[Tensor, "cells 3"]:
        """World positions of the centres [mm, RAS], (N, 3) float64."""
        affine = self.affine.to(self.cells.device)
        return self.cells.to(torch.float64) @ affine[:3, :3].mT + affine[:3, 3]

    @property
    def device(self) -> torch.device:
        """Where the cells live, and so where correspondence is computed."""
        return self.cells.device

    @cached_property
    def columns(self) -> Float[Tensor, "3 cells"]:
        """The indices as three float64 columns, made once for all views of a volume."""
        return self.cells.mT.to(torch.float64).contiguous()

    @cached_property
    def bounds(self) -> Float[Tensor, "8 3"]:
        """The corners of the box of indices around all cells, (8, 3) float64 on the CPU."""
        box = torch.stack([self.cells.amin(0), self.cells.amax(0)]).to("cpu", torch.float64)
        return torch.cartesian_prod(*box.mT)

    def to(self, device: torch.device | str) -> Support:
        """The same support on another device; the affine stays on the CPU."""
        weights = None if self.weights is None else self.weights.to(device)
        return Support(self.cells.to(device), self.affine, self.shape, weights)

    def whole_grid(self) -> Support:
        """Every cell of the grid, those outside this support with weight 0."""
        ni, nj, nk = self.shape
        weights = torch.zeros(nk, nj, ni, device=self.device)
        i, j, k = self.cells.unbind(1)
        weights[k, j, i] = 1.0 if self.weights is None else self.weights.to(weights.dtype)
        cells = torch.ones(nk, nj, ni, dtype=torch.bool, device=self.device).nonzero().flip(1)
        return Support(cells, self.affine, self.shape, weights.flatten())


def _check_weights(weights: Tensor, count: int) -> None:
    if weights.shape != (count,) or not weights.is_floating_point():
        raise InputError(
            f"weights must be {count} fractions, one per cell, got {tuple(weights.shape)} {weights.dtype}."
        )
    if not bool(((weights >= 0) & (weights <= 1)).all()):
        raise InputError(f"weights must lie in [0, 1], got {float(weights.min()):g} to {float(weights.max()):g}.")
