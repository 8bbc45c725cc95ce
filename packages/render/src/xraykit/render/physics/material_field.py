"""The mass of each material at any point of the world: what tools displace."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from .area_density import MaterialVolume


def material_field(volume: MaterialVolume) -> Callable[[Tensor], Tensor]:
    """The trilinear interpolant of each material's density, from world points (N, 3) [mm] to (M, N) [g/cm3].

    Zero outside the grid: what `area_densities` integrates with method "trilinear".

    Gradients: of the result to points and to floating-point densities.
    """
    world_to_voxel = torch.linalg.inv(volume.affine.to(torch.float64)).to(volume.densities.device)
    depth, height, width, _ = volume.densities.shape
    exact = torch.float64 if volume.densities.dtype == torch.float64 else torch.float32

    def field(points: Tensor) -> Tensor:
        place = points.to(torch.float64) @ world_to_voxel[:3, :3].mT + world_to_voxel[:3, 3]
        base = place.detach().floor()
        share = place - base
        i, j, k = base.long().unbind(dim=1)
        total = torch.zeros(1, dtype=exact, device=place.device)
        for corner in range(8):
            step = (corner & 1, corner >> 1 & 1, corner >> 2)
            parts = [share[:, axis] if up else 1 - share[:, axis] for axis, up in enumerate(step)]
            ci, cj, ck = i + step[0], j + step[1], k + step[2]
            inside = (ci >= 0) & (ci < width) & (cj >= 0) & (cj < height) & (ck >= 0) & (ck < depth)
            rows = volume.densities[ck.clamp(0, depth - 1), cj.clamp(0, height - 1), ci.clamp(0, width - 1)]
            weight = torch.where(inside, parts[0] * parts[1] * parts[2], 0.0)
            total = total + rows.to(exact) * weight[:, None].to(exact)
        return (total * total.new_tensor(volume.scales)).mT

    return field
