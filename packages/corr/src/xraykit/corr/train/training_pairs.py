"""The pairs of a matcher's training: prepared once, some patients held out, and what is known of them beforehand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from xraykit.render.training import is_follower

from ..data.pair_batches import PairBatches
from ..data.pair_choice import PairChoice
from ..data.pair_preparation import prepare_pairs, wait_for_pairs
from ..data.pair_store import PairStore
from ..data.settings import PairSettings, XrayInputSettings
from ..scores.priors import MeanCorrespondence
from .fixed_pairs import FixedPairs
from .patient_split import check_apart, split_patients
from .pick_pairs import pick_pairs
from .settings import MatcherSettings

STORED = 1.3
"""Edge of stored images as a multiple of the network's: zooming in keeps its detail."""
SPLIT_SEED = 0
"""Trainings of all seeds hold out the same patients"""
HELD_OUT_SEED, PRIOR_SEED = 1_000_003, 2_000_003
"""Added to the seed, so that these pairs are not the training's."""
PRIOR_BATCH = 16


@dataclass(frozen=True, eq=False)
class TrainingPairs:
    """What is learned from, and what is only looked at.

    Args:
        store: Prepared views.
        settings: Of the training.
        grid: Patches along an edge.
        patients: Numbers of the patients that are learned from.
        held_out: Fixed pairs of other patients, or None.
        mean: Mean true correspondence of training pairs as they are, (L, L).
        images: Some of these pairs, (N, 2, 1, S, S).
    """

    store: PairStore
    settings: MatcherSettings
    grid: int
    patients: Sequence[int]
    held_out: FixedPairs | None
    mean: Tensor
    images: Tensor

    @property
    def density(self) -> float:
        """Mean true correspondence of the items that are learned from."""
        return float(self.mean.mean()) * (1 - self.settings.data.unrelated)

    def batches(self, rank: int, ranks: int) -> PairBatches:
        """Changed items for a process of the training."""
        own = self.settings
        return PairBatches(
            self.store,
            pair_settings(own, self.grid),
            batch=own.length.batch or 1,
            seed=own.run.seed,
            changes=own.changes,
            preprocess=input_settings(own),
            patients=self.patients,
            workers=own.run.workers,
            rank=rank,
            ranks=ranks,
        )


def pair_settings(settings: MatcherSettings, grid: int) -> PairSettings:
    """Which views make an item, and what their truth is."""
    own, thickness = settings.data, settings.objective.target == "thickness"
    return PairSettings(own.size, grid, own.truth, own.tissue, own.unrelated, own.angles, own.views, thickness)


def input_settings(settings: MatcherSettings) -> XrayInputSettings:
    """How an X-ray becomes input; saved with the weights."""
    return XrayInputSettings(size=settings.data.size, field=settings.data.field)


def load_training_pairs(
    settings: MatcherSettings,
    grid: int,
    *,
    report: Callable[[str, int, int], None] | None = None,
    say: Callable[[str], None] | None = None,
) -> TrainingPairs:
    """Prepare the views, or take those prepared before, hold patients out, and look at some pairs.

    Of several processes of a training the first prepares, and the others wait for it.

    Args:
        settings: Of the training.
        grid: Patches along an edge.
        report: Told of views that are prepared.
        say: Called with who is held out, and what was left out.

    Raises:
        InputError: No patient with two views to learn from, or a patient on both sides of a split.
        FileError: A data set that is damaged or made without tissue. OutputError: The cache cannot be written.
    """
    own, seed = settings.data, settings.run.seed
    store = _prepared(settings, report)
    learned, held = split_patients(store, own.held_out_share, seed=SPLIT_SEED)
    check_apart(store, learned, held)
    PairChoice(store, pair_settings(settings, grid), patients=learned)  # or it would be told after all preparations
    plain = replace(pair_settings(settings, grid), unrelated=0.0, views_per_item=2)
    batches = partial(PairBatches, store, plain, preprocess=input_settings(settings))
    fixed = None
    if held:
        seed_of_pairs = seed + HELD_OUT_SEED
        fixed = pick_pairs(batches(batch=1, seed=seed_of_pairs, patients=held), own.held_out_pairs, seed=seed_of_pairs)
    mean, images = _looked_at(batches(batch=PRIOR_BATCH, seed=seed + PRIOR_SEED, patients=learned), own.prior_pairs)
    if say is not None:
        for name, sentence in store.damaged:
            say(f"left out {name}: {sentence}")
        looked = "no scores" if fixed is None else f"scores on {int(fixed.related.sum())} pairs of theirs"
        say(f"{len(learned)} patients to learn from, {len(held)} held out: {looked} in the curve")
    return TrainingPairs(store, settings, grid, learned, fixed, mean, images)


def _looked_at(batches: PairBatches, count: int) -> tuple[Tensor, Tensor]:
    """The mean truth of so many pairs, at least, and the images of the first of them."""
    mean, images = MeanCorrespondence(), None
    for number in range(-(-count // PRIOR_BATCH)):
        made = batches.batch(number)
        images = made.images if images is None else images
        mean.add(made.truth)
    return mean.value, torch.empty(0) if images is None else images


def _prepared(settings: MatcherSettings, report: Callable[[str, int, int], None] | None) -> PairStore:
    own = settings.data
    cache = own.cache if own.cache is not None else settings.run.output / "pairs"
    options = {"size": round(STORED * own.size), "field": own.field}
    sources = [Path(source) for source in own.sources]
    if is_follower():
        return wait_for_pairs(sources, cache, **options)
    return prepare_pairs(sources, cache, **options, report=None if report is None else partial(report, "images"))
