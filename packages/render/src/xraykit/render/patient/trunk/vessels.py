"""Arteries and veins of the procedural torso, as centre lines with radii."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from ..body.trunk_shape import TrunkShape
from ..canvas import Canvas, spline, tube
from .heart import BLOOD_HU, heart_lift

# How much of the agent each kind of vessel holds while arteries are imaged.
FILLING = {"artery": 1.0, "pulmonary": 0.8, "vein": 0.45}


class Vessel(NamedTuple):
    """A vessel.

    Args:
        label: Its label; "" leaves the labels, "-" clears them.
        kind: A key of `FILLING`.
        line: Centre line [mm].
        radius: Radii along it [mm].
    """

    label: str
    kind: str
    line: tuple[tuple[float, float, float], ...]
    radius: tuple[float, ...]


# Aortic diameters fall from 31 mm at the root to 17 mm at the bifurcation (Wolak et al., JACC Cardiovasc Imaging 1,
# 2008; Rogers et al., Circ Cardiovasc Imaging 6, 2013).
AORTA = (
    *((-4, 28, 328), (6, 34, 358), (6, 28, 390), (-6, 10, 405), (-22, -12, 400), (-28, -34, 378), (-26, -44, 335)),
    *((-20, -31, 275), (-13, -16, 236), (-8, -1, 187), (-7, 11, 130), (-6, 15.5, 90), (-5, 14.5, 54)),
)
AORTA_RADII = (15, 14.5, 14, 13, 12.5, 12, 11.5, 11, 10.5, 10, 9.2, 8.8, 8.5)

_CHEST = (
    Vessel("-", "pulmonary", ((-20, 46, 335), (-24, 34, 358), (-18, 16, 374)), (14, 14, 13)),
    Vessel("-", "pulmonary", ((-18, 16, 374), (-36, -2, 374), (-52, -20, 360)), (12, 11, 7)),
    Vessel("-", "pulmonary", ((-16, 14, 370), (14, 4, 364), (36, -2, 356), (48, -8, 340)), (11, 10.5, 10, 6)),
    Vessel("pulmonary_vein", "artery", ((50, 10, 342), (14, -2, 328)), (5, 7)),
    Vessel("pulmonary_vein", "artery", ((48, -26, 302), (12, -14, 318)), (5, 7)),
    Vessel("pulmonary_vein", "artery", ((-54, 6, 346), (-26, -4, 330)), (5, 7)),
    Vessel("pulmonary_vein", "artery", ((-52, -30, 302), (-26, -16, 318)), (5, 7)),
    Vessel("superior_vena_cava", "vein", ((24, 14, 322), (27, 13, 370), (26, 13, 416)), (9.5, 9.5, 9)),
    Vessel("brachiocephalic_vein_right", "vein", ((26, 13, 414), (34, 10, 444), (40, 2, 460)), (8, 7.5, 7)),
    Vessel(
        "brachiocephalic_vein_left", "vein", ((26, 13, 412), (2, 26, 422), (-24, 20, 438), (-40, 2, 460)), (8, 7, 7, 7)
    ),
    Vessel("brachiocephalic_trunk", "artery", ((2, 16, 408), (13, 8, 432), (22, -2, 452)), (6.5, 6.3, 6)),
    Vessel(
        "subclavian_artery_right",
        "artery",
        ((22, -2, 452), (38, -14, 467), (64, -14, 468), (95, 2, 456), (112, 8, 446)),
        (5, 4.5, 4.2, 4, 4),
    ),
    Vessel(
        "subclavian_artery_left",
        "artery",
        ((-19, -6, 406), (-26, -14, 444), (-40, -18, 467), (-66, -14, 468), (-95, 2, 456), (-112, 8, 446)),
        (5.5, 5, 4.5, 4.2, 4, 4),
    ),
    Vessel("common_carotid_artery_right", "artery", ((22, -2, 452), (25, -8, 490), (27, -14, 560)), (4, 3.6, 3.4)),
    Vessel(
        "common_carotid_artery_left",
        "artery",
        ((-6, 10, 408), (-15, 2, 450), (-25, -8, 490), (-27, -14, 560)),
        (4,) * 4,
    ),
)
_ABDOMEN = (
    Vessel(
        "inferior_vena_cava",
        "vein",
        ((10, 8, 38), (18, 12, 70), (19, 9, 120), (21, 1, 185), (23, 5, 225), (24, 12, 272)),
        (10, 10.5, 10.5, 11, 12, 12),
    ),
    Vessel(
        "portal_vein_and_splenic_vein",
        "vein",
        ((14, 27, 128), (18, 22, 168), (32, 14, 192), (50, 8, 205)),
        (5, 6.5, 7, 5),
    ),
    Vessel(
        "portal_vein_and_splenic_vein",
        "vein",
        ((18, 22, 170), (-20, 14, 178), (-60, -24, 186), (-84, -44, 200)),
        (5, 4.5, 4, 3.5),
    ),
    Vessel("", "artery", ((-7, 8, 172), (-5, 24, 160), (-2, 34, 120), (4, 42, 80)), (3.8, 3.8, 3.4, 2.4)),
    Vessel("", "artery", ((-7, 2, 186), (-6, 16, 190), (20, 14, 196), (44, 10, 204)), (3.6, 3.4, 2.8, 2.2)),
)
_ARTERY = ((-4, 14, 56), (11, 11, 32), (28, 4, 8), (44, 4, -16), (60, 24, -48), (78, 46, -76), (83, 50, -100))
_INNER = ((42, 4, -12), (46, -24, -36), (42, -48, -60))
_VEIN = ((10, 8, 40), (23, -1, 14), (38, -5, -14), (54, 14, -46), (68, 40, -76), (72, 44, -100))
_VEIN_LEFT = ((10, 8, 40), (-8, 5, 20), (-26, -3, 4), (-40, -5, -16), (-54, 14, -46), (-68, 40, -76), (-72, 44, -100))
_RENAL = ((7, 10, 142), (26, -6, 142), (40, -34, 136))


def paint_chest_vessels(canvas: Canvas, ids: Mapping[str, int], shape: TrunkShape, contrast: float) -> None:
    """Great vessels of chest and neck, which stand a little higher or lower with the heart."""
    lift = heart_lift(shape)
    _paint(canvas, ids, _CHEST, contrast, lift)
    _paint(canvas, ids, [Vessel("aorta", "artery", AORTA, AORTA_RADII)], contrast, lift)


def paint_abdominal_vessels(canvas: Canvas, ids: Mapping[str, int], contrast: float) -> None:
    """Caval, portal and renal veins, visceral and iliac vessels."""
    sides = []
    for side, sign in (("right", 1), ("left", -1)):
        mirror = np.array([sign, 1, 1])

        def line(points: tuple[tuple[float, float, float], ...], mirror=mirror):
            return tuple(tuple(p) for p in (np.array(points) * mirror).tolist())

        artery = (_ARTERY[0], *line(_ARTERY[1:]))
        vein = _VEIN if side == "right" else _VEIN_LEFT
        sides += [
            Vessel(f"iliac_vena_{side}", "vein", vein, (7.5, *(6.5,) * (len(vein) - 1))),
            Vessel(f"iliac_artery_{side}", "artery", artery, (6, 6, 5.6, 5, 4.8, 4.6, 4.4)),
            Vessel(f"iliac_artery_{side}", "artery", line(_INNER), (4, 3.2, 2.2)),
            Vessel("", "vein", line(_RENAL), (5, 4.5, 4)),
            Vessel("", "artery", line(tuple((x, y - 6, z - 2) for x, y, z in _RENAL)), (3, 2.8, 2.6)),
        ]
    _paint(canvas, ids, [*_ABDOMEN, *sides], contrast, 0.0)


def paint_plaques(canvas: Canvas, degree: float, rng: np.random.Generator) -> None:
    """Calcified plaques in the walls of aorta and common iliac arteries, most of them near the bifurcation."""
    count = rng.poisson(34 * degree)
    line, radii = spline(AORTA, 120), np.interp(np.linspace(0, 1, 120), np.linspace(0, 1, len(AORTA)), AORTA_RADII)
    sides = [spline(np.array(_ARTERY[:4]) * (s, 1, 1), 24) for s in (1, -1)]
    line = np.concatenate([line, *sides])
    radii = np.concatenate([radii, np.full(48, 5.8)])
    weight = np.concatenate(
        [np.interp(np.arange(120), (0, 15, 30, 45, 80, 119), (0.1, 1, 1.5, 0.4, 0.6, 3)), np.full(48, 2)]
    )
    for n in rng.choice(len(line), size=count, p=weight / weight.sum()):
        outward = rng.normal(0, 1, 3)
        along = line[min(n + 1, len(line) - 1)] - line[n]
        outward -= outward @ along / max(along @ along, 1e-6) * along
        outward /= np.linalg.norm(outward)
        across = np.cross(outward, along) / max(np.linalg.norm(along), 1e-6)
        spot = line[n] + outward * (radii[n] - 0.6)
        ends = spot + np.outer((-1, 1), along / max(np.linalg.norm(along), 1e-6) * rng.uniform(1, 5) + across)
        region, distance = tube(
            canvas, ends, rng.uniform(0.7, 1.5), flat=[outward] * 2, wide=[rng.uniform(1.5, 3.5)] * 2
        )
        canvas.paint(region, distance, float(rng.uniform(500, 1000)))


def _paint(canvas: Canvas, ids: Mapping[str, int], vessels: Iterable[Vessel], contrast: float, lift: float) -> None:
    for vessel in vessels:
        points = spline(np.add(vessel.line, (0, 0, lift)), 6 * len(vessel.line))
        radius = np.interp(np.linspace(0, 1, len(points)), np.linspace(0, 1, len(vessel.radius)), vessel.radius)
        label = ids[vessel.label] if vessel.label not in ("", "-") else (0 if vessel.label else None)
        region, distance = tube(canvas, points, radius)
        canvas.paint(region, distance, BLOOD_HU + FILLING[vessel.kind] * contrast, label)
