"""Accepted masks on disk: one COCO table for all X-rays, and a DICOM segmentation of each that is a DICOM file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xraykit.render import FileError, InputError
from xraykit.render.files import write_coco
from xraykit.render.storage import make_folder, read_json_object

from ..outputs.coco_annotations import AnnotatedXray, annotations_record
from ..outputs.dicom_segmentation import save_dicom_segmentation
from ..outputs.listed_xrays import ListedXray
from ..outputs.named_mask import NamedMask
from ..outputs.segmented_files import COCO as TABLE
from ..outputs.segmented_files import SEGMENTATION
from ..predictor.xray_input import OpenedXray
from .marked_mask import MarkedMask

COLLIMATION = "{}_collimation.json"
MOST_BYTES = 1 << 29
KEYS: dict[str, dict[str, type]] = {
    "images": {"id": int, "file_name": str},
    "categories": {"id": int, "name": str},
    "annotations": {"id": int, "image_id": int, "category_id": int},
}


class AnnotationFiles:
    """The folder that annotations go to.

    Args:
        folder: Made at the first save.
        xrays: What may be saved, with a name for the files of each.
    """

    def __init__(self, folder: Path, xrays: Sequence[ListedXray]) -> None:
        self.folder, self.xrays = folder, tuple(xrays)

    def save_masks(self, number: int, xray: OpenedXray, masks: Sequence[MarkedMask], *, is_dicom: bool) -> str:
        """Put the masks of an X-ray in place of those it had; other X-rays keep theirs.

        Args:
            number: Which of the X-rays.
            xray: As it was opened.
            masks: May be none.
            is_dicom: Whether it gets a DICOM segmentation.

        Returns:
            A sentence where that could not be written, else nothing; the table is written then all the same.

        Raises:
            FileError: annotations.json is no COCO table. OutputError: The folder or a file cannot be written.
        """
        named = [_named(mask) for mask in masks]
        make_folder(self.folder.absolute())
        annotated = AnnotatedXray(self._relative(self.xrays[number].path), xray.size, named, xray.frame)
        write_coco(self.folder / TABLE, _merged(self._table(), annotations_record([annotated])))
        segmentation = self._path(number, xray, SEGMENTATION)
        if not is_dicom:
            return ""
        if not named:
            segmentation.unlink(missing_ok=True)
            return ""
        try:
            save_dicom_segmentation(segmentation, named, self.xrays[number].path, frame=xray.frame)
        except FileError as error:
            return f"no DICOM segmentation could be made: {error}"
        return ""

    def save_box(self, number: int, xray: OpenedXray, table: dict[str, Any]) -> Path:
        """Write what is said of a collimation box as JSON.

        Raises:
            OutputError: It cannot be written.
        """
        make_folder(self.folder.absolute())
        return write_coco(self._path(number, xray, COLLIMATION), table)

    def kept(self) -> set[int]:
        """Numbers of the X-rays that the table has masks of, from an earlier session.

        Raises:
            FileError: annotations.json is no COCO table.
        """
        names = {image["file_name"] for image in self._table()["images"]}
        return {number for number, one in enumerate(self.xrays) if self._relative(one.path) in names}

    def _path(self, number: int, xray: OpenedXray, pattern: str) -> Path:
        frame = "" if xray.frame is None else f"_frame{xray.frame}"
        return self.folder / pattern.format(f"{self.xrays[number].name}{frame}")

    def _table(self) -> dict[str, Any]:
        path = self.folder / TABLE
        if not path.exists():
            return {"images": [], "categories": [], "annotations": []}
        table = read_json_object(path, what="annotations", most_bytes=MOST_BYTES)
        try:
            for key, names in KEYS.items():
                for row in table[key]:
                    if not all(isinstance(row[name], kind) for name, kind in names.items()):
                        raise TypeError(key)
        except (KeyError, TypeError) as error:
            raise FileError(f"{path} must be a COCO table, got another file; choose another folder with -o.") from error
        return table

    def _relative(self, path: Path) -> str:
        """The X-ray's path from the folder, with /; whole where there is no way from one to the other."""
        try:
            return Path(os.path.relpath(path.resolve(), self.folder.resolve())).as_posix()
        except ValueError:
            return path.resolve().as_posix()


def _named(mask: MarkedMask) -> NamedMask:
    if mask.answer is None:
        raise InputError(f"{mask.name!r} must have a mask to be saved, got none; ask for it again.")
    pointed = bool(mask.points) or mask.box is not None
    pixels = (mask.answer.logits > 0).numpy()
    return NamedMask(mask.name, pixels, mask.target, mask.answer.confidence, pointed)


def _merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The old table with the images of the new one in place of those of the same file and frame."""
    fresh = {(image["file_name"], image.get("frame")) for image in new["images"]}
    images = [one for one in old["images"] if (one["file_name"], one.get("frame")) not in fresh]
    kept = {image["id"] for image in images}
    annotations = [one for one in old["annotations"] if one["image_id"] in kept]
    categories = list(old["categories"])
    numbers = {category["name"]: category["id"] for category in categories}
    next_of = {key: 1 + max((row["id"] for row in old[key]), default=0) for key in KEYS}
    for category in new["categories"]:
        if category["name"] not in numbers:
            numbers[category["name"]] = next_of["categories"] + len(numbers)
            categories.append({**category, "id": numbers[category["name"]]})
    names = {category["id"]: category["name"] for category in new["categories"]}
    moved = {image["id"]: next_of["images"] + n for n, image in enumerate(new["images"])}
    images += [{**image, "id": moved[image["id"]]} for image in new["images"]]
    for n, one in enumerate(new["annotations"]):
        places = {"id": next_of["annotations"] + n, "image_id": moved[one["image_id"]]}
        annotations.append({**one, **places, "category_id": numbers[names[one["category_id"]]]})
    rest = {key: value for key, value in old.items() if key not in KEYS}
    return {"info": new["info"], **rest, "images": images, "categories": categories, "annotations": annotations}
