"""The border of the exposed field, looked for in the image: a round field, or blanked by software."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import SimpleITK as sitk  # noqa: N813
import torch
from torch import Tensor
from torch.nn import functional as F

from ..geometry.detector_plane import pixel_axes

REACH = 2  # [px] from the border to where its two sides are compared
STEP = 0.08  # of the range of values: a smaller step is no border
SHARP = 1.7  # how many times the step exceeds what follows; 1 at the edge of a round body
SMALLEST = 0.04  # of the image: less is no exposed field
SOLID = 0.97  # of the convex hull: a field of which less is filled has no convex border


def round_border(image: Tensor) -> Tensor | None:
    """Corners (N, 2) [(x, y) px] of a round field about the middle of the image, or None where there is none.

    In polar coordinates a circle about the right centre is a straight blade.
    """
    height, width = image.shape
    angle = torch.arange(180) * (2 * math.pi / 180)
    direction = torch.stack([angle.cos(), angle.sin()], dim=-1)
    reach = math.ceil(math.hypot(height, width) / 2)
    radius = torch.arange(reach, 0, -1) - 0.5
    best: tuple[float, Tensor] | None = None
    for shift in [(x, y) for y in (-0.03, 0.0, 0.03) for x in (-0.03, 0.0, 0.03)]:
        centre = torch.tensor([(0.5 + shift[0]) * width, (0.5 + shift[1]) * height])
        at = centre + radius[None, :, None] * direction[:, None]
        grid = 2 * at / torch.tensor([width, height]) - 1
        polar = F.grid_sample(image[None, None], grid[None], padding_mode="border", align_corners=False)[0, 0]
        column = _left_border(polar, 0.35, value_span(image), round(reach - min(height, width) / 4))
        if column:
            step = float((polar[:, column - REACH] - polar[:, column + REACH]).median())
            if best is None or step > best[0]:
                best = step, centre + float(reach - column) * direction
    return None if best is None else best[1]


def blanked_border(image: Tensor) -> Tensor | None:
    """Corners (N, 2) [(x, y) px] of a convex field around which everything has one extreme value, or None."""
    best: tuple[float, Tensor] | None = None
    for extreme in (image.min(), image.max()):
        field = _largest((image - extreme).abs() > 1e-3 * value_span(image))
        share = float(field.float().mean())
        if not SMALLEST < share < 0.995 or (best is not None and best[0] < share):
            continue
        corners = convex_hull(field)
        inside = outside(corners, image.shape) <= 0
        beyond = image[outside(corners, image.shape) > 1.5]
        is_flat = beyond.numel() > 0 and float((beyond - extreme).abs().quantile(0.95)) <= 1e-3 * value_span(image)
        holds_middle = bool(inside[inside.shape[0] // 2, inside.shape[1] // 2])
        if is_flat and holds_middle and float(field[inside].float().mean()) > SOLID:
            best = share, corners
    return None if best is None else best[1]


def outside(corners: Tensor, shape: Sequence[int], *, margin: float = 0.0) -> Tensor:
    """How far each pixel's centre lies outside a convex polygon [px], (H, W): the farthest of its sides counts.

    Pixels less than `margin` from the border of the image are judged as if they lay `margin` inside.
    """
    height, width = shape
    u, v = pixel_axes(height, width, dtype=torch.float32, device="cpu")
    x, y = u.clamp(margin, width - margin), v[:, None].clamp(margin, height - margin)
    distance = torch.full(tuple(shape), -math.inf)
    for (ax, ay), (bx, by) in zip(corners.tolist(), corners.roll(-1, 0).tolist(), strict=True):
        length = math.hypot(bx - ax, by - ay)
        if length > 0:
            distance = torch.maximum(distance, ((by - ay) * (x - ax) - (bx - ax) * (y - ay)) / length)
    return distance


def convex_hull(mask: Tensor) -> Tensor:
    """Corners (N, 2) [(x, y) px], clockwise in the picture, of the convex hull of true pixels (monotone chain)."""
    rows = torch.nonzero(mask.any(1))[:, 0].tolist()
    first, last = mask.float().argmax(1), mask.shape[1] - mask.float().flip(1).argmax(1)
    left = [(float(first[row]), float(row + end)) for row in rows for end in (0, 1)]
    right = [(float(last[row]), float(row + end)) for row in rows for end in (0, 1)]
    return torch.tensor(_chain(right) + _chain(left[::-1]), dtype=torch.float32)


def _chain(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """One side of the hull: the points at which the path turns one way only."""
    kept: list[tuple[float, float]] = []
    for x, y in points:
        while len(kept) > 1:
            (ax, ay), (bx, by) = kept[-2:]
            if (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0:
                break
            kept.pop()
        kept.append((x, y))
    return kept


def _left_border(image: Tensor, share: float, span: float, most: int) -> int:
    """The column, `most` at most, at which the field begins on the left; 0 where there is no border.

    `share` of the rows must step there by STEP of the range `span`, and hardly grow any further behind the step
    (behind the edge of a body values grow like the square root of the distance). Of several the innermost is taken.
    """
    height, width = image.shape
    if height < 24 or width < 24:
        return 0
    smooth = F.avg_pool2d(image[None], (9, 1), 1, (4, 0), count_include_pad=False)
    smooth = F.pad(smooth, (6 * REACH, REACH), mode="replicate")[0]  # column c of the image is c + 6 REACH of it
    far, behind, before = (smooth[:, n * REACH : n * REACH + width] for n in (1, 5, 7))
    step, after = ((x - y).quantile(1 - share, dim=0) for x, y in ((behind, before), (far, behind)))
    fits = torch.where((step > STEP * span) & (step > SHARP * after), step, 0.0)[:most]
    fits[:2] = 0.0
    peaks = (fits > 0.5 * fits.max()) & (fits == F.max_pool1d(fits[None], 5, 1, 2)[0])
    for column in reversed(peaks.nonzero()[:, 0].tolist()):
        if float(image[:, :column].quantile(0.25)) > float(image[:, column + 1 :].median()):
            return column
    return 0


def value_span(image: Tensor) -> float:
    """The range of values without the outermost hundredths."""
    low, high = torch.quantile(image.flatten(), torch.tensor([0.01, 0.99])).tolist()
    return high - low


def _largest(mask: Tensor) -> Tensor:
    """The largest connected part."""
    labels = sitk.RelabelComponent(sitk.ConnectedComponent(sitk.GetImageFromArray(mask.numpy().astype(np.uint8))))
    return torch.from_numpy(sitk.GetArrayFromImage(labels) == 1)
