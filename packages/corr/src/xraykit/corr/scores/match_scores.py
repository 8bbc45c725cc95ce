"""Scores of predicted correspondence: each pair alone, and all pairs together."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from xraykit.render import InputError
from xraykit.render.evaluation import bootstrap_interval

from .histogram import ScoreHistogram
from .precision_recall import counts_above, overlap_score, pair_average_precision, precision_of, recall_of

TRUE_FROM = 0.5
"""From which true correspondence on an entry is positive; the authors take 0.2."""
FOUND_FROM = 0.5
"""From which predicted correspondence on an entry is found; the authors take 0.2."""


@dataclass(frozen=True)
class PairScores:
    """Scores of one pair of views.

    Args:
        pair: Its name.
        patient: Whose it is.
        positives: How many entries correspond.
        average_precision: NaN where none corresponds.
        precision: Of the entries found at the threshold; 0 where none is found.
        recall: NaN where none corresponds.
        mse: Mean squared error over all entries.
        overlap: Mean of the rows' maxima of the prediction.
    """

    pair: str
    patient: str
    positives: int
    average_precision: float
    precision: float
    recall: float
    mse: float
    overlap: float


@dataclass(frozen=True)
class MatchScores:
    """Scores of many pairs.

    Args:
        pairs: How many.
        without_positive: How many of them have no entry that corresponds; the macro average leaves them out.
        density: Share of entries that correspond, over all pairs.
        ap_macro: Mean of the pairs' average precisions.
        ap_micro: Average precision of all entries pooled.
        ap_micro_error: How far `ap_micro` may be off, at most, because scores are counted in bins.
        precision: Pooled, at `threshold`.
        recall: Pooled, at `threshold`.
        threshold: From which on an entry is found.
        best_threshold: The one with the best pooled F1 here; for use on other pairs than these.
        mse: Mean squared error over all entries.
    """

    pairs: int
    without_positive: int
    density: float
    ap_macro: float
    ap_micro: float
    ap_micro_error: float
    precision: float
    recall: float
    threshold: float
    best_threshold: float
    mse: float


class MatchTally:
    """Scores predictions as they come, and keeps no matrices.

    Args:
        true_from: True correspondence from which on an entry is positive, above 0 to 1.
        found_from: Predicted correspondence from which on it is found, 0 to 1.

    Raises:
        InputError: A threshold outside its range.
    """

    def __init__(self, *, true_from: float = TRUE_FROM, found_from: float = FOUND_FROM) -> None:
        if not (0 < true_from <= 1 and 0 <= found_from <= 1):
            raise InputError(f"thresholds of correspondence must lie in 0 to 1, got {true_from} and {found_from}.")
        self.true_from, self.found_from = true_from, found_from
        self.rows: list[PairScores] = []
        self._histogram = ScoreHistogram()
        self._counts = torch.zeros(3, dtype=torch.int64)
        self._entries = 0
        self._error = 0.0

    def add(
        self,
        predicted: Tensor,
        truth: Tensor,
        *,
        pairs: list[str] | None = None,
        patients: list[str] | None = None,
    ) -> None:
        """Score N pairs.

        Args:
            predicted: (N, L, M), 0 to 1.
            truth: In that shape, 0 to 1.
            pairs: Names of the pairs; their numbers if left out.
            patients: Whose they are; the pairs' names if left out.

        Raises:
            InputError: Shapes that differ, or predictions that are not 0 to 1.
        """
        if predicted.shape != truth.shape or predicted.ndim != 3:
            raise InputError(
                f"predicted and true correspondence must be (pairs, patches, patches) alike, got "
                f"{tuple(predicted.shape)} and {tuple(truth.shape)}."
            )
        predicted, positive = predicted.detach(), truth >= self.true_from
        precision = pair_average_precision(predicted, positive).tolist()
        counts = counts_above(predicted, positive, self.found_from).cpu()
        squared = ((predicted.double() - truth.double()) ** 2).mean(dim=(1, 2)).tolist()
        overlaps = overlap_score(predicted).tolist()
        first = len(self.rows)
        names = pairs or [str(first + n) for n in range(len(predicted))]
        for n, (right, wrong, missed) in enumerate(counts.tolist()):
            patient = names[n] if patients is None else patients[n]
            share = precision_of(right, wrong), recall_of(right, missed)
            row = PairScores(names[n], patient, right + missed, precision[n], *share, squared[n], overlaps[n])
            self.rows.append(row)
        self._histogram.add(predicted, positive)
        self._counts += counts.sum(0)
        self._entries += predicted.numel()
        self._error += sum(squared) * predicted[0].numel() if len(predicted) else 0.0

    def scores(self) -> MatchScores:
        """Scores of all pairs so far.

        Raises:
            InputError: There are none.
        """
        if not self.rows:
            raise InputError("scores need at least one pair of views, got none.")
        known = [row.average_precision for row in self.rows if row.positives]
        right, wrong, missed = self._counts.tolist()
        pooled = self._histogram.average_precision()
        return MatchScores(
            pairs=len(self.rows),
            without_positive=len(self.rows) - len(known),
            density=(right + missed) / self._entries,
            ap_macro=sum(known) / len(known) if known else math.nan,
            ap_micro=pooled.value,
            ap_micro_error=pooled.error,
            precision=precision_of(right, wrong),
            recall=recall_of(right, missed),
            threshold=self.found_from,
            best_threshold=self._histogram.best_threshold(),
            mse=self._error / self._entries,
        )

    def at_best(self) -> tuple[float, float]:
        """Pooled precision and recall at `best_threshold`; NaN where no entry corresponds."""
        return self._histogram.precision_recall(self._histogram.best_threshold())

    def macro_interval(self, *, seed: int = 0) -> tuple[float, float]:
        """95 % interval of `ap_macro`, by drawing patients with all of their pairs again.

        Raises:
            InputError: Fewer than two patients have pairs with an entry that corresponds.
        """
        known = [row for row in self.rows if row.positives]
        values, patients = [row.average_precision for row in known], [row.patient for row in known]
        return bootstrap_interval(values, groups=patients, seed=seed)
