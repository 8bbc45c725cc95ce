"""Rows and report of the screw probe: what a detector on one backbone's maps found in images of unseen patients."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from xraykit.render import InputError

from .comparison import ScoredCases, differences, scored
from .feature_store import FeatureStore
from .folds import check_folds
from .report import ProbeReport, ReportPicture, ReportTable, difference_table, score_table
from .report_pictures import OverlayImage, overlay_picture, score_picture
from .screws import (
    ScrewDetections,
    ScrewSettings,
    ScrewTruth,
    average_precision,
    detect,
    keypoint_similarity,
    train_detector,
)
from .screws.oks import area_under_precision, judged_image

RESAMPLES, SURE = 500, 0.5  # draws of the bootstrap; score from which a found screw is shown


@dataclass(frozen=True)
class ScrewRow:
    """What a detector found in one image.

    Args:
        backbone: Whose maps.
        case: The image.
        patient: Whose image it is.
        fold: In which it was held out.
        inputs: Digest of weights and images.
        size: Edge of the image [px].
        truth: Five numbers a screw: head u, v [px], tip u, v, and which are visible (1 head, 2 tip, 3 both).
        found: Five numbers a screw found: head u, v [px], tip u, v, score; the best first.
    """

    backbone: str
    case: str
    patient: str
    fold: int
    inputs: str
    size: int
    truth: tuple[float, ...]
    found: tuple[float, ...]


def screw_rows(
    store: FeatureStore,
    folds: Sequence[int] | NDArray[np.intp],
    *,
    backbone: str,
    settings: ScrewSettings,
    held_out: int = 1,
    seed: int = 0,
    device: str = "cpu",
    report: Callable[[int, int], None] | None = None,
) -> list[ScrewRow]:
    """A row for each image of the folds that are held out, seen by a detector that never saw its patient.

    Args:
        store: Features with maps and keypoints.
        folds: The fold of each image, (N,).
        backbone: Its name in the rows.
        settings: Of the detector.
        held_out: How many of the folds are held out in turn, from the first.
        seed: Of each detector.
        device: Where it is trained.
        report: Called with how many steps of all detectors are done, and how many there are.

    Raises:
        InputError: A store without maps or keypoints, a patient in two folds, or no such number of folds.
    """
    if store.keypoints is None or not store.maps:
        raise InputError(f"{store.folder} must hold maps and keypoints, got none; make features of images with screws.")
    fold = check_folds(folds, store.patients)
    numbers = np.unique(fold).tolist()
    if not 1 <= held_out <= len(numbers):
        raise InputError(f"held_out must be 1 to {len(numbers)} folds, got {held_out}.")
    size, steps = store.images.shape[-1], settings.training.steps
    truth = [_truth(points, size) for points in store.keypoints]
    maps = [one.values for one in store.maps]
    rows = []
    for place, number in enumerate(numbers[:held_out]):
        kept, held = (np.flatnonzero(part) for part in (fold != number, fold == number))

        def told(step: int, _: Mapping[str, float], done: int = place * steps) -> None:
            if report is not None:
                report(done + step, held_out * steps)

        detector = train_detector(maps, truth, settings, chosen=kept, seed=seed, report=told, device=device)
        for n, one in zip(held.tolist(), detect(detector, maps, chosen=held), strict=True):
            names = (backbone, store.names[n], store.patients[n], number, store.digest, size)
            rows.append(ScrewRow(*names, _flat_truth(truth[n]), _flat_found(one)))
    return rows


def screw_report(
    rows: Sequence[ScrewRow],
    found: Mapping[str, FeatureStore],
    *,
    half_distance: float = 30.0,
    shown: int = 8,
    seed: int = 0,
) -> ProbeReport:
    """Average precision and recall with intervals, differences between backbones, keypoints over images.

    Args:
        rows: Of all backbones, on the same images.
        found: The store of each backbone, for its images.
        half_distance: At which a keypoint's similarity is a half [px].
        shown: Images per backbone, from the worst to the best.
        seed: Of bootstrap and permutations.

    Raises:
        InputError: Backbones that were judged on other images, fewer than two patients, or images without screws.
        BackendUnavailableError: matplotlib is not installed.
    """
    backbones = list(dict.fromkeys(row.backbone for row in rows))
    mine = {name: sorted((r for r in rows if r.backbone == name), key=lambda row: row.case) for name in backbones}
    pairs = [(_found_of(row), _truth_of(row)) for name in backbones for row in mine[name]]
    cases, first = [], 0
    for name in backbones:
        cases.append(_cases(name, mine[name], pairs, first, half_distance))
        first += len(mine[name])

    judged = [judged_image(found, truth, half_distance) for found, truth in pairs]
    precision = partial(_precision, judged=judged, screws=np.array([len(truth) for _, truth in pairs]))
    scores = [scored(one, precision, resamples=RESAMPLES, seed=seed) for one in cases]
    apart = differences(cases, precision, resamples=RESAMPLES, seed=seed)
    full = {
        name: average_precision(
            [_found_of(row) for row in mine[name]], [_truth_of(row) for row in mine[name]], half_distance=half_distance
        )
        for name in backbones
    }
    columns = ("ap", "ap50", "ap75", "ar", "ar50", "ar75")
    table = tuple((name, *(f"{getattr(full[name], column):.1%}" for column in columns)) for name in backbones)
    tables = [
        score_table(scores, "Average precision, OKS .50:.05:.95"),
        ReportTable("Precision and recall", ("backbone", "AP", "AP50", "AP75", "AR", "AR50", "AR75"), table),
    ]
    if apart:
        tables.append(difference_table(apart, "Differences of average precision"))
    pictures = [ReportPicture("Average precision and its 95 % interval", score_picture(scores, xlabel="AP"))]
    pictures += [_overlays(one, mine[one.name], found[one.name], shown) for one in cases]
    seen = full[backbones[0]]
    lead = (
        f"{seen.screws} screws in {seen.images} held-out images of {len(set(cases[0].patients))} patients, "
        f"backbones: {len(backbones)}. A keypoint {half_distance:g} px away has a similarity of a half, in images of "
        f"{rows[0].size} px."
    )
    notes = (
        "Every image was judged by a detector that saw no image of its patient; intervals draw patients again.",
        "p compares the mean similarity of each true screw to the nearest of as many found ones.",
    )
    numbers = {
        "ap": [asdict(one) for one in scores],
        "differences": [asdict(one) for one in apart],
        "scores": {name: asdict(one) for name, one in full.items()},
    }
    return ProbeReport("Screw probe", lead, tuple(tables), tuple(pictures), numbers, notes)


def _precision(
    values: NDArray[np.float64],
    judged: Sequence[tuple[NDArray[np.float64], NDArray[np.bool_]]],
    screws: NDArray[np.int64],
) -> float:
    """The average precision of the images whose places are in the first column; each was judged once, before."""
    chosen = values[:, 0].astype(int)
    total, parts = int(screws[chosen].sum()), [judged[n] for n in chosen]
    if total == 0:
        return 0.0
    order = np.argsort(-np.concatenate([scores for scores, _ in parts]), kind="stable")
    right = np.concatenate([right for _, right in parts], axis=1)[:, order]
    return float(np.mean([area_under_precision(row, total) for row in np.cumsum(right, axis=1)]))


def _overlays(cases: ScoredCases, rows: Sequence[ScrewRow], store: FeatureStore, shown: int) -> ReportPicture:
    """Images from the worst to the best, with the found screws that are sure."""
    order = np.argsort(cases.mean, kind="stable")
    places = order[np.unique(np.linspace(0, len(order) - 1, min(shown, len(order))).round().astype(int))]
    images = []
    for n in places:
        row, found = rows[n], _found_of(rows[n])
        truth = _truth_of(row)
        points = torch.where(truth.visible[..., None], truth.points, torch.nan).numpy()
        sure = found.points[found.scores >= SURE].numpy()
        image = store.images[store.names.index(row.case)]
        caption = f"{row.case}  similarity {cases.mean[n]:.2f}"
        images.append(OverlayImage(image, caption, truth_points=points, found_points=sure))
    caption = f"{cases.name}: from the worst image to the best; truth blue, found (score 0.5 or more) orange"
    return ReportPicture(caption, overlay_picture(images))


def _cases(
    name: str,
    rows: Sequence[ScrewRow],
    pairs: Sequence[tuple[ScrewDetections, ScrewTruth]],
    first: int,
    half_distance: float,
) -> ScoredCases:
    means = [_similarity(*pairs[first + n], half_distance) for n in range(len(rows))]
    return ScoredCases(
        name,
        np.arange(first, first + len(rows), dtype=np.float64)[:, None],
        np.array(means),
        tuple(row.case for row in rows),
        tuple(row.patient for row in rows),
        tuple(row.fold for row in rows),
    )


def _similarity(found: ScrewDetections, truth: ScrewTruth, half_distance: float) -> float:
    """Mean similarity of each true screw to the nearest of as many found ones; 1 without screws."""
    if not len(truth):
        return 1.0
    best = found.points[: len(truth)].double()
    if not len(best):
        return 0.0
    near = keypoint_similarity(best[:, None], truth.points.double(), truth.visible, half_distance=half_distance)
    return float(near.amax(0).mean())


def _truth(points: NDArray[np.float64], size: int) -> ScrewTruth:
    return ScrewTruth(torch.from_numpy(points[..., :2]).float(), torch.from_numpy(points[..., 2] > 0), (size, size))


def _flat_truth(truth: ScrewTruth) -> tuple[float, ...]:
    seen = truth.visible.float() @ torch.tensor([1.0, 2.0])
    return tuple(torch.cat([truth.points.flatten(1), seen[:, None]], 1).flatten().tolist())


def _flat_found(found: ScrewDetections) -> tuple[float, ...]:
    return tuple(torch.cat([found.points.flatten(1), found.scores[:, None]], 1).flatten().tolist())


def _truth_of(row: ScrewRow) -> ScrewTruth:
    values = torch.tensor(row.truth).reshape(-1, 5)
    seen = values[:, 4].long()
    visible = torch.stack([seen % 2 == 1, seen >= 2], 1)
    return ScrewTruth(values[:, :4].reshape(-1, 2, 2), visible, (row.size, row.size))


def _found_of(row: ScrewRow) -> ScrewDetections:
    values = torch.tensor(row.found).reshape(-1, 5)
    return ScrewDetections(values[:, :4].reshape(-1, 2, 2), values[:, 4])
