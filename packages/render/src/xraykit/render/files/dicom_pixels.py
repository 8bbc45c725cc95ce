"""The stored pixels of a DICOM image, unpacked by pydicom or, where it has no decoder, by SimpleITK's GDCM."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import FileDataset
from pydicom.uid import RLELossless

from ..errors import FileError
from ..storage.dicom_header import read_dicom, reading_dicom, transfer_syntax


def stored_frames(path: Path) -> tuple[NDArray[np.generic], bool]:
    """The pixels of one file, (frames, rows, columns), and whether the rescale has been applied already.

    Raises:
        FileError: PixelData is missing, shorter than the tags declare, or cannot be unpacked.
    """
    dataset = read_dicom(path, pixels=True)
    if "PixelData" not in dataset:
        raise FileError(f"{path} must hold pixels, it has no PixelData.")
    with reading_dicom(path, "pixels"):
        syntax = transfer_syntax(dataset)
        if syntax.is_compressed and syntax != RLELossless:
            return _decoded(path), True
        if not syntax.is_compressed:
            _check_length(path, dataset)
        pixels = dataset.pixel_array
    return pixels.reshape(-1, *pixels.shape[-2:]), False


def _check_length(path: Path, dataset: FileDataset) -> None:
    needed = dataset.Rows * dataset.Columns * int(dataset.get("NumberOfFrames") or 1) * dataset.BitsAllocated // 8
    held = len(dataset.PixelData)
    if held < needed:
        raise FileError(
            f"{path} must hold {needed} bytes of pixels as its tags declare, its PixelData has {held}; copy it again."
        )


def _decoded(path: Path) -> NDArray[np.generic]:
    """Compressed pixels (JPEG, JPEG-LS, JPEG 2000); GDCM applies the rescale of each frame."""
    import SimpleITK  # a fifth of a second that uncompressed files need not wait for

    shown = SimpleITK.ProcessObject.GetGlobalWarningDisplay()
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        pixels = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path)))
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise FileError(f"{path} must hold readable compressed pixels, unpacking them failed: {reason}.") from error
    finally:
        SimpleITK.ProcessObject.SetGlobalWarningDisplay(shown)
    return pixels.reshape(-1, *pixels.shape[-2:])
