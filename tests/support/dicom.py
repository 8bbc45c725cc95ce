"""Small DICOM folders and enhanced files for tests, written tag by tag."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, CTImageStorage, EnhancedCTImageStorage, ExplicitVRLittleEndian, MRImageStorage

SERIES = "1.2.826.0.1.3680043.8.498.1"
HEAD_FIRST = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)

Edit = Callable[[int, Dataset], None]


def slice_dataset(
    stored: np.ndarray,
    *,
    position: np.ndarray,
    orientation: tuple[float, ...] = HEAD_FIRST,
    pixel_spacing: tuple[float, float] = (2.0, 1.5),
    number: int = 0,
    modality: str = "CT",
) -> Dataset:
    """One classic CT or MR image of int16 pixels (rows, columns), rescale 1 and -1024."""
    dataset = _image(stored, CTImageStorage if modality == "CT" else MRImageStorage)
    dataset.Modality = modality
    dataset.SeriesInstanceUID = SERIES
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"{SERIES}.{number + 1}"
    dataset.InstanceNumber = number + 1
    dataset.ImagePositionPatient = [float(value) for value in position]
    dataset.ImageOrientationPatient = list(orientation)
    dataset.PixelSpacing = list(pixel_spacing)
    dataset.SliceThickness = 3.0
    dataset.RescaleSlope, dataset.RescaleIntercept = 1, -1024
    return dataset


def write_dicom(path: Path, dataset: Dataset, *, syntax: UID = ExplicitVRLittleEndian) -> Path:
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(path, enforce_file_format=True)
    return path


def write_series(
    folder: Path,
    stored: np.ndarray,
    *,
    first: tuple[float, float, float] = (-10.0, -20.0, 30.0),
    step: tuple[float, float, float] = (0.0, 0.0, 3.0),
    edit: Edit | None = None,
    shuffle: bool = True,
    **tags: object,
) -> Path:
    """Slices (n, rows, columns) one `step` [mm, LPS] apart; `edit(n, dataset)` may damage each before it is written."""
    folder.mkdir(parents=True, exist_ok=True)
    for n, pixels in enumerate(stored):
        dataset = slice_dataset(pixels, position=np.add(first, np.multiply(step, n)), number=n, **tags)
        if edit is not None:
            edit(n, dataset)
        name = f"{(n * 7 + 3) % 101:03d}" if shuffle else f"{n:03d}"  # file names in another order than the slices
        write_dicom(folder / f"{name}.dcm", dataset)
    return folder


def write_enhanced(
    path: Path, stored: np.ndarray, *, first: tuple[float, float, float] = (-10.0, -20.0, 30.0), spacing: float = 3.0
) -> Path:
    """The same slices as one enhanced CT file, intercept -1000 - n for frame n."""
    dataset = _image(stored, EnhancedCTImageStorage)
    dataset.Modality, dataset.SeriesInstanceUID = "CT", SERIES
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = SERIES + ".99"
    shared = Dataset()
    shared.PlaneOrientationSequence = _item(ImageOrientationPatient=list(HEAD_FIRST))
    shared.PixelMeasuresSequence = _item(PixelSpacing=[2.0, 1.5], SliceThickness=spacing)
    dataset.SharedFunctionalGroupsSequence = Sequence([shared])
    frames = []
    for n in range(len(stored)):
        frame = Dataset()
        frame.PlanePositionSequence = _item(ImagePositionPatient=[*first[:2], first[2] + n * spacing])
        frame.PixelValueTransformationSequence = _item(RescaleSlope=1, RescaleIntercept=-1000 - n, RescaleType="HU")
        frames.append(frame)
    dataset.PerFrameFunctionalGroupsSequence = Sequence(frames)
    return write_dicom(path, dataset)


def write_seg(path: Path, frames: list[tuple[int | None, int, np.ndarray]], *, kind: str, shift: float = 0.0) -> Path:
    """DICOM SEG of frames (segment, slice, pixels) on the slices of `write_series`, of segments 1 bone and 2 soft."""
    stack = np.stack([pixels for _, _, pixels in frames])
    bits = 1 if kind == "BINARY" else 8
    dataset = slice_dataset(np.zeros(stack.shape[1:], np.int16), position=np.zeros(3))
    uid = UID("1.2.840.10008.5.1.4.1.1.66.7" if kind == "LABELMAP" else "1.2.840.10008.5.1.4.1.1.66.4")
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = uid
    dataset.Modality, dataset.SegmentationType, dataset.NumberOfFrames = "SEG", kind, len(frames)
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit, dataset.PixelRepresentation = bits - 1, 0
    if kind == "FRACTIONAL":
        dataset.SegmentationFractionalType, dataset.MaximumFractionalValue = "PROBABILITY", 200
    data = np.packbits(stack.ravel(), bitorder="little").tobytes() if bits == 1 else stack.astype("u1").tobytes()
    dataset.PixelData = data + b"\0" * (len(data) % 2)
    items = [_item(SegmentNumber=n, SegmentLabel=name)[0] for n, name in ((1, "bone"), (2, "soft"))]
    dataset.SegmentSequence = Sequence(items)
    shared = Dataset()
    shared.PlaneOrientationSequence = _item(ImageOrientationPatient=list(HEAD_FIRST))
    shared.PixelMeasuresSequence = _item(PixelSpacing=[2.0, 1.5], SliceThickness=3.0)
    dataset.SharedFunctionalGroupsSequence = Sequence([shared])
    groups = []
    for number, k, _ in frames:
        frame = Dataset()
        frame.PlanePositionSequence = _item(ImagePositionPatient=[-10.0, -20.0, 30.0 + 3.0 * k + shift])
        if number is not None:
            frame.SegmentIdentificationSequence = _item(ReferencedSegmentNumber=number)
        groups.append(frame)
    dataset.PerFrameFunctionalGroupsSequence = Sequence(groups)
    return write_dicom(path, dataset)


def nested_sequence(depth: int) -> Sequence:
    """Sequences of undefined length, `depth` deep: the encoding that makes a parser recurse."""
    inner = Dataset()
    for _ in range(depth):
        outer = Dataset()
        outer.RequestAttributesSequence = Sequence([inner])
        outer["RequestAttributesSequence"].is_undefined_length = True
        inner = outer
    return Sequence([inner])


def _image(stored: np.ndarray, storage: UID) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = storage
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = stored.shape[-2:]
    if stored.ndim == 3:
        dataset.NumberOfFrames = len(stored)
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation = 15, int(stored.dtype.kind == "i")
    dataset.PixelData = stored.astype(stored.dtype.newbyteorder("<")).tobytes()
    return dataset


def _item(**tags: object) -> Sequence:
    dataset = Dataset()
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    return Sequence([dataset])
