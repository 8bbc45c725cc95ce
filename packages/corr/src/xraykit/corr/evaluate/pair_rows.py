"""One row for each pair of views and arm, and the counts of its scores: what every table is computed from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xraykit.render import FileError
from xraykit.render.evaluation import read_rows, write_rows
from xraykit.render.storage import open_npz, write_atomically

from ..scores.histogram import BINS, ScoreHistogram
from ..scores.match_scores import FOUND_FROM, TRUE_FROM
from ..scores.precision_recall import counts_above, overlap_score, pair_average_precision
from ..train.fixed_pairs import FixedPairs, Predict

AUTHORS_FROM = 0.2
"""From which the authors' code calls an entry true, and found"""
ROWS, COUNTS = "rows.json", "counts.npz"
BATCH = 16


@dataclass(frozen=True)
class PairRow:
    """How one arm did on one pair of views."""

    arm: str
    seed: int
    pair: str
    patient: str
    related: bool
    """Whether both views are of one patient"""
    positives: int
    """Entries that correspond"""
    average_precision: float
    """NaN where none corresponds"""
    mse: float
    overlap: float
    """Mean of the rows' maxima of the prediction"""
    found: tuple[int, ...]
    """Found rightly, found wrongly and missed at 0.5"""
    found_chosen: tuple[int, ...]
    """The same at the threshold that did best on validation pairs"""
    found_authors: tuple[int, ...]
    """The same where 0.2 is true and found, as in the authors' code"""


@dataclass(frozen=True, eq=False)
class ArmRows:
    """The rows of an arm.

    Args:
        rows: N of them.
        counts: (N, 2, 2, BINS) entries by score: of truth from 0.5 and from 0.2, others and positives.
    """

    rows: list[PairRow]
    counts: NDArray[np.int32]


def score_pairs(
    predict: Predict, pairs: FixedPairs, *, arm: str, seed: int = 0, threshold: float = FOUND_FROM
) -> ArmRows:
    """One row for each pair.

    Args:
        predict: Gives the prediction (n, L, L) for a slice of the pairs.
        pairs: Of test patients.
        arm: Its name.
        seed: Of its training.
        threshold: Chosen on validation pairs.
    """
    rows: list[PairRow] = []
    counts = []
    for begin in range(0, len(pairs.truth), BATCH):
        part = slice(begin, begin + BATCH)
        predicted, truth = predict(part).float().cpu(), pairs.truth[part]
        positive, by_authors = truth >= TRUE_FROM, truth >= AUTHORS_FROM
        precisions = pair_average_precision(predicted, positive).tolist()
        found = [
            counts_above(predicted, positive, FOUND_FROM).tolist(),
            counts_above(predicted, positive, threshold).tolist(),
            counts_above(predicted, by_authors, AUTHORS_FROM).tolist(),
        ]
        squared = (predicted.double() - truth.double()).square().mean((1, 2)).tolist()
        overlaps = overlap_score(predicted).tolist()
        for n in range(len(predicted)):
            at = begin + n
            rows.append(
                PairRow(
                    arm, seed, pairs.names[at], pairs.patients[at], bool(pairs.related[at]), int(positive[n].sum()),
                    precisions[n], squared[n], overlaps[n], *(tuple(each[n]) for each in found),
                )
            )  # fmt: skip
            counts.append([_counted(predicted[n], positive[n]), _counted(predicted[n], by_authors[n])])
    return ArmRows(rows, np.array(counts, dtype=np.int32))


def chosen_threshold(predict: Predict, pairs: FixedPairs | None) -> float:
    """The threshold with the best pooled F1 on validation pairs; 0.5 without any."""
    if pairs is None or not bool(pairs.related.any()):
        return FOUND_FROM
    histogram = ScoreHistogram()
    for begin in range(0, len(pairs.truth), BATCH):
        part = slice(begin, begin + BATCH)
        chosen = pairs.related[part]
        histogram.add(predict(part).float().cpu()[chosen], pairs.truth[part][chosen] >= TRUE_FROM)
    return histogram.best_threshold()


def write_arm(folder: Path, made: ArmRows) -> None:
    """rows.json and counts.npz; the rows last, so that their being there says that the arm is done."""
    write_atomically(folder / COUNTS, lambda file: np.savez_compressed(file, counts=made.counts))
    write_rows(folder / ROWS, made.rows)


def read_arm(folder: Path) -> ArmRows:
    """What `write_arm` wrote.

    Raises:
        FileError: Missing, damaged, or not of one another.
    """
    rows, path = read_rows(folder / ROWS, PairRow), folder / COUNTS
    remedy = f"delete {folder} to make it anew"
    with open_npz(path, what=f"the counts of {ROWS}", remedy=remedy) as held:
        counts = held["counts"]
    if counts.shape != (len(rows), 2, 2, BINS):
        raise FileError(f"{path} must have counts for {len(rows)} pairs, got shape {counts.shape}; {remedy}.")
    return ArmRows(rows, counts)


def pooled(counts: NDArray[np.integer]) -> ScoreHistogram:
    """The histogram of counts (..., 2, BINS), all pairs together."""
    histogram = ScoreHistogram()
    total = torch.from_numpy(counts.reshape(-1, 2, BINS).sum(0, dtype=np.int64))
    histogram.negative, histogram.positive = total[0], total[1]
    return histogram


def joined(parts: Sequence[ArmRows]) -> ArmRows:
    """The rows of several trainings of one arm."""
    return ArmRows([row for part in parts for row in part.rows], np.concatenate([part.counts for part in parts]))


def _counted(score: Tensor, positive: Tensor) -> NDArray[np.int64]:
    histogram = ScoreHistogram()
    histogram.add(score, positive)
    return torch.stack([histogram.negative, histogram.positive]).numpy()
