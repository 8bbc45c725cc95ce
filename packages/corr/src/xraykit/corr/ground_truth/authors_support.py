"""The support of the `paper` mode: 16^3 cells, each with the mean of a logistic of its Hounsfield numbers."""

from __future__ import annotations

import torch
from torch import Tensor

from xraykit.render import InputError, Volume

from .area_average import cell_grid
from .support import Support

FINE, COARSE = 256, 16
LOWEST, HIGHEST = -1000.0, 3000.0  # HU
MIDDLE, SLOPE = -150.0, 0.005  # HU, 1 / HU


def paper_support(volume: Volume) -> Support:
    """The 16^3 weighted cells of the authors' ground truth.

    The volume, clipped to -1000..3000 HU and padded to a cube with its minimum, is sampled at 256^3 points (linear
    between voxel centres); w = mean over 16^3 of them of 1 / (1 + exp(-0.005 (HU + 150))). Air keeps a weight of .014,
    and the padding too.

    Raises:
        InputError: The volume has no Hounsfield numbers.

    Source: Self-Supervised Multiview Xray Matching (MICCAI 2025), the authors' program. It resamples to the smallest
    spacing first; that second interpolation is left out here.
    """
    if volume.hu is None:
        raise InputError("the support of mode 'paper' needs Hounsfield numbers, the volume has none; use from_hu.")
    depth, height, width = volume.shape
    grid = cell_grid((width, height, depth), volume.affine, FINE, cube=True)
    i, j, k = ((edges[:-1] + edges[1:]) / 2 for edges in grid.edges)
    hu = volume.hu.detach()
    lowest = min(max(float(hu.min()), LOWEST), HIGHEST)
    block = FINE // COARSE
    weights = []
    for slab in k.split(block):
        first = int(slab[0].floor().clamp(0, depth - 1))
        last = int(slab[-1].floor().clamp(0, depth - 1)) + 2
        part = hu[first:last].to(torch.float32).clamp(LOWEST, HIGHEST) - lowest
        for dim, where, size, offset in ((0, slab, depth, first), (1, j, height, 0), (2, i, width, 0)):
            part = _sampled(part, dim, where, size, offset)
        logistic = torch.sigmoid((part + (lowest - MIDDLE)) * SLOPE)
        weights.append(logistic.reshape(block, COARSE, block, COARSE, block).mean(dim=(0, 2, 4)))
    coarse = cell_grid((width, height, depth), volume.affine, COARSE, cube=True)
    cells = torch.ones(COARSE, COARSE, COARSE, dtype=torch.bool, device=hu.device).nonzero().flip(1)
    return Support(cells, coarse.affine, coarse.shape, torch.stack(weights).flatten().clamp(0, 1))


def _sampled(values: Tensor, dim: int, where: Tensor, size: int, offset: int) -> Tensor:
    """Linear interpolation along one axis of which `values` holds the part from `offset`; zero outside the volume."""
    inside = ((where >= -0.5) & (where <= size - 0.5)).to(values.device)
    place = where.clamp(0, size - 1)
    low = place.floor()
    high = (low + 1).clamp(max=size - 1)
    shape = [-1 if axis == dim else 1 for axis in range(3)]
    share = (place - low).to(values).reshape(shape)
    most = values.shape[dim] - 1
    near, far = (values.index_select(dim, (at - offset).long().clamp(0, most).to(values.device)) for at in (low, high))
    return torch.lerp(near, far, share) * inside.reshape(shape)
