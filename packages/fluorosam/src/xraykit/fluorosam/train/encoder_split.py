"""Which patients are learned from and which are held out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xraykit.render import InputError

from ..data.segmentation_store import SegmentationStore


def patient_split(store: SegmentationStore, *, share: float, images: int, seed: int) -> tuple[list[int], list[int]]:
    """Images of patients to learn from, and a few of others; none of a split "test" is in either.

    Args:
        store: The images. Those of a split "val" are held out; without one, of some patients of the others.
        share: Of the patients that are then held out.
        images: Most held-out images, taken evenly over all.
        seed: Which patients.

    Raises:
        InputError: Nothing is left to learn from, or the share is out of range.
    """
    if not 0 <= share < 1:
        raise InputError(f"--held-out-share must be from 0 to below 1, got {share}.")
    held = store.numbers_of("val")
    train = [number for number in store.numbers_of() if store.split(number) not in ("val", "test")]
    if not held and images and share:
        patients = sorted({store.patient(number) for number in train})
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(3,)))
        chosen = {patients[n] for n in rng.permutation(len(patients))[: max(1, round(share * len(patients)))]}
        held = [number for number in train if store.patient(number) in chosen]
        train = [number for number in train if store.patient(number) not in chosen]
    if not train:
        raise InputError(f"a training needs images of patients that are not held out, got {len(store)} held-out ones.")
    return train, _evenly(held, images)


def _evenly(numbers: Sequence[int], count: int) -> list[int]:
    places = np.linspace(0, len(numbers) - 1, min(count, len(numbers))).round().astype(int)
    return [numbers[place] for place in places.tolist()]
