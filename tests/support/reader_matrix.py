"""Files of every format, packing, number type and orientation, and whether we read each as another program does.

Packed frames come from pydicom with pyjpegls, from Pillow and from GDCM; what was packed is known
and is the first judge.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import permutations, product
from pathlib import Path

import numpy as np
import SimpleITK
from PIL import Image
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)
from xraykit.render import Volume, read_radiograph

from .dicom import slice_dataset
from .xray_dicom import GEOMETRY, xray_dataset

TYPES = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "float32", "float64")
AXES = [np.eye(3)[list(order)] * signs for order in permutations(range(3)) for signs in product((1, -1), repeat=3)]
SUFFIXES = (".nii", ".nii.gz", ".hdr", ".nrrd", ".nhdr", ".mha", ".mhd")
PLAIN = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)
PACKED = (RLELossless, JPEGLosslessSV1, JPEGLSLossless, JPEGLSNearLossless, JPEG2000Lossless, JPEGBaseline8Bit)
BITS = ((8, 8, False), (8, 8, True), (16, 12, False), (16, 12, True), (16, 16, False), (16, 16, True))
"""Bits allocated, bits stored, whether signed."""
LOSSY = {JPEGLSNearLossless: 2, JPEGBaseline8Bit: 4}
"""How far unpacked values may be from those that were packed."""
SPACING, ORIGIN = (0.5, 0.75, 2.0), (10.0, -20.0, 30.0)
_ITK_MISREADS = (ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)


@dataclass(frozen=True)
class Case:
    """One file: its row of the table, what else is varied, and who else reads it."""

    row: str
    packing: str
    varied: str
    peer: str
    agrees: Callable[[Path], bool]


def volumes(suffix: str) -> Iterator[Case]:
    """All 48 orientations of one number type, some of each; by ITK, or by nibabel where ITK writes no mirrored axes."""
    peer = "nibabel" if suffix in (".nii", ".nii.gz", ".hdr") else "pynrrd" if suffix in (".nrrd", ".nhdr") else "ITK"
    for n, (dtype, packed) in enumerate(product(TYPES, (False, True))):
        for number in range(len(AXES)) if n == 4 else range(n % 7, len(AXES), 8):

            def agrees(
                folder: Path, n: int = n, dtype: str = dtype, packed: bool = packed, number: int = number
            ) -> bool:
                low, high = (0, 120) if np.dtype(dtype).kind == "u" else (-100, 120)
                values = np.random.default_rng(n).integers(low, high, (4, 5, 6)).astype(dtype)
                path = folder / f"a{suffix}"
                is_mirrored = np.linalg.det(AXES[number]) < 0
                write = by_nibabel if peer == "nibabel" and is_mirrored else by_itk
                write(path, values, AXES[number], packed)
                voxels, affine = PEERS[peer](path)
                ours = Volume.from_file(path)
                same = np.array_equal(ours.hu, voxels) and np.array_equal(voxels, values.astype(np.float32))
                return same and np.allclose(ours.affine, affine, atol=1e-4)

            is_packed = suffix == ".nii.gz" or (packed and peer != "nibabel")
            yield Case(suffix, "gzip" if is_packed else "plain", f"{dtype}, orientation {number}", peer, agrees)


def by_itk(path: Path, values: np.ndarray, axes: np.ndarray, packed: bool) -> None:
    """Write voxels (k, j, i) with these axes (LPS, columns)."""
    image = SimpleITK.GetImageFromArray(values)
    image.SetSpacing(SPACING)
    image.SetOrigin(ORIGIN)
    image.SetDirection(axes.ravel().tolist())
    SimpleITK.WriteImage(image, str(path), packed)


def by_nibabel(path: Path, values: np.ndarray, axes: np.ndarray, packed: bool) -> None:
    """The same as NIfTI with an sform; `packed` is in the name."""
    import nibabel

    kind = nibabel.Nifti1Pair if path.suffix == ".hdr" else nibabel.Nifti1Image
    image = kind(values.T, _to_ras(axes * SPACING, np.array(ORIGIN)), dtype=values.dtype)
    nibabel.save(image, path)


def read_by_itk(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Voxels (k, j, i) and the 4x4 affine to RAS."""
    image = SimpleITK.ReadImage(str(path))
    steps = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    return SimpleITK.GetArrayFromImage(image).astype(np.float32), _to_ras(steps, image.GetOrigin())


def read_by_nibabel(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The same by nibabel."""
    import nibabel

    image = nibabel.load(path)
    return np.asarray(image.get_fdata()).T.astype(np.float32), image.affine


def read_by_pynrrd(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The same by pynrrd."""
    import nrrd

    voxels, header = nrrd.read(str(path), index_order="C")
    assert header["space"] == "left-posterior-superior"
    return voxels.astype(np.float32), _to_ras(header["space directions"].T, header["space origin"])


PEERS = {"ITK": read_by_itk, "nibabel": read_by_nibabel, "pynrrd": read_by_pynrrd}


def _to_ras(steps: np.ndarray, origin: np.ndarray) -> np.ndarray:
    affine = np.eye(4)
    affine[:3] = np.diag([-1, -1, 1]) @ np.column_stack([steps, origin])
    return affine


def dicoms(syntax) -> Iterator[Case]:
    """X-rays and CT slices of every depth and sign, of one frame and of three."""
    for (allocated, bits, signed), frames in product(BITS, (1, 3)):
        if not can_pack(syntax, allocated, signed):
            continue
        depth = f"{bits} of {allocated} bits, {'signed' if signed else 'unsigned'}"
        for what in ("X-ray", "CT") if frames == 1 else ("X-ray",):

            def agrees(folder: Path, bits=bits, signed=signed, allocated=allocated, frames=frames, what=what) -> bool:
                pixels = ramp(bits, signed, (frames, 32, 40) if frames > 1 else (32, 40))
                pixels = pixels.astype(f"{'i' if signed else 'u'}{allocated // 8}")
                tags = {"BitsStored": bits, "HighBit": bits - 1, "PixelRepresentation": int(signed)}
                path = write_case(folder / "x.dcm", pixels, tags, syntax, is_ct=what == "CT")
                return reads_as_written(path, pixels, syntax, is_ct=what == "CT")

            varied = f"{depth}, {frames} frame{'s' * (frames > 1)}, {what}"
            yield Case(f"DICOM, {what}", syntax.name, varied, _named(syntax), agrees)


def _named(syntax) -> str:
    is_left_to_one = syntax == JPEGLosslessSV1 or syntax in _ITK_MISREADS
    return ("GDCM" if syntax == JPEGLosslessSV1 else "pydicom") if is_left_to_one else "pydicom, GDCM"


def can_pack(syntax, allocated: int, signed: bool) -> bool:
    """Whether an encoder at hand writes such frames."""
    if syntax == JPEGBaseline8Bit:
        return allocated == 8 and not signed
    if syntax == JPEG2000Lossless:
        return not (allocated == 8 and signed)
    return not (syntax == JPEGLSNearLossless and signed)


def ramp(bits: int, signed: bool, shape: tuple[int, ...]) -> np.ndarray:
    """All values from the least to the greatest."""
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return np.rint(np.linspace(low, high, int(np.prod(shape)))).reshape(shape)


def write_case(path: Path, pixels: np.ndarray, tags: dict, syntax, *, is_ct: bool) -> Path:
    """The pixels as a CT slice or an X-ray in a transfer syntax."""
    if is_ct:
        dataset = slice_dataset(pixels.astype(np.int16), position=np.zeros(3))
        dataset.BitsAllocated, dataset.PixelData = 8 * pixels.itemsize, pixels.tobytes()
        for keyword, value in tags.items():
            setattr(dataset, keyword, value)
    else:
        dataset = xray_dataset(pixels, **GEOMETRY, **tags)
    if syntax == ExplicitVRBigEndian:
        dataset.PixelData = pixels.astype(pixels.dtype.newbyteorder(">")).tobytes()
        dataset["PixelData"].VR = "OW" if pixels.itemsize == 2 else "OB"
    elif syntax in (RLELossless, JPEGLSLossless, JPEGLSNearLossless):
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        lossy = {"jls_error": LOSSY[syntax]} if syntax in LOSSY else {}
        dataset.compress(syntax, generate_instance_uid=False, **lossy)
    elif syntax in PACKED:
        pack = {JPEGLosslessSV1: by_gdcm, JPEG2000Lossless: jpeg_2000, JPEGBaseline8Bit: jpeg}[syntax]
        frames = [pack(frame, path.with_name("frame.dcm")) for frame in pixels.reshape(-1, *pixels.shape[-2:])]
        dataset.PixelData = encapsulate(frames)
        dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(path, enforce_file_format=True)
    return path


def by_gdcm(frame: np.ndarray, path: Path) -> bytes:
    """A frame as JPEG lossless, by the GDCM inside SimpleITK."""
    writer = SimpleITK.ImageFileWriter()
    writer.SetImageIO("GDCMImageIO")
    writer.SetFileName(str(path))
    writer.UseCompressionOn()
    writer.SetCompressor("JPEG")
    writer.Execute(SimpleITK.GetImageFromArray(frame))
    import pydicom

    return next(generate_frames(pydicom.dcmread(path).PixelData))


def jpeg_2000(frame: np.ndarray, _: Path) -> bytes:
    """A frame as a JPEG 2000 codestream by OpenJPEG inside Pillow.

    Unsigned samples are shifted by half their range before the wavelets, signed ones are not (T.800, annex G), so
    that a signed frame is the shifted one with the bit of the sign set in SIZ.
    """
    bits = 8 * frame.itemsize
    unsigned = (frame.astype(np.int32) + (2 ** (bits - 1) if frame.dtype.kind == "i" else 0)).astype(f"u{bits // 8}")
    file = io.BytesIO()
    Image.fromarray(unsigned).save(file, "JPEG2000", num_resolutions=3)
    stream = bytearray(file.getvalue())
    stream = stream[stream.find(b"\xff\x4f\xff\x51") :]
    stream[42] |= 0x80 if frame.dtype.kind == "i" else 0
    return bytes(stream)


def jpeg(frame: np.ndarray, _: Path) -> bytes:
    """A frame as baseline JPEG."""
    file = io.BytesIO()
    Image.fromarray(frame).save(file, "JPEG", quality=100)
    return file.getvalue()


def reads_as_written(path: Path, pixels: np.ndarray, syntax, *, is_ct: bool) -> bool:
    """Whether the pixels are those that were packed, and those that pydicom or GDCM unpack."""
    import pydicom

    if is_ct:
        dataset = pydicom.dcmread(path)
        ours = (Volume.from_file(path).hu.numpy() - float(dataset.RescaleIntercept)) / float(dataset.RescaleSlope)
    else:
        ours = read_radiograph(path).pixels.numpy()
    ours = ours.reshape(pixels.shape)
    right = bool(np.abs(ours - pixels).max() <= LOSSY.get(syntax, 0))
    others = [np.asarray(other, np.float64).reshape(pixels.shape) for other in _others(path, syntax, pixels)]
    return right and all(np.abs(ours - other).max() <= (1 if syntax == JPEGBaseline8Bit else 0) for other in others)


def _others(path: Path, syntax, pixels: np.ndarray) -> Iterator[np.ndarray]:
    """Stored values by pydicom where a plugin takes them, and by GDCM where it reads the file as it is."""
    import pydicom

    dataset = pydicom.dcmread(path)
    if syntax != JPEGLosslessSV1:
        yield dataset.pixel_array
    if syntax not in _ITK_MISREADS and not (pixels.dtype.kind == "i" and syntax in PACKED):
        slope, intercept = float(dataset.get("RescaleSlope", 1)), float(dataset.get("RescaleIntercept", 0))
        yield (SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path))) - intercept) / slope


def counted(cases: Iterator[Case], folder: Path) -> dict[tuple[str, str, str], Counter]:
    """How many of each row and packing are read right, and how many are not."""
    counts: dict[tuple[str, str, str], Counter] = {}
    for case in cases:
        counts.setdefault((case.row, case.packing, case.peer), Counter())[case.agrees(folder)] += 1
    return counts
