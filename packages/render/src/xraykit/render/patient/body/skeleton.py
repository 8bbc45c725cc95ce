"""Where every part of a body is: one frame per bone, from build and posture along the chain of joints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .frames import AffineFrame, Matrix, TrunkFrame, move_by, stretch, turn_about
from .joint_angles import ArmAngles, LegAngles, Posture
from .physique import Physique
from .trunk_shape import spine_y

Side = Literal["right", "left"]
SIDES: tuple[Side, Side] = ("right", "left")

# Joint centres of the right side in the trunk's atlas, and distances between joint centres in the reference adult [mm]:
# thigh and shank 0.245 and 0.23 of stature, upper arm and forearm 0.172 and 0.146 (after Winter, Biomechanics, 2009,
# figure 4.1; shank and upper arm counted between joint centres).
HIP = (88.0, 2.0, -80.0)
SHOULDER = (166.0, -24.0, 438.0)
CONDYLES = (0.0, -24.0, 611.0)  # where the skull rests on the atlas vertebra
THIGH, SHANK, UPPER_ARM, FOREARM = 428.0, 402.0, 301.0, 255.0
CARRYING_ANGLE = 11.0
SCAPULAR_PLANE, UPWARD_ROTATION = 41.0, (5.0, 40.0)  # Ludewig et al., J Bone Joint Surg Am 91, 2009; at rest, and gain
# The axis of pronation in the forearm's frame; it meets the axis of the elbow in the middle of the capitulum.
RADIAL_HEAD, ULNAR_HEAD = (15.6, -0.2, -18.0), (-14.0, -3.0, -243.0)


@dataclass(frozen=True, eq=False)
class Skeleton:
    """Frames by name, local mm to world RAS mm.

    "trunk" is the atlas of the torso (`TrunkFrame`): promontory near z = 0, x = 0 the midline. "skull" has its origin
    between the occipital condyles. Limbs, for each side: humerus, forearm (the ulna's), radius, hand, femur, tibia,
    patella, foot. The scapula's frame has the humerus's origin, x along its blade to the glenoid, y from blade to ribs,
    z along its medial border. A limb's frame has its origin at the proximal joint centre; in the anatomical position x
    points laterally, y anteriorly, z proximally on both sides: left frames mirror. Its unit is the reference adult's
    mm.

    Args:
        physique: The build.
        posture: The joints.
        displaced: For a broken bone, the motion of its distal fragment in the bone's local frame, {name: (4, 4)};
            whatever hangs on the bone moves along.
    """

    physique: Physique
    posture: Posture
    displaced: Mapping[str, Matrix] = field(default_factory=lambda: MappingProxyType({}))
    trunk: TrunkFrame = field(init=False)
    frames: Mapping[str, AffineFrame] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "trunk", trunk_frame(self.physique, self.posture))
        frames = {"skull": self._skull()}
        for side in SIDES:
            frames |= self._arm(side, getattr(self.posture, f"arm_{side}"))
            frames |= self._leg(side, getattr(self.posture, f"leg_{side}"))
        object.__setattr__(self, "frames", MappingProxyType(frames))

    def point(self, name: str, local: NDArray[np.float64] | tuple[float, float, float]) -> NDArray[np.float64]:
        """World position [mm] of a local point of "trunk" or of a frame."""
        frame = self.trunk if name == "trunk" else self.frames[name]
        return frame.to_world(np.asarray(local, dtype=np.float64))

    def _skull(self) -> AffineFrame:
        p = self.posture
        turn = turn_about("z", p.neck_rotation) @ turn_about("y", p.neck_tilt) @ turn_about("x", -p.neck_flexion)
        place = _rigid(self.trunk.rigid_at(CONDYLES).matrix)
        place[:3, 3] = self.trunk.to_world(CONDYLES)
        return AffineFrame(place @ turn @ stretch(self.physique.length("head") ** 0.5))

    def _arm(self, side: Side, a: ArmAngles) -> dict[str, AffineFrame]:
        build, names = self.physique, [f"{n}_{side}" for n in ("humerus", "forearm", "radius", "hand")]
        upper, lower = UPPER_ARM * build.length("arm"), FOREARM * build.length("forearm")
        shoulder = self._root(side, SHOULDER) @ move_by(12 * a.elevation, 0, 40 * a.elevation)
        upward = UPWARD_ROTATION[0] + UPWARD_ROTATION[1] * a.elevation
        scapula = shoulder @ turn_about("z", SCAPULAR_PLANE) @ turn_about("y", -upward)
        humerus = shoulder @ turn_about("x", a.flexion) @ turn_about("y", -a.abduction)
        humerus = humerus @ turn_about("z", a.internal_rotation)
        elbow = self._distal(names[0], humerus, build.length("arm")) @ move_by(0, 0, -upper)
        forearm = elbow @ turn_about("x", a.elbow_flexion) @ turn_about("y", -CARRYING_ANGLE)
        axis = np.subtract(RADIAL_HEAD, ULNAR_HEAD)
        scale = build.length("forearm")
        radius = forearm @ _about_line(np.array(RADIAL_HEAD) * scale, axis, a.pronation)
        wrist = self._distal(names[2], radius, scale) @ move_by(4 * scale, 0, -lower)
        hand = wrist @ turn_about("x", -a.wrist_extension) @ turn_about("y", a.wrist_deviation)
        names, poses = [*names, f"scapula_{side}"], (humerus, forearm, radius, hand, scapula)
        scales = (build.length("arm"), scale, scale, build.length("hand"), build.length("arm"))
        return {n: AffineFrame(m @ stretch(s)) for n, m, s in zip(names, poses, scales, strict=True)}

    def _leg(self, side: Side, a: LegAngles) -> dict[str, AffineFrame]:
        build, names = self.physique, [f"{n}_{side}" for n in ("femur", "tibia", "patella", "foot")]
        upper, lower = THIGH * build.length("thigh"), SHANK * build.length("shank")
        femur = self._root(side, HIP) @ turn_about("x", a.flexion) @ turn_about("y", -a.abduction)
        femur = femur @ turn_about("z", a.internal_rotation)
        knee = self._distal(names[0], femur, build.length("thigh")) @ move_by(0, 0, -upper)
        tibia = knee @ turn_about("x", -a.knee_flexion)
        patella = knee @ turn_about("x", -0.65 * a.knee_flexion)
        ankle = self._distal(names[1], tibia, build.length("shank")) @ move_by(0, 0, -lower)
        foot = ankle @ turn_about("x", a.ankle_dorsiflexion) @ turn_about("y", a.foot_inversion)
        poses = (femur, tibia, patella, foot)
        scales = (build.length("thigh"), build.length("shank"), build.length("thigh"), build.length("foot"))
        return {n: AffineFrame(m @ stretch(s)) for n, m, s in zip(names, poses, scales, strict=True)}

    def _root(self, side: Side, joint: tuple[float, float, float]) -> Matrix:
        """Where a limb begins: at its joint in the trunk, turned with the trunk; mirrored on the left."""
        sign = 1.0 if side == "right" else -1.0
        point = np.array(joint) * (sign, 1, 1)
        root = _rigid(self.trunk.rigid_at((0.0, point[1], point[2])).matrix)
        root[:3, 3] = self.trunk.to_world(point)
        return root @ stretch(sign, 1, 1)

    def _distal(self, bone: str, pose: Matrix, scale: float) -> Matrix:
        """The pose that the end of a bone has: the bone's own, moved along with its distal fragment if it is broken."""
        if bone not in self.displaced:
            return pose
        moved = np.array(self.displaced[bone])
        moved[:3, 3] *= scale
        return pose @ moved


def trunk_frame(physique: Physique, posture: Posture) -> TrunkFrame:
    r"""The trunk of a person: stretched by height and build, bent by posture and scoliosis.

    Scoliosis of Cobb angle c: a lateral bow A exp(-((z - apex) / w)^2), whose steepest slopes, sqrt(2 / e) A / w each
    way, make the angle c; the vertebrae turn towards the convex side by 0.4 c at the apex.
    """
    z = np.linspace(-300.0, 700.0, 101)
    tall = physique.length("trunk")
    above = np.clip((z - 120) / 160, 0, 1)
    breadth = physique.size * (physique.hip_width * (1 - above) + physique.shoulder_width * above)
    bulk = 1 + 0.012 * (physique.bmi - 24.5) * np.exp(-(((z - 60) / 220) ** 2))
    spine = spine_y(z)
    middle = float(np.mean(spine[(z > -20) & (z < 480)]))
    bend = np.where(z > 150, posture.kyphosis, posture.lordosis) - 1
    bend = np.convolve(np.pad(bend, 8, mode="edge"), np.hanning(17) / np.hanning(17).sum(), mode="valid")
    wide = 110.0
    bow = np.exp(-(((z - posture.scoliosis_apex) / wide) ** 2))
    amplitude = np.tan(np.radians(posture.scoliosis) / 2) * wide / np.sqrt(2 / np.e)
    turn, depth = -np.radians(0.4 * posture.scoliosis) * bow, physique.size * bulk
    aside = np.sin(turn) * depth * (spine - TrunkFrame.pivot_y)  # that the turn about the pivot takes from the spine
    return TrunkFrame(
        heights=z,
        world_heights=z * tall,
        width=breadth * (0.5 + 0.5 * bulk),
        depth=depth,
        shift_x=amplitude * bow * tall + aside,
        shift_y=bend * (spine - middle) * physique.size * np.clip((z + 40) / 80, 0, 1),
        turn=turn,
    )


def _rigid(matrix: Matrix) -> Matrix:
    """The same pose without its scale."""
    turned = np.array(matrix)
    turned[:3, :3] /= np.cbrt(np.linalg.det(matrix[:3, :3]))
    return turned


def _about_line(point: NDArray[np.float64], axis: NDArray[np.float64], degrees: float) -> Matrix:
    """Rotation about a line through a point (Rodrigues), 4x4."""
    u = axis / np.linalg.norm(axis)
    cross = np.array([[0, -u[2], u[1]], [u[2], 0, -u[0]], [-u[1], u[0], 0]])
    angle = np.radians(degrees)
    matrix = np.eye(4)
    matrix[:3, :3] += np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)
    matrix[:3, 3] = point - matrix[:3, :3] @ point
    return matrix
