"""What a matcher says of a set of X-rays, and what can be asked of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations, islice
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from xraykit.render import InputError

from ..data.xray_input import PreparedXray
from .point_heat import PointHeat, patch_centers, patch_of, patches_of_anatomy
from .view_letters import view_letter

LOW_OVERLAP = 0.05
"""Below this mean of the best probabilities two views may not show the same part; a guess."""
EVEN = 0.5
"""Below this chance, where the network tells it, two views rather do not."""


class PatchMatch(NamedTuple):
    """Two patches that match: their views, their middles in the original images [px], and how probable it is."""

    views: tuple[int, int]
    a: tuple[float, float]
    b: tuple[float, float]
    probability: float


@dataclass(frozen=True, eq=False)
class Matches:
    """Probabilities for all patches of all pairs of views.

    Args:
        xrays: The views in their order, V of them.
        probability: (P, L, L) float32 in [0, 1], pairs (0, 1), (0, 2), ..., (V-2, V-1); row = patch of the first view,
            column = patch of the second, row-major over a G x G grid, L = G^2.
        network: What made them, for the record.
        notes: What was assumed, a sentence each.
        chances: How likely each pair shows the same part of one patient, (P,), where the network tells it.
    """

    xrays: tuple[PreparedXray, ...]
    probability: Tensor
    network: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    chances: Tensor | None = None

    @property
    def grid(self) -> int:
        """Patches along an edge, G."""
        return round(self.probability.shape[-1] ** 0.5)

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Pairs of views in the order of `probability`."""
        return tuple(combinations(range(len(self.xrays)), 2))

    def between(self, first: int, second: int) -> Tensor:
        """(L, L) with rows for `first` and columns for `second`, which may come in any order.

        Raises:
            InputError: One view twice, or a view that is not there.
        """
        a, b = self._view(first), self._view(second)
        if a == b:
            raise InputError(f"matches lie between two views, got view {first} twice.")
        matrix = self.probability[self.pairs.index((min(a, b), max(a, b)))]
        return matrix if a < b else matrix.T

    def query(self, view: int, x: float, y: float) -> dict[int, PointHeat]:
        """Where a point of one view may lie in each of the others: the row of its patch.

        Args:
            view: Number of the view.
            x: To the right, from the left border of the original image [px].
            y: Down, from its upper border [px].

        Returns:
            The heat by view, without `view` itself.

        Raises:
            InputError: No such view, or the point lies outside its image.
        """
        xray = self.xrays[self._view(view)]
        height, width = xray.size
        if not (0 <= x <= width and 0 <= y <= height):
            size = f"{width} px wide and {height} px high"
            raise InputError(f"the point must lie in {xray.name}, {size}, got x {x:g}, y {y:g}.")
        patch = patch_of(xray, self.grid, x, y)
        others = [other for other in range(len(self.xrays)) if other != view]
        shape = (self.grid, self.grid)
        return {v: PointHeat(v, self.xrays[v], self.between(view, v)[patch].reshape(shape).clone()) for v in others}

    def top(
        self,
        count: int = 30,
        *,
        pair: tuple[int, int] | None = None,
        threshold: float = 0.0,
        mutual: bool = False,
        per_patch: int | None = None,
    ) -> list[PatchMatch]:
        """The most probable matches of each pair of views, best first; a patch may match several.

        Patches of padding and of air do not count.

        Args:
            count: How many of each pair at most.
            pair: Of this pair alone; None is all pairs, one after the other.
            threshold: Least probability.
            mutual: Only those that are the best of their row and of their column.
            per_patch: How many matches of one patch at most, counted from the best; None is all.

        Raises:
            InputError: `count` or `per_patch` below 1, a threshold outside 0 to 1, or no such pair.
        """
        if count < 1 or not 0 <= threshold <= 1:
            raise InputError(f"count must be 1 or more and threshold 0 to 1, got {count} and {threshold:g}.")
        if per_patch is not None and per_patch < 1:
            raise InputError(f"per_patch must be 1 or more, got {per_patch}.")
        found = []
        for a, b in self.pairs if pair is None else (pair,):
            entries = self._ranked(self.between(a, b), a, b, threshold, mutual)
            centers = [patch_centers(self.xrays[view], self.grid).tolist() for view in (a, b)]
            for row, column, value in islice(_limited(entries, per_patch), count):
                x, y = centers[0][row], centers[1][column]
                found.append(PatchMatch((a, b), (x[0], x[1]), (y[0], y[1]), value))
        return found

    @cached_property
    def overlap(self) -> dict[tuple[int, int], float]:
        """Whether each pair of views shows the same part of one patient, 0 to 1.

        The network's `chances` where it tells them. Else the mean over all patches of both views that show anatomy of
        their best probability in the other view, 0 where neither shows any: coarse, and no probability.
        """
        if self.chances is not None:
            return dict(zip(self.pairs, self.chances.tolist(), strict=True))
        seen = [patches_of_anatomy(xray, self.grid).flatten() for xray in self.xrays]
        scores = {}
        for (a, b), matrix in zip(self.pairs, self.probability, strict=True):
            both = matrix[seen[a]][:, seen[b]]
            best = torch.cat([both.amax(1), both.amax(0)]) if both.numel() else torch.zeros(1)
            scores[a, b] = float(best.mean())
        return scores

    @property
    def doubts(self) -> dict[tuple[int, int], str]:
        """For each pair whose overlap is low, a sentence that says so."""
        low = LOW_OVERLAP if self.chances is None else EVEN
        return {
            (a, b): f"{view_letter(a)} and {view_letter(b)} may not show the same part (overlap {score:.2f})"
            for (a, b), score in self.overlap.items()
            if score < low
        }

    def save(self, folder: str | Path, *, matches: Sequence[PatchMatch] | None = None) -> Path:
        """Write matches.json and heat.npz; see `saved_matches`.

        Args:
            folder: Where to; made if need be, the two files in it are replaced.
            matches: Those to list; None is `top()`.

        Returns:
            The path of matches.json.

        Raises:
            OutputError: The folder cannot be made or written.
        """
        from .saved_matches import save_matches

        return save_matches(self, self.top() if matches is None else matches, Path(folder))

    def _view(self, view: int) -> int:
        if not 0 <= view < len(self.xrays):
            raise InputError(f"view must be 0 to {len(self.xrays) - 1}, got {view}.")
        return view

    def _ranked(
        self, matrix: Tensor, a: int, b: int, threshold: float, mutual: bool
    ) -> Iterator[tuple[int, int, float]]:
        """Row, column and value of the entries that may be listed, from the largest; equal ones in their order."""
        seen = [patches_of_anatomy(self.xrays[view], self.grid).flatten() for view in (a, b)]
        allowed = seen[0][:, None] & seen[1][None] & (matrix >= threshold)
        if mutual:
            allowed &= (matrix == matrix.amax(1, keepdim=True)) & (matrix == matrix.amax(0, keepdim=True))
        places = allowed.flatten().nonzero()[:, 0]
        values, order = matrix.flatten()[places].sort(descending=True, stable=True)
        for place, value in zip(places[order].tolist(), values.tolist(), strict=True):
            row, column = divmod(place, len(matrix))
            yield row, column, value


def _limited(entries: Iterable[tuple[int, int, float]], most: int | None) -> Iterator[tuple[int, int, float]]:
    """The entries without those whose row or column was taken `most` times before."""
    rows, columns = Counter[int](), Counter[int]()
    for row, column, value in entries:
        if most is None or max(rows[row], columns[column]) < most:
            rows[row] += 1
            columns[column] += 1
            yield row, column, value
