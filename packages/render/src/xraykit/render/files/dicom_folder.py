"""The DICOM images in a folder and below it, and what else lies there."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pydicom.dataset import FileDataset

from ..errors import FileError
from ..storage.dicom_header import read_dicom, reading_dicom
from ..storage.dicom_kinds import DicomKind, dicom_kind
from ..storage.dicom_sniff import is_dicom
from ..storage.dicom_tags import find, text
from ..storage.reading_progress import told
from .dicom_slices import Slice, slices_of

SUFFIXES = (".dcm", ".ima", ".dicom")
MAX_FILES, MAX_DEPTH = 50_000, 16
DAMAGED, DEAD_LINK = UNREAD = "unreadable file", "dead link"
OTHER_FILE = "other file"
_POINTERS = (b"version https://git-lfs", b"/annex/objects/")
"""How files begin that stand for others which were not fetched."""
_WORDS: dict[DicomKind, str] = {
    "X-ray": "X-ray",
    "dose": "dose grid",
    "structures": "structure set",
    "segmentation": "segmentation",
    "capture": "capture",
    "report": "report",
    "directory": "directory",
    "other": "other object",
}
_PICTURES = ("LOCALIZER", "SCREEN SAVE", "DOSE_INFO")


@dataclass
class FolderContent:
    """Slices, and how often what else was found."""

    slices: list[Slice] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def folder_content(folder: Path, *, only_here: bool = False) -> FolderContent:
    """All slices in a folder and its subfolders.

    Args:
        folder: Where to look.
        only_here: Not in subfolders, and files that cannot be read are counted, not refused: the files beside a named
            one, which need not concern it.

    Raises:
        FileError: A file that should be a slice is damaged or was not fetched, links that are named like the slices
            lead nowhere, or there are more than `MAX_FILES` files.
    """
    content, lost = FolderContent(), []
    for file in told(list(_files(folder, 0 if only_here else MAX_DEPTH)), "headers"):
        if not file.exists():
            lost.append(file)
            continue
        if file.name.upper() == "DICOMDIR":
            continue
        try:
            _add(content, file)
        except FileError:
            if not only_here:
                raise
            content.left_out[DAMAGED] += 1
    endings = {piece.path.suffix.lower() for piece in content.slices}
    missing = [file for file in lost if not endings or file.suffix.lower() in endings]
    if missing and not only_here:
        raise FileError(
            f"{folder} must hold its files, {len(missing)} links lead nowhere, for instance {missing[0].name}; fetch "
            "the files they stand for (git annex get, dvc pull) or take the links away."
        )
    content.left_out += Counter({DEAD_LINK: len(missing), OTHER_FILE: len(lost) - len(missing)})  # positive ones stay
    return content


def left_out_as(dataset: FileDataset) -> str | None:
    """What an object is called that is no slice of a volume; None for a slice."""
    kind = dicom_kind(dataset)
    types = (text(dataset, "ImageType") or ("", ""))[0].upper().split("\\")
    picture = next((name for name in _PICTURES if name in types), None)
    if picture is not None:
        return "localizer" if picture == "LOCALIZER" else "capture"
    if kind == "other" and find(dataset, "ImagePositionPatient") is not None:
        return None
    if kind in ("CT", "MR", "PET") and not ("SECONDARY" in types and find(dataset, "ImagePositionPatient") is None):
        return None
    return _WORDS.get(kind, "capture")


def _add(content: FolderContent, file: Path) -> None:
    if not is_dicom(file):
        with file.open("rb") as opened:
            head = opened.read(64)
        if any(mark in head for mark in _POINTERS):
            raise FileError(f"{file} stands for a file that was not fetched (git-lfs or git-annex); fetch it.")
        if file.suffix.lower() in SUFFIXES:
            raise FileError(f"{file} must be a DICOM file, got a file of another kind; take it away.")
        content.left_out[OTHER_FILE] += 1
        return
    dataset = read_dicom(file)
    with reading_dicom(file, "DICOM tags"):
        other = left_out_as(dataset)
    if other is not None:
        content.left_out[other] += 1
        return
    try:
        content.slices += slices_of(file, dataset)
    except FileError:
        if dicom_kind(dataset) in ("CT", "MR"):
            raise
        content.left_out["other object"] += 1


def _files(folder: Path, depth: int) -> Iterator[Path]:
    """Files in sorted order, links that lead nowhere among them, hidden ones not."""
    seen = 0
    for at, folders, names in os.walk(folder, followlinks=False):
        here = Path(at)
        level = len(here.relative_to(folder).parts)
        folders[:] = sorted(name for name in folders if not name.startswith(".")) if level < depth else []
        for name in sorted(names):
            if name.startswith("."):
                continue
            seen += 1
            if seen > MAX_FILES:
                raise FileError(f"{folder} holds more than {MAX_FILES} files; name the folder of one series.")
            yield here / name
