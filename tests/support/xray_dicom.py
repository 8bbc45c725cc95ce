"""Small DICOM X-ray files for tests, written tag by tag so that each test states exactly what the file says."""

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian

CLASSES = {
    "XA": "1.2.840.10008.5.1.4.1.1.12.1",
    "RF": "1.2.840.10008.5.1.4.1.1.12.2",
    "DX": "1.2.840.10008.5.1.4.1.1.1.1",
    "CR": "1.2.840.10008.5.1.4.1.1.1",
    "CT": "1.2.840.10008.5.1.4.1.1.2",
}
GEOMETRY = {"DistanceSourceToDetector": "1000", "ImagerPixelSpacing": ["0.4", "0.2"]}


def xray_dataset(pixels: np.ndarray, *, modality: str = "XA", **tags: object) -> Dataset:
    """A data set of `modality` holding integer `pixels` (H, W) or (frames, H, W); a tag given as None is left out."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = CLASSES[modality]
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    dataset.Modality = modality
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = pixels.shape[-2:]
    if pixels.ndim == 3:
        dataset.NumberOfFrames = len(pixels)
    dataset.BitsAllocated = dataset.BitsStored = 8 * pixels.dtype.itemsize
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    dataset.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
    for keyword, value in tags.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    return dataset


def write_xray(path: Path, dataset: Dataset, *, syntax: UID = ExplicitVRLittleEndian) -> Path:
    """The file, encoded as asked (encapsulated pixel data must already be in the data set)."""
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(path, enforce_file_format=True)
    return path


def nested(depth: int) -> Sequence:
    """A sequence in a sequence, `depth` deep, each of undefined length so that a parser must recurse."""
    inner = Dataset()
    for _ in range(depth):
        outer = Dataset()
        outer.RequestAttributesSequence = Sequence([inner])
        outer["RequestAttributesSequence"].is_undefined_length = True
        inner = outer
    return Sequence([inner])
