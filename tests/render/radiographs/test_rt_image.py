"""An RT image's camera is the machine's: a point at a known place of the gantry appears at the pixel that it must."""

import numpy as np
import pytest
import torch
from pydicom.dataset import Dataset
from xraykit.render import Radiograph
from xraykit.render.radiographs import is_stored_mirrored, stored_roll
from xraykit.render.radiographs.camera_tags import camera_from_tags
from xraykit.render.radiographs.rt_image import turned

SAD, SID, SPACING = 1000.0, 1500.0, (0.4, 0.5)
QUARTERS = {
    "as usual": (1, 0, 0, 0, -1, 0),
    "quarter": (0, 1, 0, 1, 0, 0),
    "half": (-1, 0, 0, 0, 1, 0),
    "three quarters": (0, -1, 0, -1, 0, 0),
    "mirrored": (-1, 0, 0, 0, -1, 0),
    "mirrored and turned": (0, 1, 0, -1, 0, 0),
}


def image(**tags):
    dataset = Dataset()
    dataset.RTImageSID, dataset.RadiationMachineSAD, dataset.ImagePlanePixelSpacing = SID, SAD, list(SPACING)
    for name, value in tags.items():
        setattr(dataset, name, value)
    return camera_from_tags(dataset, height=40, width=60)


def pixel_of(point, orientation, position, angle, moved):
    """Column and row (first pixel's centre at 0.5) where a point of the gantry is seen, by the standard's own words."""
    source = np.array([0.0, 0.0, SAD])
    ray = np.asarray(point) - source
    on_plane = source + ray * (SID / -ray[2])  # the image plane lies SID below the source
    psi = np.deg2rad(angle)
    turn = np.array([[np.cos(psi), -np.sin(psi)], [np.sin(psi), np.cos(psi)]])
    on_receptor = turn.T @ (on_plane[:2] - np.asarray(moved)[:2]) - np.asarray(position)
    columns, rows = np.asarray(orientation[:2], float), np.asarray(orientation[3:5], float)
    return on_receptor @ columns / SPACING[1] + 0.5, on_receptor @ rows / SPACING[0] + 0.5


@pytest.mark.parametrize("orientation", QUARTERS.values(), ids=QUARTERS)
@pytest.mark.parametrize(("angle", "moved"), [(0.0, (0, 0, -500)), (90.0, (12, -7, -500)), (-33.0, (3.5, 20, -500))])
def test_points_of_the_gantry_appear_where_the_standard_puts_them(orientation, angle, moved):
    position = (-9.0, 6.0)
    camera, facts = image(
        RTImageOrientation=list(orientation),
        RTImagePosition=list(position),
        XRayImageReceptorAngle=angle,
        XRayImageReceptorTranslation=list(moved),
    )
    assert not any(fact.is_doubt for fact in facts.values())
    found = Radiograph(torch.ones(1, 40, 60), "intensity", camera=camera, provenance=facts)
    mirrored = is_stored_mirrored(found)
    assert mirrored == ("mirrored" in next(name for name, o in QUARTERS.items() if o == orientation))
    roll = np.deg2rad(stored_roll(found, mirrored=mirrored))
    across = np.array([np.cos(roll), -np.sin(roll), 0.0])  # x of a camera that is rolled from x right towards y down
    down = np.array([-np.sin(roll), -np.cos(roll), 0.0])
    x0, y0 = camera.principal_point
    for point in ((0.0, 0.0, 0.0), (11.0, -4.0, 30.0), (-6.0, 13.0, -80.0)):
        ray = np.asarray(point) - np.array([0.0, 0.0, SAD])
        u, v = ray @ across * SID / -ray[2] / SPACING[1], ray @ down * SID / -ray[2] / SPACING[0]
        seen = (x0 - u if mirrored else x0 + u, y0 + v)
        assert seen == pytest.approx(pixel_of(point, orientation, position, angle, moved), abs=1e-6)


def test_the_receptors_height_gives_the_distance_where_no_tag_does_and_is_doubted_where_one_contradicts():
    camera, facts = image(RTImageSID=None, XRayImageReceptorTranslation=[0, 0, -480], RTImagePosition=[0, 0])
    assert camera.sdd == 1480.0 and facts["sdd"].is_assumed
    camera, facts = image(XRayImageReceptorTranslation=[0, 0, -100], RTImagePosition=[0, 0])
    assert camera.sdd == SID and facts["receptor distance"].is_doubt


def test_a_plane_that_is_said_to_be_oblique_is_doubted():
    assert image(RTImagePosition=[0, 0], RTImagePlane="NON_NORMAL")[1]["oblique beam"].is_doubt


def test_quarter_turns_are_exact():
    assert [turned((1.0, 2.0), 90.0 * n) for n in range(4)] == [(1, 2), (-2, 1), (-1, -2), (2, -1)]
    assert turned((1.0, 0.0), -90.0) == (0.0, -1.0)
