"""The report of the region probe, from rows alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import get_args

import numpy as np

from ..comparison import ScoredCases, differences, scored
from ..report import ProbeReport, ReportPicture, ReportTable, difference_table, score_table
from ..report_pictures import confusion_picture, score_picture
from .region_probe import RegionRow
from .scores import ScoreName, class_scores, confusion_matrix, score_of

NOTES = (
    "Every image was judged by a classifier that saw no image of its patient; intervals draw patients again.",
    "linear: logistic regression on standardised features, fitted to convergence, its L2 strength chosen among the "
    "training patients. This is the score to compare backbones by.",
    "published: the protocol of the paper, one linear layer by SGD on features as they are. It stays far from "
    "converged where features are small, so that it also measures their scale.",
    "knn: votes of the nearest training images by cosine.",
    "p compares the patients' mean accuracies by a permutation test, adjusted for all pairs (Holm).",
    "The weighted recall equals the accuracy; a paper whose recall and accuracy agree reports weighted means.",
)


def region_report(rows: Sequence[RegionRow], *, seed: int = 0) -> ProbeReport:
    """Accuracy, weighted and macro F1 with intervals, differences between backbones, recalls and confusions.

    Args:
        rows: Of all backbones and classifiers, on the same images.
        seed: Of bootstrap and permutations.

    Raises:
        InputError: Backbones that were judged on other images, or fewer than two patients.
        BackendUnavailableError: matplotlib is not installed.
    """
    names = sorted({row.truth for row in rows} | {row.found for row in rows})
    heads = list(dict.fromkeys(row.head for row in rows))
    backbones = list(dict.fromkeys(row.backbone for row in rows))
    cases = {(b, h): _cases(rows, b, h, names) for h in heads for b in backbones}
    scoring = {name: partial(score_of, count=len(names), name=name) for name in get_args(ScoreName)}
    scores = {name: [scored(one, score, seed=seed) for one in cases.values()] for name, score in scoring.items()}
    apart = {
        head: differences([cases[b, head] for b in backbones], scoring["weighted_f1"], seed=seed) for head in heads
    }
    matrices = {key: confusion_matrix(one.values[:, 0], one.values[:, 1], len(names)) for key, one in cases.items()}
    full = {f"{b}, {h}": class_scores(matrix) for (b, h), matrix in matrices.items()}
    lead = (
        f"{len(cases[backbones[0], heads[0]].cases)} images of {len({row.patient for row in rows})} patients, "
        f"{len(names)} regions, {len({row.fold for row in rows})} folds of patients, backbones: {len(backbones)}."
    )
    shown = heads[0]
    columns = [full[f"{b}, {shown}"] for b in backbones]
    recalls = tuple((name, *(f"{one.recall[n]:.1%}" for one in columns)) for n, name in enumerate(names))
    tables = [
        score_table(scores["weighted_f1"], "Weighted F1"),
        score_table(scores["macro_f1"], "Macro F1"),
        score_table(scores["accuracy"], "Accuracy"),
        *(difference_table(apart[head], f"Differences of weighted F1, {head}") for head in heads if apart[head]),
        ReportTable(f"Recall of each region, {shown}", ("region", *backbones), recalls),
    ]
    pictures = [
        ReportPicture("Weighted F1 and its 95 % interval", score_picture(scores["weighted_f1"], xlabel="weighted F1"))
    ]
    pictures += [
        ReportPicture(f"Confusions, {b}, {shown}", confusion_picture(matrices[b, shown], names, title=f"{b}, {shown}"))
        for b in backbones
    ]
    numbers = {
        "regions": names,
        **{name: [asdict(one) for one in values] for name, values in scores.items()},
        "differences": {head: [asdict(one) for one in values] for head, values in apart.items()},
        "scores": {name: {k: np.asarray(v).tolist() for k, v in vars(one).items()} for name, one in full.items()},
        "confusions": {f"{b}, {h}": matrix.tolist() for (b, h), matrix in matrices.items()},
    }
    return ProbeReport("Region probe", lead, tuple(tables), tuple(pictures), numbers, NOTES)


def _cases(rows: Sequence[RegionRow], backbone: str, head: str, names: list[str]) -> ScoredCases:
    mine = sorted((r for r in rows if r.backbone == backbone and r.head == head), key=lambda row: row.case)
    values = np.array([[names.index(row.truth), names.index(row.found)] for row in mine], dtype=np.float64)
    return ScoredCases(
        f"{backbone}, {head}",
        values,
        (values[:, 0] == values[:, 1]).astype(np.float64),
        tuple(row.case for row in mine),
        tuple(row.patient for row in mine),
        tuple(row.fold for row in mine),
    )
