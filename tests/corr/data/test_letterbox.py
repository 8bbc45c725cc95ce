"""A letterbox keeps shapes: points go there and back, what lies at a point is found there, padding stays out."""

import pytest
import torch
from xraykit.corr.data import Letterbox
from xraykit.render import InputError


@pytest.mark.parametrize("shape", [(64, 64), (300, 200), (97, 211), (1, 5)])
def test_points_go_there_and_back_at_one_scale(shape):
    box = Letterbox(*shape, size=64)
    points = torch.tensor([[0.0, 0.0], [shape[1], shape[0]], [1.5, 0.25]], dtype=torch.float64)
    torch.testing.assert_close(box.to_image(box.to_square(points)), points, rtol=0, atol=1e-9)
    corners = box.to_square(points[:2])
    scale = (corners[1] - corners[0]) / points[1]
    assert scale.tolist() == pytest.approx([64 / max(shape)] * 2)


def test_square_lies_about_the_middle_of_the_image():
    box = Letterbox(100, 60, size=50)
    assert (box.left, box.top, box.side) == (-20, 0, 100)
    assert box.to_square(torch.tensor([30.0, 50.0])).tolist() == [25.0, 25.0]


@pytest.mark.parametrize("shape, size", [((120, 80), 60), ((40, 64), 64), ((30, 20), 90)])
def test_what_lies_at_a_point_is_found_there(shape, size):
    """The centroid of a blob moves as its point does."""
    rows, columns = torch.meshgrid(torch.arange(shape[0]) + 0.5, torch.arange(shape[1]) + 0.5, indexing="ij")
    x, y = 0.4 * shape[1], 0.6 * shape[0]
    blob = torch.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * (0.06 * max(shape)) ** 2))
    box = Letterbox(*shape, size=size)
    square, _ = box.resized(blob)
    steps = torch.arange(size) + 0.5
    found = torch.stack([(square.sum(0) * steps).sum(), (square.sum(1) * steps).sum()]) / square.sum()
    torch.testing.assert_close(found, box.to_square(torch.tensor([x, y])), rtol=0, atol=0.05)


def test_padding_is_zero_and_does_not_bleed_in():
    box = Letterbox(90, 40, size=32)
    square, inside = box.resized(torch.full((90, 40), 7.0))
    assert square[inside].tolist() == pytest.approx([7.0] * int(inside.sum()), abs=1e-4)
    assert not square[~inside].any()
    assert inside.float().mean() == pytest.approx(40 / 90, abs=0.04)


def test_pixels_that_do_not_count_stay_out_of_the_means():
    image = torch.ones(64, 64)
    image[:, 32:] = 1000.0
    inside = torch.arange(64)[None].expand(64, 64) < 32
    square, shown = Letterbox(64, 64, size=16).resized(image, inside)
    assert square[shown].max() == pytest.approx(1.0) and shown.float().mean() == pytest.approx(0.5)


def test_map_comes_back_in_the_shape_of_the_image():
    """A map that grows with x says each pixel's place in the square, between the middles of its cells."""
    box = Letterbox(30, 60, size=8)
    centers = (torch.arange(6) + 0.5) * 10
    back = box.map_to_image(centers[None].expand(6, 6))
    assert back.shape == (30, 60)
    torch.testing.assert_close(back[15, 5:55], torch.arange(5, 55) + 0.5, rtol=0, atol=1e-4)


def test_other_shapes_are_refused():
    with pytest.raises(InputError, match="must be 30x20"):
        Letterbox(30, 20, size=8).resized(torch.zeros(20, 30))
    with pytest.raises(InputError, match="at least one pixel"):
        Letterbox(0, 20, size=8)


def test_a_point_of_the_far_border_stays_on_the_image_and_others_stay_where_they_are():
    box = Letterbox(30, 12, 64)
    assert box.within(5.25, 29.5) == (5.25, 29.5) and box.within(0.0, 0.0) == (0.0, 0.0)
    x, y = box.within(12.0, 30.0)
    assert 12 - 1e-3 < x < 12 and 30 - 1e-3 < y < 30
