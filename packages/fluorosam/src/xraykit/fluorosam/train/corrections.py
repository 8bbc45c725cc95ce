"""Earlier answers that nobody saw, made up or the network's own, and points where they are wrong.

A network learns from them in one round what the published regime shows it in nine: to follow several points, to go on
from a mask, and that a point counts more than what it found by words. Made-up masks alone would teach that words need
correction where it needs none.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ..loss.best_mask import chosen_masks
from ..network.network import SegmentationNetwork
from ..network.prompts import ABSENT, PromptBatch, mask_prompts
from .error_points import draw_points

MOST_POINTS = 8
"""Of one correction."""
CELLS = 6
"""Edge of the random fields that masks are wrong by."""
COARSER = 4
"""How many times coarser than the truth they are made."""
STEEPNESS, WRONG = 12.0, 5.0
"""Logits of a mask's middle about its border, and most deviation of what is added to them."""
MILD, MILDEST = 1 / 3, 0.1
"""How often a mask has less than that deviation, and the least share of it: nearly right, with one small error. More of
them, and a network learns to keep what it is shown whatever is clicked."""


@dataclass(frozen=True)
class CorrectionDraws:
    """All that is random in the corrections of one batch.

    Args:
        which: (B, P) bool, prompts that begin as a correction.
        worded: (B, P) bool, those of them that have words as well.
        shown: (B, P) bool, those whose earlier mask is shown.
        fields: (B, P, 2, CELLS, CELLS), normal with a deviation from MILDEST to 1: how the last mask, and the one
            before it, are wrong.
        count: (B, P), points, 1 to MOST_POINTS.
        points: (MOST_POINTS, B, P), from 0 to below 1: which pixel is pointed at.
    """

    which: Tensor
    worded: Tensor
    shown: Tensor
    fields: Tensor
    count: Tensor
    points: Tensor


def draw_corrections(which: Tensor, generator: torch.Generator, *, shown: float = 0.75) -> CorrectionDraws:
    """Draw what is random, on the CPU: half have words, all counts of points are alike.

    Args:
        which: (B, P) bool, prompts that begin as a correction.
        generator: Of the CPU.
        shown: Share whose earlier mask is shown.
    """
    shape = tuple(which.shape)
    mild = torch.rand(*shape, 2, 1, 1, generator=generator) < MILD
    errors = torch.where(mild, MILDEST + (1 - MILDEST) * torch.rand(*shape, 2, 1, 1, generator=generator), 1.0)
    return CorrectionDraws(
        which.cpu(),
        torch.rand(shape, generator=generator) < 0.5,
        torch.rand(shape, generator=generator) < shown,
        errors * torch.randn(*shape, 2, CELLS, CELLS, generator=generator),
        torch.randint(1, MOST_POINTS + 1, shape, generator=generator),
        torch.rand(MOST_POINTS, *shape, generator=generator, dtype=torch.float64),
    )


def made_up_logits(truth: Tensor, fields: Tensor) -> Tensor:
    """Logits (..., M, M) of masks that resemble the truth: its borders blurred and moved, parts left out or added.

    A structure smaller than the blur is lost, as a network loses it that answers with something else.

    Args:
        truth: (..., M, M) bool, M a multiple of COARSER.
        fields: (..., CELLS, CELLS), normal with a deviation up to 1; zeros blur alone.
    """
    edge = truth.shape[-1]
    soft = F.avg_pool2d(truth.reshape(-1, 1, edge, edge).float(), COARSER)
    side = 2 * max(1, edge // (24 * COARSER)) + 1
    for _ in range(2):
        soft = F.avg_pool2d(soft, side, 1, side // 2, count_include_pad=False)
    random = fields.reshape(-1, 1, CELLS, CELLS).to(soft)
    moved = F.interpolate(random, size=soft.shape[-2:], mode="bicubic", align_corners=False)
    logits = STEEPNESS * (soft - 0.5) + WRONG * moved
    return F.interpolate(logits, size=(edge, edge), mode="bilinear", align_corners=False).reshape(truth.shape)


@torch.no_grad()
def answered_words(network: SegmentationNetwork, embedding: Tensor, features: Tensor, which: Tensor) -> Tensor:
    """What a network itself answers to words alone, for the prompts that are asked for.

    Args:
        network: Answers.
        embedding: (B, C, G, G) of the images.
        features: (B, P, D) of the texts.
        which: (B, P) bool, of which prompts.

    Returns:
        Logits (B, P, M, M), those that the network holds best; zeros where nothing was asked.
    """
    most = int(which.sum(1).max())
    logits = features.new_zeros((*which.shape, *(2 * [network.config.mask_size])), dtype=torch.float32)
    if most == 0:
        return logits
    first = which.to(torch.uint8).argsort(dim=1, descending=True, stable=True)[:, :most]
    texts = features.detach().gather(1, first[..., None].expand(-1, -1, features.shape[-1]))
    answer = network.decode(embedding.detach(), PromptBatch(text=texts))
    found = chosen_masks(answer.logits, answer.quality.argmax(-1)).float()
    asked = which.gather(1, first)
    logits[asked.nonzero()[:, 0], first[asked]] = found[asked]
    return logits


def made_up_corrections(
    truth: Tensor, inside: Tensor | None, draws: CorrectionDraws, *, size: int, answered: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """The points and the earlier masks of a batch's corrections.

    Every other point, the first among them, lies where the last mask is wrong, the others where the one before was: in
    use each comes from another answer as well.

    Args:
        truth: (B, P, M, M) bool.
        inside: (B, 1, M, M) bool, pixels that show the image, or None for all.
        draws: What is random.
        size: S, edge of the square input [px].
        answered: (B, P, M, M), logits that take the place of the last mask of prompts with words, see `answered_words`;
            None makes these up as well.

    Returns:
        Points (B, P, MOST_POINTS, 2) in the square input; labels (B, P, MOST_POINTS), ABSENT beyond a prompt's count
        and for prompts that are no corrections; masks (B, P, M / 2, M / 2) as `mask_prompts` makes them.
    """
    which = draws.which.to(truth.device)
    own, fields = truth[which], draws.fields[draws.which]
    last, before = (made_up_logits(own, fields[:, n]) for n in (0, 1))
    if answered is not None:
        last = torch.where(draws.worded.to(which.device)[which][:, None, None], answered[which], last)
    wrong = [(logits > 0) != own for logits in (last, before)]
    if inside is not None:
        wrong = [region & inside.expand_as(truth)[which] for region in wrong]
    points = truth.new_zeros((*which.shape, MOST_POINTS, 2), dtype=torch.float32)
    labels = torch.full((*which.shape, MOST_POINTS), ABSENT, device=truth.device)
    for n, draw in enumerate(draws.points):
        point, label = draw_points(wrong[n % 2], own, draw[draws.which], size=size)
        points[:, :, n][which] = point
        labels[:, :, n][which] = torch.where((n < draws.count[draws.which]).to(truth.device), label, ABSENT)
    masks = truth.new_zeros((*which.shape, *(edge // 2 for edge in truth.shape[-2:])), dtype=torch.float32)
    masks[which] = mask_prompts(last[:, None])[:, 0]
    return points, labels, masks
