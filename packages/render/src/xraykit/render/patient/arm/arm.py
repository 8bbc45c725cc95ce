"""The arm of a procedural patient: flesh, bones and landmarks from shoulder girdle to fingertips."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..body.figure import Figure, Flesh
from ..body.skeleton import RADIAL_HEAD, Side
from .arteries import paint_arteries
from .forearm import OLECRANON, RADIAL_STYLOID, ULNAR_STYLOID, paint_forearm
from .girdle import ACROMION_TIP, CORACOID_TIP, INFERIOR_ANGLE, JOINT_AC, paint_shoulder_girdle
from .hand_bones import paint_digits
from .hand_carpals import paint_carpals
from .humerus import LATERAL_EPICONDYLE, MEDIAL_EPICONDYLE, paint_humerus
from .soft_tissue import soft_tissue

_POINTS = {
    "humeral_head": ("humerus", (0.0, 0.0, 0.0)),
    "glenoid_center": ("scapula", (-28.0, 0.0, 0.0)),
    "acromion": ("scapula", ACROMION_TIP),
    "acromioclavicular_joint": ("scapula", JOINT_AC),
    "coracoid": ("scapula", CORACOID_TIP),
    "scapula_inferior_angle": ("scapula", INFERIOR_ANGLE),
    "epicondyle_lateral": ("humerus", LATERAL_EPICONDYLE),
    "epicondyle_medial": ("humerus", MEDIAL_EPICONDYLE),
    "elbow_center": ("forearm", (0.0, 0.0, 0.0)),
    "olecranon": ("forearm", OLECRANON),
    "radial_head": ("radius", RADIAL_HEAD),
    "radial_styloid": ("radius", RADIAL_STYLOID),
    "ulnar_styloid": ("forearm", ULNAR_STYLOID),
    "wrist_center": ("hand", (0.0, 0.0, 0.0)),
    "capitate": ("hand", (0.5, 0.0, -11.0)),
    "metacarpal_3_base": ("hand", (1.5, -1.5, -22.0)),
}


def arm_flesh(figure: Figure, side: Side, seed: int) -> list[Flesh]:
    """Shoulder cap, upper arm, forearm and hand."""
    return soft_tissue(figure, side, seed)


def paint_arm_bones(figure: Figure, side: Side, seed: int) -> None:
    """Arteries if they are filled, then every bone from clavicle to distal phalanges."""
    paint_arteries(figure, side)
    paint_shoulder_girdle(figure, side, seed)
    paint_humerus(figure, side, seed)
    paint_forearm(figure, side, seed)
    paint_carpals(figure, side, seed)
    paint_digits(figure, side, seed)


def arm_landmarks(figure: Figure, side: Side) -> dict[str, NDArray[np.float64]]:
    """Points of shoulder, elbow and wrist, world RAS mm."""
    return {f"{name}_{side}": figure.landmark(f"{frame}_{side}", at) for name, (frame, at) in _POINTS.items()}
