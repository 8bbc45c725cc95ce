"""What a DICOM object is: its storage class decides, and only where it has none that is known, its modality."""

from __future__ import annotations

from typing import Literal

from pydicom.dataset import Dataset

from .dicom_tags import text

DicomKind = Literal[
    "CT", "MR", "X-ray", "PET", "dose", "structures", "segmentation", "capture", "report", "directory", "other"
]

_STORED = "MediaStorageSOPClassUID"
_CLASSES: dict[str, DicomKind] = {
    "1.2.840.10008.1.3.10": "directory",
    "1.2.840.10008.5.1.4.1.1.1": "X-ray",
    "1.2.840.10008.5.1.4.1.1.1.1": "X-ray",
    "1.2.840.10008.5.1.4.1.1.1.1.1": "X-ray",
    "1.2.840.10008.5.1.4.1.1.12.1": "X-ray",
    "1.2.840.10008.5.1.4.1.1.12.1.1": "X-ray",
    "1.2.840.10008.5.1.4.1.1.12.2": "X-ray",
    "1.2.840.10008.5.1.4.1.1.12.2.1": "X-ray",
    "1.2.840.10008.5.1.4.1.1.12.3": "X-ray",
    "1.2.840.10008.5.1.4.1.1.481.1": "X-ray",
    "1.2.840.10008.5.1.4.1.1.2": "CT",
    "1.2.840.10008.5.1.4.1.1.2.1": "CT",
    "1.2.840.10008.5.1.4.1.1.2.2": "CT",
    "1.2.840.10008.5.1.4.1.1.13.1.1": "CT",  # X-Ray 3D Angiographic: what a C-arm reconstructs
    "1.2.840.10008.5.1.4.1.1.13.1.2": "CT",  # X-Ray 3D Craniofacial: dental cone beams
    "1.2.840.10008.5.1.4.1.1.4": "MR",
    "1.2.840.10008.5.1.4.1.1.4.1": "MR",
    "1.2.840.10008.5.1.4.1.1.4.4": "MR",
    "1.2.840.10008.5.1.4.1.1.128": "PET",
    "1.2.840.10008.5.1.4.1.1.128.1": "PET",
    "1.2.840.10008.5.1.4.1.1.130": "PET",
    "1.2.840.10008.5.1.4.1.1.481.2": "dose",
    "1.2.840.10008.5.1.4.1.1.481.3": "structures",
    "1.2.840.10008.5.1.4.1.1.66.4": "segmentation",
    "1.2.840.10008.5.1.4.1.1.66.7": "segmentation",
}
_FAMILIES: dict[str, DicomKind] = {
    "1.2.840.10008.5.1.4.1.1.7": "capture",
    "1.2.840.10008.5.1.4.1.1.88.": "report",
    "1.2.840.10008.5.1.4.1.1.104.": "report",
    "1.2.840.10008.5.1.4.1.1.11.": "report",
}
_MODALITIES: dict[str, DicomKind] = {
    "CT": "CT",
    "MR": "MR",
    "PT": "PET",
    "RTDOSE": "dose",
    "RTSTRUCT": "structures",
    "SEG": "segmentation",
    "SR": "report",
    "PR": "report",
    **dict.fromkeys(("XA", "RF", "XRF", "DX", "CR", "DR", "RG", "RTIMAGE"), "X-ray"),
}


def dicom_kind(dataset: Dataset) -> DicomKind:
    """What the object is; a C-arm's CT Image Storage is "CT" whatever its modality says.

    Source: DICOM PS3.4 B.5 (Standard SOP Classes).
    """
    said = text(dataset, "SOPClassUID") or text(getattr(dataset, "file_meta", None) or Dataset(), _STORED)
    if said is not None:
        if said[0] in _CLASSES:
            return _CLASSES[said[0]]
        for start, kind in _FAMILIES.items():
            if said[0].startswith(start):
                return kind
    modality = text(dataset, "Modality")
    return "other" if modality is None else _MODALITIES.get(modality[0].upper(), "other")
