"""The files that hold voxels on a grid, apart from DICOM: by suffix, with their readers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Protocol

from .declared_grid import DeclaredGrid
from .metaimage import read_metaimage
from .nifti import read_nifti
from .nrrd import read_nrrd


class GridReader(Protocol):
    """Reads what a file declares; `flat` takes a picture of two axes as a volume of one layer."""

    def __call__(self, path: Path, *, flat: bool = False) -> DeclaredGrid:
        """The declared grid, its voxels still unread."""
        ...


GRID_READERS: dict[str, GridReader] = {
    ".nii": read_nifti,
    ".nii.gz": read_nifti,
    ".hdr": read_nifti,
    ".img": read_nifti,
    ".hdr.gz": read_nifti,
    ".img.gz": read_nifti,
    ".nrrd": read_nrrd,
    ".nhdr": read_nrrd,
    ".mha": read_metaimage,
    ".mhd": read_metaimage,
}


def grid_suffix(path: Path) -> str:
    """The ending that decides how a file is read, in small letters: ".nii.gz" is one."""
    found = re.search(r"\.(nii|hdr|img)\.gz$", path.name.lower())
    return found[0] if found else path.suffix.lower()
