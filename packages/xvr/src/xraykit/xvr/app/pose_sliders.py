"""The six sliders: C-arm angles, and where the anatomy's isocentre lies in the camera's frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from xraykit.render import Camera, InputError, carm_pose
from xraykit.render.geometry import carm_angles, rigid_inverse, rigid_matrix, rotation_from, se3_exp, transform_points

NEAREST = 1.0  # mm that the isocentre keeps from the source
STEP = 1e-4  # rad and mm, of central differences


class Sliders(NamedTuple):
    """One pose in clinical terms, seen from an isocentre.

    Angles as in `carm_pose` [degrees]; `x` and `y` are how far the isocentre lies right of and below the central ray,
    `depth` how far in front of the source [mm].
    """

    lao_rao: float
    cra_cau: float
    roll: float
    x: float
    y: float
    depth: float


@dataclass(frozen=True)
class Move:
    """What hands did to a pose since the last picture; the parts apply in this order.

    Args:
        set: Sliders put to a value.
        add: Sliders moved by an amount.
        drag: Shift of the anatomy across the image, as fractions of its width and height.
        turn: Turn of the anatomy about image right, image down and the beam, through the isocentre [degrees].
        zoom: Factor on depth.

    Raises:
        InputError: An unknown slider, or a value that is not finite or not positive where it must be.
    """

    set: Mapping[str, float] = field(default_factory=dict)
    add: Mapping[str, float] = field(default_factory=dict)
    drag: tuple[float, float] = (0.0, 0.0)
    turn: tuple[float, float, float] = (0.0, 0.0, 0.0)
    zoom: float = 1.0

    def __post_init__(self) -> None:
        unknown = ({*self.set, *self.add}) - set(Sliders._fields)
        if unknown:
            raise InputError(f"sliders are {', '.join(Sliders._fields)}, got {', '.join(sorted(unknown))}.")
        if len(self.drag) != 2 or len(self.turn) != 3:
            raise InputError(f"a move needs drag of 2 and turn of 3 numbers, got {self.drag} and {self.turn}.")
        numbers = (*self.set.values(), *self.add.values(), *self.drag, *self.turn, self.zoom)
        if any(isinstance(n, bool) or not isinstance(n, (int, float)) or not abs(n) < 1e6 for n in numbers):
            raise InputError(f"a move needs finite numbers below a million, got {self}.")
        if not self.zoom > 0:
            raise InputError(f"zoom must be positive, got {self.zoom}.")


def pose_of(sliders: Sliders, isocenter: Tensor) -> Tensor:
    """The pose (4, 4) float64, camera to world, that has the isocentre (3,) where the sliders say.

    R from the angles, source = isocenter - R (x, y, depth).

    Raises:
        GeometryError: An angle is not finite.
    """
    centre, (lao_rao, cra_cau, roll) = isocenter.double(), sliders[:3]
    rotation = carm_pose(lao_rao=lao_rao, cra_cau=cra_cau, roll=roll, sod=1.0, isocenter=centre)[0, :3, :3]
    inside = centre.new_tensor([sliders.x, sliders.y, max(sliders.depth, NEAREST)])
    return rigid_matrix(rotation, centre - rotation @ inside)


def sliders_of(pose: Tensor, isocenter: Tensor) -> Sliders:
    """The sliders that say this pose (4, 4), seen from an isocentre (3,)."""
    angles = carm_angles(pose[None])
    inside = transform_points(rigid_inverse(pose), isocenter.to(pose)[None])[0]
    return Sliders(float(angles.lao_rao), float(angles.cra_cau), float(angles.roll), *map(float, inside))


def moved(pose: Tensor, isocenter: Tensor, camera: Camera, move: Move) -> Tensor:
    """The pose after a move by hand."""
    now = sliders_of(pose, isocenter)._replace(**move.set)
    now = now._replace(**{name: getattr(now, name) + step for name, step in move.add.items()})
    sdd, spacing, _ = (t[0] for t in camera.tensors(dtype=torch.float64, device="cpu"))
    per_mm = max(now.depth, NEAREST) / float(sdd)  # what a millimetre on the detector is at the isocentre
    now = now._replace(
        x=now.x + move.drag[0] * camera.width * float(spacing[1]) * per_mm,
        y=now.y + move.drag[1] * camera.height * float(spacing[0]) * per_mm,
        depth=max(now.depth * move.zoom, NEAREST),
    )
    turned = pose_of(now, isocenter)
    if not any(move.turn):
        return turned
    turn = rotation_from(torch.tensor(move.turn, dtype=torch.float64).deg2rad(), parameterization="axis_angle")
    rotation = turned[:3, :3] @ turn.mT
    inside = rotation.new_tensor([now.x, now.y, now.depth])
    return rigid_matrix(rotation, isocenter.double() - rotation @ inside)


def slider_deviations(pose: Tensor, isocenter: Tensor, covariance: Tensor, pivot: Tensor) -> Sliders:
    """The standard deviation of each slider [degrees, mm] that a covariance of the pose means.

    J C J' with J the derivatives of the sliders for the left twist of the pose, by central differences.

    Args:
        pose: (4, 4), camera to world.
        isocenter: (3,), what the sliders are seen from.
        covariance: (6, 6), of the twist (w [rad], v [mm]) about the pivot, in world axes.
        pivot: (3,) [mm].
    """
    centre, pose = pivot.double().cpu(), pose.double().cpu()
    there, back = (rigid_matrix(torch.eye(3, dtype=torch.float64), sign * centre) for sign in (1, -1))
    columns = []
    for unit in STEP * torch.eye(6, dtype=torch.float64).roll(3, dims=1):  # twist (w, v) to se3_exp's (v, w)
        ends = [
            torch.tensor(sliders_of(there @ se3_exp(sign * unit) @ back @ pose, isocenter), dtype=torch.float64)
            for sign in (1, -1)
        ]
        difference = ends[0] - ends[1]
        difference[:3] = (difference[:3] + 180) % 360 - 180
        columns.append(difference / (2 * STEP))
    jacobian = torch.stack(columns, dim=1)
    spread = (jacobian @ covariance.double().cpu() @ jacobian.mT).diagonal().clamp_min(0).sqrt()
    return Sliders(*spread.tolist())
