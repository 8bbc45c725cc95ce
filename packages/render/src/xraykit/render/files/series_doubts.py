"""What is odd about a DICOM series: files that are not there, one slice of many, a rescale that erases everything."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import islice
from pathlib import Path

from pydicom.dataset import Dataset

from ..errors import FileError
from ..storage.dicom_header import is_dicom
from ..storage.provenance import DOUBT, Origin
from .dicom_slices import Slice

_LOOKED_AT = 64


def check_links(folder: Path, suffixes: Collection[str]) -> None:
    """Refuse links that lead nowhere and are named like the images: slices that were not fetched.

    Raises:
        FileError: There are such links.
    """
    if not folder.is_dir():
        return
    broken = [file.name for file in sorted(folder.iterdir()) if file.is_symlink() and not file.exists()]
    lost = [name for name in broken if not suffixes or Path(name).suffix.lower() in suffixes]
    if lost:
        named = ", ".join(lost[:4]) + (", ..." if len(lost) > 4 else "")
        raise FileError(
            f"{folder} must hold every slice, {len(lost)} of its links lead nowhere ({named}); fetch the files they "
            "stand for (git annex get, dvc pull), or remove the links."
        )


def series_doubts(path: Path, dataset: Dataset, slices: Sequence[Slice]) -> dict[str, Origin]:
    """What to doubt about slices that were read from a folder or file."""
    found = {}
    if len(slices) == 1:
        others = _neighbours(path) if path.is_file() else 0
        note = "a slab of one slice"
        if others:
            note += f", but {others} more DICOM files lie beside it; name the folder to read them all"
        found["slices"] = Origin(1, DOUBT, note)
    if any(piece.slope == 0 for piece in slices):
        note = "RescaleSlope 0 would make all voxels the same; 1 is taken, as other readers do"
        found["rescale slope"] = Origin(0, DOUBT, note)
    if str(dataset.get("RescaleType", "HU")).upper() not in ("HU", "US", ""):
        note = "the values are in this unit and not in Hounsfield numbers"
        found["rescale type"] = Origin(str(dataset.RescaleType), DOUBT, note)
    return found


def _neighbours(path: Path) -> int:
    """DICOM files beside this one, of those looked at."""
    files = (file for file in path.absolute().parent.iterdir() if file.is_file() and file.name != path.name)
    return sum(is_dicom(file) for file in islice(files, _LOOKED_AT))
