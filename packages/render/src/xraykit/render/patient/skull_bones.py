"""The skull's bones: vault with diploe, base, petrous ridges, face."""

from __future__ import annotations

import numpy as np

from ..implicit import Array, Canvas, Region, ellipsoid, merge, smooth_union, spline, tube
from .figure import Figure

# Sizes after Martin's craniometry of adults (cranial length 180-188, breadth 138-146, basion-bregma height 130-136 mm).
CENTER, RADII = (0.0, 12.0, 60.0), (72.0, 92.0, 72.0)
THICKNESS = 6.5
MANDIBLE_HINGE = (0.0, 14.0, 3.0)


def vault(region: Region) -> Array:
    """Distance to the outer surface of the braincase: an ellipsoid, fuller behind, narrow at the forehead."""
    narrow = 1 - 0.12 * np.clip((region.y - 30) / 75, 0, 1)
    wide = ellipsoid(region, CENTER, RADII) if np.ndim(narrow) == 0 else _narrowed(region, narrow)
    return np.maximum(wide, base_height(region.y) - region.z - THICKNESS * np.float32(0.6)).astype(np.float32)


def _narrowed(region: Region, narrow: Array) -> Array:
    part = Region(region.window, (region.x / narrow).astype(np.float32), region.y, region.z)
    return ellipsoid(part, CENTER, RADII)


def base_height(y: Array) -> Array:
    """Height of the inner cranial base over the anterior coordinate: posterior, middle and anterior fossa [mm]."""
    return np.interp(y, (-90, -55, -20, 2, 14, 34, 44, 58, 110), (14, -8, -12, -6, 6, 8, 22, 32, 36)).astype(np.float32)


def cavity(region: Region) -> Array:
    """Distance to the inside of the braincase."""
    inner = ellipsoid(region, CENTER, tuple(r - THICKNESS for r in RADII))
    return np.maximum(inner, base_height(region.y) - region.z).astype(np.float32)


def paint_skull(figure: Figure, rng: np.random.Generator) -> None:
    """Paint braincase and face; the cavities are carved and filled afterwards."""
    figure.paint_bone("skull", lambda c: braincase(c), frame="skull", cortex=1.7, shell=1250, core=480)
    figure.paint_bone("skull", lambda c: face(c), frame="skull", cortex=1.4, shell=900, core=150)
    for sign in (1, -1):
        ridge = [(sign * 20, 22, 9), (sign * 38, 6, 12), (sign * 58, -8, 13)]
        figure.paint_bone(
            "skull", lambda c, r=ridge: tube(c, r, [5, 7, 8]), frame="skull", cortex=3, shell=1500, core=900
        )
        mastoid = [(sign * 58, -14, 4), (sign * 55, -8, -20)]
        figure.paint_bone(
            "skull", lambda c, m=mastoid: tube(c, m, [13, 7]), frame="skull", cortex=1.6, shell=950, core=-250
        )


def braincase(canvas: Canvas) -> tuple[Region, Array]:
    """Vault and base, solid: the brain is painted into it."""
    region = canvas.region((-82, -90, -35), (82, 112, 140))
    field = vault(region)
    condyles = [tube(canvas, [(s * 18, -8, -4), (s * 15, 8, -1)], [7, 6]) for s in (1, -1)]
    clivus = tube(canvas, [(0, 4, -3), (0, 32, 14)], 8.0, flat=[(0, -0.5, 0.85)] * 2, wide=[13, 13])
    occiput = tube(canvas, [(-6, -80, 40), (6, -80, 40)], 5.0)
    return merge(canvas, [(region, field), *condyles, clivus, occiput], blend=3)


def face(canvas: Canvas) -> tuple[Region, Array]:
    """Maxillae, orbital walls and rims, nasal bones, zygomata with their arches, pterygoids."""
    parts = []
    region = canvas.region((-55, 30, -45), (55, 112, 60))
    block = ellipsoid(region, (0, 66, 0), (42, 34, 34))
    forehead = ellipsoid(region, (0, 71, 38), (46, 25, 16))
    parts.append((region, smooth_union(block, forehead, 8)))
    arch = spline(
        [(-27, 58, -27), (-25, 78, -27), (-14, 94, -27), (0, 99, -27), (14, 94, -27), (25, 78, -27), (27, 58, -27)], 28
    )
    parts.append(tube(canvas, arch, 6.5, flat=[(0, 0, 1)] * 28, wide=[7.5] * 28))
    parts.append(tube(canvas, [(0, 60, -22), (0, 94, -22)], 2.0, flat=[(0, 0, 1)] * 2, wide=[24, 14]))
    parts.append(tube(canvas, [(0, 98, 34), (0, 108, 12)], 3.0, flat=[(0, 1, 0.4)] * 2, wide=[6, 8]))
    for s in (1, -1):
        rim = spline(
            [
                (s * 13, 96, 34),
                (s * 32, 97, 42),
                (s * 50, 86, 34),
                (s * 53, 80, 18),
                (s * 46, 84, 4),
                (s * 30, 92, 2),
                (s * 14, 98, 12),
            ],
            28,
        )
        parts.append(tube(canvas, rim, 4.2))
        parts.append(tube(canvas, [(s * 50, 82, 6), (s * 48, 76, -10), (s * 34, 76, -22)], [8, 8, 6]))
        zygoma = spline([(s * 53, 78, 4), (s * 63, 58, 0), (s * 67, 36, 2), (s * 63, 14, 8)], 16)
        parts.append(tube(canvas, zygoma, 2.6, flat=[(s, 0, 0)] * 16, wide=[5.5] * 16))
        parts.append(tube(canvas, [(s * 18, 40, 4), (s * 17, 44, -24)], 2.2, flat=[(1, 0, 0)] * 2, wide=[9, 6]))
        parts.append(tube(canvas, [(s * 53, 80, 30), (s * 58, 60, 34)], 3.0))
    return merge(canvas, parts, blend=3)
