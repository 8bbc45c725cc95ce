"""Line integrals together with their derivatives in pose and intrinsics, pixel by pixel: what Gauss-Newton needs."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ..errors import GeometryError, InputError
from ..geometry.camera import Camera
from ..geometry.frames import Vector
from ..geometry.rays import voxel_rays
from ..geometry.rigid import check_pose
from ..volumes.volume import Volume
from .backends import Backend, choose_backend
from .march import Method, march_jacobian


class ImageJacobian(NamedTuple):
    """`image` (B, 1, H, W); `twist` (B, 6, H, W) per rad, rad, rad, mm, mm, mm; `intrinsics` (B, 3, H, W) or None."""

    image: Tensor
    twist: Tensor
    intrinsics: Tensor | None


def render_jacobian(
    volume: Volume,
    camera: Camera,
    pose: Tensor,
    *,
    pivot: Vector,
    intrinsics: bool = False,
    method: Method = "trilinear",
    samples: int = 500,
    backend: Backend = "auto",
) -> ImageJacobian:
    r"""The image of `render` and the derivative of every pixel, in one march.

    The pose moves by a left twist (w, v) about a world point p, pose' = T(p) exp(w, v) T(-p) pose. With a ray's source
    s and direction d (to the pixel on the detector) in world millimetres, and g_s, g_d the derivatives of its integral
    with respect to them,

        dI/dw = (s - p) x g_s + d x g_d,    dI/dv = g_s,

    and for the intrinsics, with L = |d| and e_k the camera's axes in the world,

        dI/dsdd = g_d . e_z + I sdd / L^2,    dI/dc_x = -spacing_col (g_d . e_x + I d_x / L^2),    c_y likewise.

    Args:
        volume: The patient.
        camera: Intrinsics, shared or one per pose.
        pose: Camera to world RAS [mm], (B, 4, 4), a proper rigid motion.
        pivot: p, world RAS [mm], (3,).
        intrinsics: Also give the derivatives by sdd [1/mm] and by the principal point (x, y) [1/px].
        method: As in `render`.
        samples: As in `render`.
        backend: As in `render`; "torch" differentiates the readable projector, the others bring the derivative along.

    Returns:
        The image, equal to that of `render`, and the derivatives; none of them carries a gradient.

    Raises:
        As `render`.
    """
    if pose.ndim != 3 or pose.shape[1:] != (4, 4):
        raise GeometryError(f"pose must be (B, 4, 4), got shape {tuple(pose.shape)}.")
    if isinstance(samples, bool) or int(samples) != samples or samples < 1:
        raise InputError(f"samples must be a positive whole number, got {samples}.")
    if pose.device.type == "cpu":
        check_pose(pose)
    pose = pose.detach()
    name = choose_backend(backend, device=volume.device, dtype=volume.mu.dtype, voxels=volume.mu.numel())
    rays, length = voxel_rays(camera, pose, volume.affine)
    rays, length = rays.detach().to(volume.device), length.detach()
    size = {"height": camera.height, "width": camera.width}
    integral, by_ray = march_jacobian(volume.mu, rays, name, method=method, samples=samples, **size)
    to_voxel = torch.linalg.inv(volume.affine[:3, :3]).to(by_ray)
    scale = (length * volume.mu_scale).to(integral)[:, None]
    by_source = torch.einsum("ij,bihw->bjhw", to_voxel, by_ray[:, :3]) * scale
    by_direction = torch.einsum("ij,bihw->bjhw", to_voxel, by_ray[:, 3:]) * scale
    image = integral * scale

    axes = pose[:, :3, :3].to(by_ray)
    local = _directions(camera, len(pose)).to(by_ray)
    direction = torch.einsum("bij,bjhw->bihw", axes, local)
    lever = (pose[:, :3, 3].cpu().double() - torch.as_tensor(pivot).detach().double().cpu()).to(by_ray)
    lever = lever[:, :, None, None].expand_as(by_source)
    turn = torch.linalg.cross(lever, by_source, dim=1) + torch.linalg.cross(direction, by_direction, dim=1)
    twist = torch.cat([turn, by_source], dim=1)
    if not intrinsics:
        return ImageJacobian(image, twist, None)
    along = torch.einsum("bij,bihw->bjhw", axes, by_direction) + image * local / local.square().sum(1, keepdim=True)
    spacing = camera.tensors(dtype=by_ray.dtype, device=by_ray.device)[1]
    by_centre = -spacing.flip(-1)[:, :, None, None] * along[:, :2]
    return ImageJacobian(image, twist, torch.cat([along[:, 2:], by_centre], dim=1))


def _directions(camera: Camera, batch: int) -> Tensor:
    """From the source to every pixel centre in the camera frame [mm], (B, 3, H, W)."""
    sdd, spacing, centre = (t.detach() for t in camera.tensors(dtype=torch.float64, device="cpu"))
    u = torch.arange(camera.width, dtype=sdd.dtype) + 0.5
    v = torch.arange(camera.height, dtype=sdd.dtype) + 0.5
    x = ((u - centre[:, :1]) * spacing[:, 1:])[:, None, :].expand(-1, camera.height, -1)
    y = ((v - centre[:, 1:]) * spacing[:, :1])[:, :, None].expand(-1, -1, camera.width)
    n = max(len(x), len(y), len(sdd))
    z = sdd[:, None, None].expand(n, camera.height, camera.width)
    directions = torch.stack([x.expand_as(z), y.expand_as(z), z], dim=1)
    return directions.expand(batch, -1, -1, -1) if len(directions) == 1 else directions
