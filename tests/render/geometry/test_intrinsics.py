"""K, cropped and resized cameras, homographies and resampled images."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.motions import random_poses
from xraykit.render import Camera
from xraykit.render.errors import GeometryError
from xraykit.render.geometry import (
    back_project,
    camera_from_intrinsic,
    crop_camera,
    homography,
    intrinsic_matrix,
    pixel_centers,
    project,
    resample,
    rescale_camera,
    resize_camera,
)

F64 = torch.float64
CAMERA = Camera(sdd=1000.0, height=24, width=32, pixel_spacing=(0.5, 0.25), principal_point=(15.0, 13.0))


def fields(camera: Camera) -> list:
    return [t.tolist() for t in camera.tensors(dtype=F64, device="cpu")]


def slopes(camera: Camera) -> torch.Tensor:
    """A picture that is linear in the ray's direction, so that bilinear reading of it is exact: (1, 1, H, W)."""
    k = intrinsic_matrix(camera, dtype=F64)[0]
    uv = pixel_centers(camera, dtype=F64)
    x, y = (uv[..., 0] - k[0, 2]) / k[0, 0], (uv[..., 1] - k[1, 2]) / k[1, 1]
    return (3 + 200 * x - 300 * y)[None, None]


def test_k_maps_camera_points_to_pixels_times_depth():
    k = intrinsic_matrix(CAMERA, dtype=F64)
    assert k.tolist() == [[[4000.0, 0.0, 15.0], [0.0, 2000.0, 13.0], [0.0, 0.0, 1.0]]]
    point = torch.tensor([1.0, -2.0, 500.0], dtype=F64)
    image = k[0] @ point / point[2]
    expected = project(point[None], CAMERA, torch.eye(4, dtype=F64)[None]).uv[0, 0]
    torch.testing.assert_close(image[:2], expected)


def test_camera_returns_from_k_with_either_spacing_or_distance():
    k = intrinsic_matrix(CAMERA, dtype=F64)
    for extra in ({"pixel_spacing": (0.5, 0.25)}, {"sdd": 1000.0}):
        assert fields(camera_from_intrinsic(k, height=24, width=32, **extra)) == fields(CAMERA)


def test_crop_moves_the_principal_point_only():
    cropped = crop_camera(CAMERA, top=3, left=5, height=10, width=12)
    assert (cropped.height, cropped.width) == (10, 12)
    assert fields(cropped) == [[1000.0], [[0.5, 0.25]], [[10.0, 10.0]]]


def test_resize_keeps_the_borders_of_the_detector():
    small = resize_camera(CAMERA, height=12, width=8)
    assert fields(small) == [[1000.0], [[1.0, 1.0]], [[3.75, 6.5]]]
    corners = [torch.tensor([[0, 0], [c.width, c.height]], dtype=F64) for c in (CAMERA, small)]
    pose = random_poses(1)
    torch.testing.assert_close(back_project(corners[0], CAMERA, pose), back_project(corners[1], small, pose))


def test_resize_keeps_a_centred_camera_centred():
    centred = Camera(sdd=900.0, height=7, width=9)
    assert fields(resize_camera(centred, height=14, width=3))[2] == [[1.5, 7.0]]


def test_rescale_rounds_the_size_and_keeps_the_area():
    camera = Camera(sdd=900.0, height=5, width=9, pixel_spacing=2.0)
    half = rescale_camera(camera, 0.5)
    assert (half.height, half.width) == (2, 4)
    assert fields(half)[1] == [[5.0, 4.5]]


def test_changed_cameras_stay_differentiable():
    spacing = torch.tensor(0.5, dtype=F64, requires_grad=True)
    centre = torch.tensor([4.0, 3.0], dtype=F64, requires_grad=True)
    camera = Camera(sdd=100.0, height=6, width=8, pixel_spacing=spacing, principal_point=centre)
    changed = rescale_camera(crop_camera(camera, top=1, left=2, height=4, width=4), 2)
    k = intrinsic_matrix(changed, dtype=F64)
    (to_spacing, to_centre) = torch.autograd.grad(k.sum(), (spacing, centre))
    assert to_centre.tolist() == [2.0, 2.0]
    assert float(to_spacing) == pytest.approx(-2 * 100 / 0.25 * 2)


@settings(max_examples=30, deadline=None)
@given(
    u=st.floats(-10, 50), v=st.floats(-10, 50), factor=st.floats(0.2, 3), top=st.integers(-5, 5), seed=st.integers(0, 9)
)
def test_homography_carries_the_image_of_any_point(u, v, factor, top, seed):
    new = rescale_camera(crop_camera(CAMERA, top=top, left=-2, height=20, width=22), factor)
    pose = random_poses(1, seed=seed)
    point = back_project(torch.tensor([[u, v]], dtype=F64), CAMERA, pose, depth=640.0)
    seen = project(point, new, pose).uv[0, 0]
    carried = homography(new, CAMERA, dtype=F64)[0] @ torch.tensor([u, v, 1.0], dtype=F64)
    torch.testing.assert_close(carried[:2] / carried[2], seen, atol=1e-7, rtol=0)


def test_homography_is_k_new_times_inverse_k_old():
    new = Camera(sdd=1300.0, height=9, width=9, pixel_spacing=(0.7, 0.9), principal_point=(2.0, 8.0))
    expected = intrinsic_matrix(new, dtype=F64) @ torch.linalg.inv(intrinsic_matrix(CAMERA, dtype=F64))
    torch.testing.assert_close(homography(new, CAMERA, dtype=F64), expected)


def test_resampling_to_the_same_camera_changes_nothing():
    image = torch.rand(2, 3, 24, 32, dtype=F64)
    torch.testing.assert_close(resample(image, old=CAMERA, new=CAMERA), image)


def test_resampling_to_a_crop_is_slicing_with_zeros_outside():
    image = torch.rand(1, 1, 24, 32, dtype=F64)
    new = crop_camera(CAMERA, top=-2, left=4, height=10, width=30)
    expected = torch.zeros(1, 1, 10, 30, dtype=F64)
    expected[..., 2:, :28] = image[..., :8, 4:]
    torch.testing.assert_close(resample(image, old=CAMERA, new=new), expected)


@pytest.mark.parametrize(("height", "width"), [(24, 32), (48, 64), (12, 16), (8, 11), (31, 47)])
def test_resampled_picture_is_the_one_the_new_camera_takes(height, width):
    """A half-pixel slip in any scale would show here: the picture is linear, so bilinear reading is exact inside."""
    new = resize_camera(CAMERA, height=height, width=width)
    ours, exact = resample(slopes(CAMERA), old=CAMERA, new=new), slopes(new)
    border = max(1, math.ceil(height / CAMERA.height / 2))
    inside = (..., slice(border, -border), slice(border, -border))
    torch.testing.assert_close(ours[inside], exact[inside])


def test_another_distance_and_principal_point_are_resampled_too():
    new = Camera(sdd=1500.0, height=20, width=20, pixel_spacing=0.4, principal_point=(9.3, 11.1))
    ours, exact = resample(slopes(CAMERA), old=CAMERA, new=new), slopes(new)
    uv = (
        homography(CAMERA, new, dtype=F64)[0]
        @ torch.cat([pixel_centers(new, dtype=F64), torch.ones(20, 20, 1, dtype=F64)], dim=-1).reshape(-1, 3).mT
    )
    inside = ((uv[0] > 0.5) & (uv[0] < 31.5) & (uv[1] > 0.5) & (uv[1] < 23.5)).reshape(20, 20)
    assert int(inside.sum()) > 100
    torch.testing.assert_close(ours[0, 0][inside], exact[0, 0][inside])


def test_one_image_is_resampled_to_a_batch_of_cameras():
    new = Camera(sdd=torch.tensor([900.0, 1000.0, 1200.0]), height=6, width=5, pixel_spacing=1.0)
    batch = resample(torch.rand(1, 2, 24, 32), old=CAMERA, new=new)
    assert batch.shape == (3, 2, 6, 5)


def test_resampling_passes_gradcheck_for_image_and_intrinsics():
    image = torch.rand(1, 1, 5, 6, dtype=F64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    sdd = torch.tensor(103.0, dtype=F64, requires_grad=True)
    centre = torch.tensor([2.71, 2.13], dtype=F64, requires_grad=True)
    old = Camera(sdd=100.0, height=5, width=6)

    def picture(image, sdd, centre):
        return resample(image, old=old, new=Camera(sdd=sdd, height=4, width=4, principal_point=centre))

    assert torch.autograd.gradcheck(picture, (image, sdd, centre))


K = [[4000.0, 0.0, 15.0], [0.0, 2000.0, 13.0], [0.0, 0.0, 1.0]]


@pytest.mark.parametrize(
    ("change", "extra", "message"),
    [
        ((0, 0, -4000.0), {"sdd": 1000.0}, "positive focal lengths"),
        ((2, 2, 2.0), {"sdd": 1000.0}, "last row 0 0 1"),
        ((0, 1, 5.0), {"sdd": 1000.0}, r"no skew, got K\[0, 1\]=\[5\.0\]"),
        ((0, 2, math.nan), {"sdd": 1000.0}, "K must be finite"),
        ((2, 2, 1.0), {"pixel_spacing": 0.5}, r"must imply one sdd, got \[\[2000\.0, 1000\.0\]\] mm"),
        ((2, 2, 1.0), {}, "exactly one of pixel_spacing and sdd"),
        ((2, 2, 1.0), {"sdd": 1000.0, "pixel_spacing": 1.0}, "exactly one of pixel_spacing and sdd"),
        ((2, 2, 1.0), {"sdd": -1000.0}, "sdd must be positive and finite"),
    ],
)
def test_k_that_is_no_camera_is_refused(change, extra, message):
    k = torch.tensor(K, dtype=F64)
    row, column, value = change
    k[row, column] = value
    with pytest.raises(GeometryError, match=message):
        camera_from_intrinsic(k, height=24, width=32, **extra)


def test_k_of_another_shape_is_refused():
    with pytest.raises(GeometryError, match=r"\(3, 3\) or \(B, 3, 3\), got torch\.float32 of shape \(3, 4\)"):
        camera_from_intrinsic(torch.zeros(3, 4), height=2, width=2, sdd=1.0)


def test_image_of_another_camera_is_refused():
    with pytest.raises(GeometryError, match=r"\(B, C, 24, 32\) as taken by the old camera, got .* \(1, 1, 32, 24\)"):
        resample(torch.zeros(1, 1, 32, 24), old=CAMERA, new=CAMERA)


def test_batches_that_differ_are_refused():
    two, three = (Camera(sdd=torch.full((n,), 1000.0), height=24, width=32) for n in (2, 3))
    with pytest.raises(GeometryError, match="batch sizes must agree or be 1"):
        homography(two, three)
    with pytest.raises(GeometryError, match=r"got .*'image': 2, 'cameras': 3"):
        resample(torch.zeros(2, 1, 24, 32), old=CAMERA, new=three)


def test_sizes_and_factors_must_be_positive():
    with pytest.raises(GeometryError, match="factor must be positive and finite, got factor=0"):
        rescale_camera(CAMERA, 0)
    with pytest.raises(GeometryError, match="height must be a positive"):
        resize_camera(CAMERA, height=0, width=5)
