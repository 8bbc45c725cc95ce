"""Start from landmarks seen in CT and X-ray: the perspective-n-point problem, robust against wrong pairs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from xraykit.render import Camera, InputError
from xraykit.render.geometry import full_precision, project, rigid_inverse, rigid_matrix

from .point_pairs import matched
from .reprojection import covariance_about, refined, rotation_grid

LEAST = 4
TRIALS = 60
OUTLIER = 2.5  # robust standard deviations
PICKING = 1.0  # [mm] at the detector: nobody points more exactly than this
_BEHIND = (
    "no camera in front of the landmarks explains them; check that the names of CT and X-ray mean the same points."
)
RIVAL = 2.0  # a second pose counts as a candidate if its error is at most this many times that of the best


@dataclass(frozen=True, eq=False)
class LandmarkPose:
    """Where N landmark pairs put the camera.

    Args:
        poses: Camera to world, (S, 4, 4) float64, best first; more than one where the points leave a choice (few, or
            all nearly in one plane).
        names: Of the N pairs.
        error: Distance at the detector between each landmark and its image under the best pose, (N,) [mm].
        inlier: Which pairs the pose rests on, (N,) booleans.
        covariance: 6x6 of the left twist (w [rad], v [mm]) of the best pose about `pivot`, from the inliers' errors.
        pivot: Centroid of the inliers, (3,) [mm].
    """

    poses: Tensor
    names: tuple[str, ...]
    error: Tensor
    inlier: Tensor
    covariance: Tensor
    pivot: Tensor

    @property
    def rms(self) -> float:
        """Root mean square of the inliers' errors [mm] at the detector."""
        return float(self.error[self.inlier].square().mean().sqrt())


@full_precision
def starts_from_landmarks(
    world: Mapping[str, Sequence[float] | Tensor], image: Mapping[str, Sequence[float] | Tensor], camera: Camera
) -> Tensor:
    """Candidates (S, 1, 4, 4) from named points of the CT (RAS mm) and of the X-ray (px); see `landmark_pose`."""
    return landmark_pose(world, image, camera).poses[:, None]


@full_precision
def landmark_pose(
    world: Mapping[str, Sequence[float] | Tensor], image: Mapping[str, Sequence[float] | Tensor], camera: Camera
) -> LandmarkPose:
    r"""The pose that projects landmarks of the CT onto those of the X-ray, least squares at the detector.

    Levenberg-Marquardt on the reprojection error from 24 orientations spread over all turns, at once, at the
    depth that explains the points' spread; no start is asked for, and planar and spatial points need no different
    treatment. With more than six pairs, random samples of five propose poses first, the one is kept whose
    (N + 5) / 2-th smallest error is least (least quantile of squares), and pairs off by more than 2.5 robust standard
    deviations are left out.

    Args:
        world: {name: (x, y, z)} RAS [mm].
        image: {name: (u, v)} [px], pixel centres at half-integers; names are matched.
        camera: Intrinsics of the X-ray.

    Returns:
        The pose, its rivals, and how well it fits.

    Raises:
        InputError: Fewer than 4 names in common, coordinates that are not finite, points that coincide or lie on a
            line, or pairs that no camera in front of the points explains.

    Source: the error is that of Hartley and Zisserman, Multiple View Geometry, ch. 7; quantile: Rousseeuw 1984.
    """
    names, points, uv = matched(world, image, least=LEAST)
    sdd, spacing, centre = camera.tensors(dtype=torch.float64, device="cpu")
    seen = (uv - centre) * spacing.flip(-1)  # [mm] at the detector
    _check_spread(points, seen)
    distance = float(sdd[0])
    inlier = torch.ones(len(names), dtype=torch.bool)
    if len(names) > 6:
        inlier = _agreeing(points, seen, distance)
    poses, rms = _solved(points[inlier], seen[inlier], distance)
    error = (_at_detector(poses[0], points, camera) - seen).norm(dim=-1)
    near = rms <= RIVAL * rms[0] + 0.1 * PICKING
    pivot = points[inlier].mean(0)
    covariance = covariance_about(pivot, poses[0], points[inlier], seen[inlier], distance)
    return LandmarkPose(poses[near], names, error, inlier, covariance, pivot)


def _solved(points: Tensor, seen: Tensor, sdd: float) -> tuple[Tensor, Tensor]:
    """All different local minima (S, 4, 4), camera to world, best first, and their rms errors (S,) [mm]."""
    starts = _starts(points[None], seen[None], sdd)[0]
    motions, cost = refined(starts, points.expand(len(starts), -1, -1), seen.expand(len(starts), -1, -1), sdd)
    usable = torch.isfinite(cost) & (_depths(motions, points).amin(-1) > 0)
    if not bool(usable.any()):
        raise InputError(_BEHIND)
    motions, cost = motions[usable], cost[usable]
    order = cost.argsort()
    kept: list[int] = []
    placed = motions[:, :3, :3] @ points.mT + motions[:, :3, 3:]
    size = float((points - points.mean(0)).norm(dim=-1).max())
    for index in order.tolist():
        apart = (placed[kept] - placed[index]).norm(dim=1).amax(-1)
        if bool((apart > 0.05 * size).all()):
            kept.append(index)
    return rigid_inverse(motions[kept]), (cost[kept] / len(points)).sqrt()


def _agreeing(points: Tensor, seen: Tensor, sdd: float) -> Tensor:
    """The pairs (N,) that one pose explains."""
    count = len(points)
    quantile = (count + 5) // 2
    generator = torch.Generator().manual_seed(0)
    picks = torch.stack([torch.randperm(count, generator=generator)[:5] for _ in range(TRIALS)])
    starts = _starts(points[picks], seen[picks], sdd)  # (T, G, 4, 4)
    shape = starts.shape[:2]
    few, their = (x[picks][:, None].expand(*shape, -1, -1).flatten(0, 1) for x in (points, seen))
    motions, cost = refined(starts.flatten(0, 1), few, their, sdd, iterations=20)
    local = motions[:, :3, :3] @ points.mT + motions[:, :3, 3:]
    depth = local[:, 2]
    error = (sdd * local[:, :2] / depth[:, None] - seen.mT).square().sum(1)
    error = torch.where(torch.isfinite(cost)[:, None] & (depth > 0), error, torch.inf)
    judged = error.sort(dim=-1).values[:, quantile - 1]
    best = int(judged.argmin())
    if not math.isfinite(float(judged[best])):
        raise InputError(_BEHIND)
    sigma = 1.4826 * (1 + 5 / (count - 5)) * float(error[best].median()) ** 0.5
    return error[best].sqrt() <= OUTLIER * max(sigma, PICKING)


def _starts(points: Tensor, seen: Tensor, sdd: float) -> Tensor:
    """World-to-camera starts (T, G, 4, 4) for T sets of points (T, N, 3): the centroid where it is seen, G turns."""
    centroid = points.mean(1, keepdim=True)
    wide = (points - centroid).square().sum((1, 2)) * 2 / 3  # of it two thirds lie across the beam, on average
    depth = sdd * (wide / (seen - seen.mean(1, keepdim=True)).square().sum((1, 2)).clamp_min(1e-6)).sqrt()
    depth = depth.clamp(0.2 * sdd, 1.2 * sdd)
    place = torch.cat([seen.mean(1) * depth[:, None] / sdd, depth[:, None]], dim=-1)
    turns = rotation_grid()
    shift = place[:, None] - (turns @ centroid[:, 0, None, :, None])[..., 0]
    return rigid_matrix(turns.expand(len(points), -1, -1, -1), shift)


def _depths(motions: Tensor, points: Tensor) -> Tensor:
    return (motions[:, :3, :3] @ points.mT + motions[:, :3, 3:])[:, 2]


def _at_detector(pose: Tensor, points: Tensor, camera: Camera) -> Tensor:
    """Where points appear, from the principal point [mm]."""
    _, spacing, centre = camera.tensors(dtype=torch.float64, device="cpu")
    return (project(points, camera, pose[None]).uv[0] - centre) * spacing.flip(-1)


def _check_spread(points: Tensor, seen: Tensor) -> None:
    extent = torch.linalg.svdvals(points - points.mean(0))
    if float(extent[1]) < 0.02 * float(extent[0]) or float(extent[0]) < 1:
        raise InputError("landmarks must not coincide or lie on one line, these do; choose some that are spread out.")
    if float(torch.linalg.svdvals(seen - seen.mean(0))[0]) < 1:
        raise InputError("the landmarks of the X-ray coincide within 1 mm; check their unit, pixels or millimetres.")
