"""The braincase as a surface: outer table, thickness, and the floor of the three cranial fossae."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from ..canvas import Array, Region, normalised

# The skull's coordinates: origin between the occipital condyles, Frankfurt plane at z = 19. Sella, nasion, basion,
# porion and orbitale lie where the norms of lateral cephalometry have them (Riolo et al., An Atlas of Craniofacial
# Growth, 1974); length 185, breadth 142, basion-bregma height 133 mm.
MIDDLE = (0.0, 8.0, 60.0)
_STEP = 0.5

# Height of the upper and of the under surface of the base [mm], over y (rows) and |x| (columns): occipital squama,
# posterior fossa, foramen magnum, petrous ridges, clivus and sella with middle fossa, orbital roofs.
_X = (0, 12, 25, 40, 55, 70)
_UPPER = {
    -80: (25, 25, 25, 28, 34, 40),
    -60: (6, 2, 0, 4, 16, 30),
    -35: (-2, -4, -5, 0, 12, 26),
    -12: (0, 0, 2, 8, 22, 30),
    0: (2, 4, 12, 24, 33, 34),
    8: (12, 16, 28, 34, 34, 32),
    16: (30, 28, 33, 30, 26, 30),
    22: (42, 33, 27, 23, 22, 32),
    26: (35, 32, 25, 21, 22, 34),
    34: (36, 31, 24, 20, 24, 40),
    40: (45, 38, 25, 21, 30, 46),
    48: (46, 43, 36, 27, 44, 48),
    55: (46, 46, 48, 46, 50, 50),
    70: (44, 48, 55, 57, 55, 50),
    90: (46, 54, 58, 60, 58, 56),
}
_UNDER = {
    -80: (17, 18, 19, 22, 29, 35),
    -60: (-1, -3, -4, 0, 11, 25),
    -35: (-7, -8, -8, -4, 6, 18),
    -12: (-5, -5, -2, 0, 8, 16),
    0: (-2, -2, 2, 8, 10, 18),
    8: (1, 3, 8, 10, 9, 16),
    16: (8, 10, 14, 17, 18, 20),
    22: (15, 15, 17, 18, 18, 27),
    26: (18, 17, 18, 16, 17, 30),
    34: (20, 18, 19, 16, 20, 36),
    40: (19, 19, 20, 17, 26, 42),
    48: (20, 22, 28, 23, 40, 44),
    55: (38, 41, 44, 42, 47, 47),
    70: (41, 45, 52.5, 54.5, 52, 47),
    90: (38, 50, 54, 55, 52, 50),
}


def vault(region: Region) -> Array:
    """Distance to the outer surface of the vault, closed below: an egg, widest behind, full at forehead and occiput."""
    y, z = region.y - np.float32(MIDDLE[1]), region.z - np.float32(MIDDLE[2])
    wide = 69.8 * (1 + 0.035 * np.clip(z / 50, -1, 1)) * (1 + 0.03 * np.clip(-y / 40, -1, 1))
    deep, high = np.where(y > 0, np.float32(93), np.float32(92)), np.where(z > 0, np.float32(76), np.float32(66))
    v, w = np.square(y / deep), np.square(z / high)
    fullness = np.where(z > 0, np.where(y > 0, np.float32(0.045), np.float32(0.015)), np.float32(0.05))
    full = 1 + fullness * (4 * v * w / np.square(v + w + 1e-3))
    return normalised([region.x, y, z], [wide.astype(np.float32), deep * full, high * full])


def thickness(region: Region) -> Array:
    """Thickness of the vault [mm]: thin at the temples, thick at the glabella and the occipital protuberance.

    Means of 5 to 8 mm are those of Ross et al., J Forensic Sci 43, 1998.
    """
    side, y, z = np.abs(region.x), region.y, region.z
    temple = _bell((side - 62) / 16) * _bell((y - 15) / 34) * _bell((z - 38) / 24)
    protuberance = _bell(side / 22) * _bell((y + 80) / 16) * _bell((z - 24) / 14)
    glabella = _bell(side / 22) * _bell((y - 98) / 14) * _bell((z - 58) / 14)
    return (6.4 - 3.2 * temple + 4.0 * protuberance + 6.0 * glabella).astype(np.float32)


def braincase(region: Region, factor: float = 1.0) -> tuple[Array, Array]:
    """Distances to the outer and to the inner surface of vault and base."""
    outer = vault(region)
    upper, under = _base(region)
    return np.maximum(outer, under), np.maximum(outer + thickness(region) * np.float32(factor), upper)


def on_vault(points: NDArray[np.float64], depth: float = 0.0) -> NDArray[np.float64]:
    """Points (n, 3) moved along rays from the middle to `depth` mm under the vault's outer surface."""
    directions = np.asarray(points, dtype=np.float64) - MIDDLE
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    low, high = np.zeros(len(points)), np.full(len(points), 150.0)
    for _ in range(30):
        middle = (low + high) / 2
        p = (MIDDLE + middle[:, None] * directions).T[:, :, None, None]
        inside = vault(Region((slice(0, 1), slice(0, 1), slice(0, 1)), *p))[:, 0, 0] < -depth
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return MIDDLE + low[:, None] * directions


def _bell(u: Array) -> Array:
    return np.exp(-np.square(u))


def _base(region: Region) -> tuple[Array, Array]:
    """Distances below the upper and below the under surface of the base [mm], negative above."""
    tables = _tables()
    rows, columns = tables.shape[1:]
    row = np.clip(((region.y + 100) / _STEP).astype(np.int32), 0, rows - 1)
    column = np.clip((np.abs(region.x) / _STEP).astype(np.int32), 0, columns - 1)
    upper, upper_slope, under, under_slope = (table[row, column] for table in tables)
    return (upper - region.z) * upper_slope, (under - region.z) * under_slope


@cache
def _tables() -> NDArray[np.float32]:
    """Height of each surface on a fine grid over y and |x|, followed by the cosine of its slope."""
    y, x = np.arange(-100, 110, _STEP), np.arange(0, 80, _STEP)
    sheets = []
    for table in (_UPPER, _UNDER):
        columns = [np.interp(y, list(table), column) for column in zip(*table.values(), strict=True)]
        sheet = np.array([np.interp(x, _X, row) for row in np.array(columns).T])
        sheet = _smooth(_smooth(sheet).T).T
        sheets += [sheet, 1 / np.sqrt(1 + sum(np.square(g) for g in np.gradient(sheet, _STEP)))]
    return np.array(sheets, dtype=np.float32)


def _smooth(sheet: NDArray[np.float64]) -> NDArray[np.float64]:
    """Running mean over 4 mm along the rows' index."""
    width = int(4 / _STEP) + 1
    padded = np.pad(sheet, ((width // 2, width // 2), (0, 0)), mode="reflect")
    return np.mean([padded[k : k + len(sheet)] for k in range(width)], axis=0)
