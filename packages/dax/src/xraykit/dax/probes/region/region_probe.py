"""Which region of the body an image shows, told from one vector an image: three classifiers over folds of patients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ..feature_store import FeatureStore
from ..folds import check_folds, check_labels
from .knn import knn_shares
from .linear import choose_strength, fit_linear
from .published import PublishedProtocol, fit_published
from .settings import REGION_HEADS, RegionHead


@dataclass(frozen=True)
class RegionRow:
    """What one classifier on one backbone's features said of one image.

    Args:
        backbone: Whose features.
        head: Which classifier.
        case: The image.
        patient: Whose image it is.
        fold: In which it was held out.
        inputs: Digest of weights and images.
        truth: The region that it shows.
        found: The region that was said.
        probability: How sure that was, in [0, 1]; of knn, the share of the votes.
    """

    backbone: str
    head: str
    case: str
    patient: str
    fold: int
    inputs: str
    truth: str
    found: str
    probability: float


def region_rows(
    store: FeatureStore,
    folds: Sequence[int] | NDArray[np.intp],
    *,
    backbone: str,
    heads: Sequence[RegionHead] = REGION_HEADS,
    neighbours: int = 20,
    seed: int = 0,
    report: Callable[[int, int], None] | None = None,
) -> list[RegionRow]:
    """A row for each image and classifier, every image judged by classifiers that never saw its patient.

    Args:
        store: Features and labels.
        folds: The fold of each image, (N,).
        backbone: Its name in the rows.
        heads: "linear" (`fit_linear`, its strength chosen within the training patients), "published"
            (`fit_published`), "knn" (`knn_shares`).
        neighbours: Of knn.
        seed: Of inner folds and of the published protocol.
        report: Called with how many fits are done, and how many there are.

    Raises:
        InputError: Labels of one class, a patient in two folds, or features that are not finite.
    """
    names = check_labels(store.labels)
    fold = check_folds(folds, store.patients)
    classes = np.array([names.index(label) for label in store.labels])
    features, found = np.asarray(store.pooled), []
    parts: list[tuple[RegionHead, int]] = [(head, number) for head in heads for number in np.unique(fold).tolist()]
    for done, (head, number) in enumerate(parts, 1):
        kept, held = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        patients = [store.patients[n] for n in kept]
        train = (features[kept], classes[kept], len(names))
        shares = _shares(head, train, patients, features[held], neighbours=neighbours, seed=seed)
        for n, row in zip(held.tolist(), shares, strict=True):
            best = int(row.argmax())
            found.append(
                RegionRow(
                    backbone,
                    head,
                    store.names[n],
                    store.patients[n],
                    number,
                    store.digest,
                    store.labels[n],
                    names[best],
                    float(row[best]),
                )
            )
        if report is not None:
            report(done, len(parts))
    return found


def _shares(
    head: RegionHead,
    train: tuple[NDArray[np.floating], NDArray[np.intp], int],
    patients: Sequence[str],
    asked: NDArray[np.floating],
    *,
    neighbours: int,
    seed: int,
) -> torch.Tensor:
    """Probabilities (M, K) of the held-out features."""
    features, classes, count = train
    if head == "knn":
        return knn_shares(features, classes, asked, count, neighbours=neighbours)
    if head == "published":
        return fit_published(features, classes, count, PublishedProtocol(seed=seed)).logits(asked).softmax(1)
    strength = choose_strength(features, classes, count, patients, seed=seed)
    return fit_linear(features, classes, count, strength=strength).logits(asked).softmax(1)
