"""CASE.json of FluoroSeg: what its images and categories are, read with distrust."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xraykit.render import FileError, InputError
from xraykit.render.storage import is_finite_number, read_json_object

from ..vocabulary.fluoroseg_names import FluoroSegCategory, fluoroseg_category

_LIMIT = 1 << 31
_MOST_EDGE = 1 << 14


@dataclass(frozen=True)
class FluoroSegImage:
    """One image of a case, as its table describes it.

    Args:
        case: Name of the case, one CT.
        name: Of the file without suffix, with the case: unique in the set.
        path: The image.
        annotations: The list of its annotations.
        height: Rows [px].
        width: Columns [px].
        pixel_size: Of the detector [mm], or None.
        focal_length: As the file says, or None.
        patient: Its patient_id, else the case.
        grad_ncc: How well a registered real image fits, or None.
    """

    case: str
    name: str
    path: Path
    annotations: Path
    height: int
    width: int
    pixel_size: float | None = None
    focal_length: float | None = None
    patient: str = ""
    grad_ncc: float | None = None


@dataclass(frozen=True)
class FluoroSegCase:
    """The table of a case: categories by id, and images."""

    categories: Mapping[int, FluoroSegCategory]
    images: tuple[FluoroSegImage, ...]


def read_fluoroseg_case(path: Path) -> FluoroSegCase:
    """The table in a CASE.json.

    Categories go by their names; ids of a file without categories are FluoroSeg's, see `fluoroseg_category`.

    Raises:
        FileError: It is missing, damaged, or names a category or an image that cannot be.
    """
    content = read_json_object(path, what="a case of FluoroSeg", most_bytes=_LIMIT)
    try:
        categories = {
            _whole(one, "id"): _named(one) for one in _list(content, "categories") if one.get("name") != "body"
        }
        images = tuple(_image(path, one) for one in _list(content, "images"))
    except (InputError, KeyError, TypeError, AttributeError) as error:
        missing = f"{error} is missing" if isinstance(error, KeyError) else str(error).rstrip(".")
        raise FileError(f"{path} must be a case of FluoroSeg: {missing}.") from error
    return FluoroSegCase(categories, images)


def category_of(case: FluoroSegCase, number: object) -> FluoroSegCategory:
    """The category of an id in a case.

    Raises:
        InputError: There is none.
    """
    if type(number) is not int:
        raise InputError(f"category_id must be a whole number, got {str(number)[:40]!r}")
    if case.categories:
        if number not in case.categories:
            raise InputError(f"category_id must be one of the case's {len(case.categories)} categories, got {number}")
        return case.categories[number]
    return fluoroseg_category(number)


def _named(entry: Mapping[str, Any]) -> FluoroSegCategory:
    name = entry["name"]
    if not isinstance(name, str):
        raise InputError(f"a category's name must be text, got {name!r}")
    return fluoroseg_category(name)


def _image(path: Path, entry: Mapping[str, Any]) -> FluoroSegImage:
    case, given = path.stem, entry["file_name"]
    folder = path.with_suffix("")
    named = Path(given) if isinstance(given, str) else Path()
    if len(named.parts) not in (1, 2) or named.name in ("", "..") or named.parts[:-1] not in ((), (case,)):
        raise InputError(f"file_name must be a file in {case}, got {str(given)[:80]!r}")
    height, width = _whole(entry, "height"), _whole(entry, "width")
    if not (0 < height <= _MOST_EDGE and 0 < width <= _MOST_EDGE):
        raise InputError(f"an image must have edges of 1 to {_MOST_EDGE} pixels, got {height} x {width}")
    camera = entry.get("camera") or {}
    return FluoroSegImage(
        case,
        f"{case}/{named.stem}",
        folder / named.name,
        folder / f"{named.stem}.json",
        height,
        width,
        _number(camera, "pixel_size"),
        _number(camera, "focal_length"),
        str(entry.get("patient_id") or case),
        _number(entry, "grad_ncc", least=-math.inf),
    )


def _list(content: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    entries = content.get(name, [])
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise InputError(f"{name} must be a list of tables")
    return entries


def _whole(entry: Mapping[str, Any], name: str) -> int:
    value = entry[name]
    if type(value) is not int:
        raise InputError(f"{name} must be a whole number, got {str(value)[:40]!r}")
    return value


def _number(entry: Mapping[str, Any], name: str, *, least: float = 0.0) -> float | None:
    value = entry.get(name)
    if value is None:
        return None
    if not is_finite_number(value) or value <= least:
        raise InputError(f"{name} must be a finite number above {least:g}, got {str(value)[:40]!r}")
    return float(value)
