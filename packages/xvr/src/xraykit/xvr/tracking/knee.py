"""The motion of a knee in the joint coordinates of Grood and Suntay, from the axes of femur and tibia."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from xraykit.render import InputError
from xraykit.render.geometry import check_pose, full_precision, rigid_matrix

KneeSide = Literal["left", "right"]


@dataclass(frozen=True)
class BoneAxes:
    """Anatomical axes of one body, in the frame of its mesh or of the CT.

    Args:
        body: Its name.
        right: Towards the patient's right: of a femur along the axis about which the knee flexes.
        proximal: Towards the hip: of a tibia along its shaft.
        origin: The point whose shifts are told [mm].

    Raises:
        InputError: Axes that are nearly parallel, or no axis at all.
    """

    body: str
    right: tuple[float, float, float]
    proximal: tuple[float, float, float]
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        right, proximal = (torch.tensor(axis, dtype=torch.float64) for axis in (self.right, self.proximal))
        across = float(torch.linalg.cross(right, proximal).norm())
        if not across > 0.1 * float(right.norm() * proximal.norm()):
            raise InputError(
                f"{self.body}: right and proximal must be two directions across each other, got {self.right} and "
                f"{self.proximal}."
            )

    def frame(self, exact: Literal["right", "proximal"]) -> Float[Tensor, "4 4"]:
        """Axes (x right, y anterior, z proximal) to body, float64; the axis named is kept, the other squared to it."""
        x, z = (torch.tensor(axis, dtype=torch.float64) for axis in (self.right, self.proximal))
        y = torch.linalg.cross(z, x)
        x, z = (x, torch.linalg.cross(x, y)) if exact == "right" else (torch.linalg.cross(y, z), z)
        axes = torch.stack([axis / axis.norm() for axis in (x, y, z)], dim=1)
        return rigid_matrix(axes, torch.tensor(self.origin, dtype=torch.float64))


@dataclass(frozen=True)
class KneeAxes:
    """A knee: its side, and the axes of its two bones or implants."""

    side: KneeSide
    femur: BoneAxes
    tibia: BoneAxes


@dataclass(frozen=True, eq=False)
class JointCoordinates:
    """T moments of a knee, each (T,) float64.

    Args:
        flexion: Of the knee [degrees], positive.
        adduction: Of the tibia, its foot towards the middle [degrees], negative is abduction.
        internal_rotation: Of the tibia, its front towards the middle [degrees], negative is external.
        lateral: Shift of the tibia away from the middle, along the flexion axis [mm].
        anterior: Its shift to the front, along the floating axis [mm].
        distraction: Its shift away from the femur, along its own axis [mm].
    """

    flexion: Tensor
    adduction: Tensor
    internal_rotation: Tensor
    lateral: Tensor
    anterior: Tensor
    distraction: Tensor


@full_precision
def joint_coordinates(
    femur: Float[Tensor, "times 4 4"], tibia: Float[Tensor, "times 4 4"], side: KneeSide
) -> JointCoordinates:
    r"""The six joint coordinates of a knee.

    With X, Y, Z the femur's axes and x, y, z the tibia's (right, anterior, proximal), the joint's axes are the femur's
    e1 = X, the tibia's e3 = z, and the floating e2 = e3 x e1 / |e3 x e1| across both. Then, with s = 1 for a right and
    -1 for a left knee, and H from the femur's origin to the tibia's,

        cos(flexion) = Y . e2,              sin(flexion) = -Z . e2,
        sin(adduction) = s X . z,
        cos(internal rotation) = y . e2,    sin(internal rotation) = s x . e2,
        lateral = s H . e1,   anterior = H . e2,   distraction = -H . e3.

    Args:
        femur: Its axes (columns) and origin in any fixed world, (T, 4, 4) [mm]; see `BoneAxes.frame`.
        tibia: The same of the tibia.
        side: Of the body.

    Returns:
        Angles in degrees, shifts in mm. Where X and z are parallel there is no floating axis and all is NaN.

    Raises:
        GeometryError: A matrix that is no rigid motion.
        InputError: Unknown side.

    Source: Grood and Suntay, A joint coordinate system for the clinical description of three-dimensional motions:
        application to the knee, J Biomech Eng 105 (1983), 136-144: base vectors e1, e2, e3; the angles of flexion,
        adduction (from the angle between I and k) and tibial rotation (from those of e2 with j and i); the joint
        translations q1 = H . e1, q2 = H . e2, q3 = -H . e3. Signs here are the names': internal rotation and lateral
        shift are positive on both sides.
    """
    if side not in ("left", "right"):
        raise InputError(f"the side of a knee must be left or right, got {side!r}.")
    check_pose(femur, name="femur")
    check_pose(tibia, name="tibia")
    sign = 1.0 if side == "right" else -1.0
    thigh, shank = femur[:, :3, :3].double(), tibia[:, :3, :3].double()
    e1, e3 = thigh[..., 0], shank[..., 2]
    e2 = torch.linalg.cross(e3, e1)
    length = e2.norm(dim=-1, keepdim=True)
    e2 = torch.where(length > 1e-9, e2 / length, torch.nan)
    between = (tibia[:, :3, 3] - femur[:, :3, 3]).double()

    def along(axis: Tensor, other: Tensor) -> Tensor:
        return (axis * other).sum(-1)

    return JointCoordinates(
        flexion=torch.rad2deg(torch.atan2(-along(thigh[..., 2], e2), along(thigh[..., 1], e2))),
        adduction=torch.rad2deg(torch.asin((sign * along(e1, e3)).clamp(-1, 1))) + 0 * e2[..., 0],
        internal_rotation=torch.rad2deg(torch.atan2(sign * along(shank[..., 0], e2), along(shank[..., 1], e2))),
        lateral=sign * along(between, e1) + 0 * e2[..., 0],
        anterior=along(between, e2),
        distraction=-along(between, e3) + 0 * e2[..., 0],
    )
