"""Correspondences that guide a classifier: predicted, their mean, shuffled over studies, or true."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from xraykit.render import InputError

from ..network.matcher import MatchNetwork
from ..studies.study_batches import StudyMatrices
from ..studies.study_store import StudyStore
from ..studies.study_truth import TRUTH, read_truth
from .study_arm import GuidanceKind

BATCH = 8


class StudyGuidance:
    """Correspondences of the studies of a store, computed once and kept as bytes.

    Args:
        store: Prepared studies.
        grid: Patches a side.
        matcher: Frozen; None if there is none.
        truth: The file of the true correspondence; None if there is none.
        device: Where the matcher computes.
        report: Called with (studies done, studies in all) while it does.
    """

    def __init__(
        self,
        store: StudyStore,
        *,
        grid: int,
        matcher: MatchNetwork | None,
        truth: Path | None,
        device: torch.device,
        report: Callable[[int, int], None] | None = None,
    ) -> None:
        self.store, self.grid, self.matcher, self.truth, self.device = store, grid, matcher, truth, device
        self.report = report
        self._predicted: Tensor | None = None
        self._true: Tensor | None = None

    def matrices(self, kind: GuidanceKind, *, learned: Sequence[int], seed: int = 0) -> StudyMatrices | None:
        """What gives the correspondences (P, L, L) of a study by its number; None for "off".

        Mean and shuffled ones are made of predicted ones where there is a matcher, else of the true ones. A shuffled
        one is that of another study of the same split.

        Args:
            kind: Which.
            learned: Numbers of the studies that the mean is taken over.
            seed: Of the shuffling.

        Raises:
            InputError: There is no matcher, or no true correspondence, or one of another grid.
        """
        if kind == "off":
            return None
        if kind == "predicted" or (kind != "oracle" and self.matcher is not None):
            source = self._all_predicted()
        else:
            source = self._all_true(kind)
        if kind == "mean":
            mean = source[list(learned)].double().mean(0).div(255).float()
            return lambda number: mean
        place = _another(self.store, seed) if kind == "shuffled" else list(range(len(self.store)))
        return lambda number: source[place[number]].float() / 255

    def _all_true(self, kind: str) -> Tensor:
        if self.truth is None:
            raise _missing(kind)
        if self._true is None:
            self._true = read_truth(self.truth, self.store.studies, views=self.store.views, grid=self.grid)
        return self._true

    @torch.no_grad()
    def _all_predicted(self) -> Tensor:
        if self.matcher is None:
            raise _missing("predicted")
        if self._predicted is None:
            network = self.matcher.eval().to(self.device)
            views, total, found = self.store.views, len(self.store), []
            pairs = list(combinations(range(views), 2))
            for first in range(0, total, BATCH):
                numbers = range(first, min(first + BATCH, total))
                images = torch.stack([self.store.images(number) for number in numbers]).to(self.device)
                there = self.store.present[list(numbers)]
                both = torch.stack([there[:, a] & there[:, b] for a, b in pairs], dim=1)
                seen = None if bool(there.all()) else there.to(self.device)
                probability = network(images, present=seen).probability.float().cpu() * both[..., None, None]
                found.append((probability * 255).round().to(torch.uint8))
                if self.report is not None:
                    self.report(numbers[-1] + 1, total)
            self._predicted = torch.cat(found)
        return self._predicted


def check_guidance(kind: GuidanceKind, *, views: int, matcher: bool, truth: bool) -> None:
    """Make sure that there is what a guidance is made of, before anything is computed.

    Raises:
        InputError: One view, no matcher, or no true correspondence.
    """
    if kind != "off" and views < 2:
        raise InputError(f"guidance needs two or more views of a study, got --views {views}.")
    enough = {"off": True, "predicted": matcher, "oracle": truth}.get(kind, matcher or truth)
    if not enough:
        raise _missing(kind)


def _missing(kind: str) -> InputError:
    what = {
        "predicted": "a matcher, got none; give --pretrained its weights",
        "oracle": f"the true correspondence, got no {TRUTH} beside the manifest",
    }
    either = f"a matcher (--pretrained) or {TRUTH} beside the manifest, got neither"
    return InputError(f"guidance {kind} needs {what.get(kind, either)}.")


def _another(store: StudyStore, seed: int) -> list[int]:
    """For each study another one of its split: one cycle through all of them, in a random order."""
    place = list(range(len(store)))
    for split in {study.split for study in store.studies}:
        numbers = store.numbers_of(split)
        order = np.random.default_rng([seed, 3]).permutation(numbers).tolist()
        for number, other in zip(order, order[1:] + order[:1], strict=True):
            place[number] = other
    return place
