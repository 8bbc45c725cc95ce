"""RAS and LPS, voxels and world, and ITK's three-part image geometry."""

import pytest
import SimpleITK
import torch
from support.motions import random_poses
from xraykit.render.errors import GeometryError
from xraykit.render.geometry import (
    affine_from_itk,
    affine_to_itk,
    box_corners,
    check_pose,
    swap_ras_lps_points,
    swap_ras_lps_pose,
    swap_ras_lps_transform,
    transform_points,
    voxel_to_world,
    world_to_voxel,
)

F64 = torch.float64
OBLIQUE = random_poses(1, seed=3)[0] * torch.tensor([0.7, 0.8, 2.5, 1.0], dtype=F64)
LAS = torch.tensor([[-0.7, 0, 0, 90], [0, 0.8, 0, -120], [0, 0, 2.5, 30], [0, 0, 0, 1]], dtype=F64)


def test_left_and_posterior_change_sign_and_superior_stays():
    assert swap_ras_lps_points(torch.tensor([1.0, 2.0, 3.0])).tolist() == [-1.0, -2.0, 3.0]


def test_a_pose_into_lps_maps_camera_points_to_lps_points():
    pose, points = random_poses(2), torch.randn(2, 5, 3, dtype=F64)
    there = transform_points(swap_ras_lps_pose(pose), points)
    torch.testing.assert_close(there, swap_ras_lps_points(transform_points(pose, points)))
    assert check_pose(swap_ras_lps_pose(pose)) is not None


def test_a_transform_between_lps_worlds_is_the_same_physical_motion():
    motion, points = random_poses(2, seed=1), torch.randn(2, 5, 3, dtype=F64)
    in_lps = transform_points(swap_ras_lps_transform(motion), swap_ras_lps_points(points))
    torch.testing.assert_close(swap_ras_lps_points(in_lps), transform_points(motion, points))


@pytest.mark.parametrize("swap", [swap_ras_lps_points, swap_ras_lps_pose, swap_ras_lps_transform])
def test_every_swap_is_its_own_inverse(swap):
    value = torch.randn(3, 4, 4, dtype=F64) if swap is not swap_ras_lps_points else torch.randn(7, 3, dtype=F64)
    assert torch.equal(swap(swap(value)), value)


@pytest.mark.parametrize("affine", [OBLIQUE, LAS])
def test_voxel_coordinates_come_back_from_the_world(affine):
    index = torch.tensor([[0.0, 0.0, 0.0], [3.0, -2.0, 7.5]], dtype=F64)
    world = voxel_to_world(index, affine)
    torch.testing.assert_close(world[0], affine[:3, 3])
    torch.testing.assert_close(world_to_voxel(world, affine), index)


def test_box_corners_are_half_a_voxel_outside_the_outermost_centres():
    corners = box_corners((2, 3, 4), LAS)
    assert corners.shape == (8, 3)
    torch.testing.assert_close(corners[0], torch.tensor([90 + 0.35, -120 - 0.4, 30 - 1.25], dtype=F64))
    torch.testing.assert_close(corners[7], torch.tensor([90 - 0.7 * 3.5, -120 + 0.8 * 2.5, 30 + 2.5 * 1.5], dtype=F64))


@pytest.mark.parametrize("affine", [OBLIQUE, LAS])
def test_itk_geometry_places_voxels_where_simpleitk_does(affine):
    origin, spacing, direction = affine_to_itk(affine)
    image = SimpleITK.Image(4, 5, 6, SimpleITK.sitkUInt8)
    image.SetOrigin(origin)
    image.SetSpacing(spacing)
    image.SetDirection([number for row in direction for number in row])
    index = (3, 1, 5)
    lps = torch.tensor(image.TransformIndexToPhysicalPoint(index), dtype=F64)
    torch.testing.assert_close(swap_ras_lps_points(lps), voxel_to_world(torch.tensor(index, dtype=F64), affine))
    back = affine_from_itk(origin=image.GetOrigin(), spacing=image.GetSpacing(), direction=image.GetDirection())
    torch.testing.assert_close(back, affine)


def test_sheared_affine_has_no_itk_geometry():
    sheared = LAS.clone()
    sheared[1, 2] = 0.6
    with pytest.raises(GeometryError, match=r"orthogonal voxel axes.*resample the sheared volume"):
        affine_to_itk(sheared)


def test_wrong_shapes_and_integers_are_refused():
    with pytest.raises(
        GeometryError, match=r"points must be a floating-point tensor \(..., 3\), got torch.float32 \(2"
    ):
        swap_ras_lps_points(torch.zeros(2))
    with pytest.raises(GeometryError, match=r"index must be a floating-point tensor .* torch.int64"):
        voxel_to_world(torch.zeros(3, dtype=torch.int64), LAS)
    with pytest.raises(GeometryError, match=r"matrix must be a floating-point tensor \(..., 4, 4\)"):
        swap_ras_lps_pose(torch.zeros(3, 4))
