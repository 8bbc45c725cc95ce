"""The slices in DICOM images: place, size and scale of every frame, classic (one per file) or enhanced (many).

Source: DICOM PS3.3 C.7.6.2 Image Plane, C.7.6.16 Multi-frame Functional Groups, C.7.6.16.2.9 Pixel Value
Transformation.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import FileDataset

from ..errors import FileError
from ..storage.brief import brief
from ..storage.declared_grid import MAX_LENGTH
from ..storage.dicom_header import assumed_encoding, reading_dicom
from ..storage.dicom_kinds import DicomKind, dicom_kind
from ..storage.dicom_pixels import pixel_layout, transfer_syntax
from ..storage.dicom_tags import PER_FRAME, find, number, text
from ..storage.dicom_values import Rescale, rescale_of

APART = (
    *("ImageType", "FrameType", "StackID", "AcquisitionNumber", "TemporalPositionIdentifier", "TemporalPositionIndex"),
    *("NominalPercentageOfCardiacPhase", "TriggerTime", "EchoTime", "ConvolutionKernel", "KVP", "DiffusionBValue"),
)
"""What tells two images of one series at one place apart: phases, echoes, kernels."""


NO_UID = "(no UID)"


@dataclass(frozen=True)
class SeriesName:
    """What a series is called.

    Args:
        uid: SeriesInstanceUID.
        number: SeriesNumber, 0 where there is none.
        description: SeriesDescription, on one short line.
        modality: Modality.
        kind: By storage class.
    """

    uid: str
    number: int
    description: str
    modality: str | None
    kind: DicomKind


@dataclass(frozen=True, eq=False)
class Slice:
    """One frame of a series, in DICOM's LPS millimetres."""

    path: Path
    frame: int
    series: SeriesName
    instance: str
    """SOPInstanceUID, the same in every copy of a file."""
    apart: tuple[str, ...]
    """The values of `APART`."""
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
    rescale: Rescale

    @property
    def normal(self) -> NDArray[np.float64]:
        """Unit vector across the slice, (3,)."""
        return np.cross(self.row_direction, self.column_direction)


def slices_of(path: Path, dataset: FileDataset) -> list[Slice]:
    """The slices of one DICOM image.

    Raises:
        FileError: Colour, a missing or malformed geometry tag, or fewer bytes than declared.
    """
    with reading_dicom(path, "image tags"):
        n_frames = _check_pixels(path, dataset)
        described = len(dataset.get(PER_FRAME) or [])
        if described not in (0, n_frames):
            raise FileError(f"{path} declares {n_frames} frames but describes {described}; it is damaged.")
        if not described and n_frames != 1:
            raise FileError(f"{path} holds {n_frames} frames without their positions; it is no CT or MR volume.")
        name = _series_name(dataset)
        return [_slice(path, frame, dataset, name) for frame in range(n_frames)]


def _check_pixels(path: Path, dataset: FileDataset) -> int:
    layout = pixel_layout(path, dataset)
    if layout.samples != 1 or layout.allocated == 1:
        raise FileError(
            f"{path} must hold grey pixels of 8, 16 or 32 bits, got {layout.samples} samples of "
            f"{layout.allocated} bits."
        )
    needed, held = layout.frames * layout.frame_bytes, path.stat().st_size
    syntax, is_stated = transfer_syntax(dataset), not assumed_encoding(dataset)
    if is_stated and not syntax.is_compressed and not syntax.is_deflated and needed > held:
        raise FileError(
            f"{path} must hold {needed} bytes of pixels as its tags declare, the whole file has {held}; "
            "it is cut short, copy it again."
        )
    return layout.frames


def _series_name(dataset: FileDataset) -> SeriesName:
    uid, about = text(dataset, "SeriesInstanceUID"), text(dataset, "SeriesDescription")
    order, modality = number(dataset, "SeriesNumber"), text(dataset, "Modality")
    return SeriesName(
        (brief(uid[0]) if uid else "") or NO_UID,
        0 if order is None else int(order[0]),
        "" if about is None else brief(about[0], limit=40),
        None if modality is None else brief(modality[0], limit=16),
        dicom_kind(dataset),
    )


def _slice(path: Path, frame: int, dataset: FileDataset, series: SeriesName) -> Slice:
    orientation = _numbers(path, dataset, frame, "ImageOrientationPatient", 6)
    row, column = orientation[:3], orientation[3:]
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if not np.allclose(lengths, 1.0, atol=1e-3) or abs(row @ column) > 1e-3:
        raise FileError(
            f"{path} must orient its rows and columns by two perpendicular unit vectors, "
            f"its ImageOrientationPatient is {orientation.tolist()}."
        )
    spacing = _numbers(path, dataset, frame, "PixelSpacing", 2)
    if (spacing <= 0).any():
        raise FileError(f"{path} must have positive pixel spacing, its PixelSpacing is {spacing.tolist()} mm.")
    thickness, instance = number(dataset, "SliceThickness", frame=frame), text(dataset, "SOPInstanceUID")
    apart = (text(dataset, keyword, frame=frame) for keyword in APART)
    return Slice(
        path=path,
        frame=frame,
        series=series,
        instance=f"{path}" if instance is None else instance[0],
        apart=tuple("" if said is None else said[0] for said in apart),
        rows=int(dataset.Rows),
        columns=int(dataset.Columns),
        position=_numbers(path, dataset, frame, "ImagePositionPatient", 3),
        row_direction=row / lengths[0],
        column_direction=column / lengths[1],
        spacing=(float(spacing[0]), float(spacing[1])),
        thickness=None if thickness is None else thickness[0],
        rescale=rescale_of(path, dataset, frame=frame),
    )


def _numbers(path: Path, dataset: FileDataset, frame: int, keyword: str, count: int) -> NDArray[np.float64]:
    found = find(dataset, keyword, frame=frame)
    if found is None:
        raise FileError(f"{path} must place its image by {keyword}, the tag is missing; it is no volume slice.")
    numbers = np.array([float(str(part)) for part in np.atleast_1d(np.asarray(found.value, dtype=object))])
    if len(numbers) != count or not (np.abs(numbers) < MAX_LENGTH).all():
        raise FileError(f"{path} must hold {count} finite numbers in {keyword}, got {numbers.tolist()[:8]}.")
    return numbers
