"""Which views are seen together: of one patient from directions that differ, and now and then of two patients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xraykit.render import InputError
from xraykit.render.seeds import epoch_order, item_stream

from .pair_store import PairStore, checked_patients
from .settings import PairSettings


class ChosenViews(NamedTuple):
    """One item: V numbers of views in the store, and whether all of them are of one patient (else the last is not)."""

    views: tuple[int, ...]
    related: bool


class PairChoice:
    """Items of views, each a pure function of seed, epoch and place.

    In an epoch every patient comes up once for each two of its views; each time its views are drawn anew, in any order.

    Args:
        store: The views.
        settings: `angles`, `unrelated` and `views_per_item` count here.
        patients: Numbers of the patients to choose from; None is all.

    Attributes:
        left_out: Patients without enough views whose beams meet at such an angle.

    Raises:
        InputError: No patient is left, or a number is out of range.
    """

    def __init__(self, store: PairStore, settings: PairSettings, *, patients: Sequence[int] | None = None) -> None:
        self.settings = settings
        self._pairs: dict[int, NDArray[np.int64]] = {}
        self._views: dict[int, NDArray[np.int64]] = {}
        self.left_out: list[int] = []
        for patient in checked_patients(store, patients):
            views = np.array(store.views_of(patient), dtype=np.int64)
            allowed = _allowed(store.projections[views], settings.angles)
            if len(views) >= settings.views_per_item and allowed.any():
                self._views[patient], self._pairs[patient] = views, np.argwhere(allowed)
            else:
                self.left_out.append(patient)
        if not self._views:
            low, high = settings.angles
            raise InputError(
                f"pairs need a patient seen in {settings.views_per_item} views {low:g} to {high:g} degrees "
                f"apart, got none among {len(self.left_out)} patients; make more views of each, or widen the angles."
            )
        self._patients = list(self._views)
        self._row = [patient for patient in self._patients for _ in range(len(self._views[patient]) // 2)]

    def __len__(self) -> int:
        """Items of an epoch."""
        return len(self._row)

    def item(self, epoch: int, place: int, *, seed: int) -> ChosenViews:
        """The views at a place of an epoch."""
        patient = self._row[epoch_order(seed, epoch, len(self))[place]]
        rng = item_stream(seed, epoch, place, purpose=2)
        views = self._views[patient]
        chosen = self._pairs[patient][rng.integers(len(self._pairs[patient]))].tolist()
        more = self.settings.views_per_item - 2
        if more:
            others = [n for n in rng.permutation(len(views)).tolist() if n not in chosen]
            chosen += others[:more]
        found = views[chosen].tolist()
        related = len(self._patients) == 1 or rng.random() >= self.settings.unrelated
        if not related:
            stranger = self._patients[int(rng.integers(len(self._patients) - 1))]
            stranger = self._patients[-1] if stranger == patient else stranger
            found[-1] = int(rng.choice(self._views[stranger]))
        return ChosenViews(tuple(found), related)


def relative_angles(projections: Tensor) -> Tensor:
    """Angles between the beam axes of N views, (N, N) float64 [degrees]."""
    axes = projections[:, 2, :3].double()
    return torch.rad2deg(torch.acos((axes @ axes.mT).clamp(-1, 1)))


def allowed_pairs(store: PairStore, patient: int, angles: tuple[float, float]) -> NDArray[np.int64]:
    """Numbers (n, 2) of a patient's views whose beams meet at such an angle [degrees], each two once, ascending."""
    views = np.array(store.views_of(patient), dtype=np.int64)
    return views[np.argwhere(np.triu(_allowed(store.projections[views], angles)))].reshape(-1, 2)


def _allowed(projections: Tensor, angles: tuple[float, float]) -> NDArray[np.bool_]:
    """(N, N): whether two views differ, and their beams by an angle in the range."""
    found = relative_angles(projections).numpy()
    allowed = (found >= angles[0] - 1e-9) & (found <= angles[1] + 1e-9)
    np.fill_diagonal(allowed, False)
    return allowed
