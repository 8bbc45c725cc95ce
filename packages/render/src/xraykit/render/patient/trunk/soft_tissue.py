"""What lies within the trunk's muscle and fat: back and gluteal muscles, spinal cord, breasts, cysts of kidneys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..body.figure import Figure, Flesh
from ..body.skeleton import SIDES
from ..body.trunk_shape import TrunkShape, spine_y
from ..canvas import Array, Canvas, Region, ellipsoid, spline, tube
from .bend import soft_chart

_CORD_HU, _SAC_HU, _GLAND_HU, _CYST_HU = 38.0, 20.0, 38.0, 6.0
SIDES_SIGNS = tuple(zip(SIDES, (1, -1), strict=True))
Polyline = Sequence[tuple[float, float, float]]


class Muscle(NamedTuple):
    """A flat muscle of the right side in the atlas [mm].

    Args:
        line: Centre line.
        across: Direction of its thickness.
        thick: Half thickness at both ends.
        wide: Half width at both ends.
    """

    line: Polyline
    across: tuple[float, float, float]
    thick: tuple[float, float]
    wide: tuple[float, float]


# From the innermost out. Gluteus medius holds 289 (72) ml (Preininger et al., Man Ther 16, 2011), minimus 0.29 of it
# (Marcon et al., Skeletal Radiol 45, 2016).
_GLUTEI = {
    "gluteus_minimus": Muscle(
        ((122, -16, 20), (117, -14, -12), (121, -10, -45), (140, -8, -84)), (1, -0.2, 0.2), (10, 10), (35, 18)
    ),
    "gluteus_medius": Muscle(
        ((130, -22, 42), (134, -28, -8), (139, -24, -48), (150, -14, -88)), (1, -0.4, 0), (20, 16), (62, 30)
    ),
    "gluteus_maximus": Muscle(
        ((58, -96, 0), (78, -92, -50), (108, -66, -98), (130, -34, -146)), (0.4, -0.9, 0.1), (19, 15), (52, 46)
    ),
}


def breasts(figure: Figure, shape: TrunkShape) -> list[Flesh]:
    """The fat of both breasts on the chest wall."""
    if shape.breast <= 0:
        return []
    chart, parts = soft_chart(figure), []
    for sign in (1, -1):
        region, field = _mound(chart, shape, sign, 1.0, margin=40.0)
        parts.append(Flesh(region, field * np.float32(figure.skeleton.trunk.scale) + 60, 60.0))
    return parts


def _mound(chart: Canvas, shape: TrunkShape, sign: int, size: float, *, margin: float) -> tuple[Region, Array]:
    """Distance to a breast that hangs a little lower than it stands out."""
    forward = 96 + float(shape.forward(330.0))
    center = (sign * 66.0, forward + 6.0, 338.0 - 0.5 * shape.breast)
    radii = size * np.array([44 + 0.25 * shape.breast, 8 + 0.8 * shape.breast, 44 + 0.35 * shape.breast])
    region = chart.region(np.subtract(center, radii + margin), np.add(center, radii + margin))
    return region, ellipsoid(region, center, radii.tolist())


def paint_glands(figure: Figure, shape: TrunkShape) -> None:
    """Glandular tissue within the fat of the breasts, less of it with age."""
    if shape.breast <= 0:
        return
    chart = soft_chart(figure)
    share = np.float32(np.clip(0.75 - 0.008 * (figure.physique.age - 25), 0.2, 0.75))
    for sign in (1, -1):
        region, field = _mound(chart, shape, sign, 0.72, margin=4.0)
        patch = chart.hu[region.window]
        inside = np.clip(-field / 8, 0, 1) * np.clip((-40 - patch) / 40, 0, 1) * (patch > -140)
        patch += share * inside * (np.float32(_GLAND_HU) - patch)


def paint_beside_spine(figure: Figure) -> None:
    """Soft tissue round vertebrae that a scoliosis bends out into the lungs."""
    if not np.any(figure.skeleton.trunk.turn):
        return
    chart = figure.chart("trunk")
    z = np.linspace(190, 470, 24)
    line = np.stack([np.zeros(24), spine_y(z) - 6, z], axis=1)
    region, field = tube(chart, line, np.interp(z, (190, 300, 470), (25, 22, 20)))
    lung = np.where(chart.hu[region.window] < -150, np.float32(-chart.spacing), np.float32(chart.spacing))
    chart.paint(region, np.maximum(field, lung), _CORD_HU, 0)


def paint_back(figure: Figure) -> None:
    """Erector spinae (autochthon), gluteal muscles, and spinal cord in its sac."""
    chart = figure.chart("trunk")
    z = np.linspace(-70, 500, 36)
    for side, sign in SIDES_SIGNS:
        behind = np.interp(z, (-70, 0, 60, 130, 210, 330, 430, 500), (56, 40, 46, 46, 47, 50, 46, 36))
        line = np.stack([np.full(36, sign * 29.0), spine_y(z) - behind, z], axis=1)
        thin = np.interp(z, (-70, -20, 60, 160, 330, 500), (7, 14, 20, 18, 13, 11))
        wide = np.interp(z, (-70, -20, 60, 160, 330, 500), (14, 24, 30, 28, 24, 16))
        region, field = tube(chart, line, thin, flat=[(0.0, 1.0, 0.0)] * 36, wide=wide)
        _name_muscle(chart, region, field, figure.ids[f"autochthon_{side}"])
        for name, muscle in _GLUTEI.items():
            line = spline(np.multiply(muscle.line, (sign, 1, 1)), 16)
            flat = [np.multiply(muscle.across, (sign, 1, 1))] * 16
            thin, wide = np.linspace(*muscle.thick, 16), np.linspace(*muscle.wide, 16)
            region, field = tube(chart, line, thin, flat=flat, wide=wide)
            _name_muscle(chart, region, field, figure.ids[f"{name}_{side}"])
    height = np.linspace(-14, 600, 60)
    wall = np.interp(height, (0, 200, 300, 450, 600), (15.5, 14.5, 12.5, 8, 7.5))
    line = np.stack([np.zeros(60), spine_y(height) - wall - 7.5, height], axis=1)
    region, field = tube(chart, line, np.interp(height, (0, 200, 600), (6.5, 7.5, 8.5)))
    chart.paint(region, field, _SAC_HU)
    upper = line[height > 128]
    region, field = tube(chart, upper, 5.0, flat=[(0.0, 1.0, 0.0)] * len(upper), wide=[6.0] * len(upper))
    chart.paint(region, field, _CORD_HU, figure.ids["spinal_cord"])


def _name_muscle(chart: Canvas, region: Region, field: Array, label: int) -> None:
    """Label what is muscle, and nothing else yet, inside a distance."""
    hu, labels = chart.hu[region.window], chart.labels[region.window]
    labels[(field < 0) & (labels == 0) & (hu > -30) & (hu < 100)] = label


def paint_cysts(figure: Figure, seed: int, lift: float) -> None:
    """Simple cysts of the kidneys, commoner with age (Terada et al., J Urol 167, 2002)."""
    rng, chart = figure.rng(seed, "cysts"), soft_chart(figure)
    for side, sign in SIDES_SIGNS:
        spot, radius = rng.uniform((50, -58, -40), (74, -34, 40)), float(rng.uniform(6, 22))
        if rng.random() < max(figure.physique.age - 20, 0) * 0.004:
            center = spot * (sign, 1, 1) + (0, 0, (132 if sign > 0 else 144) + lift)
            region = chart.region(center - radius - 3, center + radius + 3)
            chart.paint(region, ellipsoid(region, center, (radius,) * 3), _CYST_HU, figure.ids[f"kidney_cyst_{side}"])
