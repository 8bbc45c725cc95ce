"""Exported transforms mean in ITK and Slicer what the poses mean here."""

import numpy as np
import pytest
import SimpleITK
import torch
from support.registrations import lopsided, registration_at, shot_of, true_pose, twisted
from xraykit.render import OutputError, read_pose
from xraykit.render.converters import read_itk_transform
from xraykit.render.geometry import rigid_inverse, transform_points
from xraykit.xvr.result.record import record_result
from xraykit.xvr.result.transforms import ct_motion, write_transforms

LPS = np.array([-1.0, -1.0, 1.0])


def record_of(structures: int, views: int):
    volume = lopsided()
    pose = true_pose(volume)[0].double()
    seen = torch.stack([twisted(pose, (0, 0, 60.0 * v)) for v in range(views)])
    poses = torch.stack([twisted(seen, (k, 2, 3), (4, 5 * k, 6)) for k in range(structures)])
    shots = [shot_of(volume, view[None], name=f"view {v}") for v, view in enumerate(seen)]
    names = ("pelvis", "left femur")[:structures]
    return record_result(registration_at(poses, seen), shots, structures=names, start_kind="fixed")


def test_the_cts_motion_brings_it_where_the_start_camera_sees_it():
    record = record_of(1, 1)
    points = torch.randn(5, 3, dtype=torch.float64) * 50
    start, pose = record.start[0], record.poses[0, 0]
    moved = transform_points(ct_motion(start, pose), points)
    seen = transform_points(rigid_inverse(start), moved)
    torch.testing.assert_close(seen, transform_points(rigid_inverse(pose), points))
    torch.testing.assert_close(ct_motion(pose, pose), torch.eye(4, dtype=torch.float64))


def test_itk_and_slicer_read_the_camera_pose_as_to_parent_in_lps(tmp_path):
    record = record_of(1, 1)
    write_transforms(tmp_path, record)
    stored = SimpleITK.ReadTransform(str(tmp_path / "camera_to_world.tfm"))  # parent to child, as ITK resamples
    pose = record.poses[0, 0].numpy()
    in_camera = np.array([12.0, -7.0, 300.0])  # a model's vertex, drawn in RAS-like camera axes
    world = pose[:3, :3] @ in_camera + pose[:3, 3]
    np.testing.assert_allclose(np.array(stored.TransformPoint(world * LPS)) * LPS, in_camera, atol=1e-6)
    np.testing.assert_allclose(np.array(stored.GetInverse().TransformPoint(in_camera * LPS)) * LPS, world, atol=1e-6)


def test_every_file_comes_back_through_the_core(tmp_path):
    record = record_of(2, 2)
    names = {path.name for path in write_transforms(tmp_path, record)}
    parts = {"pose.json", "camera_to_world.tfm", "ct_motion.tfm"}
    expected = {f"{s}.{v}.{p}" for s in ("pelvis", "left_femur") for v in ("view_0", "view_1") for p in parts}
    assert names == expected | {f"left_femur.view_{v}.relative_motion.tfm" for v in (0, 1)}
    assert names == {path.name for path in tmp_path.iterdir()}
    camera, pose = read_pose(tmp_path / "left_femur.view_1.pose.json")
    assert torch.equal(pose[0], record.poses[1, 1])
    assert camera.sdd == record.cameras[1].sdd
    motion = read_itk_transform(tmp_path / "left_femur.view_0.relative_motion.tfm", direction="moving_to_fixed")
    torch.testing.assert_close(motion, record.poses[0, 0] @ rigid_inverse(record.poses[1, 0]), atol=1e-9, rtol=0)


def test_a_lone_structure_in_a_lone_view_needs_no_names(tmp_path):
    names = {path.name for path in write_transforms(tmp_path, record_of(1, 1))}
    assert names == {"pose.json", "camera_to_world.tfm", "ct_motion.tfm"}


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(OutputError, match="existing folder"):
        write_transforms(tmp_path / "none", record_of(1, 1))
