"""A CT or MR volume from any of the file types that are read, with its label map."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ..errors import FileError, InputError
from ..materials.attenuation import WATER_AND_BONE, AttenuationLaw, MRPassthrough
from ..storage.declared_grid import DeclaredGrid
from ..storage.dicom_sniff import is_dicom
from ..storage.grid_files import GRID_READERS, grid_suffix
from ..storage.named_place import kind_at
from ..volumes.label_names import label_table
from ..volumes.volume import Volume
from .plausibility import grid_doubts, voxel_doubts
from .tiff_stack import TIFF_SUFFIXES, read_tiff_stack


def _read_dicom(path: Path, *, series: str | None = None, resample_slices: bool = False) -> DeclaredGrid:
    from .dicom_series import read_dicom_series  # with pydicom, which other files can do without

    return read_dicom_series(path, series=series, resample_slices=resample_slices)


READERS: dict[str, Callable[[Path], DeclaredGrid]] = {
    **GRID_READERS,
    ".dcm": _read_dicom,
    ".dicom": _read_dicom,
    ".ima": _read_dicom,
}
VOLUME_SUFFIXES = tuple(suffix for suffix in GRID_READERS if not suffix.startswith(".img"))
"""How the names of files end that stand for one whole volume each: all types but DICOM."""
LAWS: dict[str, AttenuationLaw] = {"CT": WATER_AND_BONE, "MR": MRPassthrough()}


def read_volume(
    path: str | Path,
    *,
    labels: str | Path | None = None,
    label_names: Mapping[int, str] | str | None = None,
    attenuation: AttenuationLaw | None = None,
    modality: str | None = None,
    series: str | None = None,
    resample_slices: bool = False,
    voxel_spacing: Sequence[float] | None = None,
) -> Volume:
    """The volume in a NIfTI, NRRD or MetaImage file, a DICOM folder or a TIFF stack, in world RAS as the file says.

    Args:
        path: A .nii, .nii.gz, .nrrd, .nhdr, .mha or .mhd file, a DICOM folder, one enhanced DICOM file, or a .tif
            with a page for each slice.
        labels: A label map, a folder of masks or a segmentation, see `label_files.read_labels`.
        label_names: The name of a table (see label_names.py) or {value: name}; None takes the names that the
            label file itself carries (TotalSegmentator's NIfTI, 3D Slicer's .seg.nrrd), if any.
        attenuation: The law from HU (or MR intensity) to mu; None takes `WATER_AND_BONE` for CT and
            `MRPassthrough()` for MR.
        modality: "CT" or "MR"; None takes DICOM's Modality tag, and CT for files that have none.
        series: Which volume, where a DICOM folder holds several: a number in the list that the error gives, or a
            SeriesInstanceUID.
        resample_slices: Interpolate DICOM slices of uneven steps linearly along the stack, at its smallest step.
        voxel_spacing: Of a TIFF stack along columns, rows and pages [mm], see `tiff_stack.read_tiff_stack`.

    Raises:
        FileError: A file is missing, damaged, shorter than declared, or places its voxels nowhere; the label map
            lies on another grid or holds something else than whole numbers.
        InputError: modality, label_names or the law do not fit.
    """
    from .label_files import read_labels  # which stands on this file

    table = None if label_names is None else label_table(label_names)
    grid = declared_grid(path, series=series, resample_slices=resample_slices, voxel_spacing=voxel_spacing)
    law = attenuation or _law(grid, modality)
    numbers = None if table is None else {name: value for value, name in table.items()}
    mask = None if labels is None else read_labels(labels, grid, numbers=numbers)
    hu = read_finite(grid)
    found = {**grid.provenance, **grid_doubts(grid), **({} if modality == "MR" else voxel_doubts(grid, hu))}
    if table is None:
        table = mask.names if mask is not None else {}
    return Volume.from_hu(
        torch.from_numpy(hu),
        torch.from_numpy(grid.affine),
        labels=None if mask is None else torch.from_numpy(mask.voxels),
        label_names=table,
        attenuation=law,
        provenance=found if mask is None else {**found, **mask.provenance},
    )


def declared_grid(
    path: str | Path,
    *,
    series: str | None = None,
    resample_slices: bool = False,
    voxel_spacing: Sequence[float] | None = None,
) -> DeclaredGrid:
    """What the file or folder at `path` declares, checked, its voxels still unread.

    Raises:
        FileError: Nothing is there, it is empty, of an unknown type, or fails its reader's checks.
        InputError: `series` or `resample_slices` for a file that is no DICOM, `voxel_spacing` for one that is no TIFF.
    """
    path = Path(path)
    kind = kind_at(path)
    if kind is None:
        raise FileError(f"{path} must be a file or a DICOM folder, there is nothing by that name.")
    suffix = grid_suffix(path)
    if voxel_spacing is not None and (suffix not in TIFF_SUFFIXES or kind == "folder"):
        raise InputError(f"voxel_spacing is that of a TIFF stack, {path} states its own; leave it out.")
    try:
        if kind == "folder":
            return _read_dicom(path, series=series, resample_slices=resample_slices)
        if path.stat().st_size == 0:
            raise FileError(f"{path} must hold a volume, it is empty; copy or export it again.")
        if READERS.get(suffix, _read_dicom) is _read_dicom and is_dicom(path):  # content decides, not the name
            return _read_dicom(path, series=series, resample_slices=resample_slices)
        if suffix not in READERS and suffix not in TIFF_SUFFIXES:
            raise FileError(
                f"{path} must be a volume file ({', '.join((*READERS, *TIFF_SUFFIXES))}) or a DICOM folder, its suffix "
                f"is {suffix!r}."
            )
        if READERS.get(suffix) is not _read_dicom and (series is not None or resample_slices):
            raise InputError(
                f"series and resample_slices choose among DICOM slices, {path} is one volume; leave them out."
            )
        return READERS[suffix](path) if suffix in READERS else read_tiff_stack(path, voxel_spacing=voxel_spacing)
    except OSError as error:
        raise FileError(f"{path} must be readable, the system says: {error.strerror or error}.") from error


def read_finite(grid: DeclaredGrid) -> NDArray[np.float32]:
    """The voxels as float32 [k, j, i]; FileError if one is NaN or infinite, or they cannot be read any more."""
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows becomes infinite and is refused below
            voxels = np.ascontiguousarray(grid.read(), np.float32)
    except OSError as error:  # a disk or share that went away since the header was read
        raise FileError(f"{grid.path} must be readable, the system says: {error.strerror or error}.") from error
    except MemoryError as error:
        raise FileError(
            f"{grid.path} declares {' x '.join(map(str, grid.size))} voxels, more than this machine's memory holds."
        ) from error
    if not math.isfinite(_sum(voxels)):
        bad = int(np.count_nonzero(~np.isfinite(voxels)))
        raise FileError(f"{grid.path} must hold finite voxels, {bad} are NaN or infinite; fill them (air is -1000 HU).")
    return voxels


def _sum(voxels: NDArray[np.float32]) -> float:
    """Finite only if every voxel is, at a fraction of the memory that a mask would take."""
    with np.errstate(invalid="ignore"):
        return float(voxels.sum(dtype=np.float64))


def _law(grid: DeclaredGrid, modality: str | None) -> AttenuationLaw:
    found = modality or grid.modality or "CT"
    if found not in LAWS:
        origin = "the argument" if modality else "its Modality tag"
        raise InputError(
            f"{grid.path} must be CT or MR, {origin} says {found!r}; give --modality CT or MR (modality='CT'), "
            "or pass a law."
        )
    return LAWS[found]
