"""Pairs of points that somebody has marked in X-rays of one patient: read, written, complete or refused."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from xraykit.render import FileError, InputError
from xraykit.render.storage import read_json_object, write_atomically

from .json_fields import file_name, finite, listed_values, needed, shown, text, whole, xy, zero_or_one

SCHEMA = "xcorr-annotations/1"
NEGATIVE_SOURCES = ("annotator", "random", "epipolar")
MOST_BYTES = 1 << 28


@dataclass(frozen=True)
class AnnotatedPoint:
    """A point of one view and a point of another, and whether they show the same."""

    a: tuple[float, float]
    """x to the right and y down in the first view [px of the original], from its top left corner"""
    b: tuple[float, float]
    """In the second view"""
    match: bool
    radius: float = 0.0
    """How far off the points may be [px]"""
    name: str = ""
    negative_source: str = ""
    """Who chose a pair that does not match: "annotator", "random", "epipolar"; empty where not known"""


@dataclass(frozen=True)
class AnnotatedPair:
    """Points of two views."""

    views: tuple[int, int]
    """Numbers of the views in the sample"""
    points: tuple[AnnotatedPoint, ...]


@dataclass(frozen=True)
class AnnotatedView:
    """One X-ray of a sample."""

    file: str
    """From the folder of the annotation file"""
    size: tuple[int, int]
    """Height and width [px]"""
    projection: str = ""
    laterality: str = ""


@dataclass(frozen=True)
class AnnotatedSample:
    """X-rays of one patient at one time, and what was marked in them."""

    id: str
    patient: str
    split: str
    views: tuple[AnnotatedView, ...]
    pairs: tuple[AnnotatedPair, ...] = ()
    label: int | None = None
    """0 or 1 of a classification, if known"""


@dataclass(frozen=True)
class Annotations:
    """All samples of a file."""

    samples: tuple[AnnotatedSample, ...]
    folder: Path = field(default_factory=Path)
    """Where files of views are looked for"""

    def split(self, name: str) -> tuple[AnnotatedSample, ...]:
        """The samples of a split."""
        return tuple(sample for sample in self.samples if sample.split == name)


def read_annotations(path: str | Path) -> Annotations:
    """The annotations of a file, see `write_annotations`; images are not opened.

    Entries of the same two views, in either order, become one.

    Raises:
        FileError: It is missing, no such file, of another version, or says something impossible: points outside their
            view, views that are not there, an image of two sizes, one id twice, a patient in two splits.
    """
    path = Path(path)
    content = read_json_object(path, what="an annotation file", most_bytes=MOST_BYTES)
    if content.get("schema") != SCHEMA:
        raise FileError(f'{path} must say "schema": "{SCHEMA}", got {str(content.get("schema"))[:60]!r}.')
    entries = content.get("samples")
    if not isinstance(entries, list):
        raise FileError(f"{path} must have a list of samples, got {type(entries).__name__}.")
    try:
        samples = tuple(_sample(entry, f"sample {number}") for number, entry in enumerate(entries))
        check_samples(samples)
    except ValueError as error:
        raise FileError(f"{path}: {str(error).removesuffix('.')}.") from error
    return Annotations(samples, path.parent)


def write_annotations(annotations: Annotations, path: str | Path) -> Path:
    """Write annotations as JSON, whole or not at all; files of views are then given from the new file's folder.

    {"schema": "xcorr-annotations/1", "samples": [{"id", "patient", "split", "label", "views": [{"file", "size": [H, W],
    "projection", "laterality"}], "pairs": [{"views": [0, 1], "points": [{"a": [x, y], "b": [x, y], "y": 1, "radius",
    "name"}, {"a", "b", "y": 0, "neg_source"}]}]}]}

    Raises:
        InputError: Something impossible, see `read_annotations`.
        OutputError: The file cannot be written.
    """
    path = Path(path)
    check_samples(annotations.samples)
    content = {
        "schema": SCHEMA,
        "samples": [_plain(sample, annotations.folder, path) for sample in annotations.samples],
    }
    written = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    return write_atomically(path, lambda file: file.write(written.encode()))


def check_samples(samples: Sequence[AnnotatedSample]) -> None:
    """Raise InputError where samples contradict each other or themselves."""
    seen: set[str] = set()
    splits: dict[str, str] = {}
    sizes: dict[str, tuple[int, int]] = {}
    for sample in samples:
        if sample.id in seen:
            raise InputError(f"each sample must have an id of its own, got {sample.id!r} twice.")
        seen.add(sample.id)
        first = splits.setdefault(sample.patient, sample.split)
        if first != sample.split:
            raise InputError(
                f"patient {sample.patient!r} must be in one split, got {first!r} and {sample.split!r} "
                f"(sample {sample.id!r}); split by patient."
            )
        for view in sample.views:
            height, width = sizes.setdefault(os.path.normpath(view.file), view.size)
            if (height, width) != view.size:
                raise InputError(
                    f"sample {sample.id!r}: an image must have one size, got {view.file} of {width} x {height} and of "
                    f"{view.size[1]} x {view.size[0]} px; state that of the original file."
                )
        for pair in sample.pairs:
            _check_pair(pair, sample)


def _check_pair(pair: AnnotatedPair, sample: AnnotatedSample) -> None:
    count = len(sample.views)
    a, b = pair.views
    if a == b or not (0 <= a < count and 0 <= b < count):
        raise InputError(f"sample {sample.id!r}: views of a pair must be two of 0 to {count - 1}, got {a} and {b}.")
    for point in pair.points:
        for (x, y), view in ((point.a, sample.views[a]), (point.b, sample.views[b])):
            height, width = view.size
            if not (0 <= x <= width and 0 <= y <= height):
                raise InputError(
                    f"sample {sample.id!r}: points must lie in {view.file} of {width} x {height} px, got "
                    f"({x:g}, {y:g}); x runs right and y down from the top left corner of the original image."
                )
        if not (math.isfinite(point.radius) and point.radius >= 0):
            raise InputError(f"sample {sample.id!r}: a radius must be 0 px or more, got {point.radius:g}.")


def _sample(entry: Any, place: str) -> AnnotatedSample:
    name, patient, split = (text(needed(entry, key, place), f"{place}, {key}") for key in ("id", "patient", "split"))
    label = entry.get("label")
    if isinstance(label, bool | float) or label not in (None, 0, 1):
        raise ValueError(f"{place}, label must be 0, 1 or null, got {shown(label)}")
    views = listed_values(needed(entry, "views", place), f"{place}, views")
    pairs = listed_values(entry.get("pairs", []), f"{place}, pairs")
    return AnnotatedSample(
        name,
        patient,
        split,
        tuple(_view(view, f"{place}, view {number}") for number, view in enumerate(views)),
        _merged(_pair(pair, f"{place}, pair {number}") for number, pair in enumerate(pairs)),
        label,
    )


def _view(entry: Any, place: str) -> AnnotatedView:
    sides = listed_values(needed(entry, "size", place), f"{place}, size", count=2)
    height, width = (whole(side, f"{place}, size", least=1) for side in sides)
    words = (text(entry.get(key), f"{place}, {key}", may_lack=True) for key in ("projection", "laterality"))
    return AnnotatedView(file_name(needed(entry, "file", place), f"{place}, file"), (height, width), *words)


def _pair(entry: Any, place: str) -> AnnotatedPair:
    a, b = (
        whole(view, f"{place}, views")
        for view in listed_values(needed(entry, "views", place), f"{place}, views", count=2)
    )
    points = listed_values(needed(entry, "points", place), f"{place}, points")
    return AnnotatedPair((a, b), tuple(_point(entry, f"{place}, point {n}") for n, entry in enumerate(points)))


def _point(entry: Any, place: str) -> AnnotatedPoint:
    match = zero_or_one(needed(entry, "y", place), f"{place}, y")
    source = text(entry.get("neg_source"), f"{place}, neg_source", may_lack=True)
    if source and source not in NEGATIVE_SOURCES:
        raise ValueError(f"{place}, neg_source must be one of {', '.join(NEGATIVE_SOURCES)}, got {shown(source)}")
    a, b = (xy(needed(entry, key, place), f"{place}, {key}") for key in ("a", "b"))
    radius = 0.0 if entry.get("radius") is None else finite(entry["radius"], f"{place}, radius")
    return AnnotatedPoint(a, b, match, radius, text(entry.get("name"), f"{place}, name", may_lack=True), source)


def _merged(pairs: Iterable[AnnotatedPair]) -> tuple[AnnotatedPair, ...]:
    """One entry for each two views, whose order is that of the first."""
    points: dict[tuple[int, int], list[AnnotatedPoint]] = {}
    for pair in pairs:
        a, b = pair.views
        if (b, a) in points and a != b:
            points[b, a] += [replace(point, a=point.b, b=point.a) for point in pair.points]
        else:
            points.setdefault((a, b), []).extend(pair.points)
    return tuple(AnnotatedPair(views, tuple(marked)) for views, marked in points.items())


def _plain(sample: AnnotatedSample, folder: Path, target: Path) -> dict[str, Any]:
    def file(view: AnnotatedView) -> str:
        return Path(os.path.relpath(folder / view.file, target.parent)).as_posix()

    views = [
        {"file": file(view), "size": list(view.size)}
        | {key: value for key, value in (("projection", view.projection), ("laterality", view.laterality)) if value}
        for view in sample.views
    ]
    pairs = [{"views": list(pair.views), "points": [_plain_point(p) for p in pair.points]} for pair in sample.pairs]
    about = {"id": sample.id, "patient": sample.patient, "split": sample.split, "label": sample.label}
    return about | {"views": views, "pairs": pairs}


def _plain_point(point: AnnotatedPoint) -> dict[str, Any]:
    entry: dict[str, Any] = {"a": list(point.a), "b": list(point.b), "y": int(point.match)}
    more = {"radius": point.radius, "name": point.name, "neg_source": point.negative_source}
    return entry | {key: value for key, value in more.items() if value}
