"""A stack of TIFF pages as a CT, as Autoscoper and ImageJ keep one: no tags, so most of its meaning is assumed."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import FileError, InputError
from ..storage.brief import brief
from ..storage.declared_grid import LPS_TO_RAS, DeclaredGrid, affine_from, checked_size
from ..storage.picture_damage import PICTURE_DAMAGE
from ..storage.provenance import ASSUMED, Found, Origin

TIFF_SUFFIXES = (".tif", ".tiff")
VOXEL_SPACING = (1e-3, 100.0)
"""Least and most that a caller may give [mm]."""
STORED_AIR = 1024
"""What is added to HU where a CT is stored without sign."""
_MODES = {"I;16": True, "I;16B": True, "I;16L": True, "I": False, "F": False}  # whether without sign
_DESCRIPTION, _ACROSS, _DOWN = 270, 282, 283
_MILLIMETRES = {"mm": 1.0, "cm": 10.0, "um": 1e-3, "µm": 1e-3, "\\u00b5m": 1e-3, "micron": 1e-3}


def read_tiff_stack(path: Path, *, voxel_spacing: Sequence[float] | None = None) -> DeclaredGrid:
    """The volume whose voxels i, j, k are columns, rows and pages.

    Nothing says where they lie in the patient: they are taken to go to the left, the back and the head, as in axial
    slices of a CT from the feet up, with voxel (0, 0, 0) at the origin. The sides of the patient may be wrong, but
    neither size nor handedness are, unless the stack was turned over. Numbers without sign are taken for HU + 1024.

    Args:
        path: The file.
        voxel_spacing: Along columns, rows and pages (x, y, z) [mm]; None takes what ImageJ wrote.

    Raises:
        FileError: One page, 8 bits or colour, a damaged file, or no spacing. InputError: A spacing that is none.
    """
    size, mode, stated = _header(path)
    spacing = stated if voxel_spacing is None else _checked(voxel_spacing)
    if spacing is None:
        raise FileError(
            f"{path} is a stack of {size[2]} pages without spacing; give --voxel-spacing X Y Z "
            "(voxel_spacing=(x, y, z)) along columns, rows and pages [mm]."
        )
    source = "ImageJ" if voxel_spacing is None else "caller"
    facts: Found = {"voxel spacing": Origin(" x ".join(f"{step:g}" for step in spacing), source)}
    facts["orientation"] = Origin("LPS", ASSUMED, "pages without tags: columns to the left, rows to the back, pages up")
    offset = STORED_AIR if _MODES[mode] else 0
    if offset:
        facts["intercept"] = Origin(-offset, ASSUMED, "numbers without sign: HU + 1024, as CTs are stored")

    def voxels() -> NDArray[np.float32]:
        from ..radiographs.raster import read_raster_radiograph

        return read_raster_radiograph(path, polarity="log_attenuation").pixels.numpy() - np.float32(offset)

    affine = LPS_TO_RAS @ affine_from(np.diag(spacing), np.zeros(3))
    return DeclaredGrid(path, "TIFF stack", size, affine, voxels, facts)


def _header(path: Path) -> tuple[tuple[int, int, int], str, tuple[float, float, float] | None]:
    """Columns, rows and pages; Pillow's name of the numbers; and the spacing that ImageJ stated."""
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path, formats=["TIFF"]) as file:
            pages, mode, tags = int(getattr(file, "n_frames", 1)), file.mode, getattr(file, "tag_v2", {})
            columns, rows = file.size
            stated = _imagej_spacing(str(tags.get(_DESCRIPTION, "")), tags.get(_ACROSS), tags.get(_DOWN))
    except (*PICTURE_DAMAGE, Image.DecompressionBombError) as error:
        raise FileError(f"{path} must be a whole TIFF, got a damaged one ({brief(error)}).") from error
    if pages < 2:
        raise FileError(f"{path} must hold a page for each slice, got one; a CT cannot be a single picture.")
    if mode not in _MODES:
        raise FileError(
            f"{path} must hold 16 bits or floating point, got {brief(mode)}: fewer hold no Hounsfield units."
        )
    return checked_size(path, (columns, rows, pages)), mode, stated


def _imagej_spacing(description: str, across: object, down: object) -> tuple[float, float, float] | None:
    """Of ImageJ's text and pixels per unit; None where it names no known unit of length or no step of pages."""
    said = dict(re.findall(r"^(unit|spacing)=(\S+)$", description, re.MULTILINE))
    unit = _MILLIMETRES.get(said.get("unit", ""))
    if not description.startswith("ImageJ=") or unit is None:
        return None
    try:
        x, y, z = unit / float(across), unit / float(down), unit * float(said["spacing"])  # type: ignore[arg-type]
        return _checked((x, y, z))
    except (KeyError, TypeError, ValueError, ZeroDivisionError, InputError):
        return None


def _checked(spacing: Sequence[float]) -> tuple[float, float, float]:
    steps = tuple(float(step) for step in spacing)
    least, most = VOXEL_SPACING
    if len(steps) != 3 or not all(least <= step <= most for step in steps):
        raise InputError(f"voxel_spacing must be three lengths from 0.001 to 100 mm, got {tuple(spacing)}.")
    return steps
