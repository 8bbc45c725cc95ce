"""How a person holds their joints, in degrees from the anatomical position (standing, palms forward)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np


@dataclass(frozen=True)
class ArmAngles:
    """Joints of an arm. `elevation` raises clavicle and scapula with the arm, 0 (hanging) to 1 (overhead)."""

    abduction: float = 8.0
    flexion: float = 0.0
    internal_rotation: float = 0.0
    elbow_flexion: float = 5.0
    pronation: float = 0.0
    wrist_extension: float = 0.0
    wrist_deviation: float = 0.0  # towards the little finger
    finger_flexion: float = 8.0
    finger_spread: float = 5.0

    @property
    def elevation(self) -> float:
        """How far the arm is raised."""
        return float(np.clip(np.hypot(self.abduction, self.flexion) / 170, 0, 1))


@dataclass(frozen=True)
class LegAngles:
    """Joints of a leg."""

    flexion: float = 0.0
    abduction: float = 3.0
    internal_rotation: float = -5.0
    knee_flexion: float = 2.0
    ankle_dorsiflexion: float = 0.0
    foot_inversion: float = 0.0


@dataclass(frozen=True)
class Posture:
    """All joints. Spine: `scoliosis` is a Cobb angle, `kyphosis` and `lordosis` factors on the curves of the atlas."""

    arm_right: ArmAngles = ArmAngles()
    arm_left: ArmAngles = ArmAngles()
    leg_right: LegAngles = LegAngles()
    leg_left: LegAngles = LegAngles()
    neck_flexion: float = 0.0
    neck_rotation: float = 0.0  # towards the patient's left
    neck_tilt: float = 0.0  # towards the patient's right shoulder
    jaw_opening: float = 2.0
    kyphosis: float = 1.0
    lordosis: float = 1.0
    scoliosis: float = 0.0  # positive: the main curve is convex to the patient's right
    scoliosis_apex: float = 330.0  # height of the apex in the trunk's atlas [mm]
    breathing: float = 0.5  # 0 full expiration, 1 full inspiration

    def record(self) -> dict[str, Any]:
        """Everything as JSON-able numbers."""
        return {
            f.name: vars(getattr(self, f.name)) if hasattr(getattr(self, f.name), "__dict__") else getattr(self, f.name)
            for f in fields(self)
        }


def sample_posture(rng: np.random.Generator, region: str, *, scoliosis: float = 0.0) -> Posture:
    """Joints as a patient on the table holds them; the joint that `region` names moves over its whole imaging range."""

    def normal(mean: float, spread: float, low: float, high: float) -> float:
        return round(float(np.clip(rng.normal(mean, spread), low, high)), 2)

    def uniform(low: float, high: float) -> float:
        return round(float(rng.uniform(low, high)), 2)

    raised = region in ("thorax", "abdomen_pelvis", "thoracic_spine", "lumbar_spine") and rng.random() < 0.5

    def arm() -> ArmAngles:
        wide = {"shoulder": (0, 60), "elbow": (5, 30), "wrist_hand": (5, 30)}.get(region)
        return ArmAngles(
            abduction=uniform(140, 165) if raised else (uniform(*wide) if wide else normal(10, 5, 4, 25)),
            flexion=0.0 if raised else normal(0, 6, -15, 25),
            internal_rotation=uniform(-30, 40) if region == "shoulder" else normal(10, 12, -20, 40),
            elbow_flexion={"elbow": uniform(0, 100), "wrist_hand": uniform(0, 12)}.get(region, normal(12, 10, 0, 60)),
            pronation=uniform(0, 150) if region in ("elbow", "wrist_hand") else normal(60, 35, 0, 140),
            wrist_extension=normal(0, 15, -40, 40),
            wrist_deviation=normal(0, 8, -15, 25),
            finger_flexion=uniform(0, rng.choice([10, 35])) if region == "wrist_hand" else normal(15, 10, 0, 45),
            finger_spread=uniform(0, 12),
        )

    def leg() -> LegAngles:
        return LegAngles(
            flexion=normal(2, 4, -5, 25) if region != "hip" else uniform(-5, 25),
            abduction=normal(6, 4, 0, 25),
            internal_rotation=normal(-5, 10, -35, 20),
            knee_flexion=uniform(0, 70) if region == "knee" else normal(5, 5, 0, 25),
            ankle_dorsiflexion=uniform(-30, 15) if region == "ankle_foot" else normal(-10, 8, -30, 10),
            foot_inversion=normal(0, 5, -12, 15),
        )

    return Posture(
        arm_right=arm(),
        arm_left=arm(),
        leg_right=leg(),
        leg_left=leg(),
        neck_flexion=normal(0, 8, -25, 25),
        neck_rotation=normal(0, 5, -20, 20),
        neck_tilt=normal(0, 3, -10, 10),
        jaw_opening=normal(3, 4, 0, 25),
        kyphosis=normal(1, 0.15, 0.6, 1.6),
        lordosis=normal(1, 0.15, 0.5, 1.6),
        scoliosis=scoliosis,
        scoliosis_apex=uniform(120, 380),
        breathing=uniform(0, 1),
    )
