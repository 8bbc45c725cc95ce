"""The measurements of the procedural torso: vertebral levels, rib cage, body outline (RAS mm, z = 0 at the promontory).

Sizes are round numbers typical of an adult man as found in anatomy text books; none is taken from a patient.
`TrunkShape` says how a person differs from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ..canvas import Array, Region, spline

# Body height, gap above (disc), half width, half depth of each vertebra [mm], from the lowest up.
VERTEBRAE = {
    "L5": (27.5, 10.5, 27.5, 18.0),
    "L4": (28.5, 10.5, 26.5, 18.0),
    "L3": (28.5, 10.5, 25.5, 17.8),
    "L2": (27.5, 9.5, 24.5, 17.3),
    "L1": (26.5, 7.5, 23.5, 16.8),
    "T12": (25.5, 5.5, 22.5, 16.3),
    "T11": (23, 5, 21.0, 16.0),
    "T10": (22, 5, 19.0, 15.4),
    "T9": (21, 4.5, 17.6, 14.8),
    "T8": (20.5, 4, 16.6, 14.3),
    "T7": (20, 4, 16.3, 14.1),
    "T6": (19.5, 4, 15.6, 13.5),
    "T5": (19, 4, 15.0, 12.5),
    "T4": (18.5, 4, 14.0, 11.0),
    "T3": (18, 4, 14.0, 10.0),
    "T2": (18, 4, 14.5, 9.5),
    "T1": (17, 5, 15.0, 9.0),
    "C7": (15, 5, 14.0, 8.5),
    "C6": (13, 5, 13.5, 8.5),
    "C5": (13, 5, 13.0, 8.5),
    "C4": (13, 5, 12.5, 8.5),
    "C3": (13, 5, 12.5, 8.5),
}
# Anterior position of the vertebral bodies over height: cervical and lumbar lordosis, thoracic kyphosis.
SPINE_Z = (-20, 0, 60, 110, 160, 210, 270, 330, 390, 440, 480, 520, 560, 600)
SPINE_Y = (-32, -24, -13, -12, -20, -34, -51, -60, -57, -46, -36, -28, -25, -27)

# Per rib 1-12: half width of its centre line, hindmost y, foremost y, drop from head to end, end angle [mm, degrees];
# the angle counts from the back midline.
RIBS = (
    (60, -68, 37, 48, 150),
    (88, -88, 54, 64, 156),
    (104, -98, 68, 76, 156),
    (117, -104, 78, 86, 154),
    (126, -108, 86, 96, 150),
    (132, -110, 91, 103, 145),
    (136, -110, 94, 109, 137),
    (137, -108, 92, 110, 127),
    (135, -104, 87, 108, 117),
    (130, -97, 79, 98, 107),
    (120, -89, 70, 72, 90),
    (102, -80, 60, 40, 60),
)
FLATNESS = 0.86  # exponent of the cage's cross-section; 1 is an ellipse, smaller is squarer

# Body outline over height: z, half width, hindmost y, foremost y.
OUTLINE = np.array(
    [
        (-230, 172, -92, 74),
        (-180, 176, -96, 76),
        (-140, 178, -106, 78),
        (-90, 179, -122, 86),
        (-40, 172, -122, 94),
        (20, 160, -108, 100),
        (80, 147, -94, 101),
        (140, 146, -98, 102),
        (200, 152, -110, 107),
        (260, 160, -123, 113),
        (330, 166, -131, 115),
        (380, 168, -131, 104),
        (415, 162, -126, 88),
        (440, 140, -117, 68),
        (462, 108, -106, 50),
        (485, 78, -95, 40),
        (510, 65, -86, 36),
        (560, 60, -80, 38),
        (620, 60, -80, 40),
    ],
    dtype=np.float64,
)


# Heights [mm] at which a factor on the depth of the chest acts, and the depth in front of the ribs' heads there.
CHEST_Z, CHEST_DEPTH = (120, 255, 340, 445), (0, 195, 185, 40)
SIDE_Z, SIDE_SHARE = (130, 210, 400, 450), (0, 1, 1, 0)


@dataclass(frozen=True)
class TrunkShape:
    """How a person's trunk differs from the atlas, beyond stature and build; the default is the atlas.

    Args:
        chest_width, chest_depth: Factors on the rib cage.
        rib_slope: Factor on how far ribs descend from head to front end; breathing in makes it smaller.
        diaphragm: How far the domes stand above their mean [mm]; breathing in lowers them.
        heart: Factor on the heart's size.
        heart_turn: Turn of its long axis towards the horizontal, seen from the front [degrees].
        vertebra: Factor on the breadth and depth of vertebral bodies.
        spinous: Factor on the length of spinous processes.
        lips: Side-to-side preference of spurs at vertebral bodies, -1 to 1.
        flare: How far the iliac crests stand out beyond the mean [mm].
        brim: Half of what the pelvic inlet is wider beyond the mean [mm].
        arch: How far each ischial tuberosity stands further out [mm]; opens the subpubic angle.
        sacrum: Tilt of the sacrum towards the horizontal beyond the mean [degrees].
        waist: How much narrower each side of the waist is [mm].
        breast: Projection of the breasts [mm], 0 without.
        liver, spleen: Their volumes [ml].
        rind: Calcification of costal cartilages, 0 to 1.
        plaque: Calcification of the aorta, 0 to 1.
    """

    chest_width: float = 1.0
    chest_depth: float = 1.0
    rib_slope: float = 1.0
    diaphragm: float = 0.0
    heart: float = 1.0
    heart_turn: float = 0.0
    vertebra: float = 1.0
    spinous: float = 1.0
    lips: float = 0.0
    flare: float = 0.0
    brim: float = 0.0
    arch: float = 0.0
    sacrum: float = 0.0
    waist: float = 0.0
    breast: float = 0.0
    liver: float = 1600.0
    spleen: float = 215.0
    rind: float = 0.0
    plaque: float = 0.0

    def ribs(self) -> NDArray[np.float64]:
        """`RIBS` of the person, (12, 5)."""
        width, back, front, drop, angle = np.array(RIBS, dtype=np.float64).T
        front = back + (front - back) * self.chest_depth
        return np.stack([width * self.chest_width, back, front, drop * self.rib_slope, angle], axis=1)

    def outline(self) -> NDArray[np.float64]:
        """`OUTLINE` of the person."""
        z, width, back, front = OUTLINE.T
        wider = (self.chest_width - 1) * 130 * np.interp(z, SIDE_Z, SIDE_SHARE)
        wider -= self.waist * np.exp(-np.square((z - 125) / 65))
        return np.stack([z, width + wider, back, front + self.forward(z)], axis=1)

    def forward(self, z: NDArray[np.floating] | float) -> NDArray[np.float64]:
        """How far the front of the chest stands before the atlas's at height z [mm]."""
        return np.asarray((self.chest_depth - 1) * np.interp(z, CHEST_Z, CHEST_DEPTH))


ATLAS = TrunkShape()


@dataclass(frozen=True)
class Level:
    """One vertebra: centre of its body, its half sizes, and the lean of the column there."""

    name: str
    center: tuple[float, float, float]
    half: tuple[float, float, float]
    lean: float  # dy/dz of the column


def spine_y(z: NDArray[np.floating] | float) -> NDArray[np.float64]:
    """Anterior position of the column at height z [mm], smoothed over 50 mm."""
    offsets = np.linspace(-25, 25, 11)
    values = np.interp(np.asarray(z, dtype=np.float64)[..., None] + offsets, SPINE_Z, SPINE_Y)
    return np.average(values, axis=-1, weights=np.hanning(13)[1:-1])


@lru_cache(maxsize=1)
def levels() -> Mapping[str, Level]:
    """Every vertebra from L5 up, stacked along the curve of the spine."""
    stack, bottom = {}, 0.0
    for name, (height, gap, half_width, half_depth) in VERTEBRAE.items():
        z = bottom + height / 2
        lean = float(spine_y(z + 12) - spine_y(z - 12)) / 24
        stack[name] = Level(name, (0.0, float(spine_y(z)), z), (half_width, half_depth, height / 2), lean)
        bottom += height + gap
    return MappingProxyType(stack)


def rib_line(number: int, shape: TrunkShape = ATLAS, *, n: int = 40) -> NDArray[np.float64]:
    """Centre line of right rib `number` (1-12) from its head to its front end, (n, 3) mm; mirror x for the left."""
    half_width, back, front, drop, end_angle = shape.ribs()[number - 1]
    level = levels()[f"T{number}"]
    body_x, body_y = level.half[0], level.center[1]
    head_z = level.center[2] + (level.half[2] if number < 11 else 4.0)
    start = np.arcsin(min(1.0, (62 if number > 1 else 42) / half_width) ** (1 / FLATNESS))
    angle = np.linspace(start, np.radians(end_angle), 9)
    share = (angle - start * 0.35) / (np.radians(end_angle) - start * 0.35)
    x = half_width * np.abs(np.sin(angle)) ** FLATNESS
    y = (back + front) / 2 - (front - back) / 2 * np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** FLATNESS
    z = head_z - 3 - (drop - 3) * share**1.15
    neck = [(body_x + 3, body_y - 9, head_z), (body_x + 20, max(body_y - 27, back + 8), head_z - 5.0)]
    return spline(np.concatenate([neck, np.stack([x, y, z], axis=1)]), n)


def cage(region: Region, shape: TrunkShape = ATLAS, *, inset: float) -> Array:
    """Distance to the space inside the ribs, `inset` mm within their centre lines; open above and below [mm]."""
    stack = levels()
    heads = np.array([stack[f"T{n}"].center[2] + stack[f"T{n}"].half[2] for n in range(1, 13)])[::-1]
    table = shape.ribs()[::-1]
    z = region.z[:, 0, 0].astype(np.float64)
    width = np.interp(z, heads - 0.45 * table[:, 3], table[:, 0])
    width = np.minimum(width, np.interp(z, (400, 440, 462, 480, 494), (150, 104, 66, 48, 30)))
    back = np.interp(z, heads - 14, table[:, 1])
    front = np.interp(z, np.append(heads[3:] - table[3:, 3], 480), np.append(table[3:, 2], 0))
    return section(region, width - inset, back + inset, front - inset, 2 / FLATNESS)


def section(region: Region, half_width: NDArray, back: NDArray, front: NDArray, power: float) -> Array:
    """Distance to a stack of superellipses whose sides depend on height, first order at the surface [mm]."""
    width, middle, depth = (
        np.maximum(v, 1.0).astype(np.float32)[:, None, None] if n != 1 else v.astype(np.float32)[:, None, None]
        for n, v in enumerate((half_width, (front + back) / 2, (front - back) / 2))
    )
    u, v = np.abs(region.x) / width, np.abs(region.y - middle) / depth
    total = u**power + v**power
    slope = np.sqrt((u ** (power - 1) / width) ** 2 + (v ** (power - 1) / depth) ** 2) + np.float32(1e-4)
    return np.clip((total - 1) / (power * slope), -60, 200).astype(np.float32)
