"""Stored pixels of a DICOM image to modality values: rescale or table, frame by frame, for CT and X-ray alike."""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_modality_lut

from ..errors import FileError
from .dicom_header import reading_dicom
from .dicom_tags import find, number, tag_name
from .provenance import DOUBT


class Rescale(NamedTuple):
    """modality value = slope * stored value + intercept."""

    slope: float
    intercept: float
    tag: str
    """What gave it; "default" where no tag did, "doubt" where the tag cannot be true."""
    note: str = ""
    """What is wrong with it."""


def rescale_of(path: Path, dataset: Dataset, *, frame: int = 0) -> Rescale:
    """Slope and intercept of a frame; a slope of 0, which would leave nothing of the image, is taken as 1 as GDCM does.

    Raises:
        FileError: One of them is there and no finite number.

    Source: DICOM PS3.3 C.11.1 (Modality LUT), C.7.6.16.2.9 (Pixel Value Transformation).
    """
    got = []
    for keyword in ("RescaleSlope", "RescaleIntercept"):
        found = number(dataset, keyword, frame=frame)
        if found is None and find(dataset, keyword, frame=frame) is not None:
            raise FileError(f"{path} must hold a finite {tag_name(keyword)}, got another value; not readable.")
        got.append(found)
    slope, intercept = got
    b = 0.0 if intercept is None else intercept[0]
    if slope is None:
        return Rescale(1.0, b, "default" if intercept is None else tag_name("RescaleIntercept"))
    if slope[0] == 0:
        return Rescale(1.0, b, DOUBT, f"{slope[1]} is 0, which leaves no image: 1 is taken, as other readers do")
    return Rescale(slope[0], b, f"{slope[1]}, intercept")


def has_modality_table(path: Path, dataset: Dataset) -> bool:
    """Whether a Modality LUT, not a rescale, turns stored into modality values; FileError where it is damaged."""
    with reading_dicom(path, "Modality LUT"):
        return bool(dataset.get("ModalityLUTSequence"))


def modality_values(
    path: Path, dataset: Dataset, stored: NDArray[np.generic], *, frame: int = 0
) -> NDArray[np.float32]:
    """One frame in modality units, float32; HU for CT.

    Args:
        path: For messages.
        dataset: The parsed file.
        stored: (rows, columns), as `stored_frames` gives it.
        frame: Which of the file's frames it is.

    Raises:
        FileError: The table is none, or a pixel is not finite.
    """
    if has_modality_table(path, dataset):
        with reading_dicom(path, "Modality LUT"):
            return np.asarray(apply_modality_lut(stored, dataset), dtype=np.float32)
    scale = rescale_of(path, dataset, frame=frame)
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows becomes infinite and is refused below
        if scale.slope == 1 and stored.dtype.itemsize <= 2:
            values = np.add(stored, np.float32(scale.intercept), dtype=np.float32)
        else:
            values = (stored.astype(np.float64) * scale.slope + scale.intercept).astype(np.float32)
        is_finite = math.isfinite(values.sum(dtype=np.float64))  # only if every term is
    if not is_finite:
        raise FileError(f"{path} must hold finite pixels, got NaN or infinity; repair the file first.")
    return values
