"""The leg of a procedural patient, from the thigh's root to the toes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..body.figure import Figure, Flesh
from ..body.skeleton import Side
from .femur import paint_femur
from .foot_rays import paint_rays, rays
from .foot_tarsals import paint_tarsals
from .knee import paint_patella, paint_shank, patella_shift
from .muscles import foot_and_toes, knee_cap, thigh_and_shank
from .shape import sample_leg
from .soft_parts import paint_soft_parts

# In the frames of the bones, right side, reference adult's mm.
_POINTS = {
    "femoral_head": ("femur", (0.0, 0.0, 0.0)),
    "greater_trochanter": ("femur", (52.0, -15.0, -2.0)),
    "lesser_trochanter": ("femur", (17.0, -24.0, -74.0)),
    "knee_center": ("tibia", (0.0, 0.0, 0.0)),
    "femoral_epicondyle_medial": ("femur", (-43.0, -3.0, -419.0)),
    "femoral_epicondyle_lateral": ("femur", (41.5, -3.0, -421.0)),
    "tibial_plateau_medial": ("tibia", (-22.0, 3.0, -27.2)),
    "tibial_plateau_lateral": ("tibia", (22.0, 3.0, -26.1)),
    "tibial_tuberosity": ("tibia", (0.0, 34.0, -64.0)),
    "fibular_head": ("tibia", (41.5, -19.5, -38.0)),
    "malleolus_medial": ("tibia", (-22.0, 2.5, -403.5)),
    "malleolus_lateral": ("tibia", (25.0, -9.0, -413.0)),
    "ankle_center": ("foot", (0.0, 0.0, 0.0)),
    "calcaneus_posterior": ("foot", (5.0, -54.0, -45.0)),
}


def leg_flesh(figure: Figure, side: Side, seed: int) -> list[Flesh]:
    """Muscle and fat from the thigh's root to the toes."""
    shape = sample_leg(figure, seed)
    return thigh_and_shank(figure, side) + knee_cap(figure, side) + foot_and_toes(figure, side, shape)


def paint_leg_bones(figure: Figure, side: Side, seed: int) -> None:
    """Tendons, fat pads and vessels, then femur, patella, tibia, fibula and the bones of the foot."""
    shape = sample_leg(figure, seed)
    paint_soft_parts(figure, side)
    paint_femur(figure, side, shape)
    paint_shank(figure, side, shape)
    paint_patella(figure, side, shape)
    paint_tarsals(figure, side, shape)
    paint_rays(figure, side, shape)


def leg_landmarks(figure: Figure, side: Side, seed: int) -> dict[str, NDArray[np.float64]]:
    """Points of femur, patella, tibia, fibula and foot that radiographers and registration use."""
    points = {f"{name}_{side}": figure.landmark(f"{bone}_{side}", local) for name, (bone, local) in _POINTS.items()}
    depth = patella_shift(getattr(figure.skeleton.posture, f"leg_{side}").knee_flexion)
    for name, front, height in (("center", 49.0, 6.0), ("apex", 52.0, -13.0), ("base", 50.0, 26.5)):
        points[f"patella_{name}_{side}"] = figure.landmark(f"patella_{side}", (1.5, front + depth, height))
    for number, ray in enumerate(rays(sample_leg(figure, seed)), start=1):
        head = tuple(float(c) for c in ray.head)
        points[f"metatarsal_head_{number}_{side}"] = figure.landmark(f"foot_{side}", head)  # type: ignore[arg-type]
    return points
