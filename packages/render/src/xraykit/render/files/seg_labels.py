"""The segments of a DICOM segmentation as masks on the slices of their CT; frames without pixels may be missing.

Source: DICOM PS3.3 A.51 and C.8.20 (Segmentation), C.8.20.2.3 (fractional and label map types).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset

from ..errors import FileError
from ..storage.brief import brief
from ..storage.declared_grid import LPS_TO_RAS, DeclaredGrid, affine_from, checked_affine, checked_size
from ..storage.dicom_header import read_dicom, reading_dicom
from ..storage.dicom_kinds import dicom_kind
from ..storage.dicom_pixels import pixel_layout, stored_frames
from ..storage.dicom_sniff import is_dicom
from ..storage.dicom_tags import number
from ..storage.dicom_unpack import Unpacker
from ..storage.provenance import ASSUMED, Origin
from .label_grid import TOLERANCE

_MAX_PACKING = 2000  # frames of a mask compress far better than pictures

Layers = list[tuple[DeclaredGrid, int | None]]


def find_segmentation(path: Path) -> Path | None:
    """The DICOM segmentation that a file is, or the one that a folder holds; None where there is none.

    Raises:
        FileError: A folder holds several.
    """
    files = [path] if path.is_file() else sorted(file for file in path.iterdir() if file.is_file() and is_dicom(file))
    found = [file for file in files if dicom_kind(read_dicom(file)) == "segmentation"]
    if len(found) > 1:
        raise FileError(f"{path} must hold one DICOM segmentation, it holds {len(found)}; name one of its files.")
    return found[0] if found else None


def segmentation_layers(path: Path, volume: DeclaredGrid) -> tuple[Layers, Mapping[int, str]]:
    """One mask grid and its segment number for each segment (or one grid that holds all of them), and their names.

    Args:
        path: The segmentation.
        volume: The CT, whose slice distance says where missing frames are.

    Raises:
        FileError: Damaged, another kind of segmentation, or frames that lie between the slices of the CT.
    """
    with reading_dicom(path, "a segmentation"):
        dataset = read_dicom(path, pixels=True)
        shared = list(dataset.get("SharedFunctionalGroupsSequence") or [])[:1]
        frames = [[frame, *shared] for frame in dataset.PerFrameFunctionalGroupsSequence]
        kind = str(dataset.get("SegmentationType", "")).upper()
        names = {int(item.SegmentNumber): brief(item.get("SegmentLabel", "")) for item in dataset.SegmentSequence}
        if kind not in ("BINARY", "FRACTIONAL", "LABELMAP"):
            raise FileError(f"{path} must be a binary, fractional or label map segmentation, it is {brief(kind)!r}.")
        grid, slots = _grid(path, dataset, frames, volume)
        pixels = cache(partial(_pixels, path, dataset, kind, len(frames)))
        numbers = None if kind == "LABELMAP" else [_segment_number(path, groups) for groups in frames]
    names = {number: name or f"segment_{number}" for number, name in names.items()}
    found = dict(grid.provenance)
    if kind == "FRACTIONAL":
        found["threshold"] = Origin(0.5, ASSUMED, "a voxel belongs to a segment from one half of the greatest fraction")
    layers: Layers = []
    for segment in [None] if numbers is None else sorted(set(numbers)):
        chosen = [n for n in range(len(frames)) if numbers is None or numbers[n] == segment]
        taken = [slots[n] for n in chosen]
        if len(set(taken)) < len(taken):
            raise FileError(f"{path} must hold each slice of a segment once, segment {segment} has one twice.")
        read = partial(_filled, pixels, chosen, taken, grid.size)
        layers.append((DeclaredGrid(path, grid.kind, grid.size, grid.affine, read, found), segment))
    return layers, names


def _grid(
    path: Path, dataset: FileDataset, frames: list[list[Dataset]], volume: DeclaredGrid
) -> tuple[DeclaredGrid, list[int]]:
    """The grid that spans all frames with the slice distance of the CT, and the slice of each frame."""
    orientation = np.array(_tag(path, frames[0], "PlaneOrientationSequence", "ImageOrientationPatient"), np.float64)
    spacing = np.array(_tag(path, frames[0], "PixelMeasuresSequence", "PixelSpacing"), np.float64)
    positions = np.array([_tag(path, f, "PlanePositionSequence", "ImagePositionPatient") for f in frames], np.float64)
    if orientation.shape != (6,) or spacing.shape != (2,) or positions.shape[1:] != (3,):
        raise FileError(f"{path} must place its frames by 6, 2 and 3 numbers, got others; it is damaged.")
    row, column = orientation.reshape(2, 3)
    normal = np.cross(row, column)
    steps = (LPS_TO_RAS @ volume.affine)[:3, :3]
    along = steps[:, int(np.abs(normal @ (steps / np.linalg.norm(steps, axis=0))).argmax())]
    along = along if along @ normal > 0 else -along
    heights = positions @ normal
    first = positions[int(heights.argmin())]
    places = (heights - heights.min()) / (along @ normal)
    slots = np.rint(places).astype(int)
    if not np.isfinite(places).all() or np.abs(places - slots).max() > TOLERANCE:
        raise FileError(
            f"{path} must hold frames on the slices of {volume.path}, they lie between them; "
            "resample the segmentation onto the CT."
        )
    size = checked_size(path, (int(dataset.Columns), int(dataset.Rows), int(slots.max()) + 1))
    affine = affine_from(np.stack([row * spacing[1], column * spacing[0], along], axis=1), first)
    affine = checked_affine(path, LPS_TO_RAS @ affine, origin="frame positions")
    return DeclaredGrid(path, "DICOM SEG", size, affine, lambda: np.empty(0)), slots.tolist()


def _tag(path: Path, groups: list[Dataset], sequence: str, keyword: str) -> list[float]:
    for group in groups:
        items = group.get(sequence)
        if items and items[0].get(keyword) is not None:
            return [float(value) for value in items[0][keyword].value]
    raise FileError(f"{path} must place its frames by {keyword}, the tag is missing; export it again.")


def _segment_number(path: Path, groups: list[Dataset]) -> int:
    for group in groups:
        items = group.get("SegmentIdentificationSequence")
        if items:
            return int(items[0].ReferencedSegmentNumber)
    raise FileError(f"{path} must say which segment each frame belongs to, ReferencedSegmentNumber is missing.")


def _pixels(path: Path, dataset: FileDataset, kind: str, n_frames: int) -> NDArray[np.generic]:
    """(frames, rows, columns): 0 and 1, or segment numbers of a label map."""
    declared = pixel_layout(path, dataset).frames
    if declared != n_frames:
        raise FileError(f"{path} declares {declared} frames but describes {n_frames}; it is damaged.")
    with Unpacker() as unpacker:
        pixels = stored_frames(path, dataset, unpacker, packing=_MAX_PACKING)
    if kind == "FRACTIONAL":
        most = number(dataset, "MaximumFractionalValue")
        return (pixels.astype(np.uint16) * 2 >= (255 if most is None else most[0])).astype(np.uint8)
    return pixels


def _filled(pixels: object, chosen: list[int], slots: list[int], size: tuple[int, int, int]) -> NDArray[np.generic]:
    stack = pixels()  # type: ignore[operator]
    voxels = np.zeros(size[::-1], stack.dtype)
    voxels[slots] = stack[chosen]
    return voxels
