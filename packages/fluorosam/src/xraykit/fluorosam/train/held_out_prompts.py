"""Scores on held-out patients by kind of prompt: words, points, a box; and what the network's confidence is worth."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import torch
from torch import Tensor

from xraykit.render.evaluation import auroc

from ..data.segmentation_batches import SegmentationBatch
from ..loss.best_mask import chosen_masks
from ..loss.mask_losses import mask_iou
from ..network.network import SegmentationNetwork
from ..predictor.calibrated_confidence import ConfidenceMap
from .prompt_rounds import BOX, OUTSIDE, POINT, TEXT, RoundDraws, answer_rounds, inside_image
from .text_features import TextFeatures

POINTS = (1, 2, 8)
"""Numbers of points after which the answer is scored."""
NAMES = {TEXT: "text", BOX: "box", POINT: "point"}
"""What prompts begin with, and how their scores are called."""


@dataclass(frozen=True)
class HeldOutBatches:
    """What every validation looks at.

    Args:
        batches: Of images as they are, with some prompts for what is absent.
        rewritten: The same with wordings that nobody learned from; may be empty.
        seed: Of the points.
    """

    batches: Sequence[SegmentationBatch]
    rewritten: Sequence[SegmentationBatch] = ()
    seed: int = 0


class Answers:
    """Numbers of all prompts of one kind.

    `iou` and `dice` of the mask that the network held best, the `quality` that it expected, whether the answer is
    `empty`, and the `presence` that it told, the probability that the image shows it; see `of`.
    """

    def __init__(self) -> None:
        self._rows: list[Tensor] = []
        self._absent: list[Tensor] = []

    def add(self, logits: Tensor, quality: Tensor, truth: Tensor, absent: Tensor, seen: Tensor | None = None) -> None:
        """Count answers (B, P, M, M) with their quality and, where it is told, logits of presence (B, P)."""
        iou = mask_iou(logits, truth)
        empty = ~(logits > 0).flatten(2).any(-1)
        presence = torch.full_like(iou, torch.nan) if seen is None else seen.float().sigmoid()
        row = torch.stack([iou, 2 * iou / (1 + iou), quality.float(), empty.float(), presence], -1)
        self._rows.append(row.flatten(0, 1).cpu())
        self._absent.append(absent.flatten().cpu())

    def of(self, name: str, *, absent: bool = False) -> Tensor:
        """iou, dice, quality, empty or presence (N,) of the prompts for what is there, or for what is not."""
        column = ("iou", "dice", "quality", "empty", "presence").index(name)
        return torch.cat(self._rows)[torch.cat(self._absent) == absent][:, column]


def held_out_answers(
    network: SegmentationNetwork, held: HeldOutBatches, device: torch.device, *, low_precision: bool = False
) -> dict[str, Answers]:
    """Answers by kind: text, points_N (after the text), held_out_text; box and point (both without text).

    The network is in evaluation mode meanwhile; points are drawn from errors as in training, by `held.seed`.

    Args:
        network: Answers.
        held: What is looked at.
        device: Of the network.
        low_precision: Compute in bfloat16 where training does.
    """
    features, was, found = TextFeatures(network), network.training, {}
    network.eval()
    try:
        with torch.no_grad(), torch.autocast(device.type, torch.bfloat16, enabled=low_precision):
            for number, batch in enumerate(held.batches):
                moved, kinds = _moved(batch, device), {TEXT: POINTS, BOX: (), POINT: ()}
                _answer(network, moved, features, kinds, held.seed + number, found)
            for number, batch in enumerate(held.rewritten):
                _answer(network, _moved(batch, device), features, {TEXT: ()}, held.seed + number, found, "held_out_")
    finally:
        network.train(was)
    return found


def held_out_scores(found: dict[str, Answers], calibration: ConfidenceMap) -> dict[str, float]:
    """Columns of the curve: mean intersection over union and Dice by kind, and how prompts for what is absent do.

    `false_alarm` is the share of absent prompts whose answer is called visible, `missed` the share of present ones
    that are not, both by words alone and by `calibration`; `presence_auroc` is how well the network tells one from the
    other, where it does. `confidence_error` is the mean absolute difference
    of calibrated confidence and real intersection over union.
    """
    row: dict[str, float] = {}
    for kind, answers in found.items():
        row |= {f"{name}_{kind}": float(answers.of(name).mean()) for name in ("iou", "dice")}
    text = found["text"]
    row["missed"] = 1 - _seen(text, calibration)
    row["confidence_error"] = float((calibration(text.of("quality")) - text.of("iou")).abs().mean())
    there, absent = (text.of("presence", absent=which) for which in (False, True))
    if len(absent):
        told = torch.cat([there, absent]).tolist()
        if len(there) and not any(map(math.isnan, told)):
            row["presence_auroc"] = auroc(told, [True] * len(there) + [False] * len(absent))
        row["false_alarm"] = _seen(text, calibration, absent=True)
        row["filled_absent"] = 1 - float(text.of("empty", absent=True).float().mean())
    return row


def _seen(text: Answers, calibration: ConfidenceMap, *, absent: bool = False) -> float:
    """The share of answers that are called visible."""
    sure, told = calibration(text.of("quality", absent=absent)), text.of("presence", absent=absent)
    presence = [None if math.isnan(one) else one for one in told.tolist()]
    seen = [calibration.sees(*one) for one in zip(sure.tolist(), presence, strict=True)]
    return fmean(seen) if seen else math.nan


def _answer(
    network: SegmentationNetwork,
    batch: SegmentationBatch,
    features: TextFeatures,
    kinds: Mapping[int, Sequence[int]],
    seed: int,
    found: dict[str, Answers],
    prefix: str = "",
) -> None:
    """Add the answers for one batch by what prompts begin with, after the numbers of points that are asked for."""
    embedding, read = network.embed(batch.images), features(batch.texts)
    inside = inside_image(batch.shown, batch.masks.shape[-1])
    seen = network.presence(embedding, read)
    for start, after in kinds.items():
        draws = _draws(batch.absent, start, max(after, default=0), seed)
        for answer in answer_rounds(network, embedding, batch, read, draws):
            if answer.number and answer.number not in after:
                continue
            kind = f"points_{answer.number}" if answer.number else NAMES[start]
            logits = chosen_masks(answer.logits.float(), answer.held)
            logits = logits if inside is None else torch.where(inside, logits, OUTSIDE)
            quality = answer.quality.gather(2, answer.held[..., None])[..., 0]
            found.setdefault(prefix + kind, Answers()).add(logits, quality, batch.masks, batch.absent, seen)


def _draws(absent: Tensor, start: int, points: int, seed: int) -> RoundDraws:
    """All prompts begin alike, boxes are exact, and masks are always shown again."""
    generator, shape = torch.Generator().manual_seed(seed), tuple(absent.shape)
    drawn = torch.rand(points + 1, *shape, generator=generator, dtype=torch.float64)
    starts = torch.where(absent.cpu(), TEXT, start)
    return RoundDraws(starts, torch.ones(shape, dtype=torch.bool), (), drawn, torch.zeros(*shape, 4))


def _moved(batch: SegmentationBatch, device: torch.device) -> SegmentationBatch:
    names = ("images", "masks", "absent", "shown")
    return batch._replace(**{name: getattr(batch, name).to(device) for name in names})
