"""Frames that files and peers speak: RAS and LPS worlds, voxel indices, and ITK's origin, spacing and direction.

World is patient RAS in mm. DICOM and ITK use LPS, which is RAS turned by 180 degrees about the head-foot axis:
F = diag(-1, -1, 1). F is its own inverse, so each function here serves both directions.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from ..errors import GeometryError
from .torch_modes import full_precision

Vector = Sequence[float] | Tensor


@full_precision
def swap_ras_lps_points(points: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
    """The same points in the other world: F p.

    Args:
        points: World points [mm], (..., 3), RAS or LPS.

    Returns:
        (..., 3) [mm], LPS if the input was RAS and the other way round.
    """
    _require(points, "points", (3,))
    return points * points.new_tensor([-1.0, -1.0, 1.0])


@full_precision
def swap_ras_lps_pose(matrix: Float[Tensor, "*batch 4 4"]) -> Float[Tensor, "*batch 4 4"]:
    """The same map *into* the world, for a pose (camera to world) or an affine (voxel to world): F M.

    Args:
        matrix: (..., 4, 4), into RAS or LPS [mm].

    Returns:
        (..., 4, 4) into the other world. F is a rotation, so a rigid motion stays one.
    """
    _require(matrix, "matrix", (4, 4))
    return matrix * matrix.new_tensor([-1.0, -1.0, 1.0, 1.0])[:, None]


@full_precision
def swap_ras_lps_transform(matrix: Float[Tensor, "*batch 4 4"]) -> Float[Tensor, "*batch 4 4"]:
    """The same map *from world to world*, for a registration: F M F.

    It acts on physical points, so it holds for every voxel grid: axis-aligned, LAS, oblique or sheared.

    Args:
        matrix: (..., 4, 4), RAS to RAS or LPS to LPS [mm].

    Returns:
        (..., 4, 4) between the other two worlds.
    """
    return swap_ras_lps_pose(matrix) * matrix.new_tensor([-1.0, -1.0, 1.0, 1.0])


@full_precision
def voxel_to_world(index: Shaped[Tensor, "*batch 3"], affine: Float[Tensor, "4 4"]) -> Float[Tensor, "*batch 3"]:
    """World position of voxel coordinates: A[:3, :3] index + A[:3, 3].

    Args:
        index: Voxel coordinates in the order (i, j, k) (that is width, height, depth), (..., 3); whole numbers are
            voxel centres.
        affine: Voxel to world [mm], (4, 4).

    Returns:
        World points [mm], (..., 3), in the dtype of `index` (float64 affine arithmetic needs a float64 index).
    """
    _require(index, "index", (3,))
    _require(affine, "affine", (4, 4))
    affine = affine.to(index)
    return index @ affine[:3, :3].T + affine[:3, 3]


@full_precision
def world_to_voxel(points: Float[Tensor, "*batch 3"], affine: Float[Tensor, "4 4"]) -> Float[Tensor, "*batch 3"]:
    """Voxel coordinates of world points, the inverse of `voxel_to_world`.

    Args:
        points: World points [mm], (..., 3).
        affine: Voxel to world [mm], (4, 4).

    Returns:
        Voxel coordinates (i, j, k), (..., 3); whole numbers are voxel centres.
    """
    _require(points, "points", (3,))
    _require(affine, "affine", (4, 4))
    inverse = torch.linalg.inv(affine.double()).to(points)
    return points @ inverse[:3, :3].T + inverse[:3, 3]


@full_precision
def box_corners(shape: Sequence[int], affine: Float[Tensor, "4 4"]) -> Float[Tensor, "8 3"]:
    """The eight outer corners of a voxel grid, half a voxel beyond the first and last centres.

    Args:
        shape: Voxels as (depth, height, width), like `Volume.shape`.
        affine: Voxel to world [mm], (4, 4).

    Returns:
        World points [mm], (8, 3); the corner of the first voxel comes first, i varies slowest.
    """
    depth, height, width = shape
    ends = [torch.tensor([-0.5, n - 0.5], dtype=affine.dtype, device=affine.device) for n in (width, height, depth)]
    return voxel_to_world(torch.cartesian_prod(*ends), affine)


@full_precision
def affine_from_itk(
    *,
    origin: Vector,
    spacing: Vector,
    direction: Sequence[Sequence[float]] | Sequence[float] | Shaped[Tensor, "3 3"] | Shaped[Tensor, " 9"],
) -> Float[Tensor, "4 4"]:
    """Voxel to RAS affine of an ITK image: F [D diag(spacing) | origin].

    Args:
        origin: LPS position of the first voxel centre [mm], (3,).
        spacing: Voxel size along i, j, k [mm], (3,).
        direction: Unit columns, the LPS directions of i, j, k, (3, 3); ITK's flat nine numbers are accepted.

    Returns:
        (4, 4) float64 on the CPU.
    """
    affine = torch.eye(4, dtype=torch.float64)
    columns = torch.as_tensor(direction, dtype=torch.float64).reshape(3, 3)
    affine[:3, :3] = columns * torch.as_tensor(spacing, dtype=torch.float64)
    affine[:3, 3] = torch.as_tensor(origin, dtype=torch.float64)
    return swap_ras_lps_pose(affine)


@full_precision
def affine_to_itk(affine: Float[Tensor, "4 4"]) -> tuple[list[float], list[float], list[list[float]]]:
    """Origin, spacing and direction (LPS) of an ITK image with this voxel to RAS affine.

    Args:
        affine: Voxel to world RAS [mm], (4, 4).

    Returns:
        origin (3) [mm], spacing (3) [mm], direction (3 rows of 3).

    Raises:
        GeometryError: The voxel axes are not orthogonal (gantry tilt), which ITK's image model cannot hold.
    """
    lps = swap_ras_lps_pose(affine.detach().cpu().double())
    spacing = lps[:3, :3].norm(dim=0)
    direction = lps[:3, :3] / spacing
    if not torch.allclose(direction.T @ direction, torch.eye(3, dtype=torch.float64), atol=1e-4):
        raise GeometryError(
            f"an ITK image needs orthogonal voxel axes, got the directions {direction.tolist()}; "
            "resample the sheared volume first."
        )
    return lps[:3, 3].tolist(), spacing.tolist(), direction.tolist()


def _require(tensor: Tensor, name: str, ending: tuple[int, ...]) -> None:
    if tuple(tensor.shape[-len(ending) :]) != ending or not tensor.is_floating_point():
        sizes = ", ".join(str(n) for n in ending)
        raise GeometryError(
            f"{name} must be a floating-point tensor (..., {sizes}), got {tensor.dtype} {tuple(tensor.shape)}."
        )
