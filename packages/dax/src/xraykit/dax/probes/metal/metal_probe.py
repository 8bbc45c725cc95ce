"""Which pixels show metal, told from feature maps: one linear head over folds of patients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ..feature_store import FeatureStore, read_maps
from ..folds import check_folds
from .pixel_head import PixelHead
from .settings import HeadTraining
from .train_head import DEFAULT_TRAINING, need_maps, train_pixel_head


@dataclass(frozen=True)
class MetalRow:
    """What a head on one backbone's maps found in one image, in pixels; Dice follows from the counts.

    Args:
        backbone: Whose maps.
        case: The image.
        patient: Whose image it is.
        fold: In which it was held out.
        inputs: Digest of weights and images.
        truth: Pixels of metal.
        found: Pixels with a probability of 0.5 or more.
        both: Pixels of both.
    """

    backbone: str
    case: str
    patient: str
    fold: int
    inputs: str
    truth: int
    found: int
    both: int


def metal_rows(
    store: FeatureStore,
    folds: Sequence[int] | NDArray[np.intp],
    *,
    backbone: str,
    training: HeadTraining = DEFAULT_TRAINING,
    seed: int = 0,
    device: str | torch.device = "cpu",
    report: Callable[[int, int], None] | None = None,
) -> tuple[list[MetalRow], NDArray[np.bool_]]:
    """A row for each image and its predicted mask, every image seen by a head that never saw its patient.

    Args:
        store: Features with maps and masks.
        folds: The fold of each image, (N,).
        backbone: Its name in the rows.
        training: How each head is taught.
        seed: Of the order of images.
        device: Where.
        report: Called with how many steps of all folds are done, and how many there are.

    Returns:
        The rows, and masks (N, S, S) bool.

    Raises:
        InputError: A store without maps or masks, or a patient in two folds.
    """
    maps, masks = need_maps(store)
    fold = check_folds(folds, store.patients)
    numbers, found = np.unique(fold).tolist(), np.zeros(masks.shape, dtype=np.bool_)
    for place, number in enumerate(numbers):
        done = place * training.steps

        def told(step: int, _: int, done: int = done) -> None:
            if report is not None:
                report(done + step, len(numbers) * training.steps)

        head = train_pixel_head(store, np.flatnonzero(fold != number), training, seed=seed, device=device, report=told)
        held = np.flatnonzero(fold == number)
        found[held] = predicted_masks(head, maps, held)
    rows = [
        MetalRow(
            backbone,
            store.names[n],
            store.patients[n],
            int(fold[n]),
            store.digest,
            int(masks[n].sum()),
            int(found[n].sum()),
            int((masks[n] & found[n]).sum()),
        )
        for n in range(len(store))
    ]
    return rows, found


@torch.inference_mode()
def predicted_masks(
    head: PixelHead, maps: Sequence[NDArray[np.float16]], places: NDArray[np.intp], *, batch: int = 16
) -> NDArray[np.bool_]:
    """Pixels whose probability is 0.5 or more, (len(places), S, S)."""
    device, parts = head.weight.device, np.array_split(places, max(1, -(-len(places) // batch)))
    return np.concatenate(
        [(head([one.to(device) for one in read_maps(maps, part)]) >= 0).cpu().numpy() for part in parts]
    )
