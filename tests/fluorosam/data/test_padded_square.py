"""The square around an image: there and back to the pixel, whatever its shape."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from xraykit.fluorosam.data import PaddedSquare
from xraykit.render import InputError

SHAPES = [(448, 448), (300, 1000), (1000, 301), (37, 448), (10, 7), (1, 2), (1023, 1024)]


@given(st.integers(1, 3000), st.integers(1, 3000))
def test_points_go_there_and_back(height, width):
    square = PaddedSquare(height, width, 448)
    points = torch.tensor([[0.5, 0.5], [width - 0.5, height - 0.5], [0.3 * width, 0.7 * height]], dtype=torch.float64)
    there = square.to_square(points)
    rows, columns = square.shown
    assert bool((there >= 0).all() and (there <= torch.tensor([columns, rows])).all())
    assert max(rows, columns) == 448
    torch.testing.assert_close(square.to_image(there), points)


@pytest.mark.parametrize("height, width", [(300, 1000), (1000, 301), (450, 700), (200, 90)])
@pytest.mark.parametrize("resolution", [448, 512])
def test_what_is_marked_in_an_image_comes_back_at_its_pixel(height, width, resolution):
    square = PaddedSquare(height, width, 448)
    y, x = 0.62 * height, 0.31 * width
    at = square.to_square(torch.tensor([x, y])) * (resolution / 448)
    cells = torch.arange(resolution) + 0.5
    blob = torch.exp(-((cells[None] - at[0]) ** 2 + (cells[:, None] - at[1]) ** 2) / (2 * 8.0**2))
    back = square.maps_to_image(blob)
    assert back.shape == (height, width)
    weights = back / back.sum()
    found_x = float((weights * (torch.arange(width) + 0.5)).sum())
    found_y = float((weights * (torch.arange(height) + 0.5)[:, None]).sum())
    assert (found_x, found_y) == pytest.approx((x, y), abs=0.5)


@pytest.mark.parametrize("height, width", SHAPES)
def test_an_image_fills_what_is_shown_and_nothing_else(height, width):
    square = PaddedSquare(height, width, 448)
    rows, columns = square.shown
    full = square.resized(torch.ones(2, height, width), fill=-1.0)
    assert full.shape == (2, 448, 448)
    torch.testing.assert_close(full[:, :rows, :columns], torch.ones(2, rows, columns))
    assert bool((full[:, rows:] == -1).all() and (full[:, :, columns:] == -1).all())


def test_boxes_go_as_their_corners_do():
    square = PaddedSquare(100, 200, 50)
    assert square.boxes_to_square(torch.tensor([[20.0, 40, 60, 80]])).tolist() == [[5.0, 10, 15, 20]]


def test_maps_of_another_size_are_refused():
    with pytest.raises(InputError, match=r"maps must be 4x5, got \(5, 4\)"):
        PaddedSquare(4, 5, 8).resized(torch.zeros(5, 4))


def test_an_empty_image_is_refused():
    with pytest.raises(InputError, match="at least one pixel, got 0x5 to 8"):
        PaddedSquare(0, 5, 8)
