"""The camera from DICOM tags: which tag wins, and that every assumption is on record."""

import numpy as np
import pytest
from support.xray_dicom import GEOMETRY, write_xray, xray_dataset
from xraykit.render import Camera, FileError, InputError, read_radiograph
from xraykit.render.radiographs import describe_radiograph
from xraykit.render.radiographs.camera_tags import camera_from_tags

PIXELS = np.zeros((4, 6), np.uint16)


def camera_of(**tags):
    return camera_from_tags(xray_dataset(PIXELS, **tags), height=4, width=6)


def test_sdd_and_imager_spacing_make_a_camera_with_an_assumed_centre():
    camera, facts = camera_of(**GEOMETRY)
    assert (camera.sdd, camera.height, camera.width) == (1000.0, 4, 6)
    assert camera.pixel_spacing == (0.4, 0.2)
    assert camera.principal_point == (3.0, 2.0)
    assert facts["sdd"].tag == "DistanceSourceToDetector (0018,1110)"
    assert facts["pixel_spacing"].tag == "ImagerPixelSpacing (0018,1164)"
    assert facts["principal_point"].is_assumed
    assert [name for name, fact in facts.items() if fact.is_assumed] == ["principal_point"]


def test_imager_spacing_goes_before_pixel_spacing():
    camera, facts = camera_of(**GEOMETRY, PixelSpacing=["0.1", "0.1"])
    assert camera.pixel_spacing == (0.4, 0.2)
    assert not facts["pixel_spacing"].is_assumed


def test_uncalibrated_pixel_spacing_alone_is_an_assumption():
    camera, facts = camera_of(DistanceSourceToDetector="1000", PixelSpacing=["0.1", "0.2"])
    assert camera.pixel_spacing == (0.1, 0.2)
    assert facts["pixel_spacing"].is_assumed
    assert "without calibration type" in facts["pixel_spacing"].note


def test_pixel_spacing_calibrated_by_geometry_is_carried_to_the_detector():
    tags = {"PixelSpacing": ["0.1", "0.2"], "PixelSpacingCalibrationType": "GEOMETRY"}
    camera, facts = camera_of(DistanceSourceToDetector="1000", EstimatedRadiographicMagnificationFactor="1.5", **tags)
    assert camera.pixel_spacing == pytest.approx((0.15, 0.3))
    assert facts["pixel_spacing"].is_assumed


@pytest.mark.parametrize("kind", ["FIDUCIAL", "GEOMETRY"])
def test_pixel_spacing_calibrated_to_the_patient_is_no_detector_spacing(kind):
    tags = {"PixelSpacing": ["0.1", "0.2"], "PixelSpacingCalibrationType": kind}
    camera, facts = camera_of(DistanceSourceToDetector="1000", **tags)
    assert camera is None
    assert kind in facts["camera"].note
    assert "ImagerPixelSpacing (0018,1164) is missing" in facts["camera"].note


def test_detector_elements_times_binning_stand_in_and_contradictions_are_noted():
    tags = {"DetectorElementSpacing": ["0.15", "0.15"], "DetectorBinning": ["2", "2"]}
    camera, facts = camera_of(DistanceSourceToDetector="1000", **tags)
    assert camera.pixel_spacing == (0.3, 0.3)
    assert facts["pixel_spacing"].is_assumed
    _, facts = camera_of(**GEOMETRY, **tags)
    assert facts["detector elements"] == ((0.3, 0.3), "doubt", facts["detector elements"].note)


def test_scanned_plate_spacing_is_an_assumption():
    camera, facts = camera_of(DistanceSourceToDetector="1800", NominalScannedPixelSpacing=["0.1", "0.1"])
    assert camera.pixel_spacing == (0.1, 0.1)
    assert facts["pixel_spacing"].is_assumed


def test_missing_tags_are_named_and_leave_no_camera():
    camera, facts = camera_of()
    assert camera is None
    assert facts["camera"].note == (
        "DistanceSourceToDetector (0018,1110) is missing; ImagerPixelSpacing (0018,1164) is missing"
    )
    camera, facts = camera_of(DistanceSourceToDetector="0", ImagerPixelSpacing=["0.1", "0.1"])
    assert camera is None
    assert facts["camera"].note == "DistanceSourceToDetector (0018,1110) is 0"


def test_magnification_and_patient_distance_give_an_assumed_sdd():
    tags = {"DistanceSourceToPatient": "700", "EstimatedRadiographicMagnificationFactor": "1.5"}
    camera, facts = camera_of(ImagerPixelSpacing=["0.1", "0.1"], **tags)
    assert camera.sdd == 1050.0
    assert facts["sdd"].is_assumed
    assert facts["sod"].value == 700.0


@pytest.mark.parametrize(
    ("tags", "name", "note"),
    [
        ({"DistanceSourceToPatient": "1200"}, "distances", "isocenter is 1200 mm, to the detector 1000 mm"),
        (
            {"DistanceSourceToPatient": "500", "EstimatedRadiographicMagnificationFactor": "1.5"},
            "magnification factor",
            "whose ratio 2.000 is used",
        ),
        ({"DetectorElementSpacing": ["0.1", "0.1"], "DetectorBinning": ["2", "2"]}, "detector elements", "resampled"),
    ],
)
def test_contradictions_are_doubts(tags, name, note):
    facts = camera_of(**GEOMETRY, **tags)[1]
    assert facts[name].is_doubt
    assert note in facts[name].note
    agreeing = {"DistanceSourceToPatient": "500", "EstimatedRadiographicMagnificationFactor": "2"}
    agreeing |= {"DetectorElementSpacing": ["0.2", "0.1"], "DetectorBinning": ["2", "2"]}
    assert not any(origin.is_doubt for origin in camera_of(**GEOMETRY, **agreeing)[1].values())


@pytest.mark.parametrize(
    ("tags", "name"),
    [
        ({"DistanceSourceToDetector": "100"}, "source to detector"),
        ({"ImagerPixelSpacing": ["0.0004", "0.0002"]}, "detector size"),
        ({"ImagerPixelSpacing": ["40", "20"]}, "detector size"),
        ({"ImagerPixelSpacing": ["1", "1"]}, "spacing of 1 mm"),
        ({"BurnedInAnnotation": "YES"}, "burnt-in text"),
        ({"LossyImageCompression": "01"}, "compression"),
        ({"ImageType": ["DERIVED", "PRIMARY", "SINGLE PLANE", "SUBTRACTED"]}, "subtraction"),
    ],
)
def test_what_is_implausible_or_lost_is_a_doubt(tmp_path, tags, name):
    pixels = np.arange(40 * 60, dtype=np.uint16).reshape(40, 60)
    usual = {**GEOMETRY, "BurnedInAnnotation": "NO", "LossyImageCompression": "00"}
    assert read_radiograph(write_xray(tmp_path / "good.dcm", xray_dataset(pixels, **usual))).doubts == {}
    image = read_radiograph(write_xray(tmp_path / "x.dcm", xray_dataset(pixels, **{**usual, **tags})))
    assert set(image.doubts) == {name}


@pytest.mark.parametrize(("ratio", "doubts"), [([1, 2], {"pixel aspect ratio"}), ([3, 3], set())])
def test_pixels_that_are_not_square_and_whose_spacing_nobody_states_are_doubted(tmp_path, ratio, doubts):
    pixels = np.arange(40 * 60, dtype=np.uint16).reshape(40, 60)
    image = read_radiograph(write_xray(tmp_path / "x.dcm", xray_dataset(pixels, PixelAspectRatio=ratio)))
    assert set(image.doubts) == doubts
    stated = xray_dataset(pixels, PixelAspectRatio=ratio, **GEOMETRY)
    assert not read_radiograph(write_xray(tmp_path / "y.dcm", stated)).doubts


def test_a_copy_of_the_screen_is_an_xray_where_its_modality_says_so_and_is_doubted(tmp_path):
    pixels = np.arange(40 * 60, dtype=np.uint16).reshape(40, 60)
    dataset = xray_dataset(pixels, **GEOMETRY, SOPClassUID="1.2.840.10008.5.1.4.1.1.7")
    image = read_radiograph(write_xray(tmp_path / "x.dcm", dataset))
    assert set(image.doubts) == {"secondary capture"} and np.array_equal(image.pixels[0], pixels)
    dataset.Modality = "OT"
    with pytest.raises(FileError, match=r"got modality OT .*; if it shows one, export it as PNG"):
        read_radiograph(write_xray(tmp_path / "x.dcm", dataset))


def test_frames_behind_the_declared_ones_are_counted(tmp_path):
    pixels = np.arange(3 * 40 * 60, dtype=np.uint16).reshape(3, 40, 60)
    image = read_radiograph(write_xray(tmp_path / "x.dcm", xray_dataset(pixels, **GEOMETRY, NumberOfFrames=2)))
    assert image.n_frames == 2 and image.doubts["frames"].value == 1


def test_detector_active_origin_is_a_principal_point_only_when_asked_for():
    dataset = xray_dataset(PIXELS, **GEOMETRY, DetectorActiveOrigin=["0.8", "-0.4"])
    camera, facts = camera_from_tags(dataset, height=4, width=6)
    assert camera.principal_point == (3.0, 2.0)
    assert "is no principal point" in facts["principal_point"].note
    camera, facts = camera_from_tags(dataset, height=4, width=6, detector_active_origin="xvr")
    assert camera.principal_point == pytest.approx((3.0 - 0.4 / 0.2, 2.0 + 0.8 / 0.4))
    assert facts["principal_point"].tag == "DetectorActiveOrigin (0018,7028)"
    with pytest.raises(InputError, match="detector_active_origin must be None or 'xvr', got 'yes'"):
        camera_from_tags(dataset, height=4, width=6, detector_active_origin="yes")


def test_what_belongs_to_the_pose_is_recorded():
    tags = {"PositionerPrimaryAngle": "-30", "PositionerSecondaryAngle": "12.5", "FieldOfViewHorizontalFlip": "YES"}
    tags |= {"FieldOfViewRotation": "90", "PatientOrientation": ["P", "F"]}
    facts = camera_of(**GEOMETRY, **tags)[1]
    assert (facts["lao_rao"].value, facts["cra_cau"].value) == (-30.0, 12.5)
    assert facts["field_of_view_flip"].value == "YES"
    assert facts["field_of_view_rotation"].value == 90.0
    assert facts["patient_orientation"].value == "P\\F"


def test_an_oblique_detector_is_a_doubt():
    facts = camera_of(**GEOMETRY, DetectorPrimaryAngle="3")[1]
    assert facts["oblique beam"].is_doubt


def test_description_names_the_tag_or_the_assumption_and_no_patient(tmp_path):
    dataset = xray_dataset(PIXELS, **GEOMETRY, PatientName="Doe^Jane", PatientID="123456", KVP="77")
    rows = describe_radiograph(read_radiograph(write_xray(tmp_path / "x.dcm", dataset)))
    table = {row.field: row for row in rows}
    assert table["sdd"].value == "1000"
    assert table["sdd"].origin.startswith("DistanceSourceToDetector (0018,1110)")
    assert table["principal_point"].origin.startswith("assumed: ")
    assert table["polarity"].origin.startswith("assumed: ")
    assert table["kvp"].value == "77"
    assert not any("Doe" in cell or "123456" in cell for row in rows for cell in row)


def test_description_says_what_is_missing(tmp_path):
    rows = describe_radiograph(read_radiograph(write_xray(tmp_path / "x.dcm", xray_dataset(PIXELS))))
    table = {row.field: row for row in rows}
    assert table["camera"].value == "none"
    assert table["camera"].origin.startswith("missing: DistanceSourceToDetector (0018,1110)")


def test_camera_of_the_caller_overrules_the_file_and_must_fit(tmp_path):
    path = write_xray(tmp_path / "x.dcm", xray_dataset(PIXELS, **GEOMETRY))
    given = Camera(sdd=900.0, height=4, width=6)
    image = read_radiograph(path, camera=given)
    assert image.camera is given
    assert image.provenance["camera"].tag == "caller"
    with pytest.raises(InputError, match="camera must have the image size 4x6, got 9x9"):
        read_radiograph(path, camera=Camera(sdd=900.0, height=9, width=9))


def test_a_radiotherapy_image_states_its_camera_and_where_the_beams_axis_meets_it():
    tags = {"RTImageSID": "1500", "RadiationMachineSAD": "1000", "ImagePlanePixelSpacing": ["0.4", "0.5"]}
    tags |= {"RTImagePosition": ["-1.0", "0.8"], "GantryAngle": "90"}
    camera, facts = camera_of(**tags)
    assert (camera.sdd, camera.pixel_spacing) == (1500.0, (0.4, 0.5))
    # The first pixel's centre, at (0.5, 0.5) px, lies 1 mm left of the axis and 0.8 mm above: 2 columns and 2 rows.
    assert camera.principal_point == pytest.approx((2.5, 2.5))
    assert facts["sod"].value == 1000.0
    assert facts["gantry_angle"].value == 90.0
    moved, _ = camera_of(**tags, XRayImageReceptorTranslation=["0.5", "-0.4", "-500"])
    # The receptor went right by one column and down by one row, so the axis meets it that much further left and up.
    assert moved.principal_point == pytest.approx((1.5, 1.5))
    turned, facts = camera_of(**tags, RTImageOrientation=["0", "-1", "0", "-1", "0", "0"])
    # Rows run down and columns to the left of the receptor: the axis is 0.8 mm on along the row, -1 mm down a column.
    assert turned.principal_point == pytest.approx((0.8 / 0.5 + 0.5, -1.0 / 0.4 + 0.5))
    tilted, facts = camera_of(**tags, RTImageOrientation=["1", "0", "0", "0", "-0.9", "0.436"])
    assert facts["principal_point"].is_assumed and facts["oblique beam"].is_doubt
    assert tilted.principal_point == (3.0, 2.0)
