"""World points to pixels, and pixels back to rays and points."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..errors import GeometryError
from .camera import Camera
from .checks import check_pose_shape, common_batch
from .detector_plane import pixel_axes
from .rigid import rigid_inverse, transform_points
from .torch_modes import full_precision


class Projection(NamedTuple):
    """Image of N points in B views: `uv` (B, N, 2) [px], `depth` (B, N) [mm], `visible` (B, N)."""

    uv: Float[Tensor, "batch points 2"]
    depth: Float[Tensor, "batch points"]
    visible: Bool[Tensor, "batch points"]


@full_precision
def project(
    points: Float[Tensor, "points 3"] | Float[Tensor, "#batch points 3"],
    camera: Camera,
    pose: Float[Tensor, "#batch 4 4"],
) -> Projection:
    """Where points of the world appear on the detector.

    With (x, y, z) the point in the camera frame, u = sdd / s_col * x / z + c_x and v = sdd / s_row * y / z + c_y.
    The centre of pixel (row r, column c) is at (u, v) = (c + 1/2, r + 1/2).

    Args:
        points: World RAS [mm], (N, 3), or (B, N, 3) for other points in each view.
        camera: Intrinsics, shared or one per view.
        pose: Camera to world, (B, 4, 4).

    Returns:
        uv in pixels, depth = z [mm] along the beam, and visible: in front of the source and within the image.
        Where depth <= 0 a point has no image; its uv is finite, without meaning, and carries no gradient.

    Raises:
        GeometryError: Shapes that do not fit each other.

    Gradients: of uv and depth to points, pose and the intrinsics.
    """
    points, pose = _prepare(points, camera, pose, name="points", size=3)
    sdd, spacing, centre = camera.tensors(dtype=points.dtype, device=points.device)
    local = transform_points(rigid_inverse(pose), points)
    depth = local[..., 2]
    front = depth > 0
    ratio = torch.where(front[..., None], local[..., :2], 0.0) / torch.where(front, depth, 1.0)[..., None]
    focal = sdd[:, None] / spacing.flip(-1)
    uv = focal[:, None, :] * ratio + centre[:, None, :]
    size = uv.new_tensor([camera.width, camera.height])
    visible = front & (uv >= 0).all(-1) & (uv <= size).all(-1)
    return Projection(uv, depth.expand(uv.shape[:-1]), visible)


@full_precision
def back_project(
    uv: Float[Tensor, "pixels 2"] | Float[Tensor, "#batch pixels 2"],
    camera: Camera,
    pose: Float[Tensor, "#batch 4 4"],
    *,
    depth: float | Float[Tensor, "#batch #pixels"] | Float[Tensor, " #pixels"] | Float[Tensor, ""] | None = None,
) -> Float[Tensor, "batch pixels 3"]:
    """World points that appear at given pixels, at a given depth.

    p = R (depth * d) + source with d = ((u - c_x) s_col / sdd, (v - c_y) s_row / sdd, 1): the inverse of `project`.

    Args:
        uv: Pixel coordinates, (N, 2), or (B, N, 2) for others in each view.
        camera: Intrinsics, shared or one per view.
        pose: Camera to world, (B, 4, 4).
        depth: Distance from the source measured along the beam axis (not along the ray) [mm]; a number, (N,) or
            (B, N). None is the detector plane, depth = sdd.

    Returns:
        World RAS [mm], (B, N, 3).

    Raises:
        GeometryError: Shapes that do not fit each other.

    Gradients: to uv, depth, pose and the intrinsics.
    """
    uv, pose = _prepare(uv, camera, pose, name="uv", size=2)
    local = _directions(uv, camera)
    if depth is None:
        sdd = camera.tensors(dtype=uv.dtype, device=uv.device)[0]
        scale = sdd[:, None]
    else:
        scale = torch.as_tensor(depth, dtype=uv.dtype, device=uv.device)
        if scale.ndim > 2 or (scale.ndim and scale.shape[-1] not in (1, uv.shape[-2])):
            raise GeometryError(
                f"depth must be a number, (N,) or (B, N) with N = {uv.shape[-2]} pixels, got {tuple(scale.shape)}."
            )
    return transform_points(pose, local * scale[..., None])


@full_precision
def pixel_rays(
    uv: Float[Tensor, "pixels 2"] | Float[Tensor, "#batch pixels 2"], camera: Camera, pose: Float[Tensor, "poses 4 4"]
) -> tuple[Float[Tensor, "poses 3"], Float[Tensor, "batch pixels 3"]]:
    """The rays through given pixels: source (B, 3) [mm] and unit directions (B, N, 3), world RAS.

    Arguments, errors and gradients as in `back_project`.
    """
    uv, pose = _prepare(uv, camera, pose, name="uv", size=2)
    directions = torch.nn.functional.normalize(_directions(uv, camera), dim=-1)
    return pose[:, :3, 3], directions @ pose[:, :3, :3].mT


@full_precision
def pixel_centers(
    camera: Camera, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None
) -> Float[Tensor, "{camera.height} {camera.width} 2"]:
    """(u, v) of the centre of each pixel, (H, W, 2): (c + 1/2, r + 1/2) at row r and column c."""
    dtype = dtype or torch.get_default_dtype()
    columns, rows = pixel_axes(camera.height, camera.width, dtype=dtype, device=device)
    v, u = torch.meshgrid(rows, columns, indexing="ij")
    return torch.stack([u, v], dim=-1)


def _directions(uv: Tensor, camera: Camera) -> Tensor:
    """Camera-frame rays (B or 1, N, 3) scaled to z = 1."""
    sdd, spacing, centre = camera.tensors(dtype=uv.dtype, device=uv.device)
    slope = (uv - centre[:, None, :]) * (spacing.flip(-1) / sdd[:, None])[:, None, :]
    return torch.cat([slope, torch.ones_like(slope[..., :1])], dim=-1)


def _prepare(values: Tensor, camera: Camera, pose: Tensor, *, name: str, size: int) -> tuple[Tensor, Tensor]:
    """Both in one floating dtype, `values` (B or 1, N, size); the batch sizes agree."""
    check_pose_shape(pose)
    if values.ndim not in (2, 3) or values.shape[-1] != size:
        raise GeometryError(f"{name} must be (N, {size}) or (B, N, {size}), got shape {tuple(values.shape)}.")
    dtype = torch.promote_types(values.dtype, pose.dtype)
    values, pose = values.to(dtype), pose.to(dtype)
    values = values[None] if values.ndim == 2 else values
    intrinsics = camera.tensors(dtype=dtype, device=values.device)
    common_batch(pose=len(pose), **{name: len(values)}, camera=max(len(tensor) for tensor in intrinsics))
    return values, pose
