"""Start from landmarks seen in CT and X-rays: the perspective-n-point problem, robust against wrong pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from xraykit.render import Camera, InputError
from xraykit.render.geometry import full_precision, rigid_inverse

from .candidates import spread_to_views
from .point_pairs import LabelledPoints, matched
from .reprojection import covariance_about
from .sightings import Sightings

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
    """Where N landmark pairs put the camera, or the first of several.

    Args:
        poses: Camera to world, (S, 4, 4) float64, best first; more than one where the points leave a choice (few, or
            all nearly in one plane).
        names: Of the N pairs, one camera's after the other's.
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
def starts_from_landmarks(world: LabelledPoints, image: LabelledPoints, camera: Camera) -> Tensor:
    """Candidates (S, 1, 4, 4) from named points of the CT (RAS mm) and of the X-ray (px); see `landmark_pose`."""
    return landmark_pose(world, image, camera).poses[:, None]


@full_precision
def joint_starts_from_landmarks(
    world: LabelledPoints, images: Sequence[LabelledPoints], cameras: Sequence[Camera], relative: Tensor
) -> Tensor:
    """Candidates (S, V, 4, 4) for V X-rays from named points of the CT and of each; see `joint_landmark_pose`."""
    return spread_to_views(joint_landmark_pose(world, images, cameras, relative).poses[:, None], relative)


@full_precision
def landmark_pose(world: LabelledPoints, image: LabelledPoints, camera: Camera) -> LandmarkPose:
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
    return joint_landmark_pose(world, [image], [camera], torch.eye(4, dtype=torch.float64)[None])


@full_precision
def joint_landmark_pose(
    world: LabelledPoints, images: Sequence[LabelledPoints], cameras: Sequence[Camera], relative: Tensor
) -> LandmarkPose:
    r"""The pose of the first of V cameras by the landmarks that all of them show, as `landmark_pose`.

        sum over views v and landmarks i that v shows of |P_v(relative_v^-1 pose^-1 x_i) - u_vi|^2

    A landmark needs to be in one X-ray only, and an X-ray may show none. Where several show some, each orientation
    begins where its points lie nearest to the rays, so that depth is as well known as what lies across.

    Args:
        world: {name: (x, y, z)} RAS [mm].
        images: {name: (u, v)} [px] of each X-ray.
        cameras: Intrinsics of each.
        relative: Camera v to the first, (V, 4, 4); the first is the identity.

    Returns:
        The pose of the first camera, its rivals, and how well all X-rays fit.

    Raises:
        InputError: Fewer than 4 pairs in all, another number of X-rays, and what `landmark_pose` refuses.
    """
    if not len(images) == len(cameras) == len(relative) > 0:
        counts = f"{len(images)}, {len(cameras)} and {len(relative)}"
        raise InputError(f"landmarks, camera and place must be given for each of the X-rays together, got {counts}.")
    least = LEAST if len(images) == 1 else 0
    found = [matched(world, image, least=least) for image in images]
    names = tuple(name for own, _, _ in found for name in own)
    if len(names) < LEAST:
        raise InputError(
            f"at least {LEAST} pairs of landmarks must have the same name in CT and X-rays, got {len(names)} "
            f"({', '.join(names) or 'none'}); place more."
        )
    sightings = Sightings.of([(points, uv) for _, points, uv in found], cameras, relative)
    _check_spread(sightings.points, sightings.seen.split([len(own) for own, _, _ in found]))
    inlier = torch.ones(len(names), dtype=torch.bool)
    if len(names) > 6:
        inlier = _agreeing(sightings)
    used = sightings.picked(inlier)
    poses, rms = _solved(used)
    error = sightings.offsets(rigid_inverse(poses[:1]))[0][0]
    near = rms <= RIVAL * rms[0] + 0.1 * PICKING
    pivot = used.points.mean(0)
    covariance = covariance_about(pivot, poses[0], used.points, used.seen, used.sdd, used.cameras)
    return LandmarkPose(poses[near], names, error, inlier, covariance, pivot)


def _solved(sightings: Sightings) -> tuple[Tensor, Tensor]:
    """All different local minima (S, 4, 4), camera to world, best first, and their rms errors (S,) [mm]."""
    motions, cost = sightings.refined()
    usable = torch.isfinite(cost) & (sightings.offsets(motions)[1].amin(-1) > 0)
    if not bool(usable.any()):
        raise InputError(_BEHIND)
    motions, cost, points = motions[usable], cost[usable], sightings.points
    order = cost.argsort()
    kept: list[int] = []
    placed = motions[:, :3, :3] @ points.mT + motions[:, :3, 3:]
    size = float((points - points.mean(0)).norm(dim=-1).max())
    for index in order.tolist():
        apart = (placed[kept] - placed[index]).norm(dim=1).amax(-1)
        if bool((apart > 0.05 * size).all()):
            kept.append(index)
    return rigid_inverse(motions[kept]), (cost[kept] / len(points)).sqrt()


def _agreeing(sightings: Sightings) -> Tensor:
    """The pairs (N,) that one pose explains."""
    count = len(sightings)
    quantile = (count + 5) // 2
    generator = torch.Generator().manual_seed(0)
    picks = torch.stack([torch.randperm(count, generator=generator)[:5] for _ in range(TRIALS)])
    motions, cost = (each.flatten(0, 1) for each in sightings.picked(picks).refined(iterations=20))
    error, depth = sightings.offsets(motions)
    error = torch.where(torch.isfinite(cost)[:, None] & (depth > 0), error.square(), torch.inf)
    judged = error.sort(dim=-1).values[:, quantile - 1]
    best = int(judged.argmin())
    if not math.isfinite(float(judged[best])):
        raise InputError(_BEHIND)
    sigma = 1.4826 * (1 + 5 / (count - 5)) * float(error[best].median()) ** 0.5
    return error[best].sqrt() <= OUTLIER * max(sigma, PICKING)


def _check_spread(points: Tensor, seen: Sequence[Tensor]) -> None:
    """Points (N, 3), and where each camera sees its own [mm]."""
    extent = torch.linalg.svdvals(points - points.mean(0))
    if float(extent[1]) < 0.02 * float(extent[0]) or float(extent[0]) < 1:
        raise InputError("landmarks must not coincide or lie on one line, these do; choose some that are spread out.")
    for own in seen:
        if len(own) >= LEAST and float(torch.linalg.svdvals(own - own.mean(0))[0]) < 1:
            raise InputError("the landmarks of an X-ray coincide within 1 mm; check their unit, pixels or millimetres.")
