"""Earlier answers that nobody gave: masks made up from the truth, and points where they are wrong.

A network learns from them in one round what the published regime shows it in nine: to follow several points, and to go
on from a mask. What they lack are the network's own mistakes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ..network.prompts import ABSENT, mask_prompts
from .error_points import draw_points

MOST_POINTS = 8
"""Of one correction."""
CELLS = 6
"""Edge of the random fields that masks are wrong by."""
STEEPNESS, WRONG = 12.0, 5.0
"""Logits of a mask's middle about its border, and deviation of what is added to them."""


@dataclass(frozen=True)
class CorrectionDraws:
    """All that is random in the corrections of one batch.

    Args:
        which: (B, P) bool, prompts that begin as a correction.
        worded: (B, P) bool, those of them that have words as well.
        shown: (B, P) bool, those whose earlier mask is shown.
        fields: (B, P, 2, CELLS, CELLS), standard normal: how the last mask, and those before it, are wrong.
        count: (B, P), points, 1 to MOST_POINTS.
        points: (MOST_POINTS, B, P), from 0 to below 1: which pixel is pointed at.
    """

    which: Tensor
    worded: Tensor
    shown: Tensor
    fields: Tensor
    count: Tensor
    points: Tensor


def draw_corrections(which: Tensor, generator: torch.Generator) -> CorrectionDraws:
    """Draw what is random, on the CPU: half have words, three quarters their mask, all counts of points are alike."""
    shape = tuple(which.shape)
    return CorrectionDraws(
        which.cpu(),
        torch.rand(shape, generator=generator) < 0.5,
        torch.rand(shape, generator=generator) < 0.75,
        torch.randn(*shape, 2, CELLS, CELLS, generator=generator),
        torch.randint(1, MOST_POINTS + 1, shape, generator=generator),
        torch.rand(MOST_POINTS, *shape, generator=generator, dtype=torch.float64),
    )


def made_up_logits(truth: Tensor, fields: Tensor) -> Tensor:
    """Logits (..., M, M) of masks that resemble the truth: its borders blurred and moved, parts left out or added.

    Args:
        truth: (..., M, M) bool.
        fields: (..., CELLS, CELLS), standard normal; zeros blur alone.
    """
    edge = truth.shape[-1]
    flat, random = truth.reshape(-1, 1, edge, edge).float(), fields.reshape(-1, 1, CELLS, CELLS).to(truth.device)
    side = 2 * (edge // 24) + 1
    soft = F.avg_pool2d(flat, side, 1, side // 2, count_include_pad=False)
    soft = F.avg_pool2d(soft, side, 1, side // 2, count_include_pad=False)
    moved = F.interpolate(random.float(), size=(edge, edge), mode="bicubic", align_corners=False)
    return (STEEPNESS * (soft - 0.5) + WRONG * moved).reshape(truth.shape)


def made_up_corrections(
    truth: Tensor, inside: Tensor | None, draws: CorrectionDraws, *, size: int
) -> tuple[Tensor, Tensor, Tensor]:
    """The points and the earlier masks of a batch's corrections.

    The first point lies where the last mask is wrong, the others where earlier ones were.

    Args:
        truth: (B, P, M, M) bool.
        inside: (B, 1, M, M) bool, pixels that show the image, or None for all.
        draws: What is random.
        size: S, edge of the square input [px].

    Returns:
        Points (B, P, MOST_POINTS, 2) in the square input; labels (B, P, MOST_POINTS), ABSENT beyond a prompt's count
        and for prompts that are no corrections; masks (B, P, M / 2, M / 2) as `mask_prompts` makes them.
    """
    last, before = (made_up_logits(truth, draws.fields[:, :, n]) for n in (0, 1))
    wrong = [(logits > 0) != truth for logits in (last, before)]
    if inside is not None:
        wrong = [region & inside for region in wrong]
    points, labels = [], []
    for n, draw in enumerate(draws.points):
        point, label = draw_points(wrong[min(n, 1)], truth, draw, size=size)
        counts = (draws.which & (n < draws.count)).to(truth.device)
        points.append(point)
        labels.append(torch.where(counts, label, ABSENT))
    return torch.stack(points, 2), torch.stack(labels, 2), mask_prompts(last)
