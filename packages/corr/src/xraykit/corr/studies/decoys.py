"""Lines that are no fractures: artefacts of one view, which no other view confirms."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from xraykit.render import InputError

LENGTH = 0.09, 0.2  # of the image's shorter edge
WIDTH = 0.004, 0.008  # standard deviation across, of the image's shorter edge
DEPTH = 0.12, 0.4  # change of the line integral at the middle
MOST = 0.3  # of the line integral
SOFT = 0.4  # share of each half that fades out
MARGIN = 0.12  # of the image, where no decoy has its middle
MIDDLE = 0.22  # of the image, standard deviation of the pull to its middle, where the view is aimed at
SKIN = 0.03  # of the image, so far from air the middle lies at least
AIR = 0.1  # of the largest line integral
JITTER = math.radians(25)
DENSE = 0.6  # quantile of the body's line integrals above which is bone, roughly


def draw_decoy(lines: Tensor, rng: np.random.Generator) -> Tensor:
    r"""A radiograph with a thin line with soft ends near the edge of a bone, along its direction, dark or bright.

        lines' = lines (1 + a exp(-d^2 / 2 s^2) fade(t))

    d is the distance from the line and t the place along it; its middle is drawn among pixels of dense tissue away from
    air by the square of their gradient, its direction is that of the edge there, give or take 25 degrees. Width,
    length and contrast are about those of a fracture's gap; both signs are equally likely.

    Args:
        lines: Line integrals (H, W), bone bright.
        rng: Decides everything.

    Returns:
        (H, W) float32, a copy.

    Raises:
        InputError: No image of two axes.
    """
    if lines.ndim != 2 or min(lines.shape) < 16:
        raise InputError(f"a decoy needs an image (H, W) of 16 or more pixels a side, got {tuple(lines.shape)}.")
    lines = lines.detach().to("cpu", torch.float32)
    height, width = lines.shape
    edge = min(height, width)
    row, column, angle = _place(lines, rng)
    u = rng.uniform(0, 1, 5)
    angle += JITTER * (2 * u[0] - 1)
    half, sigma = edge * _between(LENGTH, u[1]) / 2, max(0.5, edge * _between(WIDTH, u[2]))
    depth = min(MOST, _between(DEPTH, u[3]) / max(float(lines[row, column]), 1e-6))
    sign = -1.0 if u[4] < 0.5 else 1.0
    y = torch.arange(height, dtype=torch.float32)[:, None] - row
    x = torch.arange(width, dtype=torch.float32)[None] - column
    along, across = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
    over = ((along.abs() / half - (1 - SOFT)) / SOFT).clamp(0, 1)
    fade = 0.5 * (1 + torch.cos(math.pi * over))
    return lines * (1 + sign * depth * torch.exp(-0.5 * (across / sigma) ** 2) * fade)


def _place(lines: Tensor, rng: np.random.Generator) -> tuple[int, int, float]:
    """Row, column and direction of an edge of dense tissue."""
    smooth = F.avg_pool2d(lines[None, None], 5, 1, 2, count_include_pad=False)[0, 0]
    dy, dx = torch.gradient(smooth)
    body = lines > AIR * float(lines.max())
    level = float(np.quantile(lines[body].numpy(), DENSE)) if bool(body.any()) else 0.0
    reach = round(SKIN * min(lines.shape))
    away = F.max_pool2d((~body)[None, None].float(), 2 * reach + 1, 1, reach)[0, 0] == 0
    rows, columns = (round(MARGIN * side) for side in lines.shape)
    inner = torch.zeros_like(body)
    inner[rows : lines.shape[0] - rows, columns : lines.shape[1] - columns] = True
    weight = (dx.square() + dy.square()) * (away & inner & (smooth >= level)) * _pull(lines)
    weight = weight.double().flatten().numpy()
    if not weight.sum() > 0:
        weight = inner.double().flatten().numpy()
    place = int(np.searchsorted(weight.cumsum(), rng.uniform(0, 1) * weight.sum(), side="right"))
    place = min(place, int(np.flatnonzero(weight)[-1]))
    row, column = divmod(place, lines.shape[1])
    return row, column, math.atan2(float(dy[row, column]), float(dx[row, column])) + math.pi / 2


def _pull(lines: Tensor) -> Tensor:
    y, x = (torch.linspace(-0.5, 0.5, side) / MIDDLE for side in lines.shape)
    return torch.exp(-0.5 * (y[:, None] ** 2 + x[None] ** 2))


def _between(ends: tuple[float, float], share: float) -> float:
    return ends[0] + (ends[1] - ends[0]) * float(share)
