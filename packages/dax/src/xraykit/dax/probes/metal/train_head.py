"""Teach a pixel head on cached maps: a convex problem, so a few passes over the training images suffice."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from xraykit.render import InputError, XraykitError

from ..feature_store import FeatureStore, read_maps
from .pixel_head import PixelHead
from .settings import HeadTraining, MaskLoss

DEFAULT_TRAINING = HeadTraining()
TOLD = 25  # steps between two looks at the loss


def train_pixel_head(
    store: FeatureStore,
    chosen: Sequence[int] | NDArray[np.intp],
    training: HeadTraining = DEFAULT_TRAINING,
    *,
    seed: int = 0,
    device: str | torch.device = "cpu",
    report: Callable[[int, int], None] | None = None,
) -> PixelHead:
    """A head that tells the masks of the chosen images from their maps.

    Weights begin at 0 and the bias at the log odds of the object's share of pixels. Channels are standardised by the
    chosen images alone.

    Args:
        store: Features with maps and masks.
        chosen: Places of the training images.
        training: How.
        seed: Of the order of images.
        device: Where.
        report: Called with how many steps are done, and how many there are.

    Raises:
        InputError: A store without maps or masks, no images, or settings outside their range.
        XraykitError: The loss is no longer finite.
    """
    maps, masks = need_maps(store)
    order, device = np.asarray(chosen, dtype=np.intp), torch.device(device)
    if len(order) == 0 or training.steps < 1 or training.batch < 1 or not training.rate > 0 or training.decay < 0:
        raise InputError(
            f"a head needs training images and positive steps, batch and rate, got {len(order)} images and {training}."
        )
    head = PixelHead([one.shape[1] for one in maps], masks.shape[-1])
    head.standardise(read_maps(maps, part) for part in np.array_split(order, -(-len(order) // 32)))
    share = min(max(float(np.mean([masks[n].mean() for n in order])), 1e-6), 1 - 1e-6)
    torch.nn.init.constant_(head.bias, math.log(share / (1 - share)))
    head.to(device)
    optimiser = torch.optim.AdamW(head.parameters(), lr=training.rate, weight_decay=training.decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda n: (1 + math.cos(math.pi * n / training.steps)) / 2)
    for step, part in enumerate(islice(_batches(order, training.batch, seed), training.steps), 1):
        truth = torch.from_numpy(masks[part].astype(np.float32)).to(device)
        loss = mask_loss(head([one.to(device) for one in read_maps(maps, part)]), truth, training.loss)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % TOLD == 0 or step == training.steps:
            if not math.isfinite(float(loss.detach())):
                raise XraykitError(f"the loss must stay finite, got {float(loss.detach())}; lower the learning rate.")
            if report is not None:
                report(step, training.steps)
    return head.eval()


def mask_loss(logits: Tensor, truth: Tensor, loss: MaskLoss) -> Tensor:
    """Mean binary cross-entropy of all pixels, and with "bce+dice" 1 - 2 sum(p t) / (sum(p) + sum(t)) in addition.

    Args:
        logits: (B, S, S).
        truth: 0 and 1, the same shape.
        loss: Which.

    Raises:
        InputError: Masks of another size than the logits, or another loss.
    """
    if logits.shape != truth.shape or loss not in ("bce", "bce+dice"):
        raise InputError(
            f"masks must be as large as the logits and the loss bce or bce+dice, got {tuple(truth.shape)}, "
            f"{tuple(logits.shape)} and {loss!r}."
        )
    value = binary_cross_entropy_with_logits(logits, truth)
    if loss == "bce":
        return value
    chance = logits.sigmoid()
    return value + 1 - 2 * (chance * truth).sum() / (chance.sum() + truth.sum()).clamp(min=1e-6)


def need_maps(store: FeatureStore) -> tuple[list[NDArray[np.float16]], NDArray[np.bool_]]:
    """The maps and masks of a store, or InputError where it has none."""
    if not store.maps or store.masks is None:
        raise InputError(f"{store.folder} must hold feature maps and masks, got none; make features with maps of both.")
    return [one.values for one in store.maps], store.masks


def _batches(order: NDArray[np.intp], batch: int, seed: int) -> Iterator[NDArray[np.intp]]:
    """Places of each batch in ascending order, all images once before any comes again."""
    rng = np.random.default_rng(seed)
    while True:
        shuffled = rng.permutation(order)
        for start in range(0, len(order), batch):
            yield np.sort(shuffled[start : start + batch])
