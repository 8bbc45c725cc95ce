"""Where in the patient a registration must be right: points of the structure that the X-ray shows, and their error."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from xraykit.render import Camera, InputError, Volume
from xraykit.render.geometry import project, voxel_to_world

DENSE = 0.01  # 1/mm: half of water, so that air and lung do not count


def target_points(volume: Volume, *, count: int = 500) -> Tensor:
    """About `count` points spread evenly over the voxels that attenuate, (N, 3) world RAS [mm] float64.

    Raises:
        InputError: Nothing in the volume attenuates.
    """
    mu = volume.mu * volume.mu_scale
    step = max(1, round((mu.numel() / 200_000) ** (1 / 3)))
    coarse = mu[::step, ::step, ::step]
    index = (coarse > DENSE).nonzero()
    index = (coarse > 0).nonzero() if len(index) == 0 else index
    if len(index) == 0:
        raise InputError("a structure must attenuate somewhere, got one of zeros; check its labels.")
    chosen = index[torch.linspace(0, len(index) - 1, min(count, len(index))).round().long()]
    return voxel_to_world(chosen.flip(-1).cpu().double() * step, volume.affine)


def points_in_view(points: Tensor, cameras: Sequence[Camera], poses: Tensor) -> Tensor:
    """Those of the points (N, 3) that at least one of V views shows, poses (V, 4, 4); all of them if none does."""
    seen = torch.zeros(len(points), dtype=torch.bool)
    for camera, pose in zip(cameras, poses, strict=True):
        uv, depth = project(points, camera, pose[None])[:2]
        inside = (uv >= 0) & (uv <= uv.new_tensor([camera.width, camera.height]))
        seen |= (inside.all(-1) & (depth > 0))[0]
    return points[seen] if bool(seen.any()) else points


def share_shown(points: Tensor, camera: Camera, pose: Tensor, valid: Tensor | None) -> float:
    """The share of the points (N, 3) that a view at a pose (4, 4) shows on valid pixels (H, W), all if None."""
    uv, depth = project(points, camera, pose[None])[:2]
    size = uv.new_tensor([camera.width, camera.height])
    inside = ((uv >= 0) & (uv < size)).all(-1)[0] & (depth[0] > 0)
    if valid is not None:
        column, row = uv[0, inside].long().unbind(-1)
        inside[inside.clone()] = valid.to(inside.device)[row, column]
    return float(inside.double().mean())


def depth_of(points: Tensor, poses: Tensor) -> Tensor:
    """How far along the beam points (N, 3) lie from the source of one pose (1, 4, 4) or their own (N, 4, 4), (N,)."""
    return ((points.to(poses) - poses[:, :3, 3]) * poses[:, :3, 2]).sum(-1)


def predicted_error(covariance: Tensor, pivot: Tensor, points: Tensor) -> Tensor:
    r"""The root mean square target registration error that a covariance predicts [mm].

    A twist (w, v) about the pivot p moves a point x by w x (x - p) + v = J (w, v), so the error's variance is the
    mean over points of trace(J C J^T).

    Args:
        covariance: (6, 6) of (w [rad], v [mm]).
        pivot: (3,) world [mm].
        points: (N, 3) world [mm].

    Returns:
        A number, infinite where the covariance is not finite.
    """
    if not bool(torch.isfinite(covariance).all()):
        return covariance.new_tensor(torch.inf)
    x, y, z = (points - pivot).to(covariance).unbind(-1)
    zero, one = torch.zeros_like(x), torch.ones_like(x)
    rows = ((zero, z, -y, one, zero, zero), (-z, zero, x, zero, one, zero), (y, -x, zero, zero, zero, one))
    jacobian = torch.stack([torch.stack(row, dim=-1) for row in rows], dim=1)  # (N, 3, 6)
    variance = torch.einsum("nij,jk,nik->n", jacobian, covariance, jacobian)
    return variance.mean().clamp_min(0).sqrt()
