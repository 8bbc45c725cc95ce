"""Screws of data set jobs and of COCO keypoint files."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import torch
from torch import Tensor

from xraykit.render import FileError, InputError
from xraykit.render.dataset import XraySample
from xraykit.render.storage import read_json_object

from ...data import SquareMap
from .truth import KEYPOINTS, ScrewTruth

SCREWS = ("pedicle_screw", "cannulated_screw")
"""What the names of tools begin with that are screws."""
MOST_BYTES = 1 << 30


@dataclass(frozen=True, eq=False)
class KeypointImage:
    """One image of a COCO file: its file's name as written there, whose it is, and its screws."""

    file_name: str
    patient: str
    truth: ScrewTruth


def screws_of_sample(sample: XraySample) -> ScrewTruth:
    """The screws of a sample of a data set job.

    Ends outside the image, behind the source or under the collimator are invisible.

    Raises:
        FileError: A screw of the record has no ends, as of jobs made by an older version.
    """
    open_field = sample.open_field
    height, width = open_field.shape
    points, visible = [], []
    for tool in sample.record.get("tools") or ():
        if not str(tool.get("name")).startswith(SCREWS):
            continue
        if not isinstance(ends := tool.get("ends"), Mapping):
            raise FileError(f"{sample.key}: each screw must have its ends, got none; make the data set anew.")
        pairs = [_end(ends.get(name), place=f"{sample.key}: {name} of {tool['name']}") for name in KEYPOINTS]
        points.append([pair[0] for pair in pairs])
        visible.append([seen and _covers(open_field, *place) for place, seen in pairs])
    return _truth(points, visible, (height, width), place=sample.key)


def read_coco_keypoints(path: str | Path) -> list[KeypointImage]:
    """Screws of a COCO keypoint file, one entry for each of its images, also of those that show none.

    A category with the keypoints "head" and "tip", in either order, is of screws; others are left out. Keypoints are
    (x, y, v) [px] with pixel borders at whole numbers; v = 0 is invisible. An image's "patient" says whose it is, so
    that one patient's images stay on one side of a split; without it, the first folder of its file_name does.

    Raises:
        FileError: No such file, or no COCO keypoint file: something is missing, or an image has no patient.
        InputError: A visible keypoint outside its image.
    """
    table = read_json_object(path, what="a COCO keypoint file", most_bytes=MOST_BYTES)
    images, annotations = (_entries(table, name, path) for name in ("images", "annotations"))
    orders = _orders(_entries(table, "categories", path), path)
    of_image: dict[object, list[Mapping[str, Any]]] = defaultdict(list)
    for one in annotations:
        if one.get("category_id") in orders:
            of_image[one.get("image_id")].append(one)
    known = {one.get("id") for one in images}
    if strangers := [number for number in of_image if number not in known]:
        raise FileError(f"{path}: annotations must be of listed images, got image_id {strangers[0]!r}; add the image.")
    return [_image(one, of_image[one.get("id")], orders, path) for one in images]


def square_keypoints(truth: ScrewTruth, mapping: SquareMap) -> Tensor:
    """Head and tip of each screw on the square that a backbone sees, (M, 2, 3): u, v [px] and 1 where it shows them."""
    points = mapping.to_input(truth.points.double())
    inside = ((points >= 0) & (points <= mapping.size)).all(-1)
    seen = (truth.visible & inside)[..., None].double()
    return torch.cat([points * seen, seen], -1)


def by_patient(images: Sequence[KeypointImage]) -> dict[str, list[KeypointImage]]:
    """The images of each patient, in the order in which patients come first."""
    groups: dict[str, list[KeypointImage]] = {}
    for one in images:
        groups.setdefault(one.patient, []).append(one)
    return groups


def _end(end: Any, *, place: str) -> tuple[list[float], bool]:
    if end is None:
        return [0.0, 0.0], False
    try:
        u, v = (float(number) for number in end["uv"])
        seen = bool(end["visible"])
    except (KeyError, TypeError, ValueError) as error:
        raise FileError(f"{place} must have uv and visible ({error!r}); make the data set anew.") from error
    return [u, v], seen and math.isfinite(u) and math.isfinite(v)


def _covers(field: Tensor, u: float, v: float) -> bool:
    """Whether the pixel at (u, v) is in the field; what lies outside the image is left to the truth to refuse."""
    rows, columns = field.shape
    return bool(field[min(max(int(v), 0), rows - 1), min(max(int(u), 0), columns - 1)])


def _truth(points: Sequence[Any], visible: Sequence[Any], size: tuple[int, int], *, place: str) -> ScrewTruth:
    try:
        return ScrewTruth(
            torch.tensor(points, dtype=torch.float32).reshape(-1, 2, 2),
            torch.tensor(visible, dtype=torch.bool).reshape(-1, 2),
            size,
        )
    except InputError as error:
        raise InputError(f"{place}: {error}") from error


def _entries(table: Mapping[str, Any], name: str, path: str | Path) -> list[Mapping[str, Any]]:
    entries = table.get(name)
    if not isinstance(entries, list) or not all(isinstance(one, Mapping) for one in entries):
        raise FileError(f"{path}: a COCO keypoint file must list its {name} as objects, got {type(entries).__name__}.")
    return entries


def _orders(categories: Sequence[Mapping[str, Any]], path: str | Path) -> dict[Any, list[int]]:
    """Where head and tip stand among the keypoints of each category that has both."""
    orders = {
        one.get("id"): [names.index(name) for name in KEYPOINTS]
        for one in categories
        if isinstance(names := one.get("keypoints"), list) and set(KEYPOINTS) <= set(names)
    }
    if not orders:
        found = [one.get("keypoints") for one in categories]
        raise FileError(f'{path}: a category must have the keypoints ["head", "tip"], got {found}; name them so.')
    return orders


def _image(
    image: Mapping[str, Any],
    annotations: Sequence[Mapping[str, Any]],
    orders: Mapping[object, Sequence[int]],
    path: str | Path,
) -> KeypointImage:
    name, height, width = (image.get(key) for key in ("file_name", "height", "width"))
    place = f"{path}: image {name or image.get('id')}"
    if not isinstance(name, str) or not all(isinstance(side, int) and side > 0 for side in (height, width)):
        raise FileError(f"{place} must have file_name, height and width [px], got {dict(image)}.")
    points, visible = [], []
    for one in annotations:
        rows = _rows(one.get("keypoints"), place)
        try:
            pair = [rows[n] for n in orders[one["category_id"]]]
        except IndexError as error:
            raise FileError(f"{place}: each screw must have every keypoint of its category, got {rows}.") from error
        points.append([row[:2] for row in pair])
        visible.append([row[2] > 0 for row in pair])
    truth = _truth(points, visible, (height, width), place=place)  # type: ignore[arg-type]
    return KeypointImage(name, _patient(image, name, place), truth)


def _rows(numbers: Any, place: str) -> list[list[float]]:
    try:
        flat = [float(number) for number in numbers]
    except (TypeError, ValueError):
        flat = [math.nan]
    if len(flat) % 3 or not all(map(math.isfinite, flat)):
        raise FileError(f"{place}: keypoints must be x, y, v for each of them, got {numbers}.")
    return [flat[n : n + 3] for n in range(0, len(flat), 3)]


def _patient(image: Mapping[str, Any], name: str, place: str) -> str:
    if (patient := image.get("patient")) is not None:
        return str(patient)
    folders = PurePosixPath(name.replace("\\", "/")).parts
    if len(folders) < 2:
        raise FileError(
            f'{place} must say whose it is, so that no patient is in training and test; give images a "patient", or '
            "put each patient's images into a folder."
        )
    return folders[0]
