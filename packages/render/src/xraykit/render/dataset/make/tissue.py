"""From a CT to the cells that hold tissue: Hounsfield numbers averaged over each cell, and two thresholds."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ...volumes.volume import Volume
from ..format.tissue_grid import BONE_CELL, BONE_HU, TISSUE_CELL, TISSUE_HU, TissueGrid

_AIR_HU = -1024.0  # scanners write less outside their field of view


def tissue_grid_of(volume: Volume, cells: int) -> TissueGrid:
    r"""The tissue of a CT in isotropic cells along its voxel axes.

    A cell's HU is the mean over it; HU below -1024, and all that lies outside the volume, count as -1024.

        side = max_a(n_a s_a) / cells,    cells along a = ceil(n_a s_a / side),    centred on the volume

    Args:
        volume: With Hounsfield numbers.
        cells: Along the longest side.
    """
    voxels, axes = torch.tensor(volume.shape[::-1], dtype=torch.float64), volume.affine[:3, :3]
    spacing = axes.norm(dim=0)
    side = float((voxels * spacing).max()) / cells
    hu = torch.empty(0) if volume.hu is None else volume.hu.detach().cpu()
    averaged = hu.to(torch.float32).clamp_min(_AIR_HU) - _AIR_HU
    counts: list[int] = []
    for axis in range(3):  # i, j, k, which are the dimensions 2, 1, 0
        weights = _overlaps(int(voxels[axis]), float(spacing[axis]), side)
        counts.append(len(weights))
        averaged = (averaged @ weights.to(torch.float32).T).movedim(2, 0)
    classes = torch.zeros(averaged.shape, dtype=torch.uint8)
    classes[averaged > TISSUE_HU - _AIR_HU] = TISSUE_CELL
    classes[averaged > BONE_HU - _AIR_HU] = BONE_CELL
    affine = torch.eye(4, dtype=torch.float64)
    affine[:3, :3] = axes / spacing * side
    middle = torch.tensor(counts, dtype=torch.float64).sub(1).div(2)
    affine[:3, 3] = volume.center.double().cpu() - affine[:3, :3] @ middle
    return TissueGrid(classes, affine)


def _overlaps(voxels: int, spacing: float, side: float) -> Tensor:
    """(cells, voxels): which share of each cell each voxel fills."""
    length = voxels * spacing
    cells = max(1, math.ceil(length / side - 1e-6))
    starts = (length - cells * side) / 2 + side * torch.arange(cells, dtype=torch.float64)[:, None]
    low = spacing * torch.arange(voxels, dtype=torch.float64)
    shared = (torch.minimum(starts + side, low + spacing) - torch.maximum(starts, low)).clamp_min(0)
    return shared / side
