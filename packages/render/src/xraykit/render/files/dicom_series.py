"""A folder of DICOM images (or one enhanced file) as one volume, its grid kept exactly as the tags place it.

A gantry-tilted series is a sheared grid: rows and columns as ImageOrientationPatient says, the third axis along
the line of slice positions. It is read as that, never resampled, unless its slices are uneven and that is asked for.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import FileDataset

from ..errors import FileError
from ..storage.declared_grid import LPS_TO_RAS, DeclaredGrid, affine_from, checked_affine, checked_size
from ..storage.dicom_header import read_dicom
from ..storage.dicom_kinds import dicom_kind
from ..storage.dicom_pixels import stored_frames
from ..storage.dicom_unpack import Unpacker
from ..storage.dicom_values import modality_values
from ..storage.provenance import ASSUMED, Origin
from ..storage.reading_progress import told
from .dicom_folder import UNREAD, folder_content, left_out_as
from .dicom_slices import Slice, slices_of
from .dicom_stacks import Stack, chosen_stack, stacks_of
from .dicom_steps import even_places, even_step, uneven
from .series_provenance import counted, series_provenance


def read_dicom_series(path: Path, *, series: str | None = None, resample_slices: bool = False) -> DeclaredGrid:
    """What the DICOM images in a folder and its subfolders, or in one file, declare as a volume.

    What is no slice (localizers, dose, structures, captures, reports) is left out and counted in the provenance. A
    single slice brings the others of its series that lie beside it.

    Args:
        path: A folder, a DICOMDIR, or one DICOM file.
        series: Which, where there are several: a number in the list that the error gives, or a SeriesInstanceUID.
        resample_slices: Interpolate a stack of uneven steps linearly along itself, at its smallest step.

    Raises:
        FileError: No image, several volumes, mixed sizes, spacings or orientations, missing or doubled slices,
            damaged or short files.
    """
    slices, left_out, beside = _found(path)
    stacks, copies = stacks_of(slices)
    stack, others = chosen_stack(path, stacks, series)
    left_out.update(others)
    if copies:
        left_out["double"] += copies
    _check_alike(path, stack)
    step, places = _step(path, stack, resample=resample_slices)
    n_slices = len(stack) if places is None else len(places)
    first = stack[0]
    size = checked_size(path, (first.columns, first.rows, n_slices))
    columns = np.stack([first.row_direction * first.spacing[1], first.column_direction * first.spacing[0], step], 1)
    affine = checked_affine(path, LPS_TO_RAS @ affine_from(columns, first.position), origin="slice positions")
    n_files = len({piece.path for piece in stack})
    found = series_provenance(stack, left_out, beside=beside)
    if places is not None:
        found["slices"] = Origin(n_slices, ASSUMED, f"interpolated along the stack from {len(stack)} of uneven steps")
    return DeclaredGrid(
        path=path,
        kind=f"DICOM, {n_files} file{'s' * (n_files != 1)}",
        size=size,
        affine=affine,
        read=lambda: _read(stack, places),
        provenance=found,
        modality=first.series.kind if first.series.kind in ("CT", "MR") else first.series.modality,
    )


def _found(path: Path) -> tuple[list[Slice], Counter[str], int]:
    """The slices of a folder or file, what else is there, and how many were not named."""
    if path.is_file():
        dataset = read_dicom(path)
        if dicom_kind(dataset) != "directory":
            return _beside(path, slices_of(path, _checked(path, dataset)))
        path = path.parent
    content = folder_content(path)
    if content.slices:
        return content.slices, content.left_out, 0
    held = ", ".join(counted(*entry) for entry in sorted(content.left_out.items())) or "no files"
    raise FileError(f"{path} must hold DICOM images of a CT or MR, it holds {held}; name the folder of its slices.")


def _checked(path: Path, dataset: FileDataset) -> FileDataset:
    kind = dicom_kind(dataset)
    if kind in ("X-ray", "dose", "structures", "segmentation", "report"):
        raise FileError(f"{path} must be a slice of a CT or MR, it is a DICOM {left_out_as(dataset)}; choose another.")
    return dataset


def _beside(path: Path, named: list[Slice]) -> tuple[list[Slice], Counter[str], int]:
    """A single slice with those of its series that lie beside it, and what there could be a part of it."""
    if len(named) != 1:
        return named, Counter(), 0
    own, here = named[0], folder_content(path.parent, only_here=True)
    others = [
        piece
        for piece in here.slices
        if piece.series.uid == own.series.uid and piece.path != path and piece.instance != own.instance
        if np.abs(piece.normal - own.normal).max() < 0.01
    ]
    unread = Counter({name: here.left_out[name] for name in UNREAD if here.left_out[name]})
    return [*named, *others], unread, len(others)


def _step(path: Path, stack: Stack, *, resample: bool) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """The step of the grid [mm, LPS], and where slices must be interpolated."""
    first = stack[0]
    if len(stack) == 1:
        if not first.thickness or first.thickness <= 0:
            raise FileError(f"{path} holds a single slice without SliceThickness, so its depth is unknown.")
        return first.normal * first.thickness, None
    step = even_step(path, stack)
    if step is not None:
        return step, None
    if not resample:
        raise uneven(path, stack)
    return even_places(path, stack)


def _check_alike(path: Path, stack: Stack) -> None:
    first = stack[0]
    for piece in stack[1:]:
        for name, ours, theirs, tolerance in (
            ("size", (first.rows, first.columns), (piece.rows, piece.columns), 0.0),
            ("pixel spacing", first.spacing, piece.spacing, 1e-4 * first.spacing[0]),
            ("row direction", first.row_direction, piece.row_direction, 1e-4),
            ("column direction", first.column_direction, piece.column_direction, 1e-4),
        ):
            if np.abs(np.subtract(ours, theirs)).max() > tolerance:
                raise FileError(
                    f"{path} must hold slices of one {name}, {first.path.name} has {_short(ours)} and "
                    f"{piece.path.name} has {_short(theirs)}; remove localizers and other scans."
                )


def _short(values: object) -> str:
    return "(" + ", ".join(f"{value:g}" for value in np.atleast_1d(np.asarray(values))) + ")"


def _read(stack: Stack, places: NDArray[np.float64] | None) -> NDArray[np.generic]:
    voxels = np.empty((len(stack), stack[0].rows, stack[0].columns), np.float32)
    wanted: dict[Path, list[tuple[int, Slice]]] = {}
    for k, piece in enumerate(stack):
        wanted.setdefault(piece.path, []).append((k, piece))
    with Unpacker() as unpacker:
        for path, pieces in told(list(wanted.items()), "files of the series"):
            dataset = read_dicom(path, pixels=True)
            frames = stored_frames(path, dataset, unpacker, frames=[piece.frame for _, piece in pieces])
            if frames.shape[1:] != voxels.shape[1:]:
                raise FileError(f"{path} must hold the frames its tags declare, its pixels have {frames.shape}.")
            for (k, piece), frame in zip(pieces, frames, strict=True):
                voxels[k] = modality_values(path, dataset, frame, frame=piece.frame)
    if places is None:
        return voxels
    below = np.minimum(places.astype(np.intp), len(stack) - 2)
    share = (places - below).astype(np.float32)
    planes = [voxels[k] + t * (voxels[k + 1] - voxels[k]) for k, t in zip(below, share, strict=True)]
    return np.stack(planes)
