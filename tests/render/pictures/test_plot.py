"""Figures hold what they claim: the source, the corners and the axes are where the geometry puts them."""

import sys

import numpy as np
import pytest
import torch

pytest.importorskip("matplotlib", reason="needs the extra: pip install 'xraykit-render[plot]'")

from xraykit.render import BackendUnavailableError, Camera, InputError, carm_pose, plot_xray
from xraykit.render.pictures import explain_geometry
from xraykit.render.volumes import Box, voxelise

CAMERA = Camera(sdd=1000.0, height=20, width=30, pixel_spacing=(4.0, 3.0))
POSE = carm_pose(lao_rao=180.0, sod=700.0)


@pytest.fixture(scope="module")
def volume():
    return voxelise([Box((60, 40, 80), mu=0.02)], spacing=8.0, supersampling=1)


def test_geometry_picture_names_every_part_and_axis(volume):
    axes = explain_geometry(volume, CAMERA, POSE, image=torch.rand(1, 1, 20, 30)).axes[0]
    names = " ".join(text.get_text() for text in axes.get_legend().get_texts())
    for part in (
        "source (0, 700, 0) mm",
        "detector",
        "central beam",
        "first pixel",
        "isocentre (0, 0, 0) mm",
        "patient",
    ):
        assert part in names
    assert {"R", "L", "A", "P", "S", "I", "u", "v"} <= {text.get_text() for text in axes.texts}


def test_patient_letters_stand_on_their_sides(volume):
    axes = explain_geometry(volume, CAMERA, POSE).axes[0]
    place = {text.get_text(): np.array(text.get_position_3d()) for text in axes.texts}
    assert place["R"][0] > 0 > place["L"][0]
    assert place["A"][1] > 0 > place["P"][1]
    assert place["S"][2] > 0 > place["I"][2]


def test_detector_frame_has_its_corners_where_the_camera_projects_them():
    from xraykit.render.pictures.plot import _detector

    corners, source, foot = _detector(CAMERA, POSE[0].double().numpy())
    np.testing.assert_allclose(source, [0, 700, 0], atol=1e-3)
    np.testing.assert_allclose(foot, [0, -300, 0], atol=1e-3)
    # AP: the first column is the patient's right, the first row is up.
    np.testing.assert_allclose(corners[0], [45, -300, 40], atol=1e-3)
    np.testing.assert_allclose(corners[2], [-45, -300, -40], atol=1e-3)


def test_geometry_without_a_patient_is_drawn():
    assert len(explain_geometry(None, CAMERA, torch.eye(4)).axes) == 1


def test_geometry_of_several_views_is_refused(volume):
    with pytest.raises(InputError, match="draws one pose"):
        explain_geometry(volume, CAMERA, torch.eye(4).expand(2, 4, 4))


def test_xray_axes_are_millimetres_about_the_principal_point():
    axes = plot_xray(torch.rand(1, 1, 20, 30), CAMERA).axes[0]
    assert axes.images[0].get_extent() == [-45.0, 45.0, 40.0, -40.0]
    assert "mm" in axes.get_xlabel()
    assert "px" in plot_xray(torch.rand(20, 30)).axes[0].get_xlabel()


def test_mirrored_display_turns_the_axis_and_says_so():
    axes = plot_xray(torch.rand(20, 30), CAMERA, mirrored=True).axes[0]
    left, right = axes.get_xlim()
    assert left > right
    assert "mirrored" in axes.get_xlabel()


def test_masks_appear_in_the_legend():
    mask = np.zeros((20, 30), dtype=bool)
    mask[5:10, 5:10] = True
    axes = plot_xray(torch.rand(20, 30), masks={"heart": mask}).axes[0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["heart"]


def test_several_images_are_refused():
    with pytest.raises(InputError, match="one picture"):
        plot_xray(torch.rand(2, 1, 20, 30))


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(BackendUnavailableError, match=r"pip install 'xraykit-render\[plot\]'"):
        plot_xray(torch.rand(20, 30))
