"""The report of the metal probe, from rows and the masks that were found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from ..comparison import ScoredCases, differences, scored
from ..feature_store import FeatureStore
from ..report import ProbeReport, ReportPicture, difference_table, score_table
from ..report_pictures import OverlayImage, overlay_picture, score_picture
from .metal_probe import MetalRow
from .overlap import dice

NOTES = (
    "Every image was judged by a head that saw no image of its patient; intervals draw patients again.",
    "The score is the mean Dice of images. An image without metal counts 1 if none was found, else 0.",
    "p compares the patients' mean Dice by a permutation test, adjusted for all pairs (Holm).",
    "The head is a 1 x 1 convolution of all maps; a pixel is metal from a probability of 0.5.",
)


def metal_report(
    rows: Sequence[MetalRow],
    found: Mapping[str, tuple[FeatureStore, NDArray[np.bool_]]],
    *,
    shown: int = 8,
    seed: int = 0,
) -> ProbeReport:
    """Mean Dice with intervals, differences between backbones, and found masks over images.

    Args:
        rows: Of all backbones, on the same images.
        found: For each backbone the store and the masks that were found, in its order.
        shown: Images per backbone, from the worst to the best.
        seed: Of bootstrap and permutations.

    Raises:
        InputError: Backbones that were judged on other images, or fewer than two patients.
        BackendUnavailableError: matplotlib is not installed.
    """
    backbones = list(dict.fromkeys(row.backbone for row in rows))
    cases = [_cases(rows, name) for name in backbones]
    scores = [scored(one, _mean, seed=seed) for one in cases]
    apart = differences(cases, _mean, seed=seed)
    empty = sum(row.truth == 0 for row in rows if row.backbone == backbones[0])
    lead = (
        f"{len(cases[0].cases)} images of {len(set(cases[0].patients))} patients, {empty} of them without metal, "
        f"{len(set(cases[0].folds))} folds of patients, backbones: {len(backbones)}."
    )
    tables = [score_table(scores, "Dice")]
    if apart:
        tables.append(difference_table(apart, "Differences of Dice"))
    pictures = [ReportPicture("Mean Dice and its 95 % interval", score_picture(scores, xlabel="Dice"))]
    for name, (store, masks) in found.items():
        values = np.array([_dice(row) for row in rows if row.backbone == name])
        order = np.argsort(values, kind="stable")
        places = order[np.unique(np.linspace(0, len(order) - 1, min(shown, len(order))).round().astype(int))]
        truth = store.masks if store.masks is not None else np.zeros_like(masks)
        images = [
            OverlayImage(store.images[n], f"{store.names[n]}  Dice {values[n]:.2f}", truth[n], masks[n]) for n in places
        ]
        caption = f"{name}: from the worst image to the best; truth blue, found orange"
        pictures.append(ReportPicture(caption, overlay_picture(images)))
    numbers = {"dice": [asdict(one) for one in scores], "differences": [asdict(one) for one in apart], "empty": empty}
    return ProbeReport("Metal probe", lead, tuple(tables), tuple(pictures), numbers, NOTES)


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean())


def _dice(row: MetalRow) -> float:
    return float(dice(row.truth, row.found, row.both))


def _cases(rows: Sequence[MetalRow], backbone: str) -> ScoredCases:
    mine = sorted((row for row in rows if row.backbone == backbone), key=lambda row: row.case)
    values = np.array([_dice(row) for row in mine])
    return ScoredCases(
        backbone,
        values[:, None],
        values,
        tuple(row.case for row in mine),
        tuple(row.patient for row in mine),
        tuple(row.fold for row in mine),
    )
