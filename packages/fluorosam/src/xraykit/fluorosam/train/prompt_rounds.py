"""The regime of one training step: words first, then point after point where the last mask was wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ..data.segmentation_batches import SegmentationBatch
from ..loss.best_mask import best_mask_loss, chosen_masks
from ..loss.presence import presence_loss
from ..network.image_cells import cell_pixels, draw_cells
from ..network.network import SegmentationNetwork
from ..network.prompts import ABSENT, PromptBatch, mask_prompts
from ..network.quantiser import Quantised
from .corrections import CorrectionDraws, answered_words, draw_corrections, made_up_corrections
from .error_points import draw_boxes, draw_points
from .settings import PromptRoundSettings, SegmentationObjectiveSettings

TEXT, TEXT_AND_BOX, BOX, POINT, CORRECTION = range(5)
"""What a prompt begins with."""
OUTSIDE = -20.0
"""Logit of pixels that show no image: certainly not the answer, and nothing to learn."""


@dataclass(frozen=True)
class RoundDraws:
    """All that is random in the rounds of one batch, drawn beforehand.

    Args:
        start: (B, P), TEXT, TEXT_AND_BOX, BOX, POINT or CORRECTION.
        feedback: (B, P) bool, whether the last mask is shown to the next round.
        counted: Rounds whose losses count, in order; the first is 0.
        points: (N + 1, B, P), from 0 to below 1: which pixel is pointed at in each round.
        boxes: (B, P, 4), standard normal: how far edges are off.
        cells: (B, K), the only cells of the embeddings that are looked at, or None for all.
        corrections: Of the prompts that begin as corrections, or None.
    """

    start: Tensor
    feedback: Tensor
    counted: tuple[int, ...]
    points: Tensor
    boxes: Tensor
    cells: Tensor | None = None
    corrections: CorrectionDraws | None = None

    @property
    def last(self) -> int:
        """N, the number of the last round."""
        return len(self.points) - 1


def draw_rounds(
    absent: Tensor, settings: PromptRoundSettings, generator: torch.Generator, *, grid: int = 0
) -> RoundDraws:
    """Draw what is random, on the CPU. Prompts for what is absent begin with text.

    Args:
        absent: (B, P) bool.
        settings: Shares and number of points.
        generator: Of the CPU.
        grid: G of the network, for `settings.cells` below 1 without points; 0 is all cells.
    """
    shape, own = tuple(absent.shape), settings
    kind = torch.rand(shape, generator=generator)
    start = torch.full(shape, TEXT)
    limit = 0.0
    shares = {TEXT_AND_BOX: own.box_with_text, BOX: own.box_alone, POINT: own.points_alone, CORRECTION: own.corrections}
    for which, share in shares.items():
        start = torch.where((kind >= limit) & (kind < limit + share), which, start)
        limit += share
    start = torch.where(absent.cpu(), TEXT, start)
    feedback = torch.rand(shape, generator=generator) < own.feedback
    between = list(range(2, own.points))
    which = int(torch.randint(len(between), (), generator=generator)) if between else 0
    counted = sorted({0, min(1, own.points), own.points, *between[which : which + 1]})
    points = torch.rand(own.points + 1, *shape, generator=generator, dtype=torch.float64)
    boxes = torch.randn(*shape, 4, generator=generator)
    few = grid > 0 and own.cells < 1 and own.points == 0
    cells = draw_cells(len(absent), grid, own.cells, generator).to(absent.device) if few else None
    past = draw_corrections(start == CORRECTION, generator, shown=own.feedback) if own.corrections > 0 else None
    return RoundDraws(start, feedback, tuple(counted), points, boxes, cells, past)


def prompt_round_loss(
    network: SegmentationNetwork,
    batch: SegmentationBatch,
    features: Tensor,
    draws: RoundDraws,
    weights: SegmentationObjectiveSettings,
) -> tuple[Tensor, Mapping[str, Tensor]]:
    r"""The loss of all rounds of a batch, and its parts.

        L = (K L_0 + sum_k L_k) / 2 K + codes + presence,  L_r = mean over prompts of mask_r + quality_weight quality_r

    L_0 is that of the words (or of the box or the point that a prompt begins with) and counts as much as the K rounds
    with points that count: the first, the last, and one drawn from those between; the others run without gradient.
    In round r each prompt gets a point drawn from the error of the mask that the network itself held best in round
    r - 1, if there is an error, and that mask itself as it was. The image is embedded once for all rounds and prompts;
    no gradient goes from round to round. Prompts for what is absent have their words alone: they count in L_0 only.
    Where a step looks at some cells alone, prompts for what is there but not in these cells say nothing about quality:
    they would teach that it is absent.

    Args:
        network: Learns.
        batch: B images with P prompts each, on the network's device.
        features: (B, P, D) of the texts.
        draws: What is random.
        weights: Of the parts.

    Returns:
        A scalar with gradient, and detached numbers by name.

    Source: FluoroSAM (Killeen et al., MICCAI 2025); Kirillov et al., ICCV 2023.
    """
    truth, inside = batch.masks, inside_image(batch.shown, batch.masks.shape[-1])
    if draws.cells is not None:
        truth = cell_pixels(truth, draws.cells, network.config.grid)
        inside = None if inside is None else cell_pixels(inside, draws.cells, network.config.grid)
    judged = batch.absent | truth.flatten(2).any(-1)
    losses: list[Tensor] = []
    terms: dict[str, Tensor] = {}
    total = features.new_zeros((), dtype=torch.float32)
    embedding = network.embed(batch.images)
    if weights.presence_weight > 0 and (seen := network.presence(embedding, features)) is not None:
        terms["presence"] = presence_loss(seen, batch.absent)
        total = total + weights.presence_weight * terms["presence"]
        if weights.presence_alone:
            return total, {name: value.detach() for name, value in terms.items()}
    for answer in answer_rounds(network, embedding, batch, features, draws):
        number = answer.number
        if number == 0 and answer.quantised is not None:
            total = total + weights.code_weight * answer.quantised.loss
            terms |= {"codes": answer.quantised.loss, "perplexity": answer.quantised.perplexity}
        if number not in draws.counted:
            continue
        logits = answer.logits if inside is None else torch.where(inside[:, :, None], answer.logits, OUTSIDE)
        found = best_mask_loss(
            logits, answer.quality, truth, dice_weight=weights.dice_weight, focal_weight=weights.focal_weight
        )
        counts = torch.ones_like(batch.absent) if number == 0 else ~batch.absent
        mask, quality = _mean(found.mask, counts), _mean(found.quality, counts & judged)
        losses.append(mask + weights.quality_weight * quality)
        name = {draws.last: "last", 1: "first", 0: "text"}.get(number, "between")
        terms |= {f"{name}_mask": mask, f"{name}_quality": quality}
        terms[f"{name}_iou"] = _mean(found.iou.gather(2, answer.held[..., None])[..., 0], ~batch.absent & judged)
    text, *points = losses
    total = total + (text if not points else (text + torch.stack(points).mean()) / 2)
    return total, {name: value.detach() for name, value in terms.items()}


@dataclass(frozen=True)
class RoundAnswer:
    """What the network answers in one round.

    Args:
        number: Points so far, 0 for the words (or the box or the point that a prompt begins with).
        logits: (B, P, M, H, W).
        quality: (B, P, M).
        held: (B, P), which mask the network itself holds best.
        quantised: What the codebook made of the texts.
    """

    number: int
    logits: Tensor
    quality: Tensor
    held: Tensor
    quantised: Quantised | None


def answer_rounds(
    network: SegmentationNetwork, embedding: Tensor, batch: SegmentationBatch, features: Tensor, draws: RoundDraws
) -> Iterator[RoundAnswer]:
    """The answers of all rounds, those of rounds that do not count without gradient.

    Args:
        network: Answers.
        embedding: (B, C, G, G) of the images.
        batch: With the truth, which points are drawn by.
        features: (B, P, D) of the texts.
        draws: What is random.
    """
    asked = _Asked(network.config.image_size, batch, features, draws)
    if draws.corrections is not None:
        worded = draws.corrections.which & draws.corrections.worded
        asked.correct(draws.corrections, answered_words(network, embedding, features, worded.to(features.device)))
    for number in range(draws.last + 1):
        with torch.set_grad_enabled(number in draws.counted and torch.is_grad_enabled()):
            tokens = network.encode_prompts(asked.prompts())
            answer = network.decode(embedding, tokens, cells=draws.cells)
        held = answer.quality.detach().argmax(-1)
        yield RoundAnswer(number, answer.logits, answer.quality, held, tokens.quantised)
        if number < draws.last:
            asked.add_point(chosen_masks(answer.logits.detach(), held))


class _Asked:
    """The prompts of a batch as they grow from round to round."""

    def __init__(self, size: int, batch: SegmentationBatch, features: Tensor, draws: RoundDraws) -> None:
        self.size, self.truth, self.features, self.draws = size, batch.masks, features, draws
        self.inside = inside_image(batch.shown, batch.masks.shape[-1])
        self.there = ~batch.absent
        self.start = draws.start.to(batch.masks.device)
        self.points: list[Tensor] = []
        self.labels: list[Tensor] = []
        self.shown: Tensor | None = None
        self.fed = torch.zeros_like(self.there)
        self.round = 0
        self.boxed = (self.start == BOX) | (self.start == TEXT_AND_BOX)
        some_box = bool(((draws.start == BOX) | (draws.start == TEXT_AND_BOX)).any())
        self.boxes = draw_boxes(self.truth, draws.boxes, size=size) if some_box else None
        self.has_text = (self.start == TEXT) | (self.start == TEXT_AND_BOX)
        if bool((draws.start == POINT).any()):
            self._append(self.truth, self.start == POINT)

    def prompts(self) -> PromptBatch:
        """What is asked in this round."""
        return PromptBatch(
            text=self.features,
            has_text=self.has_text,
            points=torch.stack(self.points, 2) if self.points else None,
            point_labels=torch.stack(self.labels, 2) if self.labels else None,
            boxes=self.boxes,
            has_box=None if self.boxes is None else self.boxed,
            masks=self.shown,
            has_mask=None if self.shown is None else self.fed,
        )

    def correct(self, draws: CorrectionDraws, answered: Tensor) -> None:
        """Begin those that are corrections with the points and masks of `made_up_corrections`."""
        made = made_up_corrections(self.truth, self.inside, draws, size=self.size, answered=answered)
        points, labels, self.shown = made
        self.points += points.unbind(2)
        self.labels += labels.unbind(2)
        which = draws.which.to(self.there.device)
        self.has_text = self.has_text | (which & draws.worded.to(which.device))
        self.fed = which & draws.shown.to(which.device)

    def add_point(self, logits: Tensor) -> None:
        """Point at an error of the masks (B, P, M, M) that were answered, and show them to the next round."""
        self.round += 1
        wrong = (logits > 0) != self.truth
        self._append(wrong if self.inside is None else wrong & self.inside, self.there)
        self.shown, self.fed = mask_prompts(logits), self.draws.feedback.to(self.there.device) & self.there

    def _append(self, region: Tensor, which: Tensor) -> None:
        points, labels = draw_points(region, self.truth, self.draws.points[self.round], size=self.size)
        self.points.append(points)
        self.labels.append(torch.where(which, labels, ABSENT))


def inside_image(shown: Tensor, edge: int) -> Tensor | None:
    """Pixels (B, 1, M, M) that show the image, None if all do.

    Args:
        shown: (B, 2), rows and columns of the square's masks that do.
        edge: M.
    """
    if bool((shown >= edge).all()):
        return None
    place = torch.arange(edge, device=shown.device)
    rows, columns = place < shown[:, :1], place < shown[:, 1:]
    return (rows[:, :, None] & columns[:, None, :])[:, None]


def _mean(values: Tensor, counts: Tensor) -> Tensor:
    """Mean of the values that count, 0 if none does."""
    return torch.where(counts, values, 0.0).sum() / counts.sum().clamp(min=1)
