"""A folder of DICOM images (or one enhanced file) as one volume, its grid kept exactly as the tags place it.

A gantry-tilted series is a sheared grid: rows and columns as ImageOrientationPatient says, the third axis along
the line of slice positions. It is read as that, never resampled.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import FileDataset

from ..errors import FileError
from ..storage.declared_grid import LPS_TO_RAS, DeclaredGrid, affine_from, checked_affine, checked_size
from ..storage.dicom_header import is_dicom, read_dicom, tag_text
from ..storage.provenance import ASSUMED, Origin
from .dicom_pixels import stored_frames
from .dicom_slices import Slice, slices_of
from .series_doubts import check_links, series_doubts

_SUFFIXES = {".dcm", ".ima", ".dicom"}
_IGNORED = {"DICOMDIR"}


def read_dicom_series(path: Path, *, series: str | None = None) -> DeclaredGrid:
    """What the DICOM images in a folder (not in its subfolders), or in one file, declare as a volume.

    Args:
        path: A folder, or one DICOM file.
        series: SeriesInstanceUID to read where a folder holds several.

    Raises:
        FileError: No image, several series, mixed sizes, spacings or orientations, missing or doubled slices,
            damaged or short files.
    """
    headers, ignored = _headers(path)
    headers = _one_series(path, headers, series)
    slices = [piece for file, dataset in headers for piece in slices_of(file, dataset)]
    _check_alike(path, slices)
    slices = _sorted(slices)
    size = checked_size(path, (slices[0].columns, slices[0].rows, len(slices)))
    affine = checked_affine(path, LPS_TO_RAS @ _affine(path, slices), origin="slice positions")
    return DeclaredGrid(
        path=path,
        kind=f"DICOM, {len(headers)} file{'s' * (len(headers) != 1)}",
        size=size,
        affine=affine,
        read=lambda: _read(slices),
        provenance=_facts(slices, *headers[0], ignored) | series_doubts(path, headers[0][1], slices),
        modality=tag_text(*headers[0], "Modality"),
    )


def _headers(path: Path) -> tuple[list[tuple[Path, FileDataset]], int]:
    if path.is_file():
        return [(path, read_dicom(path))], 0
    files = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
    found = []
    for file in files:
        if file.name in _IGNORED:
            continue
        if file.suffix.lower() in _SUFFIXES or is_dicom(file):
            dataset = read_dicom(file)
            # Reports, structure sets and presentation states have neither; a damaged image has one of them left.
            if "Rows" in dataset or "ImagePositionPatient" in dataset:
                found.append((file, dataset))
    check_links(path, {file.suffix.lower() for file, _ in found})
    if not found:
        raise FileError(f"{path} must hold DICOM images, none of its {len(files)} files is one.")
    return found, len(files) - len(found)


def _one_series(
    path: Path, headers: list[tuple[Path, FileDataset]], series: str | None
) -> list[tuple[Path, FileDataset]]:
    uids = [tag_text(file, dataset, "SeriesInstanceUID") or "(no UID)" for file, dataset in headers]
    counts = Counter(uids)
    if series is not None:
        if series not in counts:
            raise FileError(f"{path} holds no series {series}; it has {', '.join(counts)}.")
        return [header for header, uid in zip(headers, uids, strict=True) if uid == series]
    if len(counts) > 1:
        listed = ", ".join(f"{uid} ({count} images)" for uid, count in list(counts.items())[:4])
        raise FileError(
            f"{path} must hold one DICOM series, it holds {len(counts)}: {listed}; "
            "put each into its own folder or name one with series=."
        )
    return headers


def _check_alike(path: Path, slices: list[Slice]) -> None:
    first = slices[0]
    for piece in slices[1:]:
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


def _sorted(slices: list[Slice]) -> list[Slice]:
    normal = np.cross(slices[0].row_direction, slices[0].column_direction)
    return sorted(slices, key=lambda piece: float(piece.position @ normal))


def _affine(path: Path, slices: list[Slice]) -> NDArray[np.float64]:
    first = slices[0]
    normal = np.cross(first.row_direction, first.column_direction)
    if len(slices) == 1:
        if not first.thickness or first.thickness <= 0:
            raise FileError(f"{path} holds a single slice without SliceThickness, so its depth is unknown.")
        step = normal * first.thickness
    else:
        step = _uniform_step(path, slices, normal)
    columns = np.stack([first.row_direction * first.spacing[1], first.column_direction * first.spacing[0], step], 1)
    return affine_from(columns, first.position)


def _uniform_step(path: Path, slices: list[Slice], normal: NDArray[np.float64]) -> NDArray[np.float64]:
    """The step between neighbours [mm, LPS]; FileError where one is missing, doubled or out of line."""
    positions = np.stack([piece.position for piece in slices])
    gaps = np.diff(positions @ normal)
    usual = float(np.sort(gaps)[(len(gaps) - 1) // 2])  # the lower median: one of two gaps may be the wrong one
    doubled = int((gaps <= 1e-3).sum())
    if doubled:
        pair = int(np.argmin(gaps))
        raise FileError(
            f"{path} must hold each slice once, {doubled + 1} slices share a position, for instance "
            f"{slices[pair].path.name} and {slices[pair + 1].path.name}; keep one phase or reconstruction."
        )
    worst = int(np.argmax(np.abs(gaps - usual)))
    if abs(gaps[worst] - usual) > max(0.02 * usual, 2e-3):
        raise FileError(
            f"{path} must hold evenly spaced slices, most are {usual:.4g} mm apart but {slices[worst].path.name} and "
            f"{slices[worst + 1].path.name} are {gaps[worst]:.4g} mm apart; slices are missing or the scan is uneven."
        )
    step = (positions[-1] - positions[0]) / (len(slices) - 1)
    offline = np.linalg.norm(positions - positions[0] - np.arange(len(slices))[:, None] * step, axis=1)
    if offline.max() > max(0.05 * usual, 2e-3):
        raise FileError(
            f"{path} must hold slices along one straight line, {slices[int(offline.argmax())].path.name} lies "
            f"{offline.max():.3g} mm off it."
        )
    return step


def _read(slices: list[Slice]) -> NDArray[np.generic]:
    voxels = np.empty((len(slices), slices[0].rows, slices[0].columns), np.float32)
    wanted: dict[Path, list[tuple[int, Slice]]] = {}
    for k, piece in enumerate(slices):
        wanted.setdefault(piece.path, []).append((k, piece))
    for path, pieces in wanted.items():
        frames, is_scaled = stored_frames(path)
        if frames.shape[1:] != voxels.shape[1:] or len(frames) <= max(piece.frame for _, piece in pieces):
            raise FileError(f"{path} must hold the frames its tags declare, its pixels have shape {frames.shape}.")
        for k, piece in pieces:
            frame = frames[piece.frame]
            voxels[k] = frame if is_scaled else frame.astype(np.float32) * (piece.slope or 1.0) + piece.intercept
    return voxels


def _facts(slices: list[Slice], file: Path, dataset: FileDataset, ignored: int) -> dict[str, Origin]:
    scales = sorted({(piece.slope, piece.intercept) for piece in slices})
    shown = ", ".join(f"x {slope:g} + {intercept:g}" for slope, intercept in scales[:3])
    rescale = Origin(shown, "RescaleSlope, RescaleIntercept")
    if not all(piece.has_rescale for piece in slices):
        rescale = Origin(shown, ASSUMED, "the tags are absent: 1 and 0")
    facts = {
        "affine from": Origin("DICOM tags", "ImageOrientationPatient, ImagePositionPatient, PixelSpacing"),
        "rescale": rescale,
        "series": Origin(tag_text(file, dataset, "SeriesInstanceUID") or "not named", "SeriesInstanceUID"),
    }
    for keyword, name in (("GantryDetectorTilt", "gantry tilt [deg]"), ("KVP", "tube voltage [kV]")):
        value = tag_text(file, dataset, keyword)
        if value is not None:
            facts[name] = Origin(value, keyword)
    if ignored:
        facts["ignored"] = Origin(f"{ignored} files that are no images", "folder")
    return facts
