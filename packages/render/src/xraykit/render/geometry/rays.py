"""From camera, pose and voxel grid to rays: the only place where the three meet."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from .camera import Camera
from .checks import common_batch
from .detector_plane import pixel_axes
from .torch_modes import full_precision


@full_precision
def voxel_rays(
    camera: Camera, pose: Float[Tensor, "#batch 4 4"], affine: Float[Tensor, "4 4"]
) -> tuple[Float[Tensor, "batch 4 3"], Float[Tensor, "batch {camera.height} {camera.width}"]]:
    r"""The ray of every pixel in voxel coordinates, as an affine function of the pixel.

    With A the affine, [R | s] the pose and K^-1 the camera's back-projection, the ray of the pixel centre (u, v) is

        x(alpha) = source + alpha d(u, v),    d(u, v) = corner + u du + v dv,    0 <= alpha <= 1

    from the source (alpha = 0) to the detector (alpha = 1), in continuous voxel indices (i, j, k).

    Args:
        camera: Intrinsics, shared or one per pose.
        pose: Camera to world [mm], (B, 4, 4).
        affine: Voxel (i, j, k) to world [mm], (4, 4).

    Returns:
        rays: (B, 4, 3), the rows source, corner, du, dv [voxel]; float64 (float32 where the device has no float64).
        length: (B, H, W), the distance from source to pixel centre [mm]; a line integral over millimetres is
            `length` times the integral over alpha.

    Raises:
        GeometryError: Several cameras, but not one per pose.

    Gradients: with respect to pose, affine, sdd, pixel_spacing and principal_point.
    """
    dtype = torch.float32 if pose.device.type == "mps" else torch.float64
    pose = pose.to(dtype)
    world_to_voxel = torch.linalg.inv(affine.to(dtype)).to(pose.device)
    sdd, spacing, centre = camera.tensors(dtype=dtype, device=pose.device)
    row, column = spacing[:, 0], spacing[:, 1]
    zero = torch.zeros_like(sdd)
    corner = torch.stack(torch.broadcast_tensors(-centre[:, 0] * column, -centre[:, 1] * row, sdd), dim=-1)
    du = torch.stack(torch.broadcast_tensors(column, zero, zero), dim=-1)
    dv = torch.stack(torch.broadcast_tensors(zero, row, zero), dim=-1)

    directions = torch.stack(torch.broadcast_tensors(corner, du, dv), dim=1)  # camera frame, (B or 1, 3, 3)
    batch = common_batch(pose=len(pose), camera=len(directions))
    to_voxel = _multiply(world_to_voxel[None, :3, :3], pose[:, :3, :3])
    source = _apply(world_to_voxel[None, :3, :3], pose[:, None, :3, 3]) + world_to_voxel[:3, 3]
    rays = torch.cat([source.expand(batch, 1, 3), _apply(to_voxel, directions).expand(batch, 3, 3)], dim=1)
    return rays, _lengths(camera, corner, row, column).expand(batch, -1, -1)


def _lengths(camera: Camera, corner: Tensor, row: Tensor, column: Tensor) -> Tensor:
    u, v = pixel_axes(camera.height, camera.width, dtype=corner.dtype, device=corner.device)
    x = corner[:, 0, None] + u * column[:, None]
    y = corner[:, 1, None] + v * row[:, None]
    return (x[:, None, :] ** 2 + y[:, :, None] ** 2 + corner[:, 2, None, None] ** 2).sqrt()


def _apply(matrix: Tensor, points: Tensor) -> Tensor:
    """matrix (B, 3, 3) on points (B, N, 3), written out: a batched matmul may change its rounding with B."""
    return (matrix[:, None] * points[:, :, None, :]).sum(dim=-1)


def _multiply(a: Tensor, b: Tensor) -> Tensor:
    return (a[:, :, :, None] * b[:, None, :, :]).sum(dim=2)
