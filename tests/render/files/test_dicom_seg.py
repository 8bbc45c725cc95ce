"""A DICOM segmentation refers to the simulated image, holds every mask, and names no patient."""

import sys

import numpy as np
import pydicom
import pytest
import torch
from xraykit.render import BackendUnavailableError, Camera, FileError, InputError, carm_pose, save_image
from xraykit.render.files.dicom_seg import write_dicom_seg
from xraykit.render.rendering.masks import MaskEntry, MaskSet

REASON = "needs the extra: pip install 'xraykit-render[export]'"
highdicom = pytest.importorskip("highdicom", reason=REASON)


CAMERA = Camera(sdd=1000.0, height=8, width=10, pixel_spacing=2.0)
POSE = carm_pose(lao_rao=20.0, sod=800.0, isocenter=(0.0, 0.0, 0.0))
NAMES = ("lung_upper_lobe_left", "heart", "pedicle_screw")


@pytest.fixture
def image(tmp_path):
    """An exported line-integral image."""
    values = torch.rand(1, 1, 8, 10, generator=torch.Generator().manual_seed(0))
    return save_image(tmp_path / "image.dcm", values, camera=CAMERA, pose=POSE, uid_seed="test")


@pytest.fixture
def masks():
    """Overlapping lung and heart, an empty kidney, a screw."""
    bits = torch.zeros(1, 2, 8, 10, dtype=torch.int32)
    bits[0, 0, 1:5, 2:6] |= 1 << 10
    bits[0, 0, 3:7, 4:9] |= -(1 << 31)
    bits[0, 1, 4, 1:9] |= 1
    entries = (
        *(MaskEntry(NAMES[0], "organ", 10, 10), MaskEntry("kidney_left", "organ", 3, 3)),
        *(MaskEntry(NAMES[1], "organ", 31, 31), MaskEntry(NAMES[2], "tool", 0, 32)),
    )
    return MaskSet(bits, entries)


def test_segments_decode_to_the_masks(image, masks, tmp_path):
    path = write_dicom_seg(tmp_path / "seg.dcm", masks, image, uid_seed="test")
    read = highdicom.seg.segread(path)
    assert [read.get_segment_description(n).segment_label for n in read.segment_numbers] == list(NAMES)
    source = pydicom.dcmread(image)
    pixels = read.get_pixels_by_source_instance([source.SOPInstanceUID])
    expected = torch.stack([masks.mask(name)[0] for name in NAMES], dim=-1)
    np.testing.assert_array_equal(pixels[0].astype(bool), expected.numpy())
    kinds = [read.get_segment_description(n).segmented_property_category.value for n in read.segment_numbers]
    assert kinds == ["123037004", "123037004", "260787004"]


def test_it_belongs_to_the_study_of_the_image_and_to_no_patient(image, masks, tmp_path):
    dataset = pydicom.dcmread(write_dicom_seg(tmp_path / "seg.dcm", masks, image))
    source = pydicom.dcmread(image)
    assert dataset.StudyInstanceUID == source.StudyInstanceUID
    assert dataset.SeriesInstanceUID != source.SeriesInstanceUID
    assert dataset.PatientName == dataset.PatientID == "SIMULATED"
    assert not dataset.PatientBirthDate
    assert not dataset.PatientSex
    reference = dataset.ReferencedSeriesSequence[0].ReferencedInstanceSequence[0]
    assert reference.ReferencedSOPInstanceUID == source.SOPInstanceUID
    assert reference.ReferencedSOPClassUID == source.SOPClassUID
    assert "1.2.840.10008.5.1.4.1.1.1.1" not in str(dataset)
    assert dataset.SegmentsOverlap == "YES"


def test_equal_seeds_give_equal_identifiers(image, masks, tmp_path):
    uids = [
        pydicom.dcmread(write_dicom_seg(tmp_path / name, masks, image, uid_seed=seed)).SOPInstanceUID
        for name, seed in (("a.dcm", "one"), ("b.dcm", "one"), ("c.dcm", "two"))
    ]
    assert uids[0] == uids[1] != uids[2]


def test_images_that_do_not_fit_are_refused(image, masks, tmp_path):
    path = tmp_path / "seg.dcm"
    with pytest.raises(FileError, match="must be the DICOM image that the masks belong to"):
        write_dicom_seg(path, masks, tmp_path / "none.dcm")
    with pytest.raises(FileError, match="must be one frame of 8x9 px like the masks"):
        write_dicom_seg(path, MaskSet(masks.bits[..., :9], masks.entries), image)
    with pytest.raises(InputError, match="at least one pixel"):
        write_dicom_seg(path, MaskSet(torch.zeros_like(masks.bits), masks.entries), image)
    with pytest.raises(InputError, match="view must be 0 to 0, got 1"):
        write_dicom_seg(path, masks, image, view=1)
    named = pydicom.dcmread(image)
    named.PatientName = "Doe^Jane"
    named.save_as(tmp_path / "named.dcm")
    with pytest.raises(FileError, match="must be a simulated image"):
        write_dicom_seg(path, masks, tmp_path / "named.dcm")
    assert not path.exists()


def test_without_highdicom_the_extra_is_named(image, masks, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(BackendUnavailableError, match=r"pip install .xraykit-render\[export\]"):
        write_dicom_seg(tmp_path / "seg.dcm", masks, image)
