"""K, R and t: the textbook equation, there and back, and cameras they cannot be."""

import pytest
import torch
from support.views import CENTER, assert_same_view, box, camera, pixels, poses
from xraykit.render.converters import from_krt, to_krt
from xraykit.render.errors import GeometryError
from xraykit.render.geometry import swap_ras_lps_points

F64 = torch.float64
SIZE = {"height": 30, "width": 41}


@pytest.mark.parametrize("mirrored", [False, True])
def test_points_appear_where_the_textbook_has_them(mirrored):
    K, R, t = to_krt(camera(), poses(), mirrored=mirrored)
    x = (box() @ R.mT + t[:, None]) @ K.mT
    seen = x[..., :2] / x[..., 2:] + 0.5  # OpenCV's centres are at integers
    torch.testing.assert_close(seen, pixels(box(), camera(), poses(), mirrored=mirrored))


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("world", ["RAS", "LPS"])
@pytest.mark.parametrize("pixel_center", ["half", "integer"])
@pytest.mark.parametrize("scale", [{"sdd": 1020.0}, {"pixel_spacing": (3.0, 2.5)}])
def test_round_trip_keeps_every_number(mirrored, world, pixel_center, scale):
    how = {"world": world, "pixel_center": pixel_center}
    view = from_krt(*to_krt(camera(), poses(), mirrored=mirrored, **how), **SIZE, **scale, **how)
    assert view.mirrored is mirrored
    assert_same_view(view, (camera(), poses()))


def test_without_scale_the_detector_is_well_behind_the_origin_and_the_image_is_the_same():
    K, R, t = to_krt(camera(), poses())
    view = from_krt(K, R, t, **SIZE)
    assert torch.as_tensor(view.camera.sdd).tolist() == pytest.approx((1.5 * t.norm(dim=-1)).tolist())
    torch.testing.assert_close(pixels(box(), view.camera, view.pose), pixels(box(), camera(), poses()))


def test_points_of_lps_are_taken_as_lps():
    _, R, t = to_krt(camera(), poses(), world="LPS")
    depth = (swap_ras_lps_points(CENTER) @ R.mT + t)[:, 2]
    assert depth.tolist() == pytest.approx(
        (CENTER @ poses()[:, :3, 2].mT - (poses()[:, :3, 2] * poses()[:, :3, 3]).sum(-1)).tolist()
    )


def test_bad_cameras_say_what_is_wrong():
    K, R, t = (part[:1] for part in to_krt(camera(), poses()))
    skewed = K.clone()
    skewed[:, 0, 1] = 5.0
    with pytest.raises(GeometryError, match="no skew"):
        from_krt(skewed, R, t, **SIZE)
    with pytest.raises(GeometryError, match=r"rotation.*must be a rigid motion.*scaling by 2"):
        from_krt(K, 2 * R, t, **SIZE)
    with pytest.raises(GeometryError, match="exactly one of pixel_spacing and sdd"):
        from_krt(K, R, t, **SIZE, sdd=1000.0, pixel_spacing=1.0)
    with pytest.raises(GeometryError, match="sdd or pixel_spacing must be given"):
        from_krt(K, R, 0 * t, **SIZE)
    with pytest.raises(GeometryError, match="must agree, got 3, 1, 2 views"):
        from_krt(K.expand(3, 3, 3), R, t.expand(2, 3), **SIZE)
