"""The prompt rounds of a training step, written again plainly, mask by mask: what ours is measured against.

One prompt at a time as the decoder of segment-anything takes it, transposed convolutions, every round with a graph,
all three masks with gradients, points from a list of wrong pixels, in float32. Facts: FluoroSAM (MICCAI 2025) and
Segment Anything (ICCV 2023); every line is our own.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from xraykit.fluorosam.network import PromptBatch

TEXT, TEXT_AND_BOX, BOX, POINT = range(4)


def plain_round_loss(network: Any, batch: Any, draws: Any, weights: Any) -> Tensor:
    """The loss of `prompt_round_loss`, for images without padding."""
    embedding, detail = network.image_encoder(batch.images), plain_detail(network, batch.images)
    text, codes, points = [], [], {number: [] for number in draws.counted if number}
    for b, row in enumerate(batch.texts):
        for p, words in enumerate(row):
            absent = bool(batch.absent[b, p])
            image = embedding[b : b + 1], detail[b : b + 1]
            losses = one_prompt(network, image, batch.masks[b, p], words, absent, draws, (b, p), weights)
            text.append(losses.pop(0))
            codes.append(losses.pop("codes"))
            for number, loss in losses.items():
                points[number].append(loss)
    total = torch.stack(text).mean()
    if points:
        each = [torch.stack(found).mean() if found else total * 0 for found in points.values()]
        total = (total + sum(each) / len(each)) / 2
    known = [loss for loss in codes if loss is not None]
    return total + weights.code_weight * torch.stack(known).mean() if known else total


def one_prompt(
    network: Any,
    image: tuple[Tensor, Tensor],
    truth: Tensor,
    words: str,
    absent: bool,
    draws: Any,
    at: Any,
    weights: Any,
) -> dict[Any, Any]:
    """Losses by round."""
    size, edge = network.config.image_size, truth.shape[-1]
    start, feature = int(draws.start[at]), network.encode_text([words])
    asked: dict[str, Any] = {"text": feature[None] if start in (TEXT, TEXT_AND_BOX) else None}
    if start in (BOX, TEXT_AND_BOX):
        asked["boxes"] = box_of(truth, draws.boxes[at], size)[None, None]
    places: list[Any] = []
    labels: list[int] = []
    losses: dict[Any, Any] = {"codes": None}
    if start == POINT:
        point(truth, truth, float(draws.points[(0, *at)]), size, places, labels)
    for number in range(1 if absent else draws.last + 1):
        if places:
            asked |= {"points": torch.tensor(places)[None, None], "point_labels": torch.tensor(labels)[None, None]}
        tokens = network.prompt_encoder(PromptBatch(**asked))
        if number == 0 and tokens.quantised is not None:
            losses["codes"] = tokens.quantised.loss
        logits, quality = plain_decode(network, image, tokens)
        if number in draws.counted:
            losses[number] = loss_of(logits, quality, truth, weights)
        best = logits[int(quality.argmax())].detach()
        point((best > 0) != truth, truth, float(draws.points[(min(number + 1, draws.last), *at)]), size, places, labels)
        if bool(draws.feedback[at]):
            asked["masks"] = F.avg_pool2d(best[None, None], edge // network.config.mask_prompt_size)
    return losses


def plain_detail(network: Any, images: Tensor) -> Tensor:
    """The map (B, C / 4, 4 G, 4 G) that is added to masks half made, zero where the network has none."""
    found = network.detail_map
    return images.new_zeros(len(images), 1, 1, 1) if found is None else found.output(found.layers(images))


def plain_decode(network: Any, image: tuple[Tensor, Tensor], tokens: Any) -> tuple[Tensor, Tensor]:
    """Logits (3, M, M) and quality (3,) of one prompt."""
    (embedding, detail), decoder = image, network.mask_decoder
    grid = embedding.shape[-1]
    own = torch.cat([decoder.iou_token.weight, decoder.mask_tokens.weight])
    given = tokens.tokens if tokens.present is None else tokens.tokens[:, :, tokens.present[0, 0]]
    asked = torch.cat([own[None, None], given], 2)
    cells = (embedding[:, None] + tokens.dense).flatten(3).transpose(2, 3)
    positions = network.prompt_encoder.grid_positions().flatten(1).T
    hidden, seen = decoder.transformer(cells, positions, asked, None)
    half = decoder.output_upscaling[:4](seen[:, 0].transpose(1, 2).reshape(1, -1, grid, grid))
    maps = decoder.output_upscaling[4:](half + detail)[0]
    nets = decoder.mask_output_hypernetworks_mlps
    masks = [(nets[i](hidden[0, 0, 1 + i])[:, None, None] * maps).sum(0) for i in (1, 2, 3)]
    return torch.stack(masks), decoder.iou_prediction_head(hidden[0, 0, 0])[1:]


def loss_of(logits: Tensor, quality: Tensor, truth: Tensor, weights: Any) -> Tensor:
    """The least loss of three masks, and the error of the expected quality."""
    losses, errors, t = [], [], truth.float()
    for x, q in zip(logits, quality, strict=True):
        p = torch.sigmoid(x)
        dice = 1 - (2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1)
        cross = F.binary_cross_entropy_with_logits(x, t, reduction="none")
        right = p * t + (1 - p) * (1 - t)
        focal = ((0.25 * t + 0.75 * (1 - t)) * (1 - right) ** 2 * cross).mean()
        losses.append(weights.dice_weight * dice + weights.focal_weight * focal)
        inside = x > 0
        union = (inside | truth).sum()
        errors.append((q - (inside & truth).sum() / union.clamp(min=1) * truth.any()) ** 2)
    return torch.stack(losses).min() + weights.quality_weight * torch.stack(errors).mean()


def point(region: Tensor, truth: Tensor, draw: float, size: int, places: list[Any], labels: list[int]) -> None:
    """Append a pixel of the region, if it has one."""
    found = region.nonzero().tolist()
    if found:
        y, x = found[int(draw * len(found))]
        places.append([(x + 0.5) * size / truth.shape[1], (y + 0.5) * size / truth.shape[0]])
        labels.append(int(truth[y, x]))


def box_of(truth: Tensor, draw: Tensor, size: int) -> Tensor:
    """The box of a mask with edges a little off."""
    places, edge = truth.nonzero(), truth.shape[0]
    top, left = places.min(0).values.tolist()
    bottom, right = (places.max(0).values + 1).tolist()
    sides, corners = [right - left, bottom - top] * 2, []
    for value, side, off in zip([left, top, right, bottom], sides, draw.tolist(), strict=True):
        moved = max(-edge * 20 / 448, min(edge * 20 / 448, off * 0.1 * side))
        corners.append(max(0.0, min(float(edge), value + moved)) * size / edge)
    a, b, c, d = corners
    return torch.tensor([min(a, c), min(b, d), max(a, c), max(b, d)])
