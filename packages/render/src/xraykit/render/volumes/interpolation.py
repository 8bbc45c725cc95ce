"""Values of voxels at any point: the trilinear interpolant, zero outside the grid."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

Field = Callable[[Tensor], Tensor]
"""From world points (N, 3) [mm] to C quantities, (C, N)."""
_FOR_KERNELS = (torch.int16, torch.float16, torch.bfloat16, torch.float32)


def trilinear_at(
    grid: Shaped[Tensor, "depth height width channels"], index: Float[Tensor, "points 3"], *, dtype: torch.dtype
) -> Float[Tensor, "points channels"]:
    r"""f(x) = sum over the eight voxels v around x of grid_v prod_axes (1 - |x - v|), zero outside the grid.

    Args:
        grid: C quantities at voxel centres, of any real type.
        index: Voxel coordinates (i, j, k), float64.
        dtype: In which values and weights are multiplied and added.

    Returns:
        (N, C) of `dtype`.

    Gradients: to index, and to floating-point grids.
    """
    if index.device.type == "cpu" and grid.dtype in _FOR_KERNELS and not _needs_graph(grid, index):
        from ..kernels.numba_cpu.points import values_at  # numba takes half a second to import

        return values_at(grid, index, dtype=dtype)
    depth, height, width, channels = grid.shape
    cell = index.detach().floor()
    fraction = index - cell
    i, j, k = cell.long().unbind(dim=1)
    total = torch.zeros(len(index), channels, dtype=dtype, device=index.device)
    for corner in range(8):
        step = (corner & 1, corner >> 1 & 1, corner >> 2)
        x, y, z = (fraction[:, axis] if up else 1 - fraction[:, axis] for axis, up in enumerate(step))
        ci, cj, ck = i + step[0], j + step[1], k + step[2]
        inside = (ci >= 0) & (ci < width) & (cj >= 0) & (cj < height) & (ck >= 0) & (ck < depth)
        values = grid[ck.clamp(0, depth - 1), cj.clamp(0, height - 1), ci.clamp(0, width - 1)]
        weight = torch.where(inside, x * y * z, 0.0)
        total = total + values.to(dtype) * weight[:, None].to(dtype)
    return total


def _needs_graph(*tensors: Tensor) -> bool:
    return torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)


def grid_field(grid: Tensor, affine: Tensor, *, dtype: torch.dtype) -> Field:
    """The trilinear interpolant of a grid (D, H, W, C) as a function from world points (N, 3) [mm] to (C, N).

    Args:
        grid: As in `trilinear_at`.
        affine: Voxel (i, j, k) to world [mm], (4, 4).
        dtype: As in `trilinear_at`.
    """
    world_to_voxel = torch.linalg.inv(affine.to(torch.float64)).to(grid.device)

    def field(points: Tensor) -> Tensor:
        index = points.to(torch.float64) @ world_to_voxel[:3, :3].mT + world_to_voxel[:3, 3]
        return trilinear_at(grid, index, dtype=dtype).mT

    return field
