"""Starting where an earlier registration ended."""

import pytest
import torch
from xraykit.render import Camera, FileError, InputError, carm_pose
from xraykit.xvr.result.record import ResultRecord, write_result
from xraykit.xvr.start.earlier_result import starts_from_result

CAMERA = Camera(sdd=1000.0, height=20, width=30, pixel_spacing=0.4)
POSES = carm_pose(lao_rao=torch.tensor([180.0, 90.0, 181.0, 91.0], dtype=torch.float64), sod=700.0).reshape(2, 2, 4, 4)


@pytest.fixture
def folder(tmp_path):
    record = ResultRecord(
        structures=("pelvis", "femur"),
        views=("ap", "lat"),
        poses=POSES,
        start=POSES[0],
        cameras=(CAMERA, CAMERA),
        start_kind="fixed",
    )
    write_result(tmp_path / "result.json", record)
    return tmp_path


def test_the_final_poses_of_the_first_structure_are_the_start(folder):
    assert torch.equal(starts_from_result(folder, views=2), POSES[:1])
    assert torch.equal(starts_from_result(folder / "result.json"), POSES[:1])


def test_a_structure_is_chosen_by_name(folder):
    assert torch.equal(starts_from_result(folder, structure="femur"), POSES[1:])


def test_an_unknown_structure_is_refused(folder):
    with pytest.raises(InputError, match="pelvis, femur, got 'tibia'"):
        starts_from_result(folder, structure="tibia")


def test_another_number_of_views_is_refused(folder):
    with pytest.raises(InputError, match="must hold 1 views"):
        starts_from_result(folder, views=1)


def test_a_missing_result_is_refused(tmp_path):
    with pytest.raises(FileError, match="a result was expected"):
        starts_from_result(tmp_path / "nothing.json")
