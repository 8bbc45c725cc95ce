"""The mass of each material at any point of the world: what tools displace."""

from __future__ import annotations

import torch
from torch import Tensor

from ..volumes.interpolation import Field, grid_field
from .area_density import MaterialVolume


def material_field(volume: MaterialVolume) -> Field:
    """The trilinear interpolant of each material's density, from world points (N, 3) [mm] to (M, N) [g/cm3].

    Zero outside the grid: what `area_densities` integrates with method "trilinear".

    Gradients: of the result to points and to floating-point densities.
    """
    exact = torch.float64 if volume.densities.dtype == torch.float64 else torch.float32
    field = grid_field(volume.densities, volume.affine, dtype=exact)

    def densities(points: Tensor) -> Tensor:
        codes = field(points)
        return codes * codes.new_tensor(volume.scales)[:, None]

    return densities
