"""Landmarks are where `project` puts them, and a centroid is the mean of its voxel centres."""

import pytest
import torch
from support.scenes import oblique_affine
from xraykit.render import Camera, InputError, Volume, carm_pose
from xraykit.render.geometry import project
from xraykit.render.volumes.landmarks import label_centroids, project_landmarks

CAMERA = Camera(sdd=1000.0, height=20, width=30, pixel_spacing=2.0)
POSE = carm_pose(lao_rao=0.0, sod=800.0, isocenter=(0.0, 0.0, 0.0))


def test_a_centroid_is_the_mean_of_the_voxel_centres():
    labels = torch.randint(0, 4, (5, 6, 7), generator=torch.Generator().manual_seed(2)).to(torch.uint8)
    names = {1: "rib_left_1", 2: "rib_left_2", 3: "heart", 9: "absent"}
    volume = Volume(torch.ones(5, 6, 7), oblique_affine(), labels=labels, label_names=names)
    k, j, i = torch.meshgrid(*(torch.arange(n, dtype=torch.float64) for n in (5, 6, 7)), indexing="ij")
    world = torch.stack([i, j, k], dim=-1) @ volume.affine[:3, :3].mT + volume.affine[:3, 3]
    centroids = label_centroids(volume)
    assert list(centroids) == ["rib_left_1", "rib_left_2", "heart"]
    for value, name in ((1, "rib_left_1"), (3, "heart")):
        torch.testing.assert_close(centroids[name], world[labels == value].mean(dim=0))
    group = label_centroids(volume, ["left ribs", "absent"])
    assert list(group) == ["left ribs"]
    torch.testing.assert_close(group["left ribs"], world[(labels == 1) | (labels == 2)].mean(dim=0))


def test_landmarks_are_projected_and_seen_only_inside_the_detector():
    points = {"isocentre": (0.0, 0.0, 0.0), "aside": (60.0, 0.0, 0.0), "behind": (0.0, -900.0, 0.0)}
    seen = project_landmarks(points, CAMERA, POSE)
    assert seen.names == tuple(points)
    torch.testing.assert_close(seen.uv[0, 0], torch.tensor([15.0, 10.0], dtype=torch.float64))
    assert seen.visible.tolist() == [[True, False, False]]
    assert seen.depth[0].tolist() == pytest.approx([800.0, 800.0, -100.0])
    torch.testing.assert_close(seen.uv[0, :2], project(seen.world, CAMERA, POSE).uv[0, :2])


def test_landmarks_move_with_the_pose():
    pose = POSE.clone().requires_grad_()
    project_landmarks({"tip": (10.0, 5.0, -3.0)}, CAMERA, pose).uv.sum().backward()
    assert pose.grad.abs().max() > 0


def test_bad_landmarks_are_refused():
    with pytest.raises(InputError, match="landmark 'tip' must be three finite coordinates"):
        project_landmarks({"tip": (0.0, float("nan"), 0.0)}, CAMERA, POSE)
    with pytest.raises(InputError, match="label_centroids needs a volume with a label map"):
        label_centroids(Volume(torch.ones(2, 2, 2), torch.eye(4)))
    assert project_landmarks({}, CAMERA, POSE).uv.shape == (1, 0, 2)
