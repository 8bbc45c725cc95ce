"""The decoders at hand for one compressed frame: those of pydicom's plugins, and SimpleITK's GDCM."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID, SecondaryCaptureImageStorage


@dataclass(frozen=True)
class PackedFrame:
    """One compressed frame, and what its decoder must know.

    Args:
        data: The packed bytes.
        syntax: Transfer syntax.
        size: Bytes of the unpacked frame.
        tags: Keyword to value of the image pixel module.
    """

    data: bytes
    syntax: UID
    size: int
    tags: dict[str, int | str]


def _image(frame: PackedFrame) -> Dataset:
    """A secondary capture of one frame: no rescale, so that whatever reads it gives stored values."""
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = frame.syntax
    image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    for keyword, value in frame.tags.items():
        setattr(image, keyword, value)
    if int(frame.tags["SamplesPerPixel"]) > 1:
        image.PlanarConfiguration = 0
    image.PixelData = encapsulate([frame.data])
    image["PixelData"].is_undefined_length = True
    return image


def by_pydicom(frame: PackedFrame) -> bytes:
    """The stored values by whichever plugin of pydicom takes them; raises whatever it raises."""
    pixels, _ = get_decoder(frame.syntax).as_array(_image(frame), raw=True)
    return _stored(pixels, frame)


def by_gdcm(frame: PackedFrame) -> bytes:
    """The stored values by the GDCM inside SimpleITK; raises whatever it raises."""
    import SimpleITK

    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frame.dcm"
        _image(frame).save_as(path, enforce_file_format=True)
        pixels = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path)))
    return _stored(pixels, frame)


def _stored(pixels: np.ndarray, frame: PackedFrame) -> bytes:
    kind = "i" if frame.tags["PixelRepresentation"] else "u"
    return np.ascontiguousarray(pixels).astype(f"<{kind}{max(int(frame.tags['BitsAllocated']) // 8, 1)}").tobytes()
