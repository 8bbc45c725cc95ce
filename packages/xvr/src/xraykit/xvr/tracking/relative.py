"""How two bodies move against each other: joint coordinates of a knee, the finite screw of any other pair."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from xraykit.render import InputError
from xraykit.render.geometry import rigid_inverse, transform_points
from xraykit.render.storage import read_settings

from ..refine.structure import NamedStructures, Structure
from .knee import BoneAxes, KneeAxes, joint_coordinates
from .result import Track
from .screw import finite_screw

NEAR_JOINT = 40.0  # of the ends of femur and tibia that make the joint's middle [mm]


@dataclass(frozen=True, eq=False)
class RelativeMotion:
    """T moments of one body in the frame of another.

    Args:
        body: Which moves.
        reference: In whose frame.
        kind: "knee" (see `joint_coordinates`) or "screw" (see `finite_screw`, since the first frame with both).
        poses: Body to reference, (T, 4, 4) float64 [mm]; NaN where either is lost.
        values: (T,) each by name with unit; NaN likewise.
        smoothed: Whether it comes of smoothed poses.
    """

    body: str
    reference: str
    kind: Literal["knee", "screw"]
    poses: Tensor
    values: Mapping[str, Tensor]
    smoothed: bool


def relative_motions(track: Track, knee: KneeAxes | None = None) -> tuple[RelativeMotion, ...]:
    """The motion of every further body in the frame of the first, and of a knee's tibia in that of its femur.

    Raises:
        InputError: The axes are of bodies that the track does not have.
    """
    pairs = [(track.bodies[0], body) for body in track.bodies[1:]]
    if knee is not None:
        check_knee(knee, track.bodies)
        joint = (knee.femur.body, knee.tibia.body)
        pairs = [joint, *(pair for pair in pairs if set(pair) != set(joint))]
    return tuple(_motion(track, *pair, knee if n == 0 else None) for n, pair in enumerate(pairs))


def check_knee(knee: KneeAxes, bodies: tuple[str, ...]) -> None:
    """Refuse axes of bodies that are not followed.

    Raises:
        InputError: Which.
    """
    strange = [axes.body for axes in (knee.femur, knee.tibia) if axes.body not in bodies]
    if strange or knee.femur.body == knee.tibia.body:
        raise InputError(
            f"--knee must name two of the bodies {', '.join(bodies)}, got {knee.femur.body} and {knee.tibia.body}."
        )


def read_knee(path: str | Path) -> KneeAxes:
    """The axes in a .json, .yaml or .toml file: side, and of femur and tibia body, right, proximal and origin.

    Raises:
        FileError: It cannot be read, or says something else.
    """
    return read_settings(KneeAxes, path, what="the axes of a knee")


def knee_of_ct(structures: NamedStructures) -> KneeAxes | None:
    """Axes of a CT's femur and tibia of one side, by their names; None where there are no such two.

    Both have the axes of the CT (right, and proximal is its z) and their origin in the middle of the joint, so that all
    joint coordinates are 0 as the patient lies in the CT.
    """
    for side in ("left", "right"):
        found = [
            [name for name in structures.names if bone in name.lower() and side in name.lower()]
            for bone in ("femur", "tibia")
        ]
        if all(len(names) == 1 for names in found):
            femur, tibia = (names[0] for names in found)
            middle = _joint_middle(structures.by_name[femur], structures.by_name[tibia])
            x, z, origin = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (middle[0], middle[1], middle[2])
            return KneeAxes(side, BoneAxes(femur, x, z, origin), BoneAxes(tibia, x, z, origin))
    return None


def _joint_middle(femur: Structure, tibia: Structure) -> list[float]:
    """The middle of what lies up to NEAR_JOINT above the femur's lowest and below the tibia's highest point."""
    ends = []
    for bone, sign in ((femur, 1.0), (tibia, -1.0)):
        voxels = (bone.volume.mu > 0).nonzero().double().flip(1)  # (k, j, i) to (i, j, k)
        points = voxels @ bone.volume.affine[:3, :3].double().mT + bone.volume.affine[:3, 3].double()
        height = sign * points[:, 2]
        ends.append(points[height < height.min() + NEAR_JOINT].mean(0))
    return ((ends[0] + ends[1]) / 2).tolist()


def _motion(track: Track, reference: str, body: str, knee: KneeAxes | None) -> RelativeMotion:
    places = track.body_to_camera
    first, second = (places[:, track.bodies.index(name)] for name in (reference, body))
    poses = rigid_inverse(first) @ second
    known = torch.isfinite(poses).flatten(1).all(1)
    if knee is None:
        pivot = track.pivots[track.bodies.index(body)]
        values = _screw(poses[known], pivot) if bool(known.any()) else {}
    else:
        femur, tibia = knee.femur.frame("right"), knee.tibia.frame("proximal")
        joint = (
            joint_coordinates(femur.expand_as(poses[known]), poses[known] @ tibia, knee.side) if known.any() else None
        )
        values = {} if joint is None else {NAMES[name]: value for name, value in vars(joint).items()}
    full = {name: torch.full((len(poses),), torch.nan, dtype=torch.float64) for name in values}
    for name, value in values.items():
        full[name][known] = value
    return RelativeMotion(body, reference, "screw" if knee is None else "knee", poses, full, track.smoothed)


NAMES = {
    "flexion": "flexion_deg",
    "adduction": "adduction_deg",
    "internal_rotation": "internal_rotation_deg",
    "lateral": "lateral_mm",
    "anterior": "anterior_mm",
    "distraction": "distraction_mm",
}


def _screw(poses: Float[Tensor, "times 4 4"], pivot: Tensor) -> dict[str, Tensor]:
    """Of the motion since the first pose, in the frame of the reference; the axis is told where the body was then."""
    middle = transform_points(poses[0], pivot[None])[0]
    found = finite_screw(poses @ rigid_inverse(poses[0]), middle)
    values = {"turn_deg": found.turn, "shift_along_axis_mm": found.shift}
    for name, vectors in (("axis", found.axis), ("point", found.point)):
        unit = "_mm" if name == "point" else ""
        values |= {f"{name}_{letter}{unit}": vectors[:, n] for n, letter in enumerate("xyz")}
    return values
