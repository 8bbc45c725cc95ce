"""Points and boxes drawn into the mask prompt, so that a small network sees where they are and need not learn it."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from .prompts import ABSENT, NEGATIVE, POSITIVE, PromptBatch

BOX = 4.0
"""Logit inside a box, negative outside, where a prompt has no mask."""
POINT = 12.0
"""Logit at a point, negative at one outside of what is asked for; it replaces the mask around it."""
SPREAD = 1 / 40
"""Standard deviation of that, as a share of the image."""


def draw_prompts(prompts: PromptBatch, *, image_size: int, edge: int) -> PromptBatch:
    r"""The same prompts whose masks show their points and boxes too.

        m_0 = mask, or +-BOX in and outside the box, or 0;  m_n = (1 - g_n) m_(n-1) +- POINT g_n,
        g_n = exp(-|x - p_n|^2 / 2 (SPREAD S)^2)

    Tokens of points and boxes stay: they say which point it is, and where exactly. Prompts of words alone have no mask.

    Args:
        prompts: Any; masks are (B, P, edge, edge).
        image_size: S, edge of the square input [px].
        edge: Of masks, 4 G.
    """
    shape = prompts.shape
    device = next(
        each for each in (prompts.masks, prompts.boxes, prompts.points, prompts.text) if each is not None
    ).device
    none = torch.zeros(shape, dtype=torch.bool, device=device)
    masked, boxed = (
        none if value is None else ~none if has is None else has
        for value, has in ((prompts.masks, prompts.has_mask), (prompts.boxes, prompts.has_box))
    )
    labels = prompts.point_labels
    pointed = none if labels is None else ((labels == POSITIVE) | (labels == NEGATIVE)).any(-1)
    which = masked | boxed | pointed
    if not bool((boxed | pointed).any()):
        return prompts
    places = (torch.arange(edge, device=device) + 0.5) * (image_size / edge)
    maps = torch.zeros(int(which.sum()), edge, edge, device=device)
    if prompts.boxes is not None:
        maps = torch.where(boxed[which][:, None, None], _boxes(prompts.boxes[which], places), maps)
    if prompts.masks is not None:
        maps = torch.where(masked[which][:, None, None], prompts.masks[which].float(), maps)
    if prompts.points is not None and labels is not None:
        for point, label in zip(prompts.points[which].unbind(1), labels[which].unbind(1), strict=True):
            maps = _with_point(maps, point, label, places, image_size)
    masks = maps.new_zeros(*shape, edge, edge)
    masks[which] = maps
    return replace(prompts, masks=masks, has_mask=which)


def _boxes(boxes: Tensor, places: Tensor) -> Tensor:
    left, top, right, bottom = boxes.float().unbind(-1)
    columns = (places >= left[:, None]) & (places <= right[:, None])
    rows = (places >= top[:, None]) & (places <= bottom[:, None])
    return torch.where(rows[:, :, None] & columns[:, None, :], BOX, -BOX)


def _with_point(maps: Tensor, point: Tensor, label: Tensor, places: Tensor, image_size: int) -> Tensor:
    x, y = ((point[:, axis, None].float() - places) / (SPREAD * image_size) for axis in (0, 1))
    near = torch.exp(-0.5 * y.square())[:, :, None] * torch.exp(-0.5 * x.square())[:, None, :]
    there = (label != ABSENT) & (label >= NEGATIVE)
    sign = torch.where(label == POSITIVE, POINT, -POINT)
    near = near * there[:, None, None]
    return maps + near * (sign[:, None, None] - maps)
