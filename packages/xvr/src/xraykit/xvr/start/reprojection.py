"""Least squares of the reprojection error, for many small problems at once, and the covariance of its solution."""

from __future__ import annotations

from itertools import permutations

import torch
from torch import Tensor

from xraykit.render.geometry import rigid_inverse, rigid_matrix, se3_exp


def refined(
    motions: Tensor,
    points: Tensor,
    seen: Tensor,
    sdd: float | Tensor,
    *,
    cameras: Tensor | None = None,
    iterations: int = 60,
) -> tuple[Tensor, Tensor]:
    r"""Levenberg-Marquardt on sum |sdd (x, y) / z - seen|^2, (x, y, z) = C (R p + t), for B problems of N points.

    C takes the first of several cameras to the one that sees a point; it is the identity where there is one camera.
    Each step turns and shifts the points as they lie before the first camera about their centroid, which decouples the
    two. A step that does not lower the cost is not taken; its damping grows tenfold.

    Args:
        motions: World to the first camera, (B, 4, 4) float64, where to begin.
        points: World [mm], (B, N, 3).
        seen: At the detector, from the principal point [mm], (B, N, 2).
        sdd: Source to detector [mm], one or (B, N).
        cameras: First camera to the one that sees each point, (B, N, 4, 4); None where all are seen by the first.
        iterations: At most.

    Returns:
        World to the first camera (B, 4, 4), and the cost (B,) [mm^2]; inf where a point lies behind the source.
    """
    damping = torch.full(motions.shape[:1], 1e-3, dtype=torch.float64)
    residual, jacobian, cost = _linearised(motions, points, seen, sdd, cameras)
    for _ in range(iterations):
        normal = jacobian.mT @ jacobian
        scale = normal.diagonal(dim1=-2, dim2=-1).clamp_min(1e-12)
        damped = normal + torch.diag_embed(damping[:, None] * scale + 1e-12)
        step = torch.linalg.solve_ex(damped, -(jacobian.mT @ residual[..., None]))[0][..., 0]
        trial = _moved(motions, points, step.nan_to_num().clamp(-1e3, 1e3))
        new_residual, new_jacobian, new_cost = _linearised(trial, points, seen, sdd, cameras)
        better = new_cost < cost
        settled = not bool((better & (cost - new_cost > 1e-14 * (1 + cost))).any())
        damping = torch.where(better, damping / 5, damping * 10).clamp(1e-12, 1e12)
        motions = torch.where(better[:, None, None], trial, motions)
        residual = torch.where(better[:, None], new_residual, residual)
        jacobian = torch.where(better[:, None, None], new_jacobian, jacobian)
        cost = torch.where(better, new_cost, cost)
        if settled and bool((damping > 1e3).all()):
            break
    return motions, cost


def covariance_about(
    pivot: Tensor, pose: Tensor, points: Tensor, seen: Tensor, sdd: float | Tensor, cameras: Tensor | None = None
) -> Tensor:
    r"""Covariance 6x6 of the left twist (w [rad], v [mm]) of a solved pose about `pivot`, in world axes.

    sigma^2 (J'J)^-1 with sigma^2 = sum of squared errors / (2 N - 6): isotropic, independent errors of pointing.

    Args:
        pivot: (3,) world [mm].
        pose: First camera to world, (4, 4).
        points: (N, 3) world [mm], N >= 4.
        seen: (N, 2) at the detector [mm].
        sdd: One or (N,) [mm].
        cameras: As for `refined`, (N, 4, 4).
    """
    inverse = rigid_inverse(pose)
    residual, jacobian, _ = _linearised(inverse[None], points[None], seen[None], sdd, cameras)
    # A motion D of the pose about the pivot moves every point by D^-1 before the camera; the columns of `jacobian`
    # belong to turns and shifts in camera axes about the centroid.
    rotation = inverse[:3, :3]
    lever = rotation @ _cross(points.mean(0) - pivot)  # turning about the pivot shifts the centroid
    change = torch.zeros(6, 6, dtype=torch.float64)
    change[:3, :3], change[3:, 3:], change[3:, :3] = -rotation, -rotation, lever
    turned = jacobian[0] @ change
    sigma2 = float(residual.square().sum()) / max(1, residual.numel() - 6)
    return sigma2 * torch.linalg.pinv(turned.mT @ turned, hermitian=True, rtol=1e-14)


def rotation_grid() -> Tensor:
    """The 24 turns (24, 3, 3) of a cube onto itself; no rotation is farther than 63 degrees from all of them."""
    eye = torch.eye(3, dtype=torch.float64)
    signs = torch.cartesian_prod(*[torch.tensor([1.0, -1.0], dtype=torch.float64)] * 3)
    cube = torch.stack([eye[list(order)] * sign[:, None] for order in permutations(range(3)) for sign in signs])
    return cube[torch.linalg.det(cube) > 0]


def _linearised(
    motions: Tensor, points: Tensor, seen: Tensor, sdd: float | Tensor, cameras: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Residuals (B, 2 N), their derivatives (B, 2 N, 6) by (turn, shift) about the centroid, and the cost (B,)."""
    local = points @ motions[:, :3, :3].mT + motions[:, None, :3, 3]
    about = local - local.mean(1, keepdim=True)
    own = local if cameras is None else (cameras[..., :3, :3] @ local[..., None])[..., 0] + cameras[..., :3, 3]
    x, y, z = own.unbind(-1)
    front = (z > 1.0).all(-1)
    z = torch.where(z > 1.0, z, 1.0)
    distance = torch.as_tensor(sdd, dtype=z.dtype).expand(z.shape)
    residual = (distance[..., None] * own[..., :2] / z[..., None] - seen).flatten(1)
    zero = torch.zeros_like(z)
    by_place = torch.stack([torch.stack([1 / z, zero, -x / z**2], -1), torch.stack([zero, 1 / z, -y / z**2], -1)], -2)
    by_place = by_place if cameras is None else by_place @ cameras[..., :3, :3]
    jacobian = distance[..., None, None] * torch.cat([-(by_place @ _cross(about)), by_place], dim=-1)
    cost = torch.where(front, residual.square().sum(-1), torch.inf)
    return residual, jacobian.flatten(1, 2), cost


def _moved(motions: Tensor, points: Tensor, step: Tensor) -> Tensor:
    """World to camera after a turn and a shift about the points' centroid, in camera axes."""
    centroid = (points.mean(1, keepdim=True) @ motions[:, :3, :3].mT)[:, 0] + motions[:, :3, 3]
    turn = se3_exp(torch.cat([torch.zeros_like(step[:, :3]), step[:, :3]], dim=-1))[:, :3, :3]
    place = (turn @ (motions[:, :3, 3] - centroid)[..., None])[..., 0] + centroid + step[:, 3:]
    return rigid_matrix(turn @ motions[:, :3, :3], place)


def _cross(vector: Tensor) -> Tensor:
    """[v] (..., 3, 3) with [v] x = v x x."""
    x, y, z = vector.unbind(-1)
    zero = torch.zeros_like(x)
    return torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=-1).unflatten(-1, (3, 3))
