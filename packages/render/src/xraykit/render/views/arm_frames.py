"""Frames of upper arm, elbow, forearm, wrist and hand: x lateral at the right, y to the palm, z to the shoulder."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .anatomy import Anatomy
from .axes import ViewFrame, front_of_slab, long_axis, principal_axes, shaft_from, unit, upright
from .definition import ViewSide
from .leg_frames import FRONT, UP

SLAB, NEAR_ELBOW, NEAR_WRIST = 25.0, 70.0, 45.0  # [mm]


def arm(body: Anatomy, side: ViewSide) -> ViewFrame:
    """z along the humerus to the shoulder; y across the epicondyles, as radius and ulna tell."""
    cloud = body.cloud(f"humerus_{side}")
    shoulder, lower = body.centroid(f"scapula_{side}"), body.centroid(f"ulna_{side}|radius_{side}")
    middle = cloud.mean(dim=0)
    towards = shoulder - middle if shoulder is not None else (middle - lower if lower is not None else UP)
    z = long_axis(cloud, towards)
    height = cloud @ z
    return _by_epicondyles(body, side, z, cloud[height < height.min() + SLAB])


def elbow(body: Anatomy, side: ViewSide) -> ViewFrame:
    """z halfway between the shafts of humerus and forearm; y across the epicondyles."""
    upper, lower = body.cloud(f"humerus_{side}"), body.cloud(f"ulna_{side}", f"radius_{side}")
    joint = body.joint(f"humerus_{side}", f"ulna_{side}|radius_{side}")
    z = unit(shaft_from(joint, upper) - shaft_from(joint, lower))
    return _by_epicondyles(body, side, z, upper[torch.linalg.vector_norm(upper - joint, dim=1) < 1.5 * SLAB])


def forearm(body: Anatomy, side: ViewSide) -> ViewFrame:
    """z along radius and ulna to the elbow; y across the plane of the two where they leave it."""
    cloud = body.cloud(f"radius_{side}", f"ulna_{side}")
    upper, wrist = body.centroid(f"humerus_{side}"), body.centroid(f"carpal_{side}")
    middle = cloud.mean(dim=0)
    towards = upper - middle if upper is not None else (middle - wrist if wrist is not None else UP)
    z = long_axis(cloud, towards)
    top = middle + z * (cloud @ z - middle @ z).max()
    return upright(z, [_forearm_front(body, side, z, top, 2 * NEAR_ELBOW), ("volume", FRONT)])


def wrist(body: Anatomy, side: ViewSide) -> ViewFrame:
    """z along the radius away from the wrist; y to the palm, across radius and ulna at the wrist."""
    joint = body.joint(f"carpal_{side}", f"radius_{side}")
    z = shaft_from(joint, body.cloud(f"radius_{side}"))
    return upright(z, [_forearm_front(body, side, z, joint, NEAR_WRIST), ("volume", FRONT)])


def hand(body: Anatomy, side: ViewSide) -> ViewFrame:
    """z from the fingers to the wrist; y out of the palm, across the plane of the metacarpals."""
    palm = body.cloud(f"metacarpal_{side}")
    fingers = body.cloud(f"metacarpal_{side}", f"phalanges_hand_{side}").mean(dim=0)
    root = body.cloud(f"carpal_{side}").mean(dim=0)
    z = unit(root - fingers)
    hint = _forearm_front(body, side, z, root, NEAR_WRIST)
    rough = upright(z, [hint, ("volume", FRONT)])
    normal = principal_axes(palm)[1][:, 0]
    cosine = float(normal @ rough.axes[:, 1])
    if abs(cosine) < math.cos(math.radians(60)):
        return rough
    return upright(z, [(f"metacarpals, {rough.basis}", normal if cosine > 0 else -normal)])


def _by_epicondyles(body: Anatomy, side: ViewSide, z: Tensor, end: Tensor) -> ViewFrame:
    hint = _forearm_front(body, side, z, end.mean(dim=0), NEAR_ELBOW)
    if hint[1] is None:
        return upright(z, [("volume", FRONT)])
    front = front_of_slab(end, z, hint[1], within=math.cos(math.radians(50)))
    return upright(z, [hint if front is None else (f"epicondyles, {hint[0]}", front), hint, ("volume", FRONT)])


def _forearm_front(body: Anatomy, side: ViewSide, z: Tensor, near: Tensor, reach: float) -> tuple[str, Tensor | None]:
    """The front, perpendicular to z and to the line from ulna to radius within `reach` of a point."""
    means = []
    for bone in ("radius", "ulna"):
        cloud = body.cloud(f"{bone}_{side}")
        cloud = cloud[torch.linalg.vector_norm(cloud - near, dim=1) < reach]
        if not len(cloud):
            return "radius and ulna", None
        means.append(cloud.mean(dim=0))
    lateral = means[0] - means[1]
    turn = 1.0 if side == "right" else -1.0
    return "radius and ulna", turn * torch.linalg.cross(z, lateral)
