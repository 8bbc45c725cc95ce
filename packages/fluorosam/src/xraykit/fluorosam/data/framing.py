"""Where the image of a training lies in the stored one: one affine change, of grey values and masks alike."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from .settings import FramingSettings

Size = tuple[int, int]
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Framing:
    """What part of a stored square is seen. Places are in shares of a square's edge, x right and y down.

    Args:
        matrix: (a, b, c, d, x, y): place p of the new image shows place [[a, b], [c, d]] p + (x, y) of the stored one.
        shown: Rows and columns of the new square that show the image, S at most.
        size: S, edge of the new square [px].
        mirrored: The patient was mirrored: left and right are exchanged.
        flipped: The picture was mirrored as people look at it: nothing is exchanged.
        quarters: Quarter turns.
    """

    matrix: tuple[float, float, float, float, float, float]
    shown: Size
    size: int
    mirrored: bool = False
    flipped: bool = False
    quarters: int = 0

    def stored_places(self, edge: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Where the centres of `edge` x `edge` pixels over the new square lie in the stored one: x, y, (edge, edge)."""
        a, b, c, d, x, y = (np.float32(value) for value in self.matrix)
        u = (np.arange(edge, dtype=np.float32) + np.float32(0.5)) / np.float32(edge)
        across, down = a * u[None] + b * u[:, None] + x, c * u[None] + d * u[:, None] + y
        return across.astype(np.float32, copy=False), down.astype(np.float32, copy=False)

    def stored_place(self, x: float, y: float) -> tuple[float, float]:
        """Where one place of the new square lies in the stored one."""
        a, b, c, d, right, down = self.matrix
        return a * x + b * y + right, c * x + d * y + down

    def shown_cells(self, edge: int) -> Size:
        """Rows and columns that show the image, of `edge` x `edge` pixels over the new square."""
        rows, columns = ((2 * edge * side + self.size) // (2 * self.size) for side in self.shown)
        return max(1, rows), max(1, columns)

    @property
    def is_plain(self) -> bool:
        """Whether the stored square is shown as it is."""
        return self.matrix == (1, 0, 0, 1, 0, 0)


def plain_framing(shown: Size, edge: int, size: int) -> Framing:
    """A stored square as it is: `shown` rows and columns of its `edge` pixels, on a square of `size` pixels."""
    rows, columns = (max(1, min(size, round(size * side / edge))) for side in shown)
    return Framing((1, 0, 0, 1, 0, 0), (rows, columns), size)


def draw_framing(
    settings: FramingSettings,
    rng: np.random.Generator,
    *,
    shown: Size,
    edge: int,
    size: int,
    may_mirror: bool = True,
    display_mirrored: bool = False,
) -> Framing:
    r"""A framing; at zoom 1 the new image holds no more than the stored one, whatever its sides.

    The middle of the new image shows that of the stored one but for the shift; from there
    p = middle + k / zoom R(roll) F (p' - middle'), with k the largest number that leaves no border at zoom 1.

    Args:
        settings: What may be drawn.
        rng: Random numbers; always as many of them are taken.
        shown: Rows and columns of the stored square that show the image.
        edge: Of that square [px].
        size: S, of the new square [px].
        may_mirror: Whether the patient may be mirrored.
        display_mirrored: Whether people look at such images mirrored.
    """
    u = rng.random(7)
    around = rng.uniform(-1, 1, 3)
    low, high = (math.log(value) for value in settings.zoom)
    zoom = math.exp(low + (high - low) * float(u[0]))
    mirrored = bool(may_mirror and u[1] < settings.mirror)
    flipped = bool(display_mirrored and u[2] < settings.displayed)
    quarters = 1 + int(u[4] * 3) if u[3] < settings.quarter_turns else 0
    height, width = shown[0] / edge, shown[1] / edge
    across, upright = (height, width) if quarters % 2 else (width, height)
    if u[5] < settings.aspect:
        ratio = settings.ratio ** (2 * float(u[6]) - 1)
        across, upright = ratio, 1.0
    longest = max(across, upright)
    rows, columns = (max(1, min(size, round(size * side / longest))) for side in (upright, across))
    upright, across = rows / size, columns / size
    cover = min(width / upright, height / across) if quarters % 2 else min(width / across, height / upright)
    if quarters == 0 and not u[5] < settings.aspect:
        cover = 1.0  # rounding of the shorter side is no zoom
    angle = math.radians(90 * quarters + settings.roll * float(around[0]))
    scale, sign = cover / zoom, -1.0 if mirrored != flipped else 1.0
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    a, b, c, d = sign * cos, -sin, sign * sin, cos
    x = width / 2 + settings.shift * float(around[1]) * width - a * across / 2 - b * upright / 2
    y = height / 2 + settings.shift * float(around[2]) * height - c * across / 2 - d * upright / 2
    if (a, b, c, d) == (1, 0, 0, 1) and settings.shift == 0:
        x = y = 0.0
    return Framing((a, b, c, d, x, y), (rows, columns), size, mirrored, flipped, quarters)


def seen_box(framing: Framing, shown: Size, edge: int) -> Box:
    """The part of a stored image that a framing looks at: top, left, bottom, right [px of `edge`], a pixel more around.

    Args:
        framing: How it lies.
        shown: Rows and columns of the stored square that show the image.
        edge: Of that square [px].
    """
    rows, columns = (side / framing.size for side in framing.shown)
    corners = [framing.stored_place(x, y) for x in (0.0, columns) for y in (0.0, rows)]
    box = []
    for axis, most in ((1, shown[0]), (0, shown[1])):
        low, high = (limit(place[axis] for place in corners) * edge for limit in (min, max))
        first = min(max(math.floor(low) - 1, 0), most - 1)
        box.append((first, max(first + 1, min(math.ceil(high) + 1, most))))
    return box[0][0], box[1][0], box[0][1], box[1][1]


def framed_maps(maps: Tensor, framing: Framing, *, edge: int, outside: float, corner: Size = (0, 0)) -> Tensor:
    """What a framing shows of the maps of an image.

    Maps are reduced to the scale of the result first, where they are finer, with a filter as wide as that asks for;
    then they are sampled once, linearly.

    Args:
        maps: (C, rows, columns), what `seen_box` says of the stored square, or more.
        framing: How they lie.
        edge: Of the stored square [px].
        outside: The value beyond them.
        corner: Row and column of the stored square where they begin.

    Returns:
        (C, rows, columns) float32 of the new square.
    """
    rows, columns = framing.shown
    if framing.is_plain and corner == (0, 0):
        same = tuple(maps.shape[-2:]) == framing.shown
        return maps if same else F.interpolate(maps[None], framing.shown, mode="bilinear", antialias=True)[0]
    a, b, c, d, _, _ = framing.matrix
    step = math.sqrt(abs(a * d - b * c)) * edge / framing.size
    height, width = maps.shape[-2:]
    x, y = (torch.from_numpy(part[:rows, :columns]) for part in framing.stored_places(framing.size))
    x, y = (x * edge - corner[1]) / width, (y * edge - corner[0]) / height
    if step > 1.1:
        smaller = max(1, round(height / step)), max(1, round(width / step))
        maps = F.interpolate(maps[None], smaller, mode="bilinear", antialias=True)[0]
    at = torch.stack([2 * x - 1, 2 * y - 1], dim=-1)
    found = F.grid_sample(maps[None], at[None], mode="bilinear", padding_mode="border", align_corners=False)[0]
    return found.masked_fill_((x < 0) | (x > 1) | (y < 0) | (y > 1), outside)


def mask_places(framing: Framing, shown: Size, edge: int, cells: int) -> NDArray[np.int64]:
    """For each of `cells` x `cells` pixels over the new square the pixel of the stored one that it shows, (cells^2,).

    Pixels outside the new image or the stored one have the number edge^2.
    """
    if framing.is_plain:
        return _plain_places(framing, shown, edge, cells)
    return _places(framing, shown, edge, cells)


@lru_cache(maxsize=8)
def _plain_places(framing: Framing, shown: Size, edge: int, cells: int) -> NDArray[np.int64]:
    return _places(framing, shown, edge, cells)


def _places(framing: Framing, shown: Size, edge: int, cells: int) -> NDArray[np.int64]:
    x, y = framing.stored_places(cells)
    column, row = np.floor(x * edge).astype(np.int64), np.floor(y * edge).astype(np.int64)
    inside = (column >= 0) & (column < shown[1]) & (row >= 0) & (row < shown[0])
    rows, columns = framing.shown_cells(cells)
    inside[rows:], inside[:, columns:] = False, False
    return np.where(inside, row * edge + column, edge * edge).reshape(-1)
