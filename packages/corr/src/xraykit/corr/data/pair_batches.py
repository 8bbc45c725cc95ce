"""Batches of pairs without end, each a pure function of seed, number and rank, by any number of workers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import Dataset

from xraykit.render import GeometryError, InputError
from xraykit.render.seeds import item_stream
from xraykit.render.training import WorkerBatches, one_thread

from ..ground_truth.beam_thickness import patch_thickness
from ..ground_truth.pair_matrices import correspondences
from ..ground_truth.projection import change_projection
from .image_changes import change_image, draw_changes, shown_patches
from .pair_choice import PairChoice
from .pair_store import PairStore
from .settings import ImageChangeSettings, PairSettings, XrayInputSettings


class PairBatch(NamedTuple):
    """B items of V views each, V = 2 for pairs."""

    images: Tensor
    """(B, V, 1, S, S) float32 in [0, 1], bone bright"""
    truth: Tensor
    """Correspondence of the views as they are changed, (B, L, L) float32; with more than two views (B, P, L, L), all
    a < b in the order of `itertools.combinations`"""
    related: Tensor
    """Whether all views are of one patient, (B,) bool; else the last is another's, and corresponds to nothing"""
    projections: Tensor
    """Image projections as changed, (B, V, 3, 4) float64"""
    names: tuple[tuple[str, ...], ...]
    """Names of the V views of each item"""
    patients: tuple[str, ...]
    """Patient of the first view of each item"""
    thickness: Tensor = torch.empty(0)
    """Tissue in the beam of each patch [mm], (B, V, L) float32; empty unless the settings ask for it"""


class PairBatches(WorkerBatches[PairBatch]):
    """Changed views of patients with their true correspondence, for a training, batch by batch.

    Items come in an endless row of epochs, each a new order of all patients; batch n of rank r is the part of the row
    from place (n ranks + r) batch on. An item follows from (seed, epoch, place) alone. Images and truth are made on the
    CPU, by `workers` processes ahead of their use, one thread each.

    Args:
        store: The views.
        settings: Which views, and what their truth is.
        batch: Items of a batch on each rank.
        seed: Of choice and changes.
        changes: How views are changed; None is `ImageChangeSettings.none()`.
        preprocess: Percentiles; None is the default.
        patients: Numbers of the patients to choose from; None is all.
        workers: Processes; 0 is this one.
        rank: This process among `ranks`.
        ranks: How many.

    Raises:
        InputError: A number out of range, or no patient with views that make a pair.

    Example:
        batches = PairBatches(store, PairSettings(size=128), batch=16, seed=0, changes=ImageChangeSettings(), workers=2)
        images, truth, *_ = batches.batch(0)
    """

    def __init__(
        self,
        store: PairStore,
        settings: PairSettings,
        *,
        batch: int,
        seed: int,
        changes: ImageChangeSettings | None = None,
        preprocess: XrayInputSettings | None = None,
        patients: Sequence[int] | None = None,
        workers: int = 0,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        if batch < 1 or workers < 0 or seed < 0 or not 0 <= rank < ranks:
            came = f"{batch=}, {workers=}, {seed=}, {rank=}, {ranks=}"
            raise InputError(f"batch must be 1 or more, workers and seed 0 or more, rank below ranks, got {came}.")
        self.choice = PairChoice(store, settings, patients=patients)
        changes, preprocess = changes or ImageChangeSettings.none(), preprocess or XrayInputSettings()
        source = _Items(store, self.choice, changes, preprocess, (batch, seed, rank, ranks))
        super().__init__(source, workers)


class _Items(Dataset[PairBatch]):
    """Batches by number."""

    def __init__(
        self,
        store: PairStore,
        choice: PairChoice,
        changes: ImageChangeSettings,
        preprocess: XrayInputSettings,
        order: tuple[int, int, int, int],
    ) -> None:
        self.store, self.choice, self.changes, self.preprocess = store, choice, changes, preprocess
        self.order = order  # batch, seed, rank, ranks

    def __getitem__(self, number: int) -> PairBatch:
        batch, seed, rank, ranks = self.order
        first = (number * ranks + rank) * batch
        with one_thread():
            rows = [self._item(*divmod(place, len(self.choice)), seed) for place in range(first, first + batch)]
        images, truth, related, projections, names, patients, thickness = zip(*rows, strict=True)
        stacked = torch.stack(images), torch.stack(truth), torch.tensor(related), torch.stack(projections)
        return PairBatch(*stacked, names, patients, torch.stack(thickness))

    def _item(self, epoch: int, place: int, seed: int) -> tuple[Any, ...]:
        store, settings = self.store, self.choice.settings
        views, related = self.choice.item(epoch, place, seed=seed)
        changes = draw_changes(self.changes, item_stream(seed, epoch, place, purpose=3), len(views))
        images, seen = zip(
            *(
                change_image(*store.lines(view), change, settings.size, self.preprocess)
                for view, change in zip(views, changes, strict=True)
            ),
            strict=True,
        )
        shown = torch.stack([shown_patches(one, settings.grid) for one in seen])
        matrices = torch.stack([change.matrix for change in changes])
        projections = change_projection(store.projections[list(views)], matrices)
        patient = store.patient(views[0])
        truth = true_matrices(store, settings, patient, projections, shown, related=related)
        truth = truth[0] if len(views) == 2 else truth
        names = tuple(store.names[view] for view in views)
        thickness = true_thickness(store, settings, views, projections, shown) if settings.thickness else torch.empty(0)
        return torch.stack(images), truth, related, projections, names, store.patients[patient], thickness


def true_matrices(
    store: PairStore,
    settings: PairSettings,
    patient: int,
    projections: Tensor,
    shown: Tensor | None = None,
    *,
    related: bool = True,
) -> Tensor:
    """The correspondence matrices (P, L, L) of V views of one patient, the last a stranger's unless `related`.

    Patches that do not show the X-ray, and views that were moved off the tissue, correspond to nothing.

    Args:
        store: Has the patient.
        settings: grid, mode and tissue count.
        patient: Its number.
        projections: Of the views as they are changed, (V, 3, 4).
        shown: Which patches show the X-ray, (V, L) bool; None is all.
        related: Whether the last view is of the patient too.
    """
    pairs = list(combinations(range(len(projections)), 2))
    known = [pair for pair in pairs if related or pair[1] < len(projections) - 1]
    truth = torch.zeros(len(pairs), settings.grid**2, settings.grid**2)
    if not known:
        return truth
    support, own = store.support(patient, settings.tissue), {"grid": settings.grid, "mode": settings.mode}
    at = [pairs.index(pair) for pair in known]
    try:
        truth[at] = correspondences(support, projections, pairs=known, **own)
    except GeometryError:
        for place, pair in zip(at, known, strict=True):
            truth[place] = _matrix_or_nothing(support, projections, pair, own)
    if shown is not None and not bool(shown.all()):
        for place, (first, second) in zip(at, known, strict=True):
            truth[place] *= shown[first, :, None] & shown[second]
    return truth


def true_thickness(
    store: PairStore, settings: PairSettings, views: Sequence[int], projections: Tensor, shown: Tensor
) -> Tensor:
    """Tissue in the beam of each patch of V views [mm], (V, L); 0 where a patch does not show the X-ray.

    Args:
        store: Has the views.
        settings: grid and tissue count.
        views: Their numbers.
        projections: Of the views as they are changed, (V, 3, 4).
        shown: Which patches show the X-ray, (V, L) bool.
    """
    supports = [store.support(store.patient(view), settings.tissue) for view in views]
    each = [
        patch_thickness(support, projection[None], grid=settings.grid)
        for support, projection in zip(supports, projections, strict=True)
    ]
    return torch.cat(each) * shown


def _matrix_or_nothing(support: Any, projections: Tensor, pair: tuple[int, int], own: dict[str, Any]) -> Tensor:
    try:
        return correspondences(support, projections, pairs=[pair], **own)[0]
    except GeometryError:
        return torch.zeros(own["grid"] ** 2, own["grid"] ** 2)
