"""Every combination of format, packing, number type and orientation reads as ITK reads it; the counts are checked."""

from collections import Counter
from itertools import permutations, product

import numpy as np
import pytest
import SimpleITK
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    RLELossless,
)
from support.dicom import slice_dataset
from support.xray_dicom import GEOMETRY, xray_dataset
from xraykit.render import Volume, read_radiograph

TYPES = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "float32", "float64")
AXES = [np.eye(3)[list(order)] * signs for order in permutations(range(3)) for signs in product((1, -1), repeat=3)]
SUFFIXES = (".nii", ".nii.gz", ".hdr", ".nrrd", ".nhdr", ".mha", ".mhd")
RANDOM = np.random.default_rng(9)


def values_of(dtype, shape):
    low, high = (-100, 120) if np.dtype(dtype).kind != "u" else (0, 120)
    return RANDOM.integers(low, high, shape).astype(dtype)


def agrees(path, image):
    """Whether voxels and affine are those of the image that ITK wrote."""
    volume = Volume.from_file(path)
    steps = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    affine = np.diag([-1, -1, 1]) @ np.column_stack([steps, image.GetOrigin()])
    same = np.array_equal(volume.hu, SimpleITK.GetArrayFromImage(image).astype(np.float32))
    return same and np.allclose(volume.affine[:3], affine, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_volumes_of_every_type_packing_and_orientation(tmp_path, suffix):
    count = Counter()
    right_handed = [axes for axes in AXES if np.linalg.det(axes) > 0 or suffix not in (".nii", ".nii.gz", ".hdr")]
    for n, (dtype, packed) in enumerate(product(TYPES, (False, True))):
        for axes in right_handed if n == 4 else right_handed[n % 7 :: 8]:  # all orientations of one type, some of each
            image = SimpleITK.GetImageFromArray(values_of(dtype, (4, 5, 6)))
            image.SetSpacing((0.5, 0.75, 2.0))
            image.SetOrigin((10.0, -20.0, 30.0))
            image.SetDirection(axes.ravel().tolist())
            path = tmp_path / f"a{suffix}"
            SimpleITK.WriteImage(image, str(path), packed)
            count[agrees(path, image)] += 1
    assert count == {True: len(right_handed) + sum(len(right_handed[n % 7 :: 8]) for n in range(16) if n != 4)}


SYNTAXES = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)
PACKED = (RLELossless, JPEGLSLossless)
BITS = ((8, 8, False), (16, 12, False), (16, 12, True), (16, 16, False), (16, 16, True))


def stored(bits, signed, shape):
    """A ramp over all values; encoders give up on noise in pictures this small."""
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return np.rint(np.linspace(low, high, int(np.prod(shape)))).reshape(shape)


def dicom(path, dataset, syntax, pixels):
    """The data set in a transfer syntax; packed by pydicom's encoders."""
    if syntax == ExplicitVRBigEndian:
        dataset.PixelData = pixels.astype(pixels.dtype.newbyteorder(">")).tobytes()
        dataset["PixelData"].VR = "OW" if pixels.itemsize == 2 else "OB"
    elif syntax in PACKED:
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.compress(syntax, generate_instance_uid=False)
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.parametrize("syntax", (*SYNTAXES, *PACKED), ids=lambda syntax: syntax.name)
def test_dicom_of_every_syntax_depth_sign_and_number_of_frames(tmp_path, syntax):
    if syntax == JPEGLSLossless:
        pytest.importorskip("jpeg_ls", reason="needs the extra: pip install 'xraykit-render[export]'")
    count = Counter()
    for (allocated, bits, signed), frames in product(BITS, (1, 3)):
        shape = (frames, 8, 10) if frames > 1 else (8, 10)
        pixels = stored(bits, signed, shape).astype(f"{'i' if signed else 'u'}{allocated // 8}")
        tags = {"BitsStored": bits, "HighBit": bits - 1, "PixelRepresentation": int(signed)}
        path = dicom(tmp_path / "x.dcm", xray_dataset(pixels, **GEOMETRY, **tags), syntax, pixels)
        image = read_radiograph(path)
        same = np.array_equal(image.pixels, pixels.reshape(frames, 8, 10).astype(np.float32))
        if syntax not in (ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian) and not (signed and syntax in PACKED):
            by_itk = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path)))
            same = same and np.array_equal(by_itk.reshape(pixels.shape), pixels)
        if frames == 1:
            dataset = slice_dataset(pixels.astype(np.int16), position=np.zeros(3))
            dataset.BitsAllocated, dataset.PixelData = allocated, pixels.tobytes()
            for keyword, value in tags.items():
                setattr(dataset, keyword, value)
            ct = Volume.from_file(dicom(tmp_path / "ct.dcm", dataset, syntax, pixels))
            scale = float(dataset.RescaleSlope), float(dataset.RescaleIntercept)
            same = same and np.allclose(ct.hu[0], pixels * scale[0] + scale[1])
        count[same] += 1
    assert count == {True: 10}
