"""Pairs of views of the patients of the split "test": the same for every arm, and again with one view turned."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from xraykit.render import InputError

from ..data.image_changes import ImageChange, change_image, shown_patches
from ..data.pair_batches import PairBatches, true_matrices
from ..data.settings import PairSettings
from ..ground_truth.projection import change_projection
from ..train.fixed_pairs import FixedPairs
from ..train.patient_split import check_apart
from ..train.pick_pairs import pick_pairs
from ..train.training_pairs import TrainingPairs, input_settings, pair_settings

TEST_SEED = 20_250_923
"""Of the choice of test pairs, whatever the seed of a training"""
ROLLS = (0, 15, -15, 45, -45, 90, -90, 180)
"""Turns of the second view [degrees]"""


def patients_of_test(data: TrainingPairs) -> list[int]:
    """Numbers of the patients of the split "test".

    Raises:
        InputError: There are none, or one has the body of a patient that is learned from.
    """
    found = data.store.patients_of("test")
    if not found:
        raise InputError(
            'the data must have patients in a split "test", got none; give them one in the plan, such as '
            "split: {train: 8, val: 1, test: 1}."
        )
    check_apart(data.store, data.patients, found)
    return found


def pick_test_pairs(data: TrainingPairs, most: int) -> FixedPairs:
    """Pairs of test patients as they are, with unrelated ones a third as many.

    Raises:
        InputError: No test patient, or none with two views that make a pair.
    """
    batches = PairBatches(
        data.store,
        _plain(data),
        batch=1,
        seed=TEST_SEED,
        patients=patients_of_test(data),
        preprocess=input_settings(data.settings),
    )
    return pick_pairs(batches, most, seed=TEST_SEED)


def turned_pairs(data: TrainingPairs, pairs: FixedPairs, roll: float, most: int) -> FixedPairs:
    """The first related pairs with the second view turned about its middle; its corners leave the image.

    Args:
        data: Where the views come from.
        pairs: Of `pick_test_pairs`.
        roll: Turn [degrees].
        most: How many.
    """
    numbers = {name: n for n, name in enumerate(data.store.names)}
    chosen = [n for n in range(len(pairs.truth)) if bool(pairs.related[n])][:most]
    settings, turn = _plain(data), _turn(roll)
    inputs = input_settings(data.settings)
    images, truths, projections = [], [], []
    for n in chosen:
        views = [numbers[name] for name in pairs.names[n].split(" and ")]
        changes = [ImageChange(torch.eye(3, dtype=torch.float64)), ImageChange(turn)]
        made = [
            change_image(*data.store.lines(view), change, settings.size, inputs)
            for view, change in zip(views, changes, strict=True)
        ]
        shown = torch.stack([shown_patches(seen, settings.grid) for _, seen in made])
        moved = change_projection(data.store.projections[views], torch.stack([change.matrix for change in changes]))
        truths.append(true_matrices(data.store, settings, data.store.patient(views[0]), moved, shown)[0])
        images.append(torch.stack([image for image, _ in made]))
        projections.append(moved)
    return FixedPairs(
        torch.stack(images),
        torch.stack(truths),
        pairs.related[chosen],
        torch.stack(projections),
        tuple(pairs.names[n] for n in chosen),
        tuple(pairs.patients[n] for n in chosen),
    )


def _plain(data: TrainingPairs) -> PairSettings:
    return replace(pair_settings(data.settings, data.grid), unrelated=0.0, views_per_item=2)


def _turn(roll: float) -> Tensor:
    c, s = math.cos(math.radians(roll)), math.sin(math.radians(roll))
    half = 0.5
    return torch.tensor(
        [[c, -s, half - half * c + half * s], [s, c, half - half * s - half * c], [0, 0, 1]], dtype=torch.float64
    )
