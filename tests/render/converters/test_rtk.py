"""RTK's nine numbers and its projection image, by RTK's published formulas; tests/peers runs RTK itself."""

from dataclasses import replace

import pytest
import torch
from support.views import CENTER, assert_same_view, box, camera, pixels, poses
from xraykit.render import Camera
from xraykit.render.converters import RTKProjection, from_rtk, to_rtk
from xraykit.render.errors import GeometryError
from xraykit.render.geometry import swap_ras_lps_points

F64 = torch.float64
PLAIN = RTKProjection(600.0, 1000.0, 0.0, (0.0, 0.0), 0.0, 0.0, (0.0, 0.0), (-9.5, 4.5), (1.0, 1.0), (20, 10))


def indices(view: RTKProjection, points: torch.Tensor, isocenter: torch.Tensor) -> torch.Tensor:
    """Where RTK's matrix and ITK's origin, spacing and direction put LPS points, as (u, v) with centres at half."""
    fixed = swap_ras_lps_points(points) - swap_ras_lps_points(isocenter)
    seen = torch.nn.functional.pad(fixed, (0, 1), value=1.0) @ view.matrix.T
    uv = seen[:, :2] / seen[:, 2:]
    origin, spacing, direction = (torch.tensor(t, dtype=F64) for t in (view.origin, view.spacing, view.direction))
    return (uv - origin) * direction / spacing + 0.5


def test_plain_geometry_has_the_textbook_matrix():
    expected = torch.tensor([[-1000.0, 0, 0, 0], [0, -1000, 0, 0], [0, 0, 1, -600]], dtype=F64)
    torch.testing.assert_close(PLAIN.matrix, expected)


def test_plain_geometry_looks_down_the_z_axis():
    view = from_rtk(PLAIN)
    assert not view.mirrored
    assert view.pose[0, :3, 3].tolist() == pytest.approx([0.0, 0.0, 600.0], abs=1e-9)
    assert view.pose[0, :3, 2].tolist() == pytest.approx([0.0, 0.0, -1.0], abs=1e-9)
    assert view.pose[0, :3, 0].tolist() == pytest.approx([-1.0, 0.0, 0.0], abs=1e-9)  # LPS x is RAS -x
    assert view.camera.tensors(dtype=F64, device="cpu")[2][0].tolist() == pytest.approx([10.0, 5.0], abs=1e-9)


@pytest.mark.parametrize("isocenter", [torch.zeros(3, dtype=F64), CENTER])
def test_points_appear_on_the_pixels_that_rtk_gives_them(isocenter):
    views = to_rtk(camera(), poses(), isocenter=isocenter)
    seen = torch.stack([indices(view, box(), isocenter) for view in views])
    torch.testing.assert_close(seen, pixels(box(), camera(), poses()))


def test_views_of_one_detector_share_one_image_stack_even_with_different_principal_points():
    points = torch.tensor([[17.0, 18.0], [20.5, 15.0], [1.0, 2.0], [30.0, 7.0]])
    views = to_rtk(Camera(1020.0, 30, 41, pixel_spacing=(3.0, 2.5), principal_point=points), poses())
    assert len({(view.origin, view.spacing, view.size, view.direction) for view in views}) == 1
    assert views[0].origin == (-20 * 2.5, 14.5 * 3.0)


@pytest.mark.parametrize("isocenter", [torch.zeros(3, dtype=F64), CENTER])
def test_round_trip_keeps_every_number(isocenter):
    view = from_rtk(to_rtk(camera(), poses(), isocenter=isocenter), isocenter=isocenter)
    assert not view.mirrored
    assert_same_view(view, (camera(), poses()))


def test_images_with_identity_direction_are_mirrored_views():
    plain = to_rtk(camera(), poses())
    upright = [replace(view, direction=(1, 1), origin=(view.origin[0], -view.origin[1])) for view in plain]
    view = from_rtk(upright)
    assert view.mirrored
    seen = torch.stack([indices(one, box(), torch.zeros(3, dtype=F64)) for one in upright])
    torch.testing.assert_close(pixels(box(), view.camera, view.pose, mirrored=True), seen)


def test_bad_projections_say_what_is_wrong():
    with pytest.raises(GeometryError, match="must share one image size, got \\[\\]"):
        from_rtk([])
    with pytest.raises(GeometryError, match="must share one image size"):
        from_rtk([PLAIN, replace(PLAIN, size=(10, 20))])
    with pytest.raises(GeometryError, match="source_to_detector must be positive"):
        from_rtk(replace(PLAIN, source_to_detector=0.0))
    with pytest.raises(GeometryError, match="mirrored for all views or for none"):
        from_rtk([PLAIN, replace(PLAIN, direction=(1, 1))])
