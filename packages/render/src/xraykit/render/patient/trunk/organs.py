"""The solid organs of the procedural torso's abdomen and pelvis, and the stomach."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from ..body.trunk_shape import ATLAS, TrunkShape, cage
from ..canvas import Array, Canvas, Region, ellipsoid, placed, spline, tube
from .bowel import TYPICAL, BowelContent, paint_bowel
from .fit import OrganShape, growth, swollen
from .flesh import SIDES, diaphragm, lifted, smooth_max
from .vessels import paint_abdominal_vessels

_LOST = 1.25  # stomach, bowel, kidneys and vessels take as much back from liver and spleen
_LIVER_BOX = ((-120.0, -110.0, 30.0), (155.0, 140.0, 310.0))
_SPLEEN_BOX = ((-155.0, -115.0, 70.0), (-45.0, 60.0, 300.0))


def paint_abdomen(
    canvas: Canvas,
    ids: Mapping[str, int],
    shape: TrunkShape = ATLAS,
    *,
    contrast: float = 0.0,
    content: BowelContent = TYPICAL,
    prostate: bool = True,
) -> None:
    """Liver, spleen, stomach with its air bubble, kidneys and what lies about them, vessels, bowel, bladder, psoas.

    Args:
        canvas: What is painted on.
        ids: Label value of each name.
        shape: The person's.
        contrast: HU that contrast agent adds to blood.
        content: What fills stomach, bowel and bladder.
        prostate: There is one; else a womb.
    """
    lift = 0.7 * shape.diaphragm
    region = canvas.region((-160, -130, 50), (160, 150, 290 + max(shape.diaphragm, 0)))
    below = _below(region, shape)
    _upper(canvas, ids, region, below, shape, contrast, content)
    for side, sign in SIDES:
        _kidney(canvas, ids, region, below, 0.5 * lift, side, sign, contrast)
        _psoas(canvas, ids[f"iliopsoas_{side}"], sign)
    _retroperitoneum(canvas, ids, 0.6 * lift, contrast)
    paint_abdominal_vessels(canvas, ids, contrast)
    paint_bowel(canvas, ids, content, narrow=1 - shape.waist / 130, lift=0.6 * shape.diaphragm)
    for side, sign in SIDES:
        _adrenal(canvas, ids[f"adrenal_gland_{side}"], sign, 0.5 * lift, contrast)
    _pelvic(canvas, ids, content, contrast, prostate)


def _upper(
    canvas: Canvas,
    ids: Mapping[str, int],
    region: Region,
    below: Array,
    shape: TrunkShape,
    contrast: float,
    content: BowelContent,
) -> None:
    """What hangs under the diaphragm."""
    lift = 0.7 * shape.diaphragm
    liver = swollen(_liver(region, shape), growth(lambda r: _liver(r, shape), _LIVER_BOX, _LOST * shape.liver))
    canvas.paint(region, liver, 60.0 + 0.15 * contrast, ids["liver"])
    tilt = np.array([[1, 0, 0.2], [0, 0.9, 0.4], [-0.2, -0.4, 0.9]], dtype=np.float32)
    tilt /= np.linalg.norm(tilt, axis=1, keepdims=True)
    part, _ = _near(canvas, region, below, (46, 56, 150 + lift), 36)
    canvas.paint(part, ellipsoid(part, (46, 56, 150 + lift), (14, 15, 29), tilt), 12.0, ids["gallbladder"])
    near = region.part(canvas.window(*_SPLEEN_BOX))
    spleen = swollen(_spleen(near, shape), growth(lambda r: _spleen(r, shape), _SPLEEN_BOX, _LOST * shape.spleen))
    canvas.paint(near, spleen, 52.0 + 0.3 * contrast, ids["spleen"])
    part, field = _stomach(canvas, region, lift)
    stomach = np.maximum(below[region.inner(part.window)], field)
    stomach = np.maximum(stomach, 2 - placed(part, near, spleen))  # it gives way to the spleen
    canvas.paint(part, stomach, 35.0, ids["stomach"])
    level = np.float32(218 + content.stomach + lift)  # the gas lies before, or above, the fluid
    fluid = level - part.z if content.upright else np.float32(42 + content.stomach) - part.y
    canvas.paint(part, np.maximum(stomach + 4, fluid), -985.0, ids["stomach"])


def _liver(region: Region, shape: TrunkShape) -> OrganShape:
    """Under the right dome and before the spine, its lower edge falling to the side; it moves with the diaphragm."""
    view = lifted(region, shape.diaphragm)
    liver = ellipsoid(view, (64, 6, 204), (112, 108, 80))
    edge = 160 + 0.42 * (40 - view.x) - 0.12 * view.y
    liver = smooth_max(liver, (edge - view.z) * np.float32(0.85), 14)
    return OrganShape(smooth_max(liver, -(view.x + 62), 10), _room(region, shape, 1))


def _spleen(region: Region, shape: TrunkShape) -> OrganShape:
    """Along the tenth rib, between the chest wall and the fat of the kidney."""
    lean = np.array([[0.86, 0.50, 0.08], [0.42, -0.61, -0.67], [-0.30, 0.60, -0.74]], dtype=np.float32)
    body = ellipsoid(region, (-104, -46, 178 + 0.8 * shape.diaphragm), (24, 40, 54), lean)
    return OrganShape(body, _room(region, shape, -1))


def _room(region: Region, shape: TrunkShape, sign: int) -> Array:
    """The space under the diaphragm within the ribs, beside the fat of a kidney."""
    fat = kidney_body(region, sign, 0.35 * shape.diaphragm) - 8
    return np.maximum(_below(region, shape), -fat)


def _below(region: Region, shape: TrunkShape) -> Array:
    """The space under the diaphragm within the ribs."""
    return np.maximum(cage(region, shape, inset=9), diaphragm(region, shape) + 4)


def _near(
    canvas: Canvas, region: Region, below: Array, center: tuple[float, float, float], reach: float
) -> tuple[Region, Array]:
    """The part of a region about a point, and the room below the diaphragm there."""
    part = region.part(canvas.window(np.subtract(center, reach), np.add(center, reach)))
    return part, below[region.inner(part.window)]


def _stomach(canvas: Canvas, region: Region, lift: float) -> tuple[Region, Array]:
    line = spline([(-62, -8, 228), (-66, 8, 200), (-58, 30, 165), (-34, 46, 140), (-4, 44, 134), (22, 30, 146)], 20)
    radius = np.interp(np.linspace(0, 1, 20), (0, 0.3, 0.7, 1), (34, 33, 23, 12))
    part, field = tube(canvas, np.add(line, (0, 0, lift)), radius)
    inside = region.part(part.window)
    return inside, field[part.inner(inside.window)]


def _kidney(
    canvas: Canvas,
    ids: Mapping[str, int],
    region: Region,
    below: Array,
    lift: float,
    side: str,
    sign: int,
    contrast: float,
) -> None:
    """Kidney in its fat, 11 cm long, its upper pole nearer to the spine; adrenal gland above."""
    z = _kidney_height(sign) + lift
    region, below = _near(canvas, region, below, (sign * 60, -46, z), 74)
    kidney = kidney_body(region, sign, lift)
    canvas.paint(region, np.maximum(kidney - 9, below), -95.0, 0)
    hilum = ellipsoid(region, (sign * 40, -38, z), (13, 14, 16))
    canvas.paint(region, np.maximum(kidney, -hilum), 35.0 + 0.55 * contrast, ids[f"kidney_{side}"])
    if contrast > 0:  # the pelvis collects what is excreted
        canvas.paint(region, ellipsoid(region, (sign * 45, -40, z - 4), (6, 6, 12)), 60 + 0.8 * contrast)


def kidney_body(region: Region, sign: int, lift: float) -> Array:
    """Distance to a kidney without its hilum; sign 1 is the right one."""
    lean = np.array([[1, 0.3, 0.28], [-0.3, 1, 0], [-0.28, 0, 1]], dtype=np.float32) * np.float32(0.93)
    lean *= np.array([[1, sign, sign], [sign, 1, 1], [sign, 1, 1]], dtype=np.float32)
    lean /= np.linalg.norm(lean, axis=1, keepdims=True)
    return ellipsoid(region, (sign * 60, -46, _kidney_height(sign) + lift), (29, 26.5, 57), lean)


def _kidney_height(sign: int) -> float:
    return 132.0 if sign > 0 else 144.0


def _adrenal(canvas: Canvas, label: int, sign: int, lift: float, contrast: float) -> None:
    """Two limbs that meet in front of the upper pole, 5 mm thick."""
    z = _kidney_height(sign) + lift
    limb = [(sign * 44, -25, z + 38), (sign * 38, -20, z + 64)]
    for across in ((0.7, 0.7, 0.2), (1.0, -0.1, 0.2)):
        part, distance = tube(canvas, limb, 2.9, flat=[np.multiply(across, (sign, 1, 1))] * 2, wide=[9.0, 5.5])
        canvas.paint(part, distance, 25.0 + 0.2 * contrast, label)


def _psoas(canvas: Canvas, label: int, sign: int) -> None:
    psoas = spline(
        [
            (sign * 30, -34, 185),
            (sign * 38, -30, 110),
            (sign * 52, -14, 30),
            (sign * 84, 20, -50),
            (sign * 104, 0, -125),
        ],
        24,
    )
    part, distance = tube(canvas, psoas, np.interp(np.linspace(0, 1, 24), (0, 0.45, 0.75, 1), (8, 21, 22, 12)))
    canvas.paint(part, distance, 55.0, label)
    iliacus = spline([(sign * 108, -16, 36), (sign * 94, -2, 0), (sign * 90, 16, -40)], 8)
    flat = [(sign * 0.85, -0.1, -0.5)] * 8
    part, distance = tube(canvas, iliacus, np.linspace(6, 12, 8), flat=flat, wide=np.linspace(34, 22, 8))
    canvas.paint(part, distance, 55.0, label)


def _retroperitoneum(canvas: Canvas, ids: Mapping[str, int], lift: float, contrast: float) -> None:
    """Pancreas and the duodenum round its head."""

    def sausage(points: ArrayLike, radius: ArrayLike, hu: float, name: str) -> None:
        line = np.add(spline(points, 20), (0, 0, lift))
        size = np.interp(np.linspace(0, 1, 20), np.linspace(0, 1, np.size(radius)), np.atleast_1d(radius))
        region, distance = tube(canvas, line, size)
        canvas.paint(region, distance, hu, ids[name])

    loop = [(22, 38, 148), (42, 30, 146), (48, 12, 120), (36, 10, 98), (4, 36, 94), (-24, 30, 108)]
    sausage(loop, [13, 12, 12, 12, 11, 11], 32.0, "duodenum")
    gland = [(28, 16, 120), (26, 22, 148), (6, 36, 160), (-24, 26, 170), (-58, -12, 184), (-76, -36, 194)]
    sausage(gland, [12, 15, 10.5, 11, 11, 8.5], 38.0 + 0.35 * contrast, "pancreas")


def _pelvic(canvas: Canvas, ids: Mapping[str, int], content: BowelContent, contrast: float, prostate: bool) -> None:
    """Bladder, and prostate or womb."""
    region = canvas.region((-70, -60, -130), (70, 95, 20))
    if prostate:
        canvas.paint(region, ellipsoid(region, (0, 26, -106), (23, 16, 17)), 40.0, ids["prostate"])
    else:
        canvas.paint(region, ellipsoid(region, (0, 0, -66), (26, 20, 38)), 50.0 + 0.2 * contrast)
    full = content.bladder
    bladder = ellipsoid(region, (0, 30, -92 + 24 * full), (44 * full**0.6, 34 * full**0.4, 30 * full))
    canvas.paint(region, bladder, 40.0, ids["urinary_bladder"])
    canvas.paint(region, bladder + 3, 8.0 + 0.7 * contrast * content.excreted, ids["urinary_bladder"])
