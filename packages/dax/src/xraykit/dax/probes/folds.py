"""Folds of a cross-validation in which no patient is on both sides."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from xraykit.render import InputError


def grouped_folds(
    patients: Sequence[str], labels: Sequence[str] | None = None, *, folds: int = 5, seed: int = 0
) -> NDArray[np.intp]:
    """The fold of each case: all cases of a patient share one, and every class is spread as evenly as that allows.

    Patients are dealt out one by one, those with the most uneven classes first. Each goes to the fold that leaves the
    shares of the classes most alike, sum over classes of var over folds of (cases in the fold / cases); the fold with
    fewest cases breaks ties.

    Args:
        patients: The patient of each case, (N,).
        labels: The class of each case; None spreads cases alone.
        folds: How many, 2 or more.
        seed: Of the order of patients that are alike; the same gives the same folds.

    Returns:
        Whole numbers 0 to folds - 1, (N,); no fold is empty.

    Raises:
        InputError: Fewer than two folds, fewer patients than folds, no cases, labels of another number, or one class
            only.
    """
    names = list(dict.fromkeys(patients))
    if folds < 2 or len(names) < folds:
        raise InputError(
            f"folds must be 2 or more and at most the number of patients, got {folds} folds and {len(names)} patients; "
            "ask for fewer folds or give more patients."
        )
    groups = np.array([names.index(patient) for patient in patients])
    classes = np.zeros(len(groups), dtype=np.intp) if labels is None else _class_numbers(labels, len(groups))
    counts = np.zeros((len(names), int(classes.max()) + 1))
    np.add.at(counts, (groups, classes), 1)
    shares = counts / counts.sum(0)
    shuffled = np.random.default_rng(seed).permutation(len(names))
    order = shuffled[
        np.argsort(-counts[shuffled].std(1) if counts.shape[1] > 1 else -counts[shuffled, 0], kind="stable")
    ]
    filled, fold_of = np.zeros((folds, counts.shape[1])), np.zeros(len(names), dtype=np.intp)
    for place, group in enumerate(order):
        empty = np.flatnonzero(filled.sum(1) == 0)
        allowed = empty if len(order) - place <= len(empty) else np.arange(folds)
        fold_of[group] = min(allowed, key=lambda fold: _unevenness(filled, int(fold), shares[group]))
        filled[fold_of[group]] += shares[group]
    return fold_of[groups]


def check_labels(labels: Sequence[str]) -> tuple[str, ...]:
    """The classes in order.

    Raises:
        InputError: Fewer than two, or an image without a label.
    """
    names = tuple(sorted(set(labels)))
    if len(names) < 2 or "" in names:
        raise InputError(
            f"a region probe needs a label for each image and two classes, got {', '.join(names) or 'none'}."
        )
    return names


def check_folds(folds: Sequence[int] | NDArray[np.intp], patients: Sequence[str]) -> NDArray[np.intp]:
    """The folds as an array, after a look at them.

    Raises:
        InputError: Folds of another number than the cases, fewer than two folds, or a patient in two of them.
    """
    chosen = np.asarray(folds, dtype=np.intp)
    if chosen.shape != (len(patients),) or len(np.unique(chosen)) < 2:
        raise InputError(
            f"folds must name one of at least two for each of {len(patients)} cases, got {chosen.size} cases in "
            f"{len(np.unique(chosen))} folds."
        )
    first: dict[str, int] = {}
    for patient, fold in zip(patients, chosen.tolist(), strict=True):
        if first.setdefault(patient, fold) != fold:
            raise InputError(
                f"a patient must be in one fold, got {patient} in folds {first[patient]} and {fold}: images of one "
                "patient on both sides make every score too good."
            )
    return chosen


def _class_numbers(labels: Sequence[str], cases: int) -> NDArray[np.intp]:
    classes = {label: number for number, label in enumerate(sorted(set(labels)))}
    if len(labels) != cases or len(classes) < 2:
        raise InputError(
            f"labels must name at least two classes, one for each of {cases} cases, got {len(classes)} classes and "
            f"{len(labels)} labels."
        )
    return np.array([classes[label] for label in labels])


def _unevenness(filled: NDArray[np.float64], fold: int, shares: NDArray[np.float64]) -> tuple[float, float, int]:
    """How uneven the folds are with one more patient in one of them; fold size, then number, break ties."""
    trial = filled.copy()
    trial[fold] += shares
    return round(float(trial.var(0).sum()), 12), float(filled[fold].sum()), fold
