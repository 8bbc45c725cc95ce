"""The opening between straight blades at any angle: lines along which an X-ray steps, and what they leave free."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from ..geometry.detector_plane import pixel_axes
from .field_border import value_span

REACH = 2  # [px] from the border to where its two sides are compared
STEP = 0.08  # of the range of values: a smaller step is no border
SHARP = 1.7  # how many times the step exceeds what follows; 1 at the edge of a round body
SMALLEST = 0.04  # of the image: less is no exposed field
NEAREST = 0.05  # of half the image: how near to the middle a border may come
SHORTEST = 0.12  # of the image: less of a border is not seen
SOME, MOST = 0.3, 0.55  # of a line that must step: while its neighbours are looked for, and when they are known
FAINT = 0.25  # of the strongest line's step: less is anatomy
STRIP = 0.15  # of the image: what lies just before a border
ANGLES, LINES = 120, 24  # directions of the vote, and how many lines are looked at


class Line(NamedTuple):
    """Beyond it, where x cos(angle) + y sin(angle) > distance, a blade covers; pixels about the image's middle."""

    angle: float
    distance: float

    def beyond(self, x: Tensor, y: Tensor) -> Tensor:
        """How far points lie beyond it [px], negative before it."""
        return x * math.cos(self.angle) + y * math.sin(self.angle) - self.distance


def blades(image: Tensor) -> Tensor | None:
    """Corners (N, 2) [(x, y) px], clockwise, of the opening between straight blades; None where there are none.

    Pixels at which values step vote for lines, in the direction of their gradient. Each line is fitted to its step and
    stays if it steps along most of what its neighbours leave of it, hardly grows any further behind the step (behind
    the edge of a body values grow like the square root of the distance), and has denser values beyond than before it.

    Args:
        image: (H, W) float32 that grows with density.

    Source: the vote is the Hough transform (Duda and Hart, Comm. ACM 1972).
    """
    height, width = image.shape
    span = value_span(image)
    if min(height, width) < 24 or not span > 0:
        return None
    smooth = F.avg_pool2d(image[None, None], 3, 1, 1, count_include_pad=False)[0, 0] / span
    known = _blades(smooth)
    corners = opening(known, height, width)
    return corners if known and len(corners) > 2 and _area(corners) > SMALLEST * height * width else None


def opening(lines: Sequence[Line], height: int, width: int) -> Tensor:
    """Corners (N, 2) [(x, y) px] of what lies before all lines in an image; none where nothing does.

    Source: Sutherland and Hodgman, Comm. ACM 1974.
    """
    corners = torch.tensor([[0, 0], [width, 0], [width, height], [0, height]], dtype=torch.float32)
    for line in lines:
        far = line.beyond(corners[:, 0] - width / 2, corners[:, 1] - height / 2)
        kept = []
        for n in range(len(corners)):
            if (far[n - 1] < 0) != (far[n] < 0):
                kept.append(torch.lerp(corners[n - 1], corners[n], far[n - 1] / (far[n - 1] - far[n])))
            if far[n] < 0:
                kept.append(corners[n])
        corners = torch.stack(kept) if kept else corners[:0]
    return corners


def _blades(image: Tensor) -> list[Line]:
    found = [_fitted(image, line) for line in _voted(image)]
    strength = {line: _strength(image, line, [], SOME) for line in found}
    known: list[Line] = []
    for line in sorted(strength, key=lambda one: -strength[one]):
        least = max(STEP, FAINT * max(strength.values()))
        if not any(_alike(line, other, image) for other in known) and _strength(image, line, known, SOME) > least:
            known.append(line)
    while wrong := [n for n, line in enumerate(known) if not _holds(image, line, known[:n] + known[n + 1 :])]:
        del known[wrong[-1]]  # the faintest; the others may hold without it
    return known


def _voted(image: Tensor) -> list[Line]:
    """The lines with most votes, best first."""
    height, width = image.shape
    padded = F.pad(image[None, None], (REACH,) * 4, mode="replicate")[0, 0]
    across = padded[REACH:-REACH, 2 * REACH :] - padded[REACH:-REACH, : -2 * REACH]
    down = padded[2 * REACH :, REACH:-REACH] - padded[: -2 * REACH, REACH:-REACH]
    row, column = torch.nonzero(torch.hypot(across, down) > STEP, as_tuple=True)
    turn = torch.atan2(down[row, column], across[row, column]) * (ANGLES / (2 * math.pi))
    turn = (turn[:, None] + torch.arange(-2, 3)).round() % ANGLES
    angle = turn * (2 * math.pi / ANGLES)
    x, y = column[:, None] + 0.5 - width / 2, row[:, None] + 0.5 - height / 2
    distance = x * angle.cos() + y * angle.sin()
    counts = distance > NEAREST * min(height, width) / 2
    votes = torch.zeros(ANGLES, math.ceil(math.hypot(height, width) / 2) + 1)
    place = turn[counts].long(), distance[counts].long()
    votes.index_put_(place, torch.ones(len(place[0])), accumulate=True)
    votes = F.avg_pool2d(_around(votes, 1, 1), 3, 1)[0]
    best = (votes == F.max_pool2d(_around(votes, 2, 3), (5, 7), 1)[0]) & (votes > 0)
    turn, distance = torch.nonzero(best, as_tuple=True)
    order = votes[turn, distance].argsort(descending=True)[:LINES]
    return [Line(float(turn[n]) * 2 * math.pi / ANGLES, float(distance[n]) + 0.5) for n in order]


def _around(votes: Tensor, turns: int, distances: int) -> Tensor:
    """(1, A + 2 turns, D + 2 distances): angles go on at their other end, distances end."""
    return F.pad(torch.cat([votes[-turns:], votes, votes[:turns]])[None], (distances, distances, 0, 0))


def _fitted(image: Tensor, line: Line) -> Line:
    """The line nearby along which values step most."""
    turn, shift = torch.meshgrid(torch.linspace(-0.045, 0.045, 7), torch.arange(-3.0, 4.0), indexing="ij")
    angle, distance = line.angle + turn.flatten(), line.distance + shift.flatten()
    step, _, inside, _ = _profiles(image, angle, distance)
    mean = (step.clamp(max=0.3) * inside).sum(1) / inside.sum(1).clamp(min=1)
    best = int(mean.argmax())
    return Line(float(angle[best]), float(distance[best]))


def _profiles(image: Tensor, angle: Tensor, distance: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Along N lines, pixel by pixel: step, growth before it, whether it lies in the image (N, P); where (N, P, 2)."""
    height, width = image.shape
    normal = torch.stack([angle.cos(), angle.sin()], dim=-1)
    along = torch.stack([-normal[:, 1], normal[:, 0]], dim=-1)
    reach = math.hypot(height, width) / 2
    points = (distance[:, None] * normal)[:, None] + torch.arange(-reach, reach)[:, None] * along[:, None]
    inside = (points.abs() < torch.tensor([width / 2 - 1, height / 2 - 1])).all(-1)
    places = [points + offset * normal[:, None] for offset in (-3.0 * REACH, -1.0 * REACH, 1.0 * REACH)]
    grid = 2 * torch.stack(places) / torch.tensor([width, height])
    seen = F.grid_sample(image.expand(3, 1, -1, -1), grid, padding_mode="border", align_corners=False)[:, 0]
    return seen[2] - seen[1], seen[1] - seen[0], inside, points


def _strength(image: Tensor, line: Line, others: Sequence[Line], share: float, *, falls: bool = True) -> float:
    """The step that a share of a line has, if values hardly grow any further behind it; else 0.

    Without `falls` it is 0 also where values fall along a part of the line.
    """
    step, growth, inside, points = (each[0] for each in _profiles(image, *(torch.tensor([value]) for value in line)))
    for other in others:
        inside &= other.beyond(*points.unbind(-1)) < -REACH
    if int(inside.sum()) < SHORTEST * min(image.shape):
        return 0.0
    both = F.avg_pool1d(torch.stack([step[inside], growth[inside]]), 9, 1, 4, count_include_pad=False)
    high, after = both.quantile(1 - share, dim=1).tolist()
    allowed = falls or float(both[0].quantile(0.15)) >= -STEP / 5
    return high if high > SHARP * after and allowed else 0.0


def _holds(image: Tensor, line: Line, others: Sequence[Line]) -> bool:
    """Whether a line steps among the others, and what lies beyond it is denser than all, or a strip, before it."""
    if _strength(image, line, others, MOST, falls=False) < STEP:
        return False
    height, width = image.shape
    u, v = pixel_axes(height, width, dtype=torch.float32, device="cpu")
    x, y = u - width / 2, (v - height / 2)[:, None]
    left = torch.stack([other.beyond(x, y) < 0 for other in others]).all(0) if others else torch.ones_like(image) > 0
    far = line.beyond(x, y)
    beyond, before, strip = left & (far > 0), left & (far < 0), left & (far < 0) & (far > -STRIP * min(height, width))
    quarters = torch.tensor([0.25, 0.5])
    return any(
        bool((image[beyond].quantile(quarters) > image[part].quantile(quarters) + STEP / 2).all())
        for part in (strip, before)
        if bool(part.any()) and bool(beyond.any())
    )


def _alike(one: Line, other: Line, image: Tensor) -> bool:
    """Whether two lines are one blade's: their directions within 15 degrees, and near to each other."""
    turn = (one.angle - other.angle + math.pi) % (2 * math.pi) - math.pi
    return abs(turn) < 0.26 and abs(one.distance - other.distance) < 0.08 * min(image.shape)


def _area(corners: Tensor) -> float:
    x, y = corners.unbind(1)
    return float((x * y.roll(-1) - x.roll(-1) * y).sum().abs() / 2)
