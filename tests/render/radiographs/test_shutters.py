"""Closed forms of the openings of collimators and shutters."""

import math

import pytest
import torch
from xraykit.render import Camera, InputError
from xraykit.render.radiographs import CircularShutter, PolygonalShutter, RectangularShutter, shutter_mask

CAMERA = Camera(sdd=1000.0, height=21, width=31, pixel_spacing=20.0)


def opened(shutter, camera=CAMERA, **options) -> torch.Tensor:
    return shutter_mask(shutter, camera, dtype=torch.float64, **options)[0, 0]


def test_a_rectangle_opens_its_area():
    mask = opened(RectangularShutter(3.0, 5.0, 20.0, 11.0))
    assert mask.sum().item() == pytest.approx(17 * 6)
    assert mask[7, 10] == 1.0
    assert mask[2, 10] == 0.0
    half = opened(RectangularShutter(3.5, 5.0, 20.0, 11.0))
    assert half[7, 3].item() == pytest.approx(0.5)


def test_a_circle_opens_its_area_without_steps():
    camera = Camera(sdd=1000.0, height=80, width=90)
    mask = opened(CircularShutter(44.3, 39.6, 30.0), camera)
    assert mask.sum().item() == pytest.approx(math.pi * 900, rel=2e-3)
    assert ((mask > 0) & (mask < 1)).sum() > 150


@pytest.mark.parametrize("order", [1, -1])
def test_a_polygon_of_a_rectangle_is_the_rectangle(order):
    corners = ((3.0, 5.0), (20.0, 5.0), (20.0, 11.0), (3.0, 11.0))[::order]
    expected = opened(RectangularShutter(3.0, 5.0, 20.0, 11.0))
    torch.testing.assert_close(opened(PolygonalShutter(corners)), expected)


def test_a_concave_polygon_keeps_its_notch_closed():
    mask = opened(PolygonalShutter(((2, 2), (28, 2), (28, 18), (15, 6), (2, 18))))
    assert mask[15, 15] == 0.0
    assert mask[4, 15] == 1.0
    assert mask.sum().item() == pytest.approx(26 * 16 - 26 * 12 / 2, rel=0.01)


def test_penumbra_and_leakage_do_what_they_say():
    mask = opened(RectangularShutter(10.0, -50.0, 90.0, 90.0), penumbra=8.0, leakage=0.1)
    torch.testing.assert_close(mask[10, :4], mask.new_full((4,), 0.1))
    assert mask[10, 20] == 1.0
    assert mask[10, 10].item() == pytest.approx(0.1 + 0.9 * (0.5 + 0.5 / 8))


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: RectangularShutter(5, 0, 5, 3), "left < right and top < bottom"),
        (lambda: CircularShutter(0, 0, 0), "radius must be positive"),
        (lambda: PolygonalShutter(((0, 0), (1, 1))), "at least 3 corners, got 2"),
        (lambda: opened(CircularShutter(0, 0, 1), penumbra=0.0), "penumbra must be 1 px or more"),
        (lambda: opened(CircularShutter(0, 0, 1), leakage=2.0), "leakage must lie in 0 to 1"),
    ],
)
def test_impossible_openings_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
