"""Masks on disk: run lengths, COCO, label files and DICOM segmentations that other programs read."""

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image
from support.dicom import write_dicom
from support.soiled import ROOT, soil, traces
from support.xray_dicom import GEOMETRY, write_xray, xray_dataset
from xraykit.fluorosam.outputs import (
    AnnotatedXray,
    NamedMask,
    annotations_record,
    label_image,
    label_table,
    save_dicom_segmentation,
    save_label_image,
)
from xraykit.fluorosam.outputs.dicom_segments import cielab
from xraykit.render import FileError, InputError
from xraykit.render.dataset import decode_run_lengths, encode_run_lengths

SIZE = (30, 44)


def block(top, left, height, width):
    mask = np.zeros(SIZE, dtype=bool)
    mask[top : top + height, left : left + width] = True
    return mask


def masks():
    return [
        NamedMask("left femur", block(2, 3, 20, 30), "femur_left", 0.8125),
        NamedMask("liver", block(0, 0, 0, 0), "liver", 0.1),
        NamedMask("a screw", block(5, 6, 4, 4), "pedicle_screw", 0.5, pointed=True),
        NamedMask("points", block(25, 40, 5, 4), None, 0.25, pointed=True),
    ]


def source(folder, **tags):
    pixels = np.arange(SIZE[0] * SIZE[1], dtype=np.uint16).reshape(SIZE)
    said = {
        "PatientName": "Doe^Jane", "PatientID": "007", "StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.1",
        "StudyDate": "20260102", "PatientBirthDate": "19700101", **GEOMETRY, **tags,
    }  # fmt: skip
    return write_xray(folder / "x.dcm", xray_dataset(pixels, **said))


@settings(max_examples=60, deadline=None)
@given(arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=40)))
def test_run_lengths_are_read_back(mask):
    found = encode_run_lengths(mask)
    assert found["size"] == list(mask.shape)
    np.testing.assert_array_equal(decode_run_lengths(found["counts"], mask.shape), mask)


@pytest.mark.parametrize("density", [0.0, 0.02, 0.5, 1.0])
def test_run_lengths_are_those_of_pycocotools(density):
    coder = pytest.importorskip("pycocotools.mask", reason="needs the extra: pip install 'xraykit-render[export]'")
    mask = np.random.default_rng(0).random((301, 97)) < density
    theirs = coder.encode(np.asfortranarray(mask.astype(np.uint8)))
    assert encode_run_lengths(mask)["counts"] == theirs["counts"].decode()


def test_run_lengths_are_of_masks_alone():
    with pytest.raises(InputError, match=r"must be \(H, W\) bool"):
        encode_run_lengths(np.zeros((3, 4)))


def test_coco_lists_masks_that_have_pixels_by_target():
    record = annotations_record(
        [AnnotatedXray("a.png", SIZE, masks()), AnnotatedXray("cine.dcm", SIZE, masks()[:1], frame=3)]
    )
    assert [image.get("frame") for image in record["images"]] == [None, 3]
    assert [(one["name"], one["supercategory"]) for one in record["categories"]] == [
        ("femur_left", "structure"), ("pedicle_screw", "tool"), ("points", "region"),
    ]  # fmt: skip
    first, *_, last = record["annotations"]
    assert len(record["annotations"]) == 4 and last["image_id"] == 2 and last["category_id"] == 1
    assert first["bbox"] == [3, 2, 30, 20] and first["area"] == 600 and first["score"] == 0.8125
    counts = first["segmentation"]["counts"]
    np.testing.assert_array_equal(decode_run_lengths(counts, SIZE), masks()[0].mask)


def test_a_label_file_shows_the_smaller_of_overlapping_masks_in_its_own_colour(tmp_path):
    labels = label_image(masks(), SIZE)
    assert labels[3, 4] == 1 and labels[6, 7] == 3 and labels[27, 42] == 4 and labels[29, 0] == 0
    with Image.open(save_label_image(tmp_path / "l.png", masks(), SIZE)) as file:
        np.testing.assert_array_equal(np.asarray(file), labels)
        assert file.convert("RGB").getpixel((7, 6)) == tuple(label_table(masks())[2]["colour"])
    with pytest.raises(InputError, match="holds 255 masks, got 256"):
        label_image([masks()[0]] * 256, SIZE)
    with pytest.raises(InputError, match="the mask of 'left femur' must be 31x44 bool, got"):
        label_image(masks(), (31, 44))


def test_a_segmentation_where_asked_is_of_the_same_patient_study_and_pixels(tmp_path):
    path = save_dicom_segmentation(tmp_path / "seg.dcm", masks(), source(tmp_path), identified=True)
    found = pydicom.dcmread(path)
    assert found.PatientName == "Doe^Jane" and found.PatientID == "007" and found.StudyInstanceUID == "1.2.3"
    assert found.StudyDate == "20260102" and found.Modality == "SEG" and found.SeriesInstanceUID != "1.2.3.1"
    assert (found.Rows, found.Columns, found.NumberOfFrames) == (*SIZE, 3)
    frames = np.unpackbits(np.frombuffer(found.PixelData, np.uint8), bitorder="little")[: 3 * SIZE[0] * SIZE[1]]
    kept = [one for one in masks() if one.area]
    np.testing.assert_array_equal(frames.reshape(3, *SIZE).astype(bool), np.stack([one.mask for one in kept]))
    shared = found.SharedFunctionalGroupsSequence[0]
    assert shared.PixelMeasuresSequence[0].PixelSpacing == [0.4, 0.2]
    image = found.PerFrameFunctionalGroupsSequence[1].DerivationImageSequence[0].SourceImageSequence[0]
    assert image.ReferencedSOPInstanceUID == "1.2.3.4" and "ReferencedFrameNumber" not in image
    femur, screw, points = found.SegmentSequence
    assert femur.SegmentLabel == "left femur" and femur.SegmentAlgorithmType == "AUTOMATIC"
    kind = femur.SegmentedPropertyTypeCodeSequence[0]
    assert kind.CodeValue == "femur_left" and kind.CodingSchemeDesignator == "99XRAYKIT"
    assert kind.SegmentedPropertyTypeModifierCodeSequence[0].CodeValue == "7771000"
    assert screw.SegmentedPropertyCategoryCodeSequence[0].CodeValue == "260787004"
    assert screw.SegmentAlgorithmType == "SEMIAUTOMATIC"
    assert points.SegmentedPropertyCategoryCodeSequence[0].CodeValue == "309825002"


def test_a_segmentation_names_nobody_and_those_of_a_study_stay_together(tmp_path):
    made = []
    (tmp_path / "out").mkdir()
    for n, tags in enumerate(({}, {"SOPInstanceUID": "1.2.3.5", "SeriesInstanceUID": "1.2.3.2"})):
        dataset = soil(pydicom.dcmread(source(tmp_path, **tags)), series=n)
        dataset.StudyInstanceUID = f"{ROOT}.5"
        xray = write_dicom(tmp_path / f"{n}.dcm", dataset)
        made.append(pydicom.dcmread(save_dicom_segmentation(tmp_path / "out" / f"{n}.dcm", masks(), xray)))
    assert traces(tmp_path / "out") == [] and len(traces(tmp_path)) == 2
    assert made[0].PatientName == "" and made[0].StudyDate == ""
    assert made[0].StudyInstanceUID == made[1].StudyInstanceUID
    series = [one.ReferencedSeriesSequence[0].SeriesInstanceUID for one in made]
    assert series[0] != series[1]


def test_highdicom_reads_the_segmentation(tmp_path):
    highdicom = pytest.importorskip("highdicom", reason="needs the extra: pip install 'xraykit-render[export]'")
    path = save_dicom_segmentation(tmp_path / "seg.dcm", masks(), source(tmp_path), identified=True)
    found = highdicom.seg.segread(path)
    kept = [one for one in masks() if one.area]
    assert found.number_of_segments == 3
    assert [found.get_segment_description(n).segment_label for n in (1, 2, 3)] == [one.name for one in kept]
    pixels = found.get_pixels_by_source_instance(["1.2.3.4"], assert_missing_frames_are_empty=True)
    np.testing.assert_array_equal(pixels[0].astype(bool), np.stack([one.mask for one in kept], -1))


def test_a_segmentation_names_the_frame_and_a_sparse_header_is_enough(tmp_path):
    pixels = np.zeros((3, *SIZE), dtype=np.uint16)
    path = write_xray(tmp_path / "cine.dcm", xray_dataset(pixels, PatientBirthDate=""))
    found = pydicom.dcmread(save_dicom_segmentation(tmp_path / "seg.dcm", masks(), path, frame=2))
    shared = found.SharedFunctionalGroupsSequence[0]
    image = found.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence[0].SourceImageSequence[0]
    assert image.ReferencedFrameNumber == 3
    assert "PixelMeasuresSequence" not in shared and found.PatientName == "" and found.StudyInstanceUID
    with pytest.raises(InputError, match="frame must be 0 to 2, got 3"):
        save_dicom_segmentation(tmp_path / "seg.dcm", masks(), path, frame=3)


def test_names_of_any_length_and_letters_fit_into_a_segment(tmp_path):
    one = NamedMask("é" * 90 + "\\", block(1, 1, 2, 2), "brachiocephalic_vein_left", 0.5)
    found = pydicom.dcmread(save_dicom_segmentation(tmp_path / "seg.dcm", [one], source(tmp_path)))
    segment = found.SegmentSequence[0]
    assert segment.SegmentLabel == "é" * 64
    assert segment.SegmentedPropertyTypeCodeSequence[0].LongCodeValue == "brachiocephalic_vein_left"


def test_what_cannot_be_a_segmentation_is_refused(tmp_path):
    path = source(tmp_path)
    with pytest.raises(InputError, match="at least one pixel"):
        save_dicom_segmentation(tmp_path / "seg.dcm", masks()[1:2], path)
    with pytest.raises(InputError, match="must be 30x44 bool"):
        save_dicom_segmentation(tmp_path / "seg.dcm", [NamedMask("a", np.ones((3, 4), bool))], path)
    (tmp_path / "text.dcm").write_text("no DICOM", encoding="utf-8")
    with pytest.raises(FileError, match="got none that can be read"):
        save_dicom_segmentation(tmp_path / "seg.dcm", masks(), tmp_path / "text.dcm")
    assert not (tmp_path / "seg.dcm").exists()


@pytest.mark.parametrize(
    "colour, lab",
    [((255, 255, 255), (100, 0, 0)), ((0, 0, 0), (0, 0, 0)), ((255, 0, 0), (53.24, 80.09, 67.2))],
)
def test_colours_are_written_as_cielab(colour, lab):
    lightness, a, b = (value / 65535 for value in cielab(colour))
    assert (lightness * 100, a * 255 - 128, b * 255 - 128) == pytest.approx(lab, abs=0.1)
