"""Pooled average precision of a billion entries: counts of positives and of the others over bins of the score."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from xraykit.render import InputError

from .precision_recall import precision_of, recall_of

BINS = 4096


@dataclass(frozen=True)
class PooledPrecision:
    """Average precision over all entries of all pairs, as good as bins can tell.

    Args:
        value: Entries of one bin taken as equal.
        error: How far the average precision of the scores themselves can be from it, at most.
    """

    value: float
    error: float


class ScoreHistogram:
    """Counts of entries by score, 0 to 1, in equal bins; entries of a bin count as equal.

    Args:
        bins: How many.
    """

    def __init__(self, bins: int = BINS) -> None:
        if bins < 2:
            raise InputError(f"a histogram of scores needs 2 bins or more, got {bins}.")
        self.positive, self.negative = (torch.zeros(bins, dtype=torch.int64) for _ in range(2))

    def add(self, score: Tensor, positive: Tensor) -> None:
        """Count entries.

        Args:
            score: Any shape, 0 to 1.
            positive: Booleans in that shape.

        Raises:
            InputError: Shapes that differ, or a score outside 0 to 1.
        """
        if score.shape != positive.shape or not bool(((score >= 0) & (score <= 1)).all()):
            raise InputError("scores must be 0 to 1, one for each entry that is positive or not, got others.")
        bins = len(self.positive)
        place = (score.detach().double() * bins).long().clamp_(max=bins - 1).flatten()
        both = torch.bincount(place + bins * positive.flatten(), minlength=2 * bins).cpu()
        self.negative += both[:bins]
        self.positive += both[bins:]

    def average_precision(self) -> PooledPrecision:
        r"""Pooled average precision with its bounds.

        For a bin with p positives and n others, T and F of them in the bins above, let S = T + p + F + n:
            value: p (T + p) / S; most: p (T + p) / (T + p + F)
            least: p / 2 [(T + 1) / (T + 1 + F + n) + (T + p) / S]
        The last is below the sum over positives that all come after the bin's others, which is concave in their number.
        All are summed over the bins and divided by the number of positives.

        Returns:
            Both NaN where nothing is positive.
        """
        p, n = (counts.flip(0).double() for counts in (self.positive, self.negative))
        total = float(p.sum())
        if not total:
            return PooledPrecision(float("nan"), float("nan"))
        hits, misses = p.cumsum(0), n.cumsum(0)
        before = hits - p
        value = p * hits / (hits + misses).clamp(min=1)
        most = p * hits / (hits + misses - n).clamp(min=1)
        least = 0.5 * p * ((before + 1) / (before + 1 + misses) + hits / (hits + misses).clamp(min=1))
        middle = float(value.sum())
        error = max(float(most.sum()) - middle, middle - float(least.sum()))
        return PooledPrecision(middle / total, error / total)

    def best_threshold(self) -> float:
        """The edge of a bin from which on found entries have the best F1; 0.5 where nothing is positive."""
        hits, found = self.positive.flip(0).cumsum(0), (self.positive + self.negative).flip(0).cumsum(0)
        if not int(hits[-1]):
            return 0.5
        f1 = 2 * hits.double() / (hits[-1] + found).double()
        return 1 - (int(f1.argmax()) + 1) / len(f1)

    def precision_recall(self, edge: float) -> tuple[float, float]:
        """Pooled precision and recall of the entries from an edge of a bin on; 0 where none is, NaN without positive.

        Args:
            edge: k / bins, from 0 on.
        """
        first = round(edge * len(self.positive))
        hits, misses, total = (
            int(counts.sum()) for counts in (self.positive[first:], self.negative[first:], self.positive)
        )
        return precision_of(hits, misses), recall_of(hits, total - hits)
