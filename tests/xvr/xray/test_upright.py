"""Images stored turned, or mirrored and turned, are what a rolled camera sees, and every kind of start knows it."""

import numpy as np
import pytest
import torch
from support.registrations import CAMERA, lopsided, shot_of, true_pose
from support.xray_dicom import write_xray, xray_dataset
from xraykit.render import Camera, carm_pose, render
from xraykit.xvr.start.finding import StartRequest, find_starts
from xraykit.xvr.start.settings import StartSettings, StatedStart
from xraykit.xvr.xray.settings import XraySettings
from xraykit.xvr.xray.upright import rolled, upright_shot
from xraykit.xvr.xray.xray_input import read_shot

OFF_CENTRE = Camera(sdd=1000.0, height=40, width=48, pixel_spacing=(4.0, 3.0), principal_point=(21.0, 22.5))


@pytest.fixture(scope="module")
def patient():
    return lopsided()


def stored(image: torch.Tensor, path, *, clockwise: float, flip: bool = False, **tags):
    """A DICOM file of line integrals, turned clockwise and then mirrored as the standard says."""
    beam = torch.exp(-torch.rot90(image, -round(clockwise / 90)))
    beam = beam.flip(-1) if flip else beam
    pixels = (beam / beam.max() * 4000).round().numpy().astype(np.uint16)
    spacing = [4.0, 4.0]
    tags |= {"FieldOfViewRotation": clockwise, "FieldOfViewHorizontalFlip": "YES" if flip else "NO"}
    dataset = xray_dataset(
        pixels, DistanceSourceToDetector=1000.0, ImagerPixelSpacing=spacing, PixelIntensityRelationship="LIN", **tags
    )
    return write_xray(path, dataset)


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("clockwise", [0.0, 90.0, 180.0, 270.0, -90.0, 450.0])
def test_the_rolled_camera_sees_the_image_as_it_is_stored(tmp_path, patient, clockwise, flip):
    pose = true_pose(patient)
    path = stored(render(patient, CAMERA, pose)[0, 0], tmp_path / "x.dcm", clockwise=clockwise, flip=flip)
    shot = read_shot(path, XraySettings(field_of_view="whole"))
    again = render(patient, shot.camera, rolled(pose, shot.roll))[0, 0]
    assert again.shape == shot.image.shape
    assert float(torch.corrcoef(torch.stack([again.flatten(), shot.image.flatten()]))[0, 1]) > 0.999
    assert any("stored turned" in note for note in shot.notes) == bool(clockwise % 360)


@pytest.mark.parametrize("roll", [0.0, 90.0, -90.0, 180.0, -180.0])
def test_an_upright_shot_is_what_the_unrolled_camera_sees(patient, roll):
    pose = true_pose(patient)
    camera = OFF_CENTRE
    if roll % 180:
        camera = Camera(sdd=1000.0, height=48, width=40, pixel_spacing=(3.0, 4.0), principal_point=(17.5, 27.0))
    shot = shot_of(patient, pose)
    turned = render(patient, camera, rolled(pose, roll))[0, 0]
    shot = type(shot)(turned, camera, roll=roll)
    upright = upright_shot(shot)
    seen = render(patient, upright.camera, pose)[0, 0]
    torch.testing.assert_close(upright.image, seen, atol=1e-4, rtol=1e-4)
    assert upright.roll % 360 == 0


@pytest.mark.parametrize("roll", [90.0, -90.0, 180.0, 270.0])
def test_a_rolled_pose_is_that_of_a_c_arm_with_this_roll(roll):
    angles = {"lao_rao": 20.0, "cra_cau": -5.0, "sod": 700.0}
    torch.testing.assert_close(rolled(carm_pose(**angles), roll), carm_pose(**angles, roll=roll), atol=1e-5, rtol=0)


def test_a_stated_view_is_turned_with_the_image_and_a_stated_roll_is_taken_as_it_is(tmp_path, patient):
    pose = true_pose(patient)
    path = stored(render(patient, CAMERA, pose)[0, 0], tmp_path / "x.dcm", clockwise=90.0)
    shot = read_shot(path, XraySettings(field_of_view="whole"))

    def first(**stated):
        settings = StartSettings(stated=StatedStart(**stated))
        return find_starts(StartRequest(settings, [shot], patient, patient.center, around=False))[0][0, 0]

    upright = carm_pose(lao_rao=20.0, sod=700.0, isocenter=patient.center)[0].double()
    torch.testing.assert_close(first(lao_rao=(20.0,)), rolled(upright, -90.0), atol=1e-4, rtol=0)
    given = carm_pose(lao_rao=20.0, roll=10.0, sod=700.0, isocenter=patient.center)[0].double()
    torch.testing.assert_close(first(lao_rao=(20.0,), roll=(10.0,)), given, atol=1e-4, rtol=0)
