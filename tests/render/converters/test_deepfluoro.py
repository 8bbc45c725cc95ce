"""xReg's camera model, in closed form."""

import pytest
import torch
from support.motions import random_poses
from support.views import assert_same_view, box, camera, pixels, poses
from xraykit.render.converters import from_deepfluoro, to_deepfluoro
from xraykit.render.errors import GeometryError
from xraykit.render.geometry import swap_ras_lps_points, transform_points

F64 = torch.float64
PELVIS = random_poses(1, seed=4)[0]
SIZE = {"num_rows": 30, "num_cols": 41, "pixel_spacing": (3.0, 2.5)}
CASES = [
    (mirrored, half_turn, place)
    for mirrored in (True, False)
    for half_turn in (False, True)
    for place in (None, PELVIS)
]


def test_centred_camera_has_its_principal_point_between_the_integer_pixels():
    K = torch.tensor([[-5000.0, 0, 767.5], [0, -5000, 767.5], [0, 0, 1]], dtype=F64)
    view = from_deepfluoro(torch.eye(4, dtype=F64), K, num_rows=1536, num_cols=1536, pixel_spacing=0.2)
    sdd, spacing, centre = view.camera.tensors(dtype=F64, device="cpu")
    assert sdd.tolist() == pytest.approx([1000.0])
    assert spacing[0].tolist() == pytest.approx([0.2, 0.2])
    assert centre[0].tolist() == pytest.approx([768.0, 768.0], abs=1e-9)


def test_negative_focal_lengths_look_along_minus_z_and_mirror():
    K = torch.tensor([[-1000.0, 0, 20], [0, -1000, 15], [0, 0, 1]], dtype=F64)
    view = from_deepfluoro(torch.eye(4, dtype=F64), K, num_rows=30, num_cols=40, pixel_spacing=1.0)
    assert view.mirrored
    assert view.pose[0, :3, 2].tolist() == pytest.approx([0.0, 0.0, -1.0], abs=1e-9)
    assert view.pose[0, :3, 1].tolist() == pytest.approx([0.0, -1.0, 0.0], abs=1e-9)  # LPS y is RAS -y
    assert view.pose[0, :3, 0].tolist() == pytest.approx([1.0, 0.0, 0.0], abs=1e-9)


@pytest.mark.parametrize(("mirrored", "half_turn", "place"), CASES)
def test_points_of_the_volume_appear_where_xreg_puts_them(mirrored, half_turn, place):
    numbers = to_deepfluoro(camera(), poses(), mirrored=mirrored, rotate_180=half_turn, camera_to_volume=place)
    lps = swap_ras_lps_points(box())
    in_carm = lps if place is None else transform_points(torch.linalg.inv(place), lps)
    seen = transform_points(numbers.extrinsic, in_carm) @ numbers.intrinsic.mT
    seen = seen[..., :2] / seen[..., 2:] + 0.5
    if half_turn:
        seen = torch.tensor([41.0, 30.0], dtype=F64) - seen
    torch.testing.assert_close(seen, pixels(box(), camera(), poses(), mirrored=mirrored))
    assert bool((numbers.intrinsic[:, 0, 0] < 0).all()) is mirrored


@pytest.mark.parametrize(("mirrored", "half_turn", "place"), CASES)
def test_round_trip_keeps_every_number(mirrored, half_turn, place):
    where = {"rotate_180": half_turn, "camera_to_volume": place, "pixel_center": "half"}
    numbers = to_deepfluoro(camera(), poses(), mirrored=mirrored, **where)
    view = from_deepfluoro(numbers.extrinsic, numbers.intrinsic, **SIZE, **where)
    assert view.mirrored is mirrored
    assert_same_view(view, (camera(), poses()))


def test_bad_arguments_say_what_is_wrong():
    numbers = to_deepfluoro(camera(), poses())
    with pytest.raises(GeometryError, match="positive focal lengths"):
        from_deepfluoro(numbers.extrinsic, numbers.intrinsic * torch.tensor([1.0, -1, 1]), **SIZE)
    with pytest.raises(GeometryError, match=r"extrinsic.* a reflection"):
        from_deepfluoro(numbers.extrinsic * torch.tensor([-1.0, 1, 1, 1]), numbers.intrinsic, **SIZE)
    with pytest.raises(GeometryError, match="imply one sdd"):
        from_deepfluoro(numbers.extrinsic, numbers.intrinsic, **{**SIZE, "pixel_spacing": (2.5, 3.0)})
