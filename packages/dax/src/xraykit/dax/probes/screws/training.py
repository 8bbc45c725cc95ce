"""Training of a screw detector on cached maps, and its use."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count, islice
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from xraykit.render import InputError
from xraykit.render.training import TrainingFailedError, warmup_cosine

from ..feature_store import read_maps
from .detector import ScrewDetector
from .loss import detection_loss
from .oks import ScrewDetections
from .settings import DetectorTrainingSettings, ScrewSettings
from .truth import ScrewTruth, truth_batch

DetectorReport = Callable[[int, Mapping[str, float]], None]
SLOW = 0.1
"""Rate of sampling offsets relative to all others."""


def train_detector(
    maps: Sequence[Tensor | NDArray[Any]],
    truth: Sequence[ScrewTruth],
    settings: ScrewSettings | None = None,
    *,
    chosen: Sequence[int] | NDArray[np.intp] | None = None,
    seed: int = 0,
    report: DetectorReport | None = None,
    device: torch.device | str = "cpu",
) -> ScrewDetector:
    """A detector that has learned the screws of N images.

    AdamW with a warm-up and a cosine to 0, and clipped gradients; each epoch is another order of the images.

    Args:
        maps: Feature maps of all images, each (N, C, h, w) of any float type; a memory map is read batch by batch.
        truth: Screws of each image, in pixels of the backbone's input.
        settings: Of detector, loss and training.
        chosen: Places of the images that are learned from; None is all.
        seed: Of initial weights, dropout and order.
        report: Is told of each step: its number from 1, and the loss's terms with their sum "loss".
        device: Where it is trained.

    Raises:
        InputError: Maps and truth are not of the same images, images differ in size, or none shows a screw.
        TrainingFailedError: The loss is not finite any more.
    """
    settings = settings or ScrewSettings()
    places = _places(chosen, len(truth))
    size = _checked(maps, truth, places)
    training = settings.training
    device = torch.device(device)
    scale = torch.tensor([size[1], size[0]], device=device) / settings.half_distance
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        strides = [_stride(size, one) for one in maps]
        detector = ScrewDetector([one.shape[1] for one in maps], strides, size, settings.detector).to(device).train()
        optimizer = _optimizer(detector, training)
        for step, images in enumerate(_order(places, training)):
            factor = warmup_cosine(step, step / training.steps, warmup=training.warmup)
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * factor
            batch = truth_batch([truth[n] for n in images.tolist()], device)
            output = detector([one.to(device) for one in read_maps(maps, images)])
            terms = detection_loss(output, batch, scale, settings.loss, keep=settings.detector.keep)
            loss = torch.stack(list(terms.values())).sum()
            if not math.isfinite(value := float(loss.detach())):
                raise TrainingFailedError.of("loss", str(value), step)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            if training.clip > 0:
                nn.utils.clip_grad_norm_(detector.parameters(), training.clip)
            optimizer.step()
            if report:
                report(step + 1, {"loss": value, **{name: float(term.detach()) for name, term in terms.items()}})
    return detector.eval()


@torch.no_grad()
def detect(
    detector: ScrewDetector,
    maps: Sequence[Tensor | NDArray[Any]],
    *,
    chosen: Sequence[int] | NDArray[np.intp] | None = None,
    batch: int = 64,
) -> list[ScrewDetections]:
    """What a detector finds in images, image by image and best first; scores are in (0, 1).

    Args:
        detector: A trained one.
        maps: Feature maps of all images, each (N, C, h, w), in the order of training; a memory map is read by batch.
        chosen: Places of the images that are looked at, in this order; None is all.
        batch: Images at a time.
    """
    was, device = detector.training, detector.level.device
    detector.eval()
    scale = torch.tensor([detector.size[1], detector.size[0]])
    found = []
    places = _places(chosen, len(maps[0]))
    for first in range(0, len(places), batch):
        seen = [one.to(device) for one in read_maps(maps, places[first : first + batch])]
        objectness, keypoints = detector(seen).layers[-1]
        scores, best = objectness.sigmoid().cpu().sort(dim=1, descending=True, stable=True)
        points = keypoints.cpu() * scale
        found += [ScrewDetections(p[b], s) for p, b, s in zip(points, best, scores, strict=True)]
    detector.train(was)
    return found


def _places(chosen: Sequence[int] | NDArray[np.intp] | None, count: int) -> NDArray[np.intp]:
    return np.arange(count) if chosen is None else np.asarray(chosen, dtype=np.intp)


def _checked(
    maps: Sequence[Tensor | NDArray[Any]], truth: Sequence[ScrewTruth], places: NDArray[np.intp]
) -> tuple[int, int]:
    """The size of the images."""
    if not maps or any(one.ndim != 4 or len(one) != len(truth) for one in maps):
        raise InputError(
            "maps must be (N, C, h, w) for the same N images as the truth, got shapes "
            f"{[tuple(one.shape) for one in maps]} for {len(truth)}."
        )
    learned = [truth[n] for n in places]
    sizes = {one.size for one in learned}
    if len(sizes) != 1 or not any(len(one) for one in learned):
        raise InputError(
            f"a detector learns from images of one size that show screws, got sizes {sorted(sizes)} and "
            f"{sum(len(one) for one in learned)} screws."
        )
    return sizes.pop()


def _stride(size: tuple[int, int], one: Tensor | NDArray[Any]) -> int:
    """The power of two nearest to pixels per cell."""
    return 2 ** round(math.log2(max(size[0] / one.shape[2], 1.0)))


def _order(places: NDArray[np.intp], training: DetectorTrainingSettings) -> Iterator[NDArray[np.intp]]:
    """The images of each step: one epoch after another, each in an order of its own."""
    epochs = (part for _ in count() for part in torch.randperm(len(places)).split(training.batch))
    return (places[part.numpy()] for part in islice(epochs, training.steps))


def _optimizer(detector: ScrewDetector, training: DetectorTrainingSettings) -> torch.optim.Optimizer:
    slow = [p for name, p in detector.named_parameters() if "sampling_offsets" in name]
    others = [p for name, p in detector.named_parameters() if "sampling_offsets" not in name]
    groups = [{"params": others, "peak": training.rate}, {"params": slow, "peak": training.rate * SLOW}]
    return torch.optim.AdamW(groups, lr=training.rate, weight_decay=training.weight_decay)
