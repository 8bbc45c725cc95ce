"""What is doubtful in an annotation file that can be read: said one by one, with what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from xraykit.render import XraykitError

from .annotated_pairs import to_shares
from .annotations import AnnotatedPair, AnnotatedSample, Annotations
from .letterbox import Letterbox
from .marked_entries import annotation_targets

FEW_TEST_PATIENTS = 10
SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class AnnotationCheck:
    """What a check has found.

    Args:
        counts: Samples, patients, positive and negative points of each split.
        errors: What makes the file unusable for training, a sentence each.
        doubts: What should be looked at.
    """

    counts: dict[str, dict[str, int]]
    errors: tuple[str, ...]
    doubts: tuple[str, ...]

    @property
    def is_sound(self) -> bool:
        """Whether there is no error."""
        return not self.errors


def check_annotations(
    annotations: Annotations, *, grid: int, size_of: Callable[[Path], tuple[int, int]] | None = None
) -> AnnotationCheck:
    """Compare annotations with their images and with each other.

    Errors: images that are missing, unreadable or of another size; no training points. Doubts: contradictions in one
    pair of patches, points twice, samples without points or with one view, pairs of views without positive points,
    splits without patients or that no command reads, few test patients.

    Args:
        annotations: Of `read_annotations`, which has refused what is impossible.
        grid: Patches a side that points will be told apart by.
        size_of: Height and width of an image's file; None does not open images.
    """
    errors: list[str] = []
    doubts: list[str] = []
    if size_of is not None:
        errors += _image_errors(annotations, size_of)
    for sample in annotations.samples:
        doubts += _sample_doubts(sample, grid)
    counts = {name: _counts(annotations.split(name)) for name in sorted({s.split for s in annotations.samples})}
    if not counts.get("train", {}).get("positive"):
        errors.append('no sample of the split "train" has a positive point; there is nothing to learn from.')
    doubts += [
        f'no sample is in the split "{name}"; {what}.'
        for name, what in (("val", "nothing tells when to stop"), ("test", "nothing tells how good it became"))
        if name not in counts
    ]
    doubts += [
        f'{table["samples"]} samples are in the split "{name}"; no command reads it, they know {", ".join(SPLITS)}.'
        for name, table in counts.items()
        if name not in SPLITS
    ]
    patients = counts.get("test", {}).get("patients", 0)
    if 0 < patients < FEW_TEST_PATIENTS:
        doubts.append(f"the test split has {patients} patients; an interval will be wide.")
    return AnnotationCheck(counts, tuple(errors), tuple(doubts))


def _image_errors(annotations: Annotations, size_of: Callable[[Path], tuple[int, int]]) -> list[str]:
    errors: list[str] = []
    sizes: dict[Path, tuple[int, int] | None] = {}
    for sample in annotations.samples:
        for view in sample.views:
            path = annotations.folder / view.file
            if path not in sizes:
                try:
                    sizes[path] = size_of(path)
                except XraykitError as error:
                    sizes[path] = None
                    errors.append(f"sample {sample.id!r}: {error}")
            size = sizes[path]
            if size is not None and size != view.size:
                errors.append(
                    f"sample {sample.id!r}: {path} is {size[1]} x {size[0]} px, but the annotations say "
                    f"{view.size[1]} x {view.size[0]}; points count in pixels of the original file."
                )
    return errors


def _sample_doubts(sample: AnnotatedSample, grid: int) -> list[str]:
    name, doubts = f"sample {sample.id!r}", []
    if len(sample.views) < 2:
        doubts.append(f"{name} has one view; it cannot be matched.")
    if not any(pair.points for pair in sample.pairs):
        doubts.append(f"{name} has no points.")
    for pair in sample.pairs:
        place = f"{name}, views {pair.views[0]} and {pair.views[1]}"
        doubts += [f"{place}: {what}" for what in _pair_doubts(sample, pair, grid)]
    return doubts


def _pair_doubts(sample: AnnotatedSample, pair: AnnotatedPair, grid: int) -> list[str]:
    doubts = []
    if pair.points and not any(point.match for point in pair.points):
        doubts.append("no positive point.")
    twice = sum(count - 1 for count in Counter((p.a, p.b, p.match) for p in pair.points).values())
    if twice:
        doubts.append(f"{twice} points are there twice.")
    to_input = [to_shares(Letterbox(*sample.views[number].size, size=1)) for number in pair.views]
    contradicted = annotation_targets(pair.points, to_input, grid=grid, dilate=False).contradicted
    if contradicted:
        doubts.append(
            f"{contradicted} negative points lie in a pair of patches that is positive as well ({grid} x {grid} "
            "patches); the positive one counts."
        )
    return doubts


def _counts(samples: tuple[AnnotatedSample, ...]) -> dict[str, int]:
    points = [point for sample in samples for pair in sample.pairs for point in pair.points]
    positive = sum(point.match for point in points)
    return {
        "samples": len(samples),
        "patients": len({sample.patient for sample in samples}),
        "positive": positive,
        "negative": len(points) - positive,
    }
