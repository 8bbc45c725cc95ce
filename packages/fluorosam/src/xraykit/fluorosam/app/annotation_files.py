"""Accepted masks on disk: one COCO table for all X-rays of a folder, and a DICOM segmentation beside each DICOM file."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xraykit.render import FileError, InputError
from xraykit.render.storage import make_folder, read_json_object, write_atomically

from ..outputs.coco_annotations import AnnotatedXray, annotations_record
from ..outputs.dicom_segmentation import save_dicom_segmentation
from ..outputs.named_mask import NamedMask
from ..predictor.xray_input import OpenedXray
from .marked_mask import MarkedMask

TABLE = "annotations.json"
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
        stems: Of every X-ray's file, by path: what its own files are called, each once.
    """

    def __init__(self, folder: Path, stems: dict[Path, str]) -> None:
        self.folder, self._stems = folder, stems

    def save_masks(self, xray: OpenedXray, masks: Sequence[MarkedMask], *, is_dicom: bool) -> tuple[Path, ...]:
        """Put the masks of one X-ray in place of those it had; other X-rays keep theirs. The files, written in order.

        Raises:
            FileError: annotations.json is no COCO table, or the X-ray has vanished. OutputError: Nothing can be written.
        """
        named = [_named(mask) for mask in masks]
        make_folder(self.folder.absolute())
        table = self._table()
        annotated = AnnotatedXray(self._file_name(xray), xray.size, named, xray.frame)
        merged = _merged(table, annotations_record([annotated]))
        segmentation = self.path(xray, ".seg.dcm")
        written = []
        if is_dicom and named:
            source = xray.path
            if source is None or not source.is_file():
                raise FileError(f"{xray.name} must be there for its DICOM segmentation, got none; put it back.")
            written.append(save_dicom_segmentation(segmentation, named, source, frame=xray.frame))
        elif segmentation.is_file():
            segmentation.unlink()
        text = json.dumps(merged, allow_nan=False)
        written.append(write_atomically(self.folder / TABLE, lambda file: file.write(f"{text}\n".encode())))
        return tuple(written)

    def save_table(self, xray: OpenedXray, ending: str, table: dict[str, Any]) -> Path:
        """Write facts about one X-ray as JSON.

        Raises:
            OutputError: It cannot be written.
        """
        make_folder(self.folder.absolute())
        text = json.dumps(table, indent=1, allow_nan=False)
        return write_atomically(self.path(xray, ending), lambda file: file.write(f"{text}\n".encode()))

    def kept(self, paths: Sequence[Path]) -> set[int]:
        """Numbers of the X-rays that the table has masks of, from an earlier session.

        Raises:
            FileError: annotations.json is no COCO table.
        """
        names = {image["file_name"] for image in self._table()["images"]}
        return {number for number, path in enumerate(paths) if self._relative(path) in names}

    def path(self, xray: OpenedXray, ending: str) -> Path:
        """Of the X-ray's own file with this ending."""
        stem = self._stems[xray.path] if xray.path is not None else xray.name
        frame = "" if xray.frame is None else f".frame{xray.frame}"
        return self.folder / f"{stem}{frame}{ending}"

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

    def _file_name(self, xray: OpenedXray) -> str:
        return xray.name if xray.path is None else self._relative(xray.path)

    def _relative(self, path: Path) -> str:
        """The X-ray's path from the folder, with /; whole where there is no way from one to the other."""
        try:
            return Path(os.path.relpath(path.resolve(), self.folder.resolve())).as_posix()
        except ValueError:
            return path.resolve().as_posix()


def file_stems(paths: Sequence[Path]) -> dict[Path, str]:
    """A name for the files of each X-ray: its own without ending, its whole name or a number where that is taken."""
    stems: dict[Path, str] = {}
    taken: set[str] = set()
    for path in paths:
        numbered = (f"{path.name}_{n}" for n in range(2, len(paths) + 2))
        stem = next(name for name in (path.stem, path.name, *numbered) if name.lower() not in taken)
        taken.add(stem.lower())
        stems[path] = stem
    return stems


def _named(mask: MarkedMask) -> NamedMask:
    if mask.answer is None:
        raise InputError(f"{mask.name!r} must have a mask to be saved, got none; ask for it again.")
    pointed = bool(mask.points) or mask.box is not None
    pixels = (mask.answer.logits > 0).numpy()
    return NamedMask(mask.name, pixels, mask.answer.target, mask.answer.confidence, pointed)


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
