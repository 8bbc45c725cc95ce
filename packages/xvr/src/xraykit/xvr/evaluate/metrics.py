"""Errors of estimated poses in the terms of the xvr paper, and the true target registration error beside them.

All take camera_to_world poses of the core, estimate and truth (B, 4, 4) (either may have B = 1), and give (B,) in mm.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor

from xraykit.render import Camera, InputError
from xraykit.render.converters import to_diffdrr
from xraykit.render.geometry import (
    back_project,
    check_pose,
    full_precision,
    project,
    rigid_inverse,
    rotation_angle,
    transform_points,
)

from ..refine.pose_distance import misplacement

_ANY_CAMERA = Camera(sdd=1.0, height=1, width=1)  # E does not depend on the intrinsics


class PoseErrors(NamedTuple):
    """The errors of B estimated poses, (B,) each [mm]; infinity where an estimate has fiducials behind its source."""

    mpe: Tensor
    mrpe: Tensor
    mtre_c2w: Tensor
    true_tre: Tensor
    dgeo: Tensor


@full_precision
def pose_errors(
    estimate: Tensor,
    truth: Tensor,
    *,
    camera: Camera,
    fiducials: Tensor,
    center: Tensor,
    orientation: Literal["AP", "PA"] = "AP",
) -> PoseErrors:
    """Every error of this module at once.

    Args:
        estimate: Estimated camera to world [mm], (B, 4, 4).
        truth: True camera to world [mm], (B, 4, 4).
        camera: True intrinsics.
        fiducials: Points of the patient, world RAS [mm], (N, 3), N >= 1, finite.
        center: The point that DiffDRR's poses refer to, `volume.center` [mm], (3,); mtre_c2w and dgeo depend on it.
        orientation: How DiffDRR's subject would be read; mtre_c2w depends on it, and the paper's numbers are for "AP".

    Returns:
        The errors, float64.

    Raises:
        InputError: Fiducials that are empty, not finite or no (N, 3). GeometryError: a pose that is not rigid.
    """
    return PoseErrors(
        mpe(estimate, truth, camera=camera, fiducials=fiducials),
        mrpe(estimate, truth, camera=camera, fiducials=fiducials),
        mtre_c2w(estimate, truth, fiducials=fiducials, center=center, orientation=orientation),
        true_tre(estimate, truth, fiducials=fiducials),
        dgeo(estimate, truth, sdd=camera.sdd_mm, center=center),
    )


@full_precision
def mpe(estimate: Tensor, truth: Tensor, *, camera: Camera, fiducials: Tensor) -> Tensor:
    """Mean projection error: distance between the two images of a fiducial on the detector [mm], mean over fiducials.

    mean |s (pi_estimate(X) - pi_truth(X))|, s the pixel spacing along rows and columns each. Infinity where a
    fiducial lies behind the source. Source: xvr paper, mPE.
    """
    estimate, truth, points = _prepared(estimate, truth, fiducials)
    seen, true = project(points, camera, estimate), project(points, camera, truth)
    spacing = camera.tensors(dtype=points.dtype, device=points.device)[1].flip(-1)[:, None]
    distance = ((seen.uv - true.uv) * spacing).norm(dim=-1).mean(-1)
    return _or_infinite(distance, seen.depth, true.depth)


@full_precision
def mrpe(estimate: Tensor, truth: Tensor, *, camera: Camera, fiducials: Tensor) -> Tensor:
    """Mean reprojection error: distance in space between the images of a fiducial on the two detectors [mm], mean.

    Each image point stays on the detector plane of its own pose. Infinity where a fiducial lies behind the source.
    Source: xvr paper, mRPE.
    """
    estimate, truth, points = _prepared(estimate, truth, fiducials)
    seen, true = project(points, camera, estimate), project(points, camera, truth)
    distance = back_project(seen.uv, camera, estimate) - back_project(true.uv, camera, truth)
    return _or_infinite(distance.norm(dim=-1).mean(-1), seen.depth, true.depth)


@full_precision
def mtre_c2w(
    estimate: Tensor, truth: Tensor, *, fiducials: Tensor, center: Tensor, orientation: Literal["AP", "PA"] = "AP"
) -> Tensor:
    r"""What the xvr paper calls mTRE: mean |E_estimate X - E_truth X| with DiffDRR's camera-to-world E [mm].

    E takes the camera mount to the world, and is applied to fiducials of the world (about `center`) all the same. So
    a rotation acts with the distance to the source as its lever, and the number is many times the error at the
    fiducials (`true_tre`) where the pose is turned; for a pure translation the two agree. Use it to compare with the
    paper and for nothing else.

    With camera_to_world = C, E = Translate(-center) C O' where O' turns the axes of a camera into those of DiffDRR's
    mount for the given `orientation`; another orientation gives other numbers.

    Source: xvr paper, equation 17, and the published evaluator (tests/peers/test_metrics_peers.py).
    """
    estimate, truth, points = _prepared(estimate, truth, fiducials)
    E, E_true = (
        to_diffdrr(_ANY_CAMERA, pose, orientation=orientation, center=center).extrinsic for pose in (estimate, truth)
    )
    about = points - center.to(points)
    return (transform_points(E, about) - transform_points(E_true, about)).norm(dim=-1).mean(-1)


@full_precision
def true_tre(estimate: Tensor, truth: Tensor, *, fiducials: Tensor) -> Tensor:
    """Mean target registration error: mean |C_estimate^-1 X - C_truth^-1 X|, fiducials as the camera sees them [mm].

    How far the patient is misplaced in the frame of the C-arm. Source: the definition in use since Fitzpatrick 1998.
    """
    estimate, truth, points = _prepared(estimate, truth, fiducials)
    return misplacement(estimate, truth, points)


@full_precision
def dgeo(estimate: Tensor, truth: Tensor, *, sdd: float, center: Tensor) -> Tensor:
    """Double geodesic distance: sqrt((sdd / 2 * angle)^2 + |t_estimate - t_truth|^2) [mm].

    The angle [rad] is that between the rotations; t = R'(source - center), the source as the turned camera sees it
    from `center`. It needs no fiducials, and no orientation. Source: xvr paper, dGeo with eps = 0. The training loss
    `double_geodesic` is the same with eps = 1e-6 mm^2, which its gradient needs; neither can be had from the other
    without another last digit.
    """
    estimate, truth = check_pose(estimate.double(), name="estimate"), check_pose(truth.double(), name="truth")
    angle = rotation_angle(estimate[:, :3, :3].mT @ truth[:, :3, :3])
    offsets = [transform_points(rigid_inverse(pose), center.to(pose)[None])[:, 0] for pose in (estimate, truth)]
    return torch.hypot(sdd / 2 * angle, (offsets[0] - offsets[1]).norm(dim=-1))


def success_rate(errors: Tensor, *, below: float = 1.0) -> float:
    """The share of errors below a bound [mm], 0 to 1; NaN and infinity are failures.

    With `mtre_c2w` and 1 mm this is the paper's sub-millimetre success rate (SMSR).

    Raises:
        InputError: No errors.
    """
    if errors.numel() == 0:
        raise InputError("a success rate needs at least one error, got none.")
    return float((errors < below).double().mean())


def _prepared(estimate: Tensor, truth: Tensor, fiducials: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    points = torch.as_tensor(fiducials).double()
    if points.ndim != 2 or points.shape[-1] != 3 or len(points) == 0:
        raise InputError(f"fiducials must be (N, 3) with at least one point, got shape {tuple(points.shape)}.")
    if not bool(torch.isfinite(points).all()):
        raise InputError("fiducials must be finite, got NaN or infinity.")
    return check_pose(estimate.double(), name="estimate"), check_pose(truth.double(), name="truth"), points


def _or_infinite(distance: Tensor, *depths: Tensor) -> Tensor:
    behind = torch.stack([(depth <= 0).any(-1).expand(distance.shape) for depth in depths]).any(0)
    return torch.where(behind, torch.inf, distance)
