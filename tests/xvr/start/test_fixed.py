"""Starts stated by the user."""

import pytest
import torch
from xraykit.render import Camera, FileError, GeometryError, InputError, Volume, carm_pose, write_pose
from xraykit.render.geometry import carm_angles
from xraykit.xvr import starts_from_angles, starts_from_views
from xraykit.xvr.start import starts_from_pose_files

CAMERA = Camera(sdd=1000.0, height=64, width=64, pixel_spacing=4.0)


def patient() -> Volume:
    affine = torch.diag(torch.tensor([10.0, 10.0, 10.0, 1.0], dtype=torch.float64))
    affine[:3, 3] = torch.tensor([100.0, -50.0, 30.0])
    return Volume(torch.full((6, 5, 4), 0.02), affine)


def test_an_ap_start_has_its_source_in_front_of_the_patient():
    starts = starts_from_angles(torch.tensor([1.0, 2.0, 3.0]), sod=700.0, lao_rao=180.0)
    assert starts.shape == (1, 1, 4, 4) and starts.dtype == torch.float64
    assert torch.allclose(starts[0, 0, :3, 3], torch.tensor([1.0, 702.0, 3.0], dtype=torch.float64))


def test_one_number_for_each_view_gives_as_many_views():
    starts = starts_from_angles(torch.zeros(3), sod=[700.0, 650.0], lao_rao=[180.0, 90.0], roll=5.0)
    assert starts.shape == (1, 2, 4, 4)
    assert torch.allclose(carm_angles(starts[0]).lao_rao.abs(), torch.tensor([180.0, 90.0], dtype=torch.float64))


def test_angles_for_different_numbers_of_views_are_refused():
    with pytest.raises(GeometryError, match="one batch size"):
        starts_from_angles(torch.zeros(3), sod=[700.0, 600.0], lao_rao=[1.0, 2.0, 3.0])


def test_named_views_look_at_the_centre_from_the_default_distance():
    volume = patient()
    starts = starts_from_views(["ap", "lateral_left"], volume, [CAMERA, CAMERA])
    for pose in starts[0]:
        assert torch.allclose(pose[:3, 3] + 700.0 * pose[:3, 2], volume.center)
    assert torch.allclose(starts[0, 0, :3, 2], torch.tensor([0.0, -1.0, 0.0], dtype=torch.float64), atol=1e-9)
    assert torch.allclose(starts[0, 1, :3, 2], torch.tensor([-1.0, 0.0, 0.0], dtype=torch.float64), atol=1e-9)


@pytest.mark.parametrize("sod", [0.0, 1000.0, -5.0])
def test_a_distance_beyond_source_and_detector_is_refused(sod):
    with pytest.raises(GeometryError, match="sod must lie between 0 and sdd"):
        starts_from_views(["ap"], patient(), [CAMERA], sod=sod)


def test_an_unknown_view_is_refused_by_name():
    with pytest.raises(InputError, match="no view is called 'sunrise'"):
        starts_from_views(["sunrise"], patient(), [CAMERA])


def test_a_view_that_needs_labels_says_so():
    with pytest.raises(InputError, match="labels"):
        starts_from_views(["pelvis_ap"], patient(), [CAMERA])


def test_views_and_xrays_must_be_as_many():
    with pytest.raises(InputError, match="one view name for each X-ray"):
        starts_from_views(["ap"], patient(), [CAMERA, CAMERA])


def test_pose_files_come_back_as_views(tmp_path):
    poses = carm_pose(lao_rao=torch.tensor([170.0, 95.0], dtype=torch.float64), sod=712.0, roll=3.0)
    paths = [tmp_path / f"{n}.json" for n in range(2)]
    for path, pose in zip(paths, poses, strict=True):
        write_pose(path, CAMERA, pose)
    assert torch.equal(starts_from_pose_files(paths), poses[None])


def test_missing_pose_files_are_refused(tmp_path):
    with pytest.raises(FileError, match="was expected at"):
        starts_from_pose_files([tmp_path / "none.json"])
    with pytest.raises(InputError, match="for each X-ray, got none"):
        starts_from_pose_files([])
