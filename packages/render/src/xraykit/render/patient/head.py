"""The head of a procedural patient: what of it is painted when, and its landmarks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..implicit import ellipsoid, smooth_union, tube
from .figure import Figure, Flesh
from .skull_bones import MANDIBLE_HINGE, paint_skull, vault
from .skull_cavities import paint_brain, paint_cavities, paint_throat
from .skull_jaw import paint_hyoid, paint_mandible, paint_teeth
from .upper_neck import paint_upper_neck


def head_flesh(figure: Figure, seed: int) -> list[Flesh]:
    """Scalp, face, ears and neck."""
    chart = figure.chart("skull")
    scale = np.float32(chart.frame.scale)
    region = chart.region((-105, -115, -120), (105, 135, 160))
    head = vault(region) - 2
    face = ellipsoid(region, (0, 52, -22), (60, 56, 66))
    chin = ellipsoid(region, (0, 76, -66), (30, 24, 26))
    brow = ellipsoid(region, (0, 68, 30), (52, 38, 34))
    head = smooth_union(smooth_union(smooth_union(head, face, 24), chin, 18), brow, 12)
    nose, nasal = tube(chart, [(0, 100, 26), (0, 118, -6), (0, 104, -18)], [5, 9, 11], margin=40)
    inner = region.inner(region.part(nose.window).window)
    head[inner] = smooth_union(head[inner], nasal[tuple(slice(0, s.stop - s.start) for s in inner)], 6)
    parts = [Flesh(region, head * scale, 3.0 + 2.0 * figure.physique.fat)]
    thick = 1 + 0.06 * (figure.physique.fat - 1)
    neck = [(0, -22, 470), (0, -18, 520), (0, -12, 575)]
    trunk = figure.chart("trunk")
    window, distance = tube(trunk, neck, np.array([58, 52, 52]) * thick, margin=45)
    parts.append(Flesh(window, distance * np.float32(trunk.frame.scale), 4.0 * figure.physique.fat))
    for sign in (1, -1):
        ear, shell = tube(
            chart, [(sign * 76, -4, 20), (sign * 80, -10, -6)], [4, 3], flat=[(1, 0.3, 0)] * 2, wide=[15, 9], margin=20
        )
        parts.append(Flesh(ear, shell * scale, 1.0))
    return parts


def paint_head_organs(figure: Figure, seed: int) -> None:
    """Pharynx, larynx and the airway down the neck, which bones later cover."""
    paint_throat(figure)


def paint_head_bones(figure: Figure, seed: int) -> None:
    """Skull with its cavities and brain, jaw, teeth, hyoid, and the two uppermost vertebrae."""
    rng = figure.rng(seed, "skull")
    paint_skull(figure, rng)
    paint_brain(figure)
    paint_cavities(figure, rng)
    paint_mandible(figure)
    paint_teeth(figure, rng)
    paint_hyoid(figure)
    paint_upper_neck(figure)


def head_landmarks(figure: Figure) -> dict[str, NDArray[np.float64]]:
    """Points that skull views are aimed by."""
    middle = {
        "nasion": (0.0, 99.0, 33.0),
        "glabella": (0.0, 102.0, 44.0),
        "acanthion": (0.0, 101.0, -18.0),
        "sella": (0.0, 38.0, 24.0),
        "vertex": (0.0, 12.0, 132.0),
        "inion": (0.0, -78.0, 40.0),
        "gnathion": (0.0, 92.0, -82.0),
        "foramen_magnum": (0.0, -12.0, -6.0),
    }
    points = {name: figure.landmark("skull", p) for name, p in middle.items()}
    for side, sign in (("right", 1.0), ("left", -1.0)):
        for name, (x, y, z) in {
            "external_ear_canal": (68.0, 2.0, 6.0),
            "orbit": (32.0, 88.0, 22.0),
            "infraorbital_margin": (30.0, 92.0, 5.0),
            "mandible_condyle": (50.0, *MANDIBLE_HINGE[1:]),
            "mandible_angle": (47.0, 18.0, -54.0),
        }.items():
            points[f"{name}_{side}"] = figure.landmark("skull", (sign * x, y, z))
    for name, local in {"vertebrae_C1": (0.0, -21.0, 599.0), "vertebrae_C2": (0.0, -25.0, 581.0)}.items():
        points[f"{name}_center"] = figure.landmark(name, local)
    return points
