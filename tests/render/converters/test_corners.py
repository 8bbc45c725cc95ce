"""Source and detector corners, and the steps of a detector in space, by hand and there and back."""

import pytest
import torch
from support.views import assert_same_view, box, camera, pixels, poses
from xraykit.render.converters import from_source_and_corners, to_source_and_corners
from xraykit.render.errors import GeometryError
from xraykit.render.geometry import swap_ras_lps_points

F64 = torch.float64
SOURCE = torch.tensor([0.0, 0.0, 0.0], dtype=F64)
UPRIGHT = torch.tensor([[-20.0, -10.0, 100.0], [30.0, -10, 100], [-20, 20, 100], [30, 20, 100]], dtype=F64)
SIZE = {"height": 30, "width": 25}


def seen_at(source: torch.Tensor, corners: torch.Tensor, point: torch.Tensor) -> list[float]:
    """Where the ray from the source through a point crosses the rectangle, as shares of its edges: plain geometry."""
    across, down = corners[1] - corners[0], corners[2] - corners[0]
    ray = point - source
    shares = torch.linalg.solve(torch.stack([across, down, -ray], dim=-1), source - corners[0])
    return shares[:2].tolist()


def test_a_detector_in_front_of_the_origin_has_the_textbook_camera():
    view = from_source_and_corners(SOURCE, UPRIGHT, **SIZE)
    sdd, spacing, centre = view.camera.tensors(dtype=F64, device="cpu")
    assert not view.mirrored
    assert sdd.item() == 100.0
    torch.testing.assert_close(spacing, torch.tensor([[1.0, 2.0]], dtype=F64))
    torch.testing.assert_close(centre, torch.tensor([[10.0, 10.0]], dtype=F64))
    torch.testing.assert_close(view.pose[0], torch.eye(4, dtype=F64))


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("world", ["RAS", "LPS"])
def test_round_trip_keeps_every_number(mirrored, world):
    there = to_source_and_corners(camera(), poses(), world=world, mirrored=mirrored)
    for corners in (there.corners, there.corners[:, :3]):
        view = from_source_and_corners(there.source, corners, height=30, width=41, world=world)
        assert view.mirrored is mirrored
        assert_same_view(view, (camera(), poses()))


@pytest.mark.parametrize("mirrored", [False, True])
def test_rays_cross_the_corners_rectangle_where_the_image_shows_points(mirrored):
    source, corners = to_source_and_corners(camera(), poses(), mirrored=mirrored)
    points = swap_ras_lps_points(swap_ras_lps_points(box()))
    shares = torch.tensor([[seen_at(s, c, p) for p in points] for s, c in zip(source, corners, strict=True)], dtype=F64)
    expected = pixels(points, camera(), poses(), mirrored=mirrored)
    torch.testing.assert_close(shares * torch.tensor([41.0, 30.0], dtype=F64), expected)


def test_gradients_reach_source_and_corners():
    there = to_source_and_corners(camera(), poses()[:1])

    def numbers(source, corners):
        view = from_source_and_corners(source, corners, height=30, width=41)
        return (view.pose, *view.camera.tensors(dtype=F64, device="cpu"))

    assert torch.autograd.gradcheck(numbers, (there.source.requires_grad_(), there.corners[:, :3].requires_grad_()))


@pytest.mark.parametrize(
    ("corners", "says"),
    [
        (UPRIGHT[[0, 1, 3, 2]], "a fourth one .* mm off; check the order"),
        (UPRIGHT[:2], r"\(B, 3, 3\) or \(B, 4, 3\)"),
        (UPRIGHT[:3] + torch.tensor([[0.0, 0, 0], [0, 5, 0], [0, 0, 0]], dtype=F64), "rows square to columns"),
        (UPRIGHT[[0, 0, 2]], "must span a detector"),
        (UPRIGHT - torch.tensor([0.0, 0.0, 100.0], dtype=F64), "source off the detector's plane"),
        (UPRIGHT.expand(2, 4, 3).clone().index_fill_(2, torch.tensor([2]), float("nan")), "must be finite"),
    ],
)
def test_bad_corners_say_what_is_wrong(corners, says):
    with pytest.raises(GeometryError, match=says):
        from_source_and_corners(SOURCE, corners, **SIZE)


def test_views_of_sources_and_corners_must_agree_in_number():
    with pytest.raises(GeometryError, match="equally many views, got 3 and 2"):
        from_source_and_corners(SOURCE.expand(3, 3), UPRIGHT.expand(2, 4, 3), **SIZE)
