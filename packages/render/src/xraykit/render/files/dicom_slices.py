"""The slices in DICOM images: place, size and scale of every frame, classic (one per file) or enhanced (many).

Source: DICOM PS3.3 C.7.6.2 Image Plane, C.7.6.16 Multi-frame Functional Groups, C.7.6.16.2.9 Pixel Value
Transformation.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset

from ..errors import FileError
from ..storage.declared_grid import MAX_LENGTH
from ..storage.dicom_header import reading_dicom, transfer_syntax


@dataclass(frozen=True)
class Slice:
    """One frame of a series, in DICOM's LPS millimetres."""

    path: Path
    frame: int
    rows: int
    columns: int
    position: NDArray[np.float64]
    """Centre of the first pixel, (3,)."""
    row_direction: NDArray[np.float64]
    """Unit vector along a row, where the column index grows, (3,)."""
    column_direction: NDArray[np.float64]
    """Unit vector along a column, where the row index grows, (3,)."""
    spacing: tuple[float, float]
    """(row, column) distance of pixel centres."""
    thickness: float | None
    slope: float
    intercept: float
    has_rescale: bool


def slices_of(path: Path, dataset: FileDataset) -> list[Slice]:
    """The slices of one DICOM image.

    Raises:
        FileError: Colour, a missing or malformed geometry tag, a modality table, or fewer bytes than declared.
    """
    with reading_dicom(path, "image tags"):
        _check_pixels(path, dataset)
        n_frames = int(dataset.get("NumberOfFrames") or 1)
        if "PerFrameFunctionalGroupsSequence" not in dataset:
            if n_frames != 1:
                raise FileError(f"{path} holds {n_frames} frames without their positions; it is no CT or MR volume.")
            return [_slice(path, 0, dataset, [dataset])]
        shared = list(dataset.get("SharedFunctionalGroupsSequence") or [])[:1]
        frames = dataset.PerFrameFunctionalGroupsSequence
        if len(frames) != n_frames:
            raise FileError(f"{path} declares {n_frames} frames but describes {len(frames)}; it is damaged.")
        return [_slice(path, n, dataset, [*_groups(frame), *_groups(*shared)]) for n, frame in enumerate(frames)]


def _check_pixels(path: Path, dataset: FileDataset) -> None:
    samples, rows, columns = (int(dataset.get(tag) or 0) for tag in ("SamplesPerPixel", "Rows", "Columns"))
    bits, frames = int(dataset.get("BitsAllocated") or 0), int(dataset.get("NumberOfFrames") or 1)
    if samples != 1 or bits not in (8, 16, 32):
        raise FileError(f"{path} must hold grey pixels of 8, 16 or 32 bits, got {samples} samples of {bits} bits.")
    if min(rows, columns, frames) < 1:
        raise FileError(f"{path} must hold pixels, it declares {rows} rows, {columns} columns, {frames} frames.")
    if "ModalityLUTSequence" in dataset:
        raise FileError(f"{path} scales its voxels by a lookup table, which is not read here; convert it first.")
    needed, held = rows * columns * frames * bits // 8, path.stat().st_size
    if not transfer_syntax(dataset).is_compressed and needed > held:
        raise FileError(
            f"{path} must hold {needed} bytes of pixels as its tags declare, the whole file has {held}; "
            "it is cut short, copy it again."
        )


def _groups(*holders: Dataset) -> list[Dataset]:
    """The single items of the functional groups in each holder."""
    return [element.value[0] for holder in holders for element in holder if element.VR == "SQ" and element.value]


def _slice(path: Path, frame: int, dataset: FileDataset, places: list[Dataset]) -> Slice:
    orientation = _numbers(path, places, "ImageOrientationPatient", 6)
    row, column = orientation[:3], orientation[3:]
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if not np.allclose(lengths, 1.0, atol=1e-3) or abs(row @ column) > 1e-3:
        raise FileError(
            f"{path} must orient its rows and columns by two perpendicular unit vectors, "
            f"its ImageOrientationPatient is {orientation.tolist()}."
        )
    spacing = _numbers(path, places, "PixelSpacing", 2)
    if (spacing <= 0).any():
        raise FileError(f"{path} must have positive pixel spacing, its PixelSpacing is {spacing.tolist()} mm.")
    slope, intercept, thickness = (
        _optional(path, places, tag) for tag in ("RescaleSlope", "RescaleIntercept", "SliceThickness")
    )
    return Slice(
        path=path,
        frame=frame,
        rows=int(dataset.Rows),
        columns=int(dataset.Columns),
        position=_numbers(path, places, "ImagePositionPatient", 3),
        row_direction=row / lengths[0],
        column_direction=column / lengths[1],
        spacing=(float(spacing[0]), float(spacing[1])),
        thickness=thickness,
        slope=1.0 if slope is None else slope,
        intercept=0.0 if intercept is None else intercept,
        has_rescale=slope is not None and intercept is not None,
    )


def _numbers(path: Path, places: list[Dataset], keyword: str, count: int) -> NDArray[np.float64]:
    value = next((place[keyword].value for place in places if place.get(keyword) is not None), None)
    if value is None:
        raise FileError(f"{path} must place its image by {keyword}, the tag is missing; it is no volume slice.")
    numbers = np.array([float(part) for part in value], dtype=np.float64)
    if len(numbers) != count or not (np.abs(numbers) < MAX_LENGTH).all():
        raise FileError(f"{path} must hold {count} finite numbers in {keyword}, got {numbers.tolist()}.")
    return numbers


def _optional(path: Path, places: list[Dataset], keyword: str) -> float | None:
    value = next((place.get(keyword) for place in places if place.get(keyword) is not None), None)
    if value is None:
        return None
    if not np.isfinite(float(value)):
        raise FileError(f"{path} must hold a finite {keyword}, got {value}.")
    return float(value)
