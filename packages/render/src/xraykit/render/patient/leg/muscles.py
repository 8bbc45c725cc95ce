"""Outlines of thigh, shank, foot and toes: muscle and the fat on it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from ..body.figure import Figure, Flesh
from ..body.regions import Triple
from ..body.skeleton import Side
from ..body.solids import corner, piecewise_linear
from ..canvas import Array, Chart, Region, ellipsoid, merge, tube
from .foot_rays import rays
from .knee import patella_shift
from .shape import LegShape
from .solids import landmark_in_frame, loft, oval

# Height, centre x and y, then lateral, front, medial, back radius of the muscles; girths of a lean man of 75 kg.
_THIGH = (
    (-490, 0, 2, 46, 50, 46, 40),
    (-428, 0, 2, 49, 58, 50, 46),
    (-400, 2, 2, 52, 58, 53, 50),
    (-360, 5, 1, 56, 56, 56, 54),
    (-300, 9, 0, 62, 62, 64, 60),
    (-220, 14, -2, 66, 70, 74, 68),
    (-140, 17, -4, 64, 76, 83, 76),
    (-80, 16, -8, 62, 76, 88, 84),
    (-20, 12, -10, 64, 68, 80, 86),
    (60, 8, -6, 56, 58, 56, 70),
)
_SHANK = (
    (-470, 1, -6, 32, 26, 30, 44),
    (-405, 1, -5, 34, 27, 31, 46),
    (-385, 1, -5, 34, 27, 31, 46),
    (-350, 2, -6, 31, 25, 28, 43),
    (-300, 3, -8, 33, 30, 28, 41),
    (-240, 6, -12, 39, 36, 34, 44),
    (-180, 8, -16, 46, 42, 44, 54),
    (-120, 8, -18, 50, 45, 52, 60),
    (-70, 5, -12, 50, 50, 52, 54),
    (-30, 2, -4, 49, 48, 50, 48),
    (50, 0, 0, 46, 46, 48, 44),
)
# Along the foot from heel to toes: distance y, centre x and height, then the radii of a `Section` seen from behind:
# lateral, dorsal-lateral, dorsal, dorsal-medial, medial, plantar-medial, plantar, plantar-lateral.
_FOOT = (
    (-80, 6, -38, 19, 20, 21, 20, 19, 18, 16, 18),
    (-52, 6, -38, 21, 22, 24, 22, 21, 21, 19, 21),
    (-36, 4, -30, 26, 29, 40, 30, 27, 28, 29, 28),
    (-15, 2, -24, 30, 34, 50, 35, 31, 33, 34, 33),
    (10, 0, -24, 33, 36, 46, 40, 36, 36, 35, 34),
    (35, -1, -30, 36, 38, 41, 43, 41, 34, 31, 35),
    (48, -1, -35, 41, 39, 42, 45, 42, 34, 27, 40),
    (60, -1, -39, 44, 39, 41, 45, 41, 32, 23, 39),
    (75, -1, -42, 43, 38, 38, 43, 40, 30, 21, 35),
    (90, 0, -45, 42, 36, 33, 39, 40, 29, 19, 32),
    (105, 1, -49, 43, 34, 27, 34, 42, 27, 17, 29),
    (120, 3, -52, 44, 29, 22, 32, 45, 28, 16, 25),
    (142, 2, -55, 42, 22, 15, 26, 46, 26, 14, 20),
    (182, 0, -57, 36, 14, 9, 14, 41, 17, 10, 16),
)


def thigh_and_shank(figure: Figure, side: Side) -> list[Flesh]:
    """Muscle and fat between hip and ankle."""
    build = figure.physique
    bulk = 0.45 + 0.55 * build.muscle
    found = []
    for name, rows, low, high, fat in (
        ("femur", _THIGH, -440, 20, ((-430, 4), (-330, 6), (-100, 9.0))),
        ("tibia", _SHANK, -418, 12, ((-380, 2.5), (-300, 4.5), (-120, 6), (-20, 4.5))),
    ):
        chart = figure.chart(f"{name}_{side}")
        thick = np.array(fat, dtype=np.float64)
        reach = 95.0 + 30 * build.fat
        sections = [oval(z, x, y, *(r * _grown(bulk, z, name) for r in radii)) for z, x, y, *radii in rows]

        def muscle(region: Region, sections=sections, low=low, high=high) -> Array:
            ends = np.maximum(region.z - high, low - region.z).astype(np.float32)
            return corner(loft(region, sections, smooth=30.0), ends, 30.0)

        corners = (-reach, -reach, low - 45.0), (reach, reach, high + 45.0)
        region, field = _coarsely(chart, *corners, muscle)
        _, layer = _coarsely(chart, *corners, lambda r, t=thick: piecewise_linear(r.z, t[:, 0], t[:, 1]))
        found.append(Flesh(region, field * np.float32(chart.frame.scale), layer * np.float32(build.fat)))
    return found


def _coarsely(
    chart: Chart, low: Triple, high: Triple, draw: Callable[[Region], Array], *, step: float = 3.0
) -> tuple[Region, Array]:
    """A smooth field of a local box, evaluated every `step` mm and interpolated."""
    window = chart.window(low, high)
    axes = [a.reshape(-1) for a in chart.canvas.at(window).axes]
    x, y, z = (
        np.linspace(a[0], a[-1], max(int(len(a) * chart.canvas.spacing / step), 2), dtype=np.float32) for a in axes
    )
    local = chart.frame.to_local(x[None, None, :], y[None, :, None], z[:, None, None])
    field = np.broadcast_to(draw(Region(window, *local)), (len(z), len(y), len(x)))
    size = tuple(len(a) for a in axes[::-1])
    fine = torch.nn.functional.interpolate(
        torch.from_numpy(np.array(field))[None, None], size=size, mode="trilinear", align_corners=True
    )
    return chart.canvas.at(window), fine[0, 0].numpy()


def _grown(bulk: float, z: float, name: str) -> float:
    """Factor on a radius: muscles grow, bones and tendons at knee and ankle do not."""
    knots = (
        ((-440, -330, -80), (0.15, 1, 1)) if name == "femur" else ((-400, -300, -240, -60, -20), (0, 0.3, 1, 1, 0.2))
    )
    return 1 + (bulk - 1) * float(np.interp(z, *knots))


def foot_and_toes(figure: Figure, side: Side, shape: LegShape) -> list[Flesh]:
    """The foot with its heel pad, and five toes."""
    chart = figure.chart(f"foot_{side}")
    scale, fat = np.float32(chart.frame.scale), 0.6 + 0.4 * figure.physique.fat

    def muscle(region: Region) -> Array:
        # Seen from behind: x lateral, z up, the axis to the front.
        view = Region(region.window, region.x, region.z, region.y)
        field = corner(loft(view, _FOOT, smooth=12.0), np.maximum(-57 - region.y, region.y - 158), 14.0)
        return corner(field, piecewise_linear(region.y, (-10, 60, 120), (-61.0, -62.0, -66.5)) - region.z, 10.0)

    def pad(region: Region) -> Array:
        thick = np.clip((-50 - region.z) / 10, 0, 1) * np.clip((20 - region.y) / 30, 0.35, 1)
        return (2.2 * fat + 7.0 * thick).astype(np.float32)

    corners = (-75.0, -90.0, -100.0), (75.0, 190.0, 60.0)
    region, field = _coarsely(chart, *corners, muscle)
    found = [Flesh(region, field * scale, _coarsely(chart, *corners, pad)[1])]
    return [*found, _toes(chart, shape, 2.4 * fat)]


def knee_cap(figure: Figure, side: Side) -> list[Flesh]:
    """What covers the patella and its tendon, wherever the knee takes them."""
    flexion = getattr(figure.skeleton.posture, f"leg_{side}").knee_flexion
    fat = 3 * figure.physique.fat
    chart = figure.chart(f"patella_{side}")
    center = np.array([1.5, 42.0 + patella_shift(flexion), 6.0])
    region = chart.region(center - 60, center + 60)
    cap = Flesh(
        region, ellipsoid(region, center, (36, 19, 32)) * np.float32(chart.frame.scale), 3 * figure.physique.fat
    )
    shank = figure.chart(f"tibia_{side}")
    apex = landmark_in_frame(figure, side, "patella", "tibia", (1.5, 42 + patella_shift(flexion), -14))
    region, field = tube(shank, [tuple(apex), (0.5, 20, -62)], [17, 17], margin=30)
    return [cap, Flesh(region, field * np.float32(shank.frame.scale), fat)]


def _toes(chart: Chart, shape: LegShape, fat: float) -> Flesh:
    toes = []
    for ray, thick in zip(rays(shape), (9.0, 6.8, 6.6, 6.4, 6.4), strict=True):
        joints = np.array(ray.joints)
        joints[-1] -= (joints[-1] - joints[-2]) * 0.25
        line = np.vstack([ray.head + (joints[0] - ray.head) * 0.2, *joints])
        toes.append(tube(chart, line, np.linspace(thick + 1.0, thick, len(line)), margin=20.0))
    region, field = merge(chart, toes, blend=1.0)
    return Flesh(region, field * np.float32(chart.frame.scale), fat)
