"""Masks as a DICOM segmentation beside the X-ray that they are of; it names the patient only where that is asked."""

from __future__ import annotations

import copy
import io
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels.utils import pack_bits
from pydicom.uid import ExplicitVRLittleEndian, SegmentationStorage, generate_uid

from xraykit.render import FileError, InputError
from xraykit.render.pictures import colours
from xraykit.render.storage import installed_version, read_dicom, reading_dicom, write_atomically

from .dicom_segments import code_item, segment_item
from .named_mask import NamedMask, check_masks

# Patient and study, as the X-ray says; the second may be empty in a file, the rest may lack.
_STUDY = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "AccessionNumber",
    "ReferringPhysicianName", "StudyID",
)  # fmt: skip
_MAY_LACK = ("StudyDescription", "FrameOfReferenceUID", "PositionReferenceIndicator", "PatientOrientation")
_NUMBERED = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID")


def save_dicom_segmentation(
    path: str | Path,
    masks: Sequence[NamedMask],
    xray: str | Path,
    *,
    frame: int | None = None,
    identified: bool = False,
) -> Path:
    """Write masks as one binary segmentation (PS3.3 A.51), a segment a mask; they may overlap.

    Pixel spacing is that of the X-ray, to which every frame refers. Nothing says whose X-ray it is: names and dates are
    empty, and study, series and image go by numbers made from theirs, always the same ones, so that the segmentations
    of a study stay together. A segment's label is the
    mask's name, its type the target's name (private scheme 99XRAYKIT) with its side (SNOMED CT), its category
    Anatomical Structure, Physical object, or Spatial and Relational Concept for what the vocabulary does not know;
    the algorithm is SEMIAUTOMATIC where somebody pointed at something.

    Args:
        path: The .dcm file to write.
        masks: Of the X-ray's size; empty ones are left out.
        xray: The DICOM file.
        frame: Which of its frames the masks are of, from 0; None of a file with one.
        identified: Patient, study, series and image as the X-ray says, so that an archive files it beside the X-ray.

    Raises:
        InputError: No mask with a pixel, masks of another size than the X-ray, or a frame that it does not have.
        FileError: The X-ray is no DICOM file, or does not say which it is.
        OutputError: The file cannot be written.
    """
    source = _header(Path(xray))
    if not identified:
        _forget(source)
    check_masks(masks, (int(source.Rows), int(source.Columns)))
    frames = int(source.get("NumberOfFrames") or 1)
    if frame is not None and not 0 <= frame < frames:
        raise InputError(f"frame must be 0 to {frames - 1}, got {frame}.")
    kept = [n for n, one in enumerate(masks) if one.area]
    if not kept:
        raise InputError("a segmentation needs a mask with at least one pixel, got none.")
    dataset = _described(source)
    shades = colours(len(masks))
    dataset.SegmentSequence = [segment_item(k + 1, masks[n], shades[n]) for k, n in enumerate(kept)]
    _refer(dataset, source, frame if frames > 1 else None)
    dataset.NumberOfFrames = len(kept)
    dataset.PixelData = pack_bits(np.stack([masks[n].mask for n in kept]).astype(np.uint8))
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return write_atomically(path, lambda file: file.write(buffer.getvalue()))


def _header(path: Path) -> Dataset:
    try:
        source = read_dicom(path)
    except (FileError, OSError) as error:
        raise FileError(f"{path} must be the DICOM file that the masks are of, got none that can be read.") from error
    with reading_dicom(path, "tags"):
        missing = [name for name in ("SOPClassUID", "SOPInstanceUID", "Rows", "Columns") if not source.get(name)]
    if missing:
        raise FileError(f"{path} must say which X-ray it is, got a file without {', '.join(missing)}.")
    return source


def _forget(source: Dataset) -> None:
    """Take out whose X-ray it is, in place; what numbers it gets numbers made from them."""
    for name in (*_STUDY, "StudyDescription", "PositionReferenceIndicator"):
        if name in source:
            delattr(source, name)
    for name in _NUMBERED:
        if said := source.get(name):
            setattr(source, name, generate_uid(entropy_srcs=[str(said)]))


def _described(source: Dataset) -> Dataset:
    """All but the segments, the references and the pixels."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    for name in _STUDY:
        _copy(dataset, source, name, empty="")
    for name in _MAY_LACK:
        _copy(dataset, source, name)
    dataset.StudyInstanceUID = source.get("StudyInstanceUID") or generate_uid()
    version = installed_version("xraykit-fluorosam")
    now = datetime.now()
    values = {
        "SOPClassUID": SegmentationStorage, "SOPInstanceUID": generate_uid(), "SeriesInstanceUID": generate_uid(),
        "Modality": "SEG", "SeriesNumber": 900, "InstanceNumber": 1, "Manufacturer": "xraykit",
        "ManufacturerModelName": "xraykit-fluorosam", "DeviceSerialNumber": "0", "SoftwareVersions": version,
        "SeriesDescription": "masks by words and clicks", "ImageType": ["DERIVED", "PRIMARY"],
        "ContentDate": now.strftime("%Y%m%d"), "ContentTime": now.strftime("%H%M%S"), "ContentLabel": "XRAY_MASKS",
        "ContentDescription": "masks by words and clicks", "ContentCreatorName": "", "SegmentationType": "BINARY",
        "SegmentsOverlap": "YES", "LossyImageCompression": "00", "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2", "PixelRepresentation": 0, "BitsAllocated": 1, "BitsStored": 1,
        "HighBit": 0, "Rows": int(source.Rows), "Columns": int(source.Columns),
    }  # fmt: skip
    for name, value in values.items():
        setattr(dataset, name, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = SegmentationStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return dataset


def _refer(dataset: Dataset, source: Dataset, frame: int | None) -> None:
    """Which image and which segment each frame is of, and how large its pixels are."""
    image = Dataset()
    image.ReferencedSOPClassUID, image.ReferencedSOPInstanceUID = source.SOPClassUID, source.SOPInstanceUID
    instance = Dataset()
    instance.update(image)
    if source.get("SeriesInstanceUID"):
        series = Dataset()
        series.SeriesInstanceUID, series.ReferencedInstanceSequence = source.SeriesInstanceUID, [instance]
        dataset.ReferencedSeriesSequence = [series]
    if frame is not None:
        image.ReferencedFrameNumber = frame + 1
    image.SpatialLocationsPreserved = "YES"
    image.PurposeOfReferenceCodeSequence = [
        code_item("121322", "DCM", "Source image for image processing operation"),
    ]
    derivation = Dataset()
    derivation.SourceImageSequence = [image]
    derivation.DerivationCodeSequence = [code_item("113076", "DCM", "Segmentation")]
    shared = Dataset()
    spacing = source.get("PixelSpacing") or source.get("ImagerPixelSpacing")
    if spacing:
        measures = Dataset()
        measures.PixelSpacing = list(spacing)
        measures.SliceThickness = 1  # [mm] a projection has none, and readers refuse pixel measures without it
        shared.PixelMeasuresSequence = [measures]
    dataset.SharedFunctionalGroupsSequence = [shared]
    organization = Dataset()
    organization.DimensionOrganizationUID = generate_uid()
    dataset.DimensionOrganizationSequence = [organization]
    index = Dataset()
    index.DimensionOrganizationUID = organization.DimensionOrganizationUID
    index.DimensionIndexPointer, index.FunctionalGroupPointer = 0x0062000B, 0x0062000A
    dataset.DimensionIndexSequence = [index]
    dataset.PerFrameFunctionalGroupsSequence = [
        _frame_item(item.SegmentNumber, derivation) for item in dataset.SegmentSequence
    ]


def _frame_item(number: int, derivation: Dataset) -> Dataset:
    """What a frame is of; the derivation is the same for all, and readers look for it here."""
    identification, content, item = Dataset(), Dataset(), Dataset()
    identification.ReferencedSegmentNumber = number
    content.DimensionIndexValues = [number]
    item.SegmentIdentificationSequence, item.FrameContentSequence = [identification], [content]
    item.DerivationImageSequence = [copy.deepcopy(derivation)]
    return item


def _copy(dataset: Dataset, source: Dataset, name: str, *, empty: str | None = None) -> None:
    """An attribute of the X-ray, `empty` where it lacks or is not as DICOM has it; None leaves it out."""
    try:
        value = source.get(name)
        if value is not None and value != "":
            setattr(dataset, name, str(value) if name in _STUDY else value)
            return
    except (ValueError, TypeError):
        if name in dataset:
            delattr(dataset, name)
    if empty is not None:
        setattr(dataset, name, empty)
