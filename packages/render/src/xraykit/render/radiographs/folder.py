"""Which files of a folder are X-rays, by name or content, in the order in which people count them."""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import FileError
from ..storage.dicom_sniff import is_dicom
from .grid_image import is_flat
from .raster import SUFFIXES
from .read import MAGIC

ENDINGS = (*SUFFIXES, ".dcm", ".dicom", ".ima")
DICOM_INDEX = "DICOMDIR"


def xrays_in_folder(folder: str | Path, *, without: Path | None = None) -> tuple[Path, ...]:
    """The files of a folder, and of the folders in it, that may be X-rays, see `may_be_xray`; IM2 comes before IM10.

    Hidden files and folders are passed over. No file is opened further than its first bytes or header.

    Args:
        folder: Where.
        without: A folder whose files do not count, as that of results.

    Raises:
        FileError: There is none.
    """
    folder, apart = Path(folder), None if without is None else without.absolute()
    inside = (path for path in folder.rglob("*") if not _is_hidden(path, folder))
    found = [path for path in inside if path.is_file() and may_be_xray(path)]
    found = [path for path in found if apart is None or apart not in path.absolute().parents]
    if not found:
        raise FileError(f"{folder} must hold X-rays (DICOM, PNG, TIFF, JPEG), got a folder without; name another.")
    return tuple(sorted(found, key=_counted))


def may_be_xray(path: Path) -> bool:
    """Whether a file ends or begins as X-rays do: DICOM with or without preamble, a picture, MetaImage, NRRD, NIfTI.

    Volumes are none. A file that cannot be opened may be one: reading it says why not.
    """
    if path.name == DICOM_INDEX:
        return False
    if path.suffix.lower() in ENDINGS or is_flat(path):
        return True
    try:
        with path.open("rb") as file:
            return file.read(132).startswith(tuple(MAGIC)) or is_dicom(path)
    except OSError:
        return True


def _is_hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def _counted(path: Path) -> list[list[str | int]]:
    """Texts and whole numbers in turn, of each part of the path."""
    return [[int(part) if n % 2 else part for n, part in enumerate(re.split(r"(\d+)", name))] for name in path.parts]
