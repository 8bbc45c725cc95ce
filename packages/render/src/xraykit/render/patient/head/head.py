"""The head and neck of a procedural patient: what of them is painted when, and their landmarks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..body.figure import UPPER_NECK, Figure, Flesh
from .flesh import head_flesh_parts
from .skull_bones import paint_braincase, paint_grooves, paint_sella, paint_sutures
from .skull_cavities import paint_brain, paint_ears, paint_nose, paint_orbits, paint_sinuses
from .skull_face import paint_face
from .skull_jaw import jaw_chart, paint_hyoid, paint_mandible
from .skull_shape import head_shape
from .skull_teeth import paint_teeth
from .throat import paint_throat
from .upper_neck import paint_upper_neck

# On the surface of the bones, except those that name a space; z of the right side, mirrored on the left.
_MIDDLE = {
    "nasion": (0.0, 98.0, 47.0),
    "glabella": (0.0, 100.0, 58.0),
    "acanthion": (0.0, 96.0, -4.0),
    "sella": (0.0, 29.0, 40.0),
    "bregma": (0.0, 22.0, 134.0),
    "vertex": (0.0, 8.0, 135.5),
    "lambda": (0.0, -78.0, 86.0),
    "inion": (0.0, -71.0, 22.0),
    "basion": (0.0, 5.0, 1.0),
    "opisthion": (0.0, -31.0, -0.5),
    "foramen_magnum": (0.0, -12.0, -3.0),
}
_SIDE = {
    "external_ear_canal": (60.0, 4.5, 17.7),
    "orbit": (49.5, 73.0, 30.0),
    "infraorbital_margin": (37.0, 81.0, 18.0),
    "zygomatic_arch": (64.0, 34.0, 14.0),
    "mastoid_tip": (51.0, -7.0, -8.0),
}
_JAW = {"gnathion": (0.0, 86.0, -69.0)}
_JAW_SIDE = {"mandible_condyle": (50.0, 15.5, 9.0), "mandible_angle": (46.5, 19.5, -39.0)}


def head_flesh(figure: Figure, seed: int) -> list[Flesh]:
    """Scalp, face, ears and neck."""
    return head_flesh_parts(figure, head_shape(figure, seed))


def paint_head_organs(figure: Figure, seed: int) -> None:
    """Pharynx, larynx and the airway down the neck, which bones later cover."""
    paint_throat(figure, head_shape(figure, seed))


def paint_head_bones(figure: Figure, seed: int) -> None:
    """Skull with its cavities and brain, jaw, teeth, hyoid, and the two uppermost vertebrae."""
    shape = head_shape(figure, seed)
    paint_braincase(figure, shape)
    paint_face(figure, shape)
    paint_sutures(figure, shape)
    paint_brain(figure, shape)
    paint_sella(figure, shape)
    paint_grooves(figure, shape)
    paint_orbits(figure, shape)
    paint_nose(figure, shape)
    paint_sinuses(figure, shape)
    paint_ears(figure, shape, figure.rng(seed, "mastoid"))
    paint_mandible(figure, shape)
    paint_teeth(figure, shape)
    paint_hyoid(figure)
    paint_upper_neck(figure)


def head_landmarks(figure: Figure, seed: int) -> dict[str, NDArray[np.float64]]:
    """Craniometric points, those that skull views are aimed by among them, and the centres of C1 and C2."""
    shape = head_shape(figure, seed)
    skull, jaw = shape.on(figure.chart("skull")).frame, jaw_chart(figure, shape).frame
    points = {}
    for frame, middle, paired in ((skull, _MIDDLE, _SIDE), (jaw, _JAW, _JAW_SIDE)):
        points |= {name: frame.to_world(np.array(p)) for name, p in middle.items()}
        for side, sign in (("right", 1.0), ("left", -1.0)):
            points |= {f"{name}_{side}": frame.to_world(np.array(p) * (sign, 1, 1)) for name, p in paired.items()}
    for name in ("vertebrae_C1", "vertebrae_C2"):
        points[f"{name}_center"] = figure.landmark(name, UPPER_NECK[name])
    return points
