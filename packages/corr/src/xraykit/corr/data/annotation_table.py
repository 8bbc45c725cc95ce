"""Annotations from a table: one row for each pair of points, as a spreadsheet exports it."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from xraykit.render import FileError, InputError
from xraykit.render.storage import text_of

from .annotations import (
    NEGATIVE_SOURCES,
    AnnotatedPair,
    AnnotatedPoint,
    AnnotatedSample,
    AnnotatedView,
    Annotations,
    check_samples,
)
from .json_fields import file_name

NEEDED = ("image_a", "image_b", "x_a", "y_a", "x_b", "y_b", "y")
OPTIONAL = ("sample", "patient", "split", "radius", "name", "neg_source", "label", "projection_a", "projection_b")


def annotations_from_table(path: str | Path, size_of: Callable[[Path], tuple[int, int]]) -> Annotations:
    """Annotations from a CSV with a header.

    Args:
        path: Columns `NEEDED`, in any order: files of the two X-rays from the table's folder, the points [px of the
            originals], and y, 1 for a match and 0 for none. `OPTIONAL` ones: sample (rows of one are one sample; left
            out, the two files make it), patient (the sample), split ("train"), and the rest as in the JSON format.
        size_of: Height and width of an X-ray's file.

    Raises:
        FileError: It is missing or no such table, or an image is missing; the line is named, of a row over several
            the last.
    """
    path = Path(path)
    rows = _rows(path)
    sizes: dict[str, tuple[int, int]] = {}
    collected: dict[str, dict[str, Any]] = {}
    for line, row in rows:
        try:
            files = _files(row, path.parent)
            for file in files:
                if file not in sizes:
                    sizes[file] = size_of(path.parent / file)
            _collect(collected, row, files, sizes)
        except ValueError as error:
            raise FileError(f"{path}, line {line}: {str(error).removesuffix('.')}.") from error
    samples = tuple(_sample(name, entry) for name, entry in collected.items())
    try:
        check_samples(samples)
    except InputError as error:
        raise FileError(f"{path}: {error}") from error
    return Annotations(samples, path.parent)


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """The rows by the line of the file in which they end."""
    try:
        table = text_of(path.read_bytes())
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"{path} must be a CSV table in UTF-8, got: {reason}.") from error
    head = table.partition("\n")[0]
    reader = csv.reader(io.StringIO(table, newline=""), delimiter=max(",;\t", key=head.count), strict=True)
    ended, rows = 0, []
    try:
        names = _names(next(reader, []), path)
        ended = reader.line_num
        for values in reader:
            ended = reader.line_num
            if not any(value.strip() for value in values):
                continue
            if len(values) != len(names):
                raise FileError(f"{path}, line {ended}: {len(names)} values are needed, got {len(values)}.")
            rows.append((ended, {name: value.strip() for name, value in zip(names, values, strict=True)}))
    except csv.Error as error:
        raise FileError(
            f"{path}, line {ended + 1}: a row must be of separated values, and what opens with a quote must end with "
            f"one, got: {error}."
        ) from error
    if not rows:
        raise FileError(f"{path} must have rows below its header, got none.")
    return rows


def _names(head: Sequence[str], path: Path) -> list[str]:
    names = [name.strip().lower() for name in head]
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise FileError(f"{path} must have the columns {', '.join(NEEDED)}, got none called {missing[0]}.")
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        raise FileError(f"{path}, line 1: a column must have a name of its own, got {twice} twice.")
    return names


def _files(row: Mapping[str, str], folder: Path) -> tuple[str, str]:
    """The two images of a row, each spelled in one way."""
    for key in ("image_a", "image_b"):
        if not row[key]:
            raise ValueError(f"{key} must not be empty")
    first, second = (Path(os.path.normpath(file_name(row[key], key))).as_posix() for key in ("image_a", "image_b"))
    if (folder / first).resolve() == (folder / second).resolve():
        raise ValueError(f"image_a and image_b must be two images, got {row['image_a']} and {row['image_b']}")
    return first, second


def _collect(
    collected: dict[str, Any], row: Mapping[str, str], files: tuple[str, str], sizes: Mapping[str, tuple[int, int]]
) -> None:
    """Add a row's points to the sample that they belong to."""
    name = row.get("sample") or " | ".join(sorted(files))
    about = {"patient": row.get("patient") or name, "split": row.get("split") or "train", "label": _label(row)}
    entry = collected.setdefault(name, {"about": about, "views": {}, "points": {}})
    if entry["about"] != about:
        raise ValueError(f"sample {name!r} must have one patient, split and label, got {entry['about']} and {about}")
    numbers = []
    for file, side in zip(files, "ab", strict=True):
        projection = row.get(f"projection_{side}", "")
        entry["views"].setdefault(file, AnnotatedView(file, sizes[file], projection))
        numbers.append(list(entry["views"]).index(file))
    a, b = numbers
    first, second = ((_number(row, f"x_{side}"), _number(row, f"y_{side}")) for side in "ab")
    if row["y"] not in ("0", "1"):
        raise ValueError(f"y must be 1 for a match and 0 for none, got {row['y']!r}")
    source = row.get("neg_source", "")
    if source not in ("", *NEGATIVE_SOURCES):
        raise ValueError(f"neg_source must be empty or one of {', '.join(NEGATIVE_SOURCES)}, got {source!r}")
    radius = _number(row, "radius") if row.get("radius") else 0.0
    point = AnnotatedPoint(first, second, row["y"] == "1", radius, row.get("name", ""), source)
    if a > b:
        a, b, point = b, a, AnnotatedPoint(second, first, *_rest(point))
    entry["points"].setdefault((a, b), []).append(point)


def _rest(point: AnnotatedPoint) -> tuple[bool, float, str, str]:
    return point.match, point.radius, point.name, point.negative_source


def _sample(name: str, entry: Mapping[str, Any]) -> AnnotatedSample:
    pairs = tuple(AnnotatedPair(views, tuple(points)) for views, points in entry["points"].items())
    about = entry["about"]
    return AnnotatedSample(
        name, about["patient"], about["split"], tuple(entry["views"].values()), pairs, about["label"]
    )


def _label(row: Mapping[str, str]) -> int | None:
    label = row.get("label", "")
    if label not in ("", "0", "1"):
        raise ValueError(f"label must be 0, 1 or empty, got {label!r}")
    return int(label) if label else None


def _number(row: Mapping[str, str], key: str) -> float:
    try:
        number = float(row[key])
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{key} must be a number, got {row[key]!r}")
    return number
