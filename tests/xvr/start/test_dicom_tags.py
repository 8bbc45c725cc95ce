"""Starts from positioner tags."""

import numpy as np
import pytest
import torch
from PIL import Image
from support.xray_dicom import write_xray, xray_dataset
from xraykit.render import Camera, FileError, GeometryError, InputError, carm_pose
from xraykit.render.geometry import carm_angles
from xraykit.xvr import XraySettings, read_shot, starts_from_dicom
from xraykit.xvr.xray import XrayDetails, read_shots

MARKED = XrayDetails(burnt_in=False)
ISOCENTER = torch.tensor([10.0, -20.0, 30.0], dtype=torch.float64)
PIXELS = (np.arange(20 * 30, dtype=np.uint16) + 100).reshape(20, 30)
STAND = {
    "PositionerPrimaryAngle": "-30",
    "PositionerSecondaryAngle": "20",
    "DistanceSourceToPatient": "700",
    "DistanceSourceToDetector": "1000",
    "ImagerPixelSpacing": ["0.4", "0.4"],
}
CAMERA = Camera(sdd=1000.0, height=20, width=30, pixel_spacing=0.4)


def start(tmp_path, *, camera: Camera = CAMERA, mirror: bool | None = None, sod: float | None = None, **tags):
    path = write_xray(tmp_path / "x.dcm", xray_dataset(PIXELS, **{**STAND, **tags}))
    return starts_from_dicom([path], [camera], isocenter=ISOCENTER, mirror=mirror, sod=sod)


def test_angles_and_distance_give_the_carm_pose(tmp_path):
    found = start(tmp_path)
    expected = carm_pose(lao_rao=-30.0, cra_cau=20.0, sod=torch.tensor(700.0).double(), isocenter=ISOCENTER)
    assert found.shape == (1, 1, 4, 4) and torch.allclose(found[0], expected)


def test_the_given_sod_overrules_the_file(tmp_path):
    away = start(tmp_path, sod=650.0)[0, 0, :3, 3] - ISOCENTER
    assert float(away.norm()) == pytest.approx(650.0)


def test_magnification_stands_in_for_the_missing_distance(tmp_path):
    found = start(tmp_path, DistanceSourceToPatient="", EstimatedRadiographicMagnificationFactor="1.25")
    assert float((found[0, 0, :3, 3] - ISOCENTER).norm()) == pytest.approx(800.0)


def test_the_cameras_sdd_counts_not_the_files(tmp_path):
    assert start(tmp_path, DistanceSourceToDetector="500").shape == (1, 1, 4, 4)  # 700 < 1000 of the camera


def test_missing_angles_are_named_with_what_to_do(tmp_path):
    with pytest.raises(GeometryError, match="PositionerPrimaryAngle, DistanceSourceToPatient; give the angles"):
        start(tmp_path, PositionerPrimaryAngle="", DistanceSourceToPatient="")


def test_contradicting_distances_name_the_file(tmp_path):
    with pytest.raises(GeometryError, match=r"x\.dcm: DistanceSourceToPatient must lie between"):
        start(tmp_path, DistanceSourceToPatient="1200")


def test_a_png_has_no_tags(tmp_path):
    Image.fromarray(PIXELS.astype(np.uint8)).save(tmp_path / "x.png")
    with pytest.raises(FileError, match="no positioner tags"):
        starts_from_dicom([tmp_path / "x.png"], [CAMERA], isocenter=ISOCENTER)


def test_files_and_cameras_must_be_as_many(tmp_path):
    with pytest.raises(InputError, match="one DICOM file for each X-ray"):
        starts_from_dicom([], [], isocenter=ISOCENTER)


# A PA beam (angles 0) seen from the tube has the patient's right on the right of the image, and the feet below.
@pytest.mark.parametrize(
    ("orientation", "mirrored", "roll"),
    [("R\\F", False, 0.0), ("L\\F", True, 0.0), ("L\\H", False, 180.0), ("R\\H", True, 180.0), ("F\\L", False, 90.0)],
)
def test_patient_orientation_decides_mirror_and_quarter_turns(tmp_path, orientation, mirrored, roll):
    tags = {
        "PositionerPrimaryAngle": "0",
        "PositionerSecondaryAngle": "0",
        "PatientOrientation": orientation.split("\\"),
    }
    found = start(tmp_path, **tags)
    assert float(carm_angles(found[0]).roll.abs()) == pytest.approx(roll, abs=1e-6)
    shot = read_shot(tmp_path / "x.dcm", XraySettings(field_of_view="whole", details=MARKED))
    assert any("mirrored left to right" in note for note in shot.notes) == mirrored
    # In the picture as read, image x runs to where the pose says.
    towards = {"R": (0, 1.0), "L": (0, -1.0), "F": (2, -1.0)}[orientation[0]]
    assert float(found[0, 0, towards[0], 0]) * towards[1] == pytest.approx(-1.0 if mirrored else 1.0)


def test_a_flip_tag_alone_mirrors_the_image(tmp_path):
    start(tmp_path, FieldOfViewHorizontalFlip="YES")
    plain = write_xray(tmp_path / "plain.dcm", xray_dataset(PIXELS, **STAND))
    settings = XraySettings(field_of_view="whole", details=MARKED)
    assert torch.equal(read_shot(tmp_path / "x.dcm", settings).image, read_shot(plain, settings).image.flip(-1))


def rotational_run(tmp_path):
    tags = {**STAND, "PositionerMotion": "DYNAMIC", "PositionerPrimaryAngleIncrement": ["0", "10", "20"]}
    return write_xray(tmp_path / "run.dcm", xray_dataset(np.stack([PIXELS, PIXELS + 1, PIXELS + 2]), **tags))


def test_each_frame_of_a_rotational_run_starts_at_its_own_angle(tmp_path):
    path = rotational_run(tmp_path)
    shots = read_shots([path], XraySettings(frame="all", details=MARKED, field_of_view="whole"))
    assert [(shot.name, shot.frame, shot.source) for shot in shots] == [(f"run_{n}", n, path) for n in range(3)]
    cameras, frames = [shot.camera for shot in shots], [shot.frame for shot in shots]
    found = starts_from_dicom([path] * 3, cameras, isocenter=ISOCENTER, frames=frames)
    assert carm_angles(found[0]).lao_rao.tolist() == pytest.approx([-30.0, -20.0, -10.0])
    with pytest.raises(GeometryError, match=r"several angles; choose one, --frame N \(frames=\[N\]\)"):
        starts_from_dicom([path], cameras[:1], isocenter=ISOCENTER)
    with pytest.raises(InputError, match="one shot shows one frame, got frame='all'"):
        read_shot(path, XraySettings(frame="all"))


def test_an_image_stored_turned_starts_with_the_roll_that_undoes_it(tmp_path):
    found = start(tmp_path, FieldOfViewRotation="90")
    assert float(carm_angles(found[0]).roll) == pytest.approx(-90.0)


@pytest.mark.parametrize("keyword", ["DistanceSourceToPatient", "EstimatedRadiographicMagnificationFactor"])
def test_a_number_given_as_text_counts_as_missing(tmp_path, keyword):
    dataset = xray_dataset(
        PIXELS, **{name: value for name, value in STAND.items() if name != "DistanceSourceToPatient"}
    )
    dataset.add_new(keyword, "LO", "about seventy")
    path = write_xray(tmp_path / "x.dcm", dataset)
    with pytest.raises(GeometryError, match="it has no DistanceSourceToPatient"):
        starts_from_dicom([path], [CAMERA], isocenter=ISOCENTER)


def test_text_in_the_distance_is_doubted_where_the_magnification_stands_in_for_it(tmp_path):
    stand = {name: value for name, value in STAND.items() if name != "DistanceSourceToPatient"}
    dataset = xray_dataset(PIXELS, **stand, EstimatedRadiographicMagnificationFactor="1.25")
    dataset.add_new("DistanceSourceToPatient", "LO", "about seventy")
    path = write_xray(tmp_path / "x.dcm", dataset)
    found = starts_from_dicom([path], [CAMERA], isocenter=ISOCENTER)
    assert float((found[0, 0, :3, 3] - ISOCENTER).norm()) == pytest.approx(800.0)  # 1000 / 1.25
    (doubt,) = [line for line in read_shot(path).doubts if line.startswith("DistanceSourceToPatient")]
    assert "about" not in doubt and "left out" in doubt
