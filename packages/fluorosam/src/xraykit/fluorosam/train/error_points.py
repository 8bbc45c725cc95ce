"""Points as a user would click them: anywhere in a region, with the label that the truth has there; and boxes."""

from __future__ import annotations

import torch
from torch import Tensor

from ..network.prompts import ABSENT, NEGATIVE, POSITIVE

BOX_SPREAD = 0.1
"""Deviation of a box's edges as a share of its side."""
BOX_MOST = 20 / 448
"""Most that an edge is moved, as a share of the image."""


def draw_points(region: Tensor, truth: Tensor, draw: Tensor, *, size: int) -> tuple[Tensor, Tensor]:
    """One point of each region, every pixel as likely as any other, and its label.

    Args:
        region: (..., M, M) bool, where the point may lie; the error of a mask, or the truth itself.
        truth: (..., M, M) bool; points in it are POSITIVE, others NEGATIVE.
        draw: (...), numbers from 0 to below 1, which say which pixel.
        size: S, edge of the square input [px].

    Returns:
        Centres (..., 2) of pixels of the region, x right and y down, in the square input; labels (...), ABSENT for an
        empty region.
    """
    edge = region.shape[-1]
    in_rows = region.sum(-1).cumsum(-1)
    total = in_rows[..., -1:]
    chosen = (draw.to(region.device)[..., None] * total).floor().to(torch.long)
    chosen = torch.minimum(chosen, (total - 1).clamp(min=0))
    row = torch.searchsorted(in_rows, chosen, right=True).clamp(max=edge - 1)
    before = torch.where(row > 0, in_rows.gather(-1, (row - 1).clamp(min=0)), 0)
    across = row[..., None].expand(*row.shape, edge)
    in_columns = region.gather(-2, across)[..., 0, :].cumsum(-1)
    column = torch.searchsorted(in_columns, chosen - before, right=True).clamp(max=edge - 1)
    hit = truth.gather(-2, across)[..., 0, :].gather(-1, column)[..., 0]
    labels = torch.where(hit, POSITIVE, NEGATIVE)
    labels = torch.where(total[..., 0] > 0, labels, ABSENT)
    return (torch.cat([column, row], -1) + 0.5) * (size / edge), labels


def draw_boxes(truth: Tensor, draw: Tensor, *, size: int) -> Tensor:
    """Boxes around masks whose edges are a little off, as people draw them.

    Edges move by a normal with `BOX_SPREAD` of the side, at most `BOX_MOST` of the image.

    Args:
        truth: (..., M, M) bool; the box of an empty mask means nothing.
        draw: (..., 4), standard normal numbers; zeros give the exact box.
        size: S, edge of the square input [px].

    Returns:
        (..., 4): left, top, right, bottom in the square input.
    """
    edge = truth.shape[-1]
    columns, rows = truth.any(-2), truth.any(-1)
    first = torch.stack([_first(columns), _first(rows)], -1)
    last = edge - torch.stack([_first(columns.flip(-1)), _first(rows.flip(-1))], -1)
    side = (last - first).clamp(min=0).repeat_interleave(2, -1).unflatten(-1, (2, 2)).transpose(-1, -2).flatten(-2)
    moved = (draw.to(truth.device) * BOX_SPREAD * side).clamp(-BOX_MOST * edge, BOX_MOST * edge)
    corners = (torch.cat([first, last], -1) + moved).clamp(0, edge) * (size / edge)
    one, other = corners[..., :2], corners[..., 2:]
    return torch.cat([torch.minimum(one, other), torch.maximum(one, other)], -1)


def _first(line: Tensor) -> Tensor:
    """Place of the first true number of (..., M)."""
    return line.to(torch.uint8).argmax(-1)
