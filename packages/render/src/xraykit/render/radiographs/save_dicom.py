"""A rendered X-ray as a DICOM file that carries its geometry and no patient."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, XRayAngiographicImageStorage, generate_uid
from pydicom.valuerep import format_number_as_ds
from torch import Tensor

from ..errors import InputError
from ..geometry.carm import carm_angles
from .polarity import LINE_INTEGRAL_UNITS
from .private_tags import PRIVATE_CENTRE, PRIVATE_CREATOR, PRIVATE_GROUP, PRIVATE_POSE

SIMULATED = "SIMULATED"
LEVELS = 65535
MOST_ROWS = 65535  # Rows and Columns are 16 bits
# XA demands these, a simulation has nothing to say about them: present and empty, as type 2 allows.
EMPTY = ("StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "StudyID", "SeriesNumber",
         "PatientBirthDate", "PatientSex", "Manufacturer", "InstanceNumber", "KVP", "XRayTubeCurrent", "ExposureTime",
         "PatientOrientation", "PositionerPrimaryAngle", "PositionerSecondaryAngle")  # fmt: skip


def dicom_bytes(
    views: np.ndarray, *, geometry: Mapping[str, Any], sod: float | None = None, uid_seed: str | None = None
) -> bytes:
    r"""Line integrals (frames, H, W) as one X-Ray Angiographic image file.

    Stored value q = round((L - low) / slope), 16 bits, slope = (high - low) / 65535; Rescale Slope and Intercept bring
    back L = slope q + low within half a step. Rescale Type LINE_INTEGRAL states the unit, Pixel Intensity Relationship
    is LOG and its sign -1 (more is less intensity), PS3.3 C.8.7.1.1.2 and C.8.11.3.1.2. Geometry: Distance Source to
    Detector, Imager Pixel Spacing, Distance Source to Patient (from `sod`), Positioner angles of the pose (per frame as
    increments, PS3.3 C.8.7.5.1.3). Roll and principal point have no tag, so the principal point and the whole
    camera_to_world stand in a private block as well.

    Args:
        views: (frames, H, W) float32, finite.
        geometry: sdd, pixel_spacing, principal_point and, if known, camera_to_world (1 or frames, 4, 4), as in
            `geometry_record`.
        sod: Source to isocentre [mm].
        uid_seed: See `save_image`.

    Returns:
        The file, Explicit VR Little Endian.

    Raises:
        InputError: sod is not between 0 and sdd, or a side of the image is longer than a DICOM tag can say.
    """
    if max(views.shape[1:]) > MOST_ROWS:
        size = f"{views.shape[1]}x{views.shape[2]}"
        raise InputError(f"a .dcm holds at most {MOST_ROWS} rows and columns, got {size}; write a .tiff or .npy.")
    if sod is not None and not 0 < sod < geometry["sdd"]:
        raise InputError(f"sod must lie between 0 and sdd, got sod={sod} mm and sdd={geometry['sdd']} mm.")
    dataset = _simulated()
    _add_pixels(dataset, views)
    _add_camera(dataset, geometry, sod)
    if "camera_to_world" in geometry:
        _add_pose(dataset, torch.tensor(geometry["camera_to_world"], dtype=torch.float64), len(views))
    _add_identifiers(dataset, uid_seed)
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _simulated() -> Dataset:
    dataset = Dataset()
    for keyword in EMPTY:
        setattr(dataset, keyword, None)
    dataset.SOPClassUID = XRayAngiographicImageStorage
    dataset.Modality = "XA"
    dataset.ImageType = ["DERIVED", "SECONDARY", "SINGLE PLANE"]
    dataset.PatientName = dataset.PatientID = SIMULATED
    dataset.DerivationDescription = "digitally reconstructed radiograph"
    dataset.RadiationSetting = "GR"
    dataset.PositionerType = "CARM"
    dataset.BurnedInAnnotation = "NO"
    return dataset


def _add_pixels(dataset: Dataset, views: np.ndarray) -> None:
    low, high = float(views.min()), float(views.max())
    slope, intercept = _ds((high - low) / LEVELS or 1.0), _ds(low)
    stored = np.rint((views.astype(np.float64) - float(intercept)) / float(slope)).clip(0, LEVELS)
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = views.shape[1:]
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation = 15, 0
    dataset.RescaleSlope, dataset.RescaleIntercept, dataset.RescaleType = slope, intercept, LINE_INTEGRAL_UNITS
    dataset.PixelIntensityRelationship, dataset.PixelIntensityRelationshipSign = "LOG", -1
    dataset.WindowCenter, dataset.WindowWidth = _ds((low + high) / 2), _ds(max(high - low, 1e-6))
    if len(views) > 1:
        dataset.NumberOfFrames = len(views)
        dataset.FrameIncrementPointer = [0x00181520, 0x00181521]
    dataset.PixelData = stored.astype("<u2").tobytes()


def _add_camera(dataset: Dataset, geometry: Mapping[str, Any], sod: float | None) -> None:
    dataset.DistanceSourceToDetector = _ds(geometry["sdd"])
    dataset.ImagerPixelSpacing = [_ds(value) for value in geometry["pixel_spacing"]]
    if sod is not None:
        dataset.DistanceSourceToPatient = _ds(sod)
        dataset.EstimatedRadiographicMagnificationFactor = _ds(geometry["sdd"] / sod)
    block = dataset.private_block(PRIVATE_GROUP, PRIVATE_CREATOR, create=True)
    block.add_new(PRIVATE_CENTRE, "FD", list(geometry["principal_point"]))


def _add_pose(dataset: Dataset, pose: Tensor, n_frames: int) -> None:
    block = dataset.private_block(PRIVATE_GROUP, PRIVATE_CREATOR, create=True)
    block.add_new(PRIVATE_POSE, "FD", pose.flatten().tolist())
    angles = carm_angles(pose.expand(n_frames, 4, 4))
    named = (("Primary", angles.lao_rao), ("Secondary", angles.cra_cau))
    dataset.PositionerMotion = "STATIC" if len(pose) == 1 else "DYNAMIC"
    for name, values in named:
        setattr(dataset, f"Positioner{name}Angle", _ds(values[0]))
        if n_frames > 1:
            setattr(dataset, f"Positioner{name}AngleIncrement", [_ds(value - values[0]) for value in values])


def _add_identifiers(dataset: Dataset, uid_seed: str | None) -> None:
    content = None
    if uid_seed is not None:
        text = repr([(element.tag, element.value) for element in dataset if element.keyword != "PixelData"])
        content = [uid_seed, hashlib.sha256(dataset.PixelData + text.encode()).hexdigest()]
    for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(dataset, name, generate_uid(entropy_srcs=None if content is None else [*content, name]))
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta = meta


def _ds(value: float | Tensor) -> str:
    """A decimal string of at most 16 characters; rounding to it changes a value by less than 1e-9 of itself."""
    return format_number_as_ds(float(value))
