"""A tag of the geometry that is there and holds no number of use is doubted, where another value stands for it."""

import numpy as np
import pytest
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from support.xray_dicom import GEOMETRY, write_xray, xray_dataset
from xraykit.render import GeometryError, read_radiograph
from xraykit.render.cli.umbrella import run
from xraykit.render.converters import from_dicom_tags
from xraykit.render.radiographs.private_tags import PRIVATE_CENTRE, PRIVATE_CREATOR, PRIVATE_GROUP, PRIVATE_POSE
from xraykit.render.radiographs.unread_tags import GEOMETRY as READ

PIXELS = np.arange(40 * 60, dtype=np.uint16).reshape(40, 60)
NAME = "DOE JANE"
STAND = {**GEOMETRY, "DistanceSourceToPatient": "800", "PositionerPrimaryAngle": "0", "PositionerSecondaryAngle": "0"}


def spoiled(dataset: Dataset, keyword: str, value: bytes = NAME.encode()) -> Dataset:
    """The data set with text where a decimal string must stand."""
    dataset[Tag(keyword)] = RawDataElement(Tag(keyword), "DS", len(value), value, 0, False, True)
    return dataset


def image_of(tmp_path, dataset: Dataset, **options):
    return read_radiograph(write_xray(tmp_path / "x.dcm", dataset), **options)


@pytest.mark.parametrize("keyword", READ)
@pytest.mark.parametrize("value", [NAME.encode(), b"nan ", b"1\\" + NAME.encode() + b" "])
def test_text_in_any_tag_of_the_geometry_is_a_doubt_that_names_the_tag_and_quotes_nothing(tmp_path, keyword, value):
    image = image_of(tmp_path, spoiled(xray_dataset(PIXELS, **STAND), keyword, value))
    assert set(image.doubts) == {keyword}
    assert keyword in image.doubts[keyword].note and "DOE" not in image.doubts[keyword].note


@pytest.mark.parametrize("keyword", [name for name, meant in READ.items() if meant.above == 0])
@pytest.mark.parametrize("value", [b"0 ", b"-700"])
def test_a_length_that_is_not_positive_is_a_doubt(tmp_path, keyword, value):
    values = b"\\".join([value] * (READ[keyword].count or 1))
    image = image_of(tmp_path, spoiled(xray_dataset(PIXELS, **STAND), keyword, values))
    assert keyword in image.doubts and "must be above 0" in image.doubts[keyword].note


@pytest.mark.parametrize(
    ("keyword", "others", "field", "value"),
    [
        ("DistanceSourceToPatient", {"DistanceSourceToIsocenter": 700.0}, "sod", 700.0),
        (
            "DistanceSourceToDetector",
            {"DistanceSourceToPatient": "700", "EstimatedRadiographicMagnificationFactor": "1.5"},
            "sdd",
            1050.0,
        ),
        ("ImagerPixelSpacing", {"DetectorElementSpacing": ["0.2", "0.2"]}, "pixel_spacing", (0.2, 0.2)),
        ("DetectorBinning", {"DetectorElementSpacing": ["0.4", "0.2"]}, "pixel_spacing", (0.4, 0.2)),
    ],
)
def test_what_stands_in_its_place_is_used_as_before(tmp_path, keyword, others, field, value):
    image = image_of(tmp_path, spoiled(xray_dataset(PIXELS, **{**STAND, **others}), keyword))
    assert image.provenance[field].value == pytest.approx(value)
    assert set(image.doubts) == {keyword}


def test_a_tag_of_another_type_is_a_doubt_too(tmp_path):
    dataset = xray_dataset(PIXELS, **STAND, EstimatedRadiographicMagnificationFactor="1.25")
    dataset["DistanceSourceToPatient"] = DataElement("DistanceSourceToPatient", "LO", "about seventy")
    assert set(image_of(tmp_path, dataset).doubts) == {"DistanceSourceToPatient"}


def test_an_empty_tag_says_nothing_and_is_no_doubt(tmp_path):
    assert image_of(tmp_path, xray_dataset(PIXELS, **STAND, PixelSpacing="", RTImageSID="")).doubts == {}


def in_frames(spoilt: int) -> Dataset:
    """Three frames with a distance of their own each, one of which is text."""
    frames = []
    for n in range(3):
        frame, geometry = Dataset(), Dataset()
        geometry.DistanceSourceToPatient = "750"
        if n == spoilt:
            spoiled(geometry, "DistanceSourceToPatient")
        frame.XRayGeometrySequence = Sequence([geometry])
        frames.append(frame)
    dataset = xray_dataset(np.stack([PIXELS] * 3), **STAND)
    dataset.PerFrameFunctionalGroupsSequence = Sequence(frames)
    return dataset


def test_a_frames_own_tag_is_doubted_for_that_frame_and_for_the_whole(tmp_path):
    image = image_of(tmp_path, in_frames(2))
    assert list(image.doubts) == ["DistanceSourceToPatient"]
    assert "in XRayGeometrySequence, frame 3" in image.doubts["DistanceSourceToPatient"].note
    assert image.doubts["DistanceSourceToPatient"].note.endswith("(--frame 2)")
    assert [len(image.with_frame(n).doubts) for n in range(3)] == [0, 0, 1]
    assert len(image_of(tmp_path, in_frames(2), frame=2).doubts) == 1
    assert image_of(tmp_path, in_frames(2), frame=1).doubts == {}


def test_increments_that_do_not_fit_the_frames_are_a_doubt(tmp_path):
    run_of_four = xray_dataset(np.stack([PIXELS] * 4), **STAND, PositionerPrimaryAngleIncrement=["0", "10"])
    image = image_of(tmp_path, run_of_four)
    assert image.provenance["lao_rao"].value == 0
    assert "2 increments" in image.doubts["increments of lao_rao"].note


@pytest.mark.parametrize(
    ("tags", "name"),
    [
        ({"DistanceSourceToPatient": "0.8"}, "source to isocenter"),
        ({"EstimatedRadiographicMagnificationFactor": "0.5", "DistanceSourceToPatient": None}, "magnification"),
        ({"EstimatedRadiographicMagnificationFactor": "125", "DistanceSourceToPatient": None}, "magnification"),
    ],
)
def test_a_magnification_that_no_machine_has_is_a_doubt(tmp_path, tags, name):
    dataset = xray_dataset(PIXELS, **STAND)
    for keyword, value in tags.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    assert set(image_of(tmp_path, dataset).doubts) == {name}


@pytest.mark.parametrize(
    ("offset", "vr", "value", "name"),
    [
        (PRIVATE_CENTRE, "FD", [30.0], "private principal point"),
        (PRIVATE_CENTRE, "FD", [30.0, float("nan")], "private principal point"),
        (PRIVATE_POSE, "FD", [1.0] * 15, "private pose"),
        (PRIVATE_POSE, "LO", "lost", "private pose"),
    ],
)
def test_a_damaged_private_tag_is_a_doubt(tmp_path, offset, vr, value, name):
    dataset = xray_dataset(PIXELS, **STAND)
    dataset.private_block(PRIVATE_GROUP, PRIVATE_CREATOR, create=True).add_new(offset, vr, value)
    image = image_of(tmp_path, dataset)
    assert set(image.doubts) == {name}
    assert image.camera.principal_point == (30.0, 20.0)  # the image's centre


def test_info_shows_it_among_the_doubts(tmp_path, capsys):
    path = write_xray(tmp_path / "x.dcm", in_frames(2))
    assert run(["render", "info", str(path)]) == 0
    out, err = capsys.readouterr()
    assert "warning: DistanceSourceToPatient" in out and "DistanceSourceToPatient (0018,1111)" in err
    assert "DOE" not in out + err


def test_a_pose_is_not_made_of_the_tag_that_stands_next(tmp_path):
    dataset = xray_dataset(PIXELS, **STAND, DistanceSourceToIsocenter=700.0)
    assert from_dicom_tags(dataset, isocenter=(0.0, 0.0, 0.0))[1].shape == (1, 4, 4)
    with pytest.raises(GeometryError, match=r"DistanceSourceToPatient \(0018,1111\) holds what is no finite number"):
        from_dicom_tags(spoiled(dataset, "DistanceSourceToPatient"), isocenter=(0.0, 0.0, 0.0))
