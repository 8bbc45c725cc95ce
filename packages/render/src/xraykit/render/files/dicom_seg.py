"""Masks of a simulated X-ray as a DICOM segmentation that refers to the exported image and names no patient."""

from __future__ import annotations

import io
from collections.abc import Sequence
from copy import copy
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from pydicom import dcmread
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.sr.coding import Code
from pydicom.uid import DigitalXRayImageStorageForPresentation, XRayAngiographicImageStorage, generate_uid

from ..errors import FileError, InputError
from ..extras import require
from ..radiographs.save_dicom import SIMULATED
from ..rendering.masks import MaskEntry, MaskSet
from ..storage.atomic_write import write_atomically
from ..storage.versions import installed_version

SCHEME = "99XRAYKIT"
CATEGORIES = {
    "organ": Code("123037004", "SCT", "Anatomical Structure"),
    "tool": Code("260787004", "SCT", "Physical object"),
}
PROJECTION = Code("PROJECTION", SCHEME, "Projection of labelled voxels and meshes")
MOST_LETTERS = 64  # of a segment label and a code's meaning (LO)


def write_dicom_seg(
    path: str | Path, masks: MaskSet, image: str | Path, *, view: int = 0, uid_seed: str | None = None
) -> Path:
    """Write every mask that has a pixel as one segment of a binary DICOM segmentation (PS3.3 A.51).

    Segments overlap, as amodal masks do. Segment label and property type are the mask's name (private scheme
    99XRAYKIT), the category is Anatomical Structure or Physical object (SNOMED CT). Study and patient module come from
    the image, whose patient is "SIMULATED".

    Args:
        path: The .dcm file to write.
        masks: Masks of the image.
        image: The image as `save_image` wrote it (.dcm), a single frame of the masks' size.
        view: Which view of the masks belongs to the image.
        uid_seed: Text from which, with the image's identifiers, the file takes its own; None draws random ones.

    Raises:
        BackendUnavailableError: highdicom is not installed.
        FileError: The image is missing, no DICOM, another size, or was not simulated.
        InputError: No mask has a pixel, or view is out of range.
        OutputError: The file could not be written.
    """
    highdicom = require("highdicom", extra="export", what="a DICOM segmentation")
    if not 0 <= view < len(masks.bits):
        raise InputError(f"view must be 0 to {len(masks.bits) - 1}, got {view}.")
    stack = masks.stack()[view].cpu().numpy()
    kept = [m for m in range(len(masks.entries)) if stack[m].any()]
    if not kept:
        raise InputError("a segmentation needs a mask with at least one pixel, got none; the view shows no label.")
    source = _source(Path(image), stack.shape[1:])
    pixels = np.moveaxis(stack[kept], 0, -1)[None].astype(np.uint8)
    segments = [_segment(highdicom, n + 1, masks.entries[m]) for n, m in enumerate(kept)]
    series, instance = (
        generate_uid(entropy_srcs=None if uid_seed is None else [uid_seed, str(source.SOPInstanceUID), part])
        for part in ("segmentation series", "segmentation")
    )
    segmentation = highdicom.seg.Segmentation(
        source_images=[source],
        pixel_array=pixels,
        segmentation_type="BINARY",
        segment_descriptions=segments,
        series_instance_uid=series,
        series_number=2,
        sop_instance_uid=instance,
        instance_number=1,
        manufacturer="xraykit",
        manufacturer_model_name="xraykit-render",
        software_versions=installed_version("xraykit-render"),
        device_serial_number="0",
        content_label="XRAY_MASKS",
        content_description="amodal masks of a simulated X-ray",
    )
    segmentation.PatientName = SIMULATED
    segmentation.walk(_refer_to_angiography)
    buffer = io.BytesIO()
    segmentation.save_as(buffer)
    return write_atomically(path, lambda file: file.write(buffer.getvalue()))


def _source(path: Path, size: Sequence[int]) -> Dataset:
    """The simulated image in a form that highdicom takes: it knows single-frame X-rays as DX only, ours are XA."""
    try:
        dataset = dcmread(path)
    except (InvalidDicomError, OSError) as error:
        raise FileError(
            f"{path} must be the DICOM image that the masks belong to, got none that can be read."
        ) from error
    if dataset.get("PatientName") != SIMULATED or dataset.get("PatientID") != SIMULATED:
        raise FileError(
            f"{path} must be a simulated image (patient {SIMULATED}), got another; masks are of no patient."
        )
    shape = (dataset.get("Rows"), dataset.get("Columns"), int(dataset.get("NumberOfFrames") or 1))
    if shape != (*size, 1):
        raise FileError(f"{path} must be one frame of {size[0]}x{size[1]} px like the masks, got {shape}.")
    source = copy(dataset)
    source.PatientName = f"{SIMULATED}^"  # highdicom wants a name of two components
    source.SOPClassUID = DigitalXRayImageStorageForPresentation
    return source


def _refer_to_angiography(dataset: Dataset, element: DataElement) -> None:
    """Name the true class of the image wherever the segmentation refers to it."""
    if element.keyword == "ReferencedSOPClassUID" and element.value == DigitalXRayImageStorageForPresentation:
        dataset.ReferencedSOPClassUID = XRayAngiographicImageStorage


def _segment(highdicom: ModuleType, number: int, entry: MaskEntry) -> Any:
    name = entry.name[:MOST_LETTERS]
    return highdicom.seg.SegmentDescription(
        segment_number=number,
        segment_label=name,
        segmented_property_category=CATEGORIES[entry.kind],
        segmented_property_type=Code(name, SCHEME, name),
        algorithm_type="AUTOMATIC",
        algorithm_identification=highdicom.AlgorithmIdentificationSequence(
            name="xraykit", version=installed_version("xraykit-render"), family=PROJECTION
        ),
    )
