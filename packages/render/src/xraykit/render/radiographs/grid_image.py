"""X-rays in the formats of volumes (MetaImage, NRRD, NIfTI): pictures of two axes, or stacks of frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from ..errors import FileError
from ..storage.declared_grid import LPS_TO_RAS, DeclaredGrid
from ..storage.grid_files import GRID_READERS, grid_suffix
from ..storage.provenance import ASSUMED, MISSING, Found, Origin
from .options import Polarity
from .radiograph import Radiograph
from .raster import assumed_full_scale, assumed_polarity

_OF_SPACE = ("affine from", "space", "orientation", "AnatomicalOrientation", "qform", "pixdim", "space directions",
             "space origin", "TransformMatrix", "Offset")  # fmt: skip
_SPACING = ("spacing", "ElementSpacing")


def is_grid_image(path: Path) -> bool:
    """Whether the file is named like one of these formats."""
    return grid_suffix(path) in GRID_READERS


def is_flat(path: Path) -> bool:
    """Whether the file holds one picture and no volume; False where its header cannot be read."""
    try:
        return is_grid_image(path) and path.is_file() and _declared(path).size[2] == 1
    except FileError:
        return False


def read_grid_radiograph(path: Path, *, polarity: Polarity | None = None) -> Radiograph:
    """A picture, or a stack of them, as a radiograph.

    i counts columns, j rows from the top, k frames, as ITK shows them. The spacing that the file states is assumed to
    hold at the detector; where voxels lie in a patient does not matter.

    Args:
        path: The file.
        polarity: What the values mean; None assumes it by their type, as for pictures without tags.

    Raises:
        FileError: Damaged, cut short, several channels, NaN, or a format's other errors.
    """
    grid = _declared(path)
    stored = grid.read()
    values = np.ascontiguousarray(stored, np.float32)
    if not np.isfinite(values).all():
        raise FileError(f"{path} must hold finite pixels, got NaN or infinity; repair the file first.")
    found: Found = {name: origin for name, origin in grid.provenance.items() if name not in _OF_SPACE}
    note = "columns, rows from the top, frames: no field says how the picture lies"
    found["axes"] = Origin("i, j, k", ASSUMED, note)
    said, found["polarity"] = assumed_polarity(polarity, is_float=stored.dtype.kind == "f")
    found["camera"] = Origin(None, MISSING, "the format states no distance to the source; pass a camera")
    found |= _geometry(grid)
    full_scale = None
    if said == "inverted_intensity":
        full_scale, found["full_scale"] = assumed_full_scale(values, stored.dtype)
    return Radiograph(torch.from_numpy(values), said, full_scale=full_scale, provenance=found, source=path)


def _declared(path: Path) -> DeclaredGrid:
    return GRID_READERS[grid_suffix(path)](path, flat=True)


def _geometry(grid: DeclaredGrid) -> Found:
    if any(name in grid.provenance for name in _SPACING):
        return {"pixel_spacing": Origin(None, MISSING, "the header states none")}
    across, down = (float(value) for value in np.linalg.norm(grid.affine[:3, :2], axis=0))
    found = {"pixel_spacing": Origin((down, across), ASSUMED, "mm; the file's, assumed to hold at the detector")}
    lps = LPS_TO_RAS @ grid.affine
    if np.allclose(lps[:3, :2], [[across, 0], [0, down], [0, 0]], atol=1e-6 * max(across, down)):
        found["image origin"] = Origin(tuple(lps[:2, 3].tolist()), "header", "mm, (x, y) of the first pixel's centre")
    return found
