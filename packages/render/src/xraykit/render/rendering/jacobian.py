"""Line integrals together with their derivatives in pose and intrinsics, pixel by pixel: what Gauss-Newton needs."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ..geometry.camera import Camera
from ..geometry.checks import check_pose_shape, check_samples, pose_batch
from ..geometry.detector_plane import detector_axes
from ..geometry.frames import Vector
from ..geometry.rays import voxel_rays
from ..geometry.torch_modes import differentiating
from ..volumes.volume import Volume
from .backends import choose_backend
from .march import march_jacobian
from .options import DEFAULT_SAMPLES, Backend, Method


class ImageJacobian(NamedTuple):
    """`image` (B, 1, H, W); `twist` (B, 6, H, W) per rad, rad, rad, mm, mm, mm; `intrinsics` (B, 3, H, W) or None."""

    image: Float[Tensor, "batch 1 height width"]
    twist: Float[Tensor, "batch 6 height width"]
    intrinsics: Float[Tensor, "batch 3 height width"] | None


@differentiating
def render_jacobian(
    volume: Volume,
    camera: Camera,
    pose: Float[Tensor, "batch 4 4"],
    *,
    pivot: Vector,
    intrinsics: bool = False,
    method: Method = "trilinear",
    samples: int = DEFAULT_SAMPLES,
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
    pose = pose_batch(check_pose_shape(pose)).detach()
    check_samples(samples)
    name = choose_backend(backend, device=volume.device, dtype=volume.mu.dtype, voxels=volume.mu.numel(), method=method)
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
    x, y, z = (t.detach() for t in detector_axes(camera, dtype=torch.float64, device="cpu"))
    directions = torch.stack(torch.broadcast_tensors(x[:, None, :], y[:, :, None], z[:, None, None]), dim=1)
    return directions.expand(batch, -1, -1, -1) if len(directions) == 1 else directions
